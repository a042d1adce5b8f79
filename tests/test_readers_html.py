"""HTML → article: what a page declares is taken, what would be a guess is left unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.readers import read_articles
from rag.types import Article, Skipped

STORY = (
    "<p>India and Russia on Thursday reaffirmed their resolve to deepen trade and strategic "
    "cooperation, with the minister “Jaishankar” meeting the president in the Café Moscow.</p>"
)


def page(head: str = "", before: str = "", after: str = "", root: str = "<html>") -> str:
    return (
        f"<!doctype html>{root}<head><title>Talks in Moscow</title>{head}</head>"
        f"<body><nav><a href='/'>Home</a> <a href='/login'>Log in</a></nav>"
        f"<article><h1>Talks in Moscow</h1>{before}{STORY * 3}</article>{after}</body></html>"
    )


def read(path: Path, content: str | bytes) -> Article | Skipped:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (found,) = read_articles([path], max_file_bytes=10**6, max_article_chars=10**6)
    assert isinstance(found, Article | Skipped)
    return found


def article(path: Path, content: str | bytes) -> Article:
    found = read(path, content)
    assert isinstance(found, Article), found
    return found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<html><body></body></html>", "has no article text"),
        ("no markup", "has no article text"),
        ("<div>" * 5000, "has no article text"),
        (b"<p>\0</p>", "is binary"),
        (page().encode("utf-16"), "is UTF-16 text"),
        (page().encode("cp1252"), "is not UTF-8: byte 0x93"),
        (page("<meta charset=utf-9>").encode("cp1252"), "is not in utf-9, the charset that it"),
        (page("<meta charset=zip>").encode("cp1252"), "is not in zip, the charset that it"),
        (page("<meta charset=euc-kr>").encode("cp1252"), "is not in euc-kr, the charset that it"),
    ],
)
def test_a_page_that_cannot_be_taken_in_says_why(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    found = read(tmp_path / "a.html", content)
    assert isinstance(found, Skipped)
    assert found.source == str(tmp_path / "a.html")
    assert said in found.reason


def test_a_page_gives_its_main_text_and_what_it_declares(tmp_path: Path) -> None:
    head = (
        '<meta property="article:published_time" content="2025-08-21T10:11:12Z">'
        '<meta property="og:site_name" content="The Daily"><meta name="author" content="Jane Doe">'
        '<link rel="canonical" href="https://example.com/talks">'
    )
    found = article(tmp_path / "a.htm", page(head, root='<html lang="en">'))
    assert "Log in" not in found.text
    assert "“Jaishankar” meeting the president in the Café Moscow." in found.text
    assert (found.title, found.outlet, found.author) == ("Talks in Moscow", "The Daily", "Jane Doe")
    assert (found.url, found.language) == ("https://example.com/talks", "en")
    assert found.published_at == "2025-08-21"


def test_a_sidecar_wins_over_the_page(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("title: Ours\nauthor: null\n")
    found = article(tmp_path / "a.html", page('<meta name="author" content="Jane Doe">'))
    assert (found.title, found.author) == ("Ours", None)


@pytest.mark.parametrize(
    "parts",
    [
        {"after": "<footer>© 2019 The Daily. Last change 2018-02-03</footer>"},
        {"after": "<aside><time datetime='2018-02-03'>older news</time></aside>"},
        {"after": "<a href='/2018/02/03/older.html'>older news</a>"},
        {"head": "<meta property='og:image' content='https://example.com/2018/02/03/a.jpg'>"},
        {"head": "<meta name='description' content='What happened on 2018-02-03'>"},
        {"head": "<meta property='article:modified_time' content='2018-02-03'>"},
        {"head": "<meta property='og:updated_time' content='2018-02-03'>"},
        {"head": "<meta itemprop='dateModified' content='2018-02-03'>"},
        {"before": "<time datetime='now'>Now</time> In the report of 2018-02-03 it was said."},
        {"after": '<script type="application/ld+json">{"dateModified": "2018-02-03"}</script>'},
    ],
)
def test_a_day_that_the_page_does_not_declare_as_its_own_is_unknown(
    tmp_path: Path, parts: dict[str, str]
) -> None:
    assert article(tmp_path / "a.html", page(**parts)).published_at is None


@pytest.mark.parametrize(
    "parts",
    [
        {"head": "<meta name='DC.date.issued' content='2025-08-21'>"},
        {"head": "<meta itemprop='datePublished' content='2025-08-21'>"},
        {"head": "<meta name='article:published_time' content='2025-08-21'>"},
        {"head": "<meta name='pubdate' content='2025-08-21'>"},
        {"before": "<time datetime='2025-08-21T09:30Z'>Thursday</time>"},
        {
            "after": '<script type="application/ld+json">{"@type": "NewsArticle", '
            '"dateModified": "2025-09-01", "datePublished": "2025-08-21"}</script>'
        },
    ],
)
def test_a_declared_day_is_found(tmp_path: Path, parts: dict[str, str]) -> None:
    assert article(tmp_path / "a.html", page(**parts)).published_at == "2025-08-21"


@pytest.mark.parametrize(
    ("declaration", "encoding"),
    [
        ("<meta charset=windows-1252>", "cp1252"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-1">', "cp1252"),
        ('<meta charset="gb2312">', "gb18030"),
        ('<meta charset="iso-8859-1">', "utf-8"),
        ("", "utf-8-sig"),
    ],
)
def test_a_page_is_read_in_the_charset_that_it_declares_or_in_utf8(
    tmp_path: Path, declaration: str, encoding: str
) -> None:
    found = article(tmp_path / "a.html", page(declaration).encode(encoding))
    assert "“Jaishankar” meeting the president in the Café Moscow." in found.text
