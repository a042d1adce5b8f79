"""Documents of strangers: read as files are, and within bounds whatever they hold."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest

from rag.documents import AT_ONCE, WAITING, DocumentReader
from rag.errors import ArticleError, BusyError

PAGE = b"""<html lang="en"><head><title>Bridge opens</title>
<link rel="canonical" href="https://news.example/bridge">
<meta property="og:site_name" content="The Daily">
<meta property="article:published_time" content="2025-08-21"></head>
<body><article><h1>Bridge opens</h1><p>The harbour bridge cost 84 million crowns in all.</p>
<p>It was opened on Thursday by the mayor, who thanked the builders.</p></article></body></html>"""


@pytest.mark.parametrize(
    ("data", "suffix", "charset", "words"),
    [
        (b"", ".txt", None, "blank"),
        (b" \n ", ".md", None, "blank"),
        (b"<html></html>", ".html", None, "no article text"),
        (b"a\0b", ".txt", None, "binary"),
        (b"Caf\xe9", ".txt", None, "not UTF-8"),
        (b"News.", ".txt", "no-such-charset", "no-such-charset"),
        (b"\xff", ".txt", "ascii", "ascii"),
        (b"---\nid: a b\n---\nNews.", ".md", None, "id"),
        (b"---\n" + b"[" * 5_000 + b"\n---\nNews.", ".md", None, "front matter"),
        (b"x" * 1_001, ".txt", None, "1,001 characters"),
    ],
)
async def test_a_document_that_cannot_be_read_says_why(data, suffix, charset, words):
    with pytest.raises(ArticleError, match=words):
        await DocumentReader(max_chars=1_000).read(data, suffix, charset)


async def test_a_page_gives_its_text_and_what_it_says_of_itself():
    fields = await DocumentReader(max_chars=1_000).read(PAGE, ".html", None)
    assert "The harbour bridge cost 84 million crowns in all." in fields.text
    assert fields.model_dump(exclude={"text", "author", "updated_at", "id"}) == {
        "url": "https://news.example/bridge",
        "title": "Bridge opens",
        "outlet": "The Daily",
        "published_at": "2025-08-21",
        "language": "en",
    }


async def test_markdown_and_text_are_read_with_their_front_matter_and_charset():
    reader = DocumentReader(max_chars=1_000)
    front = "---\nid: a1\noutlet: Le Café\ndate: 2025-08-21\n---\n# Été\nNews."
    fields = await reader.read(front.encode("latin-1"), ".md", "ISO-8859-1")
    assert (fields.id, fields.outlet, fields.published_at) == ("a1", "Le Café", "2025-08-21")
    assert (fields.title, fields.text) == ("Été", "# Été\nNews.")
    assert (await reader.read("Été".encode(), ".txt", None)).text == "Été"


@pytest.mark.parametrize(
    "page",
    [
        b"<div>" * 200_000 + b"News." + b"</div>" * 200_000,
        b"<p>" + b"<b><i>" * 100_000 + b"News.",
        b"<table><tr><td>" * 50_000,
        b"<p " + b"a=1 " * 500_000 + b">News.</p>",
        b"<p>" + b"&amp;" * 500_000 + b"</p>",
        b"<!--" * 200_000,
        b"<p>News.</p>" * 50_000 + b"<![CDATA[" * 50_000,
        b"<script type='application/ld+json'>" + b"[" * 500_000 + b"</script><p>News.</p>",
    ],
    ids=["divs", "inline", "tables", "attributes", "entities", "comments", "cdata", "ld+json"],
)
async def test_a_hostile_page_is_read_or_refused_and_nothing_of_it_stays(page, children):
    reader = DocumentReader(max_chars=10_000_000, seconds=3, memory_bytes=1 << 30)
    with suppress(ArticleError):
        assert (await reader.read(page, ".html", None)).text
    assert children() == []


async def test_a_document_that_takes_too_long_is_ended():
    reader = DocumentReader(max_chars=1_000, seconds=0.05)
    with pytest.raises(ArticleError, match=r"within 0\.05 s"):
        await reader.read(PAGE, ".html", None)


async def test_a_document_that_fills_the_memory_is_ended():
    reader = DocumentReader(max_chars=10**9, memory_bytes=200_000_000)
    with pytest.raises(ArticleError, match=r"0\.2 GB"):
        await reader.read(b"x" * 150_000_000, ".txt", None)


async def test_a_worker_is_ended_when_nobody_waits_for_it_any_more(children):
    reader = DocumentReader(max_chars=1_000)
    reading = asyncio.create_task(reader.read(PAGE, ".html", None))
    while not children():
        await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert children() == []


async def test_few_are_read_at_once_and_too_many_are_refused(children):
    reader = DocumentReader(max_chars=1_000)
    reading = [
        asyncio.create_task(reader.read(b"News.", ".txt", None)) for _ in range(AT_ONCE + WAITING)
    ]
    while len(children()) < AT_ONCE:
        await asyncio.sleep(0)
    with pytest.raises(BusyError, match="wait"):
        await reader.read(b"News.", ".txt", None)
    assert len(children()) == AT_ONCE
    for one in reading[1:]:
        one.cancel()
    assert (await reading[0]).text == "News."
    await asyncio.gather(*reading, return_exceptions=True)
    assert children() == []


async def test_a_worker_knows_no_secrets_and_no_settings(monkeypatch):
    monkeypatch.setenv("DATELINE_LLM_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    started: list[dict[str, str]] = []
    true = asyncio.create_subprocess_exec

    async def noted(*arguments: str, env: dict[str, str], **more: object) -> object:
        started.append(env)
        return await true(*arguments, env=env, **more)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    await DocumentReader(max_chars=1_000).read(b"News.", ".txt", None)
    assert "sk-secret" not in "".join(started[0].values())


@pytest.fixture
def children():
    """The workers of this process that still are, zombies included."""

    def listed() -> list[int]:
        own = Path(f"/proc/{os.getpid()}/task")
        if not own.is_dir():
            pytest.skip("needs /proc")
        before_and_now = set[int]()
        for thread in own.iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):  # of a thread that just ended
                before_and_now.update(map(int, (thread / "children").read_text().split()))
        return [child for child in before_and_now if child not in before]

    before: set[int] = set()
    before.update(listed())
    return listed
