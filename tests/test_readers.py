"""Files and folders → articles: every failure is told by itself, and the others go in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from rag.articles import article_id
from rag.readers import Ignored, read_articles
from rag.types import Article, Skipped

SEED = Path(__file__).parent.parent / "seeds" / "000_75e423dfb05b201f.txt"


def read(*paths: Path, max_file_bytes: int = 10**6, max_article_chars: int = 10**6) -> list[object]:
    return list(
        read_articles(paths, max_file_bytes=max_file_bytes, max_article_chars=max_article_chars)
    )


def article(*paths: Path) -> Article:
    (found,) = read(*paths)
    assert isinstance(found, Article), found
    return found


def reason(path: Path, **limits: int) -> str:
    (found,) = read(path, **limits)
    assert isinstance(found, Skipped), found
    assert found.source == str(path)
    return found.reason


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, who may read everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "text: is blank"),
        (b" \n\n", "text: is blank"),
        (b"GIF\x00", "is binary (NUL byte at offset 3)"),
        (b"caf\xe9", "is not UTF-8: byte 0xe9 at offset 3"),
        ("é".encode("utf-16"), "is UTF-16 text"),
        (b"---\ntitle: 'open\n---\nNews.", "front matter (between its first --- lines) is not va"),
        (b"---\ntitle: a: b\n---\nNews.", "is not valid YAML: mapping values are not allowed"),
        (b"---\njust prose\n---\nNews.", "is not a mapping; write lines like `title: …`"),
        (b"---\na: &a [x]\nb: *a\n---\nNews.", "aliases are not allowed (line 2)"),
        (b'---\na: "\\UFFFFFFFF"\n---\nNews.', "is YAML that cannot be read"),
        (b"---\na: " + b"[" * 30_000 + b"\n---\nNews.", "is YAML that cannot be read"),
        (b"---\na: " + b"x" * 70_000 + b"\n---\nNews.", "has more than 64 KB"),
        (b"---\ndate: 21 August\n---\nNews.", "published_at '21 August': is not an ISO 8601 date"),
        (b"---\nid: a b\n---\nNews.", "id 'a b': "),
        (b"---\ntitle: Only this\n---\n", "text: is blank"),
    ],
)
def test_a_text_that_cannot_be_taken_in_says_why(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in reason(write(tmp_path / "a.txt", content))


def test_limits_name_the_setting_to_raise(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "x" * 2_500_000)
    said = reason(path, max_file_bytes=2_000_000)
    assert said == (
        "has 2.5 MB, and at most 2 MB are taken in; split it, or raise DATELINE_MAX_FILE_MB"
    )
    assert "DATELINE_MAX_ARTICLE_CHARS" in reason(path, max_file_bytes=2_500_000)


def test_what_is_no_readable_file_is_told_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    assert "is not a regular file" in reason(tmp_path / "pipe.txt")
    assert "cannot be read: Too many levels of symbolic links" in reason(tmp_path / "loop.txt")
    assert reason(tmp_path / "missing.txt") == "does not exist"
    assert "File name too long" in reason(tmp_path / ("x" * 300 + ".txt"))
    known = "is in no format that can be read; these can: .txt, .md, .markdown, .html, .htm, .jsonl"
    assert known in reason(write(tmp_path / "a.pdf", "%PDF"))


def test_files_and_folders_without_permission_are_told() -> None:
    with TemporaryDirectory() as name:  # pytest's own is closed to nobody
        shared = Path(name)
        shared.chmod(0o755)
        path = write(shared / "a.txt", "News.")
        folder = shared / "closed"
        folder.mkdir()
        path.chmod(0)
        folder.chmod(0)
        with as_nobody():
            assert "permission denied" in reason(path)
            assert "permission denied" in reason(folder)
        folder.chmod(0o755)


def test_one_bad_file_never_stops_the_others(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "First.")
    bad = write(tmp_path / "b.txt", b"\xff")
    write(tmp_path / "c.txt", "Last.")
    first, skipped, last = read(tmp_path)
    assert isinstance(first, Article)
    assert isinstance(last, Article)
    assert isinstance(skipped, Skipped)
    assert (first.text, skipped.source, last.text) == ("First.", str(bad), "Last.")


def test_each_bad_line_is_told_by_its_number_and_the_others_go_in(tmp_path: Path) -> None:
    text = " a\u2028b\r\n"
    good = {"id": "one", "title": "T", "date": "2025-08-21", "text": text, "more": 1}
    lines = [
        json.dumps(good, ensure_ascii=False).encode(),
        b"{not json",
        b"[]",
        b'"text"',
        b'{"text": "\\ud83d"}',
        b'{"text": "caf\xe9"}',
        b'{"text": "x", "n": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"",
        b'{"text": "No id."}\r',
        b'{"text": "long enough"}',
    ]
    path = write(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + b"\n".join(lines))
    results = read(path, max_article_chars=10)
    articles = [found for found in results if isinstance(found, Article)]
    skipped = {found.source: found.reason for found in results if isinstance(found, Skipped)}
    assert articles == [
        Article("one", text, title="T", published_at="2025-08-21", source=f"{path}:1"),
        Article(article_id(f"{path}#10"), "No id.", source=f"{path}:10"),
    ]
    assert list(skipped) == [f"{path}:{number}" for number in (2, 3, 4, 5, 6, 7, 8, 11)]
    said = list(skipped.values())
    assert "is not valid JSON: Expecting property name" in said[0]
    assert "(line 1, column 2)" in said[0]
    assert "is not a JSON object" in said[1]
    assert "is not a JSON object" in said[2]
    assert "text: holds U+D83D at position 0" in said[3]
    assert "is not UTF-8: byte 0xe9 at offset 13" in said[4]
    assert "is JSON that cannot be read" in said[5]
    assert "is JSON that cannot be read" in said[6]
    assert "has 11 characters" in said[7]


def test_lines_of_another_kind_of_file_are_told_once(tmp_path: Path) -> None:
    assert "is UTF-16" in reason(write(tmp_path / "a.jsonl", "{}\n{}\n".encode("utf-16")))
    assert "is binary" in reason(write(tmp_path / "b.ndjson", b"\1\0\n\2\0\n"))
    assert "is blank" in reason(write(tmp_path / "c.jsonl", "\n \n"))


def test_the_second_article_of_one_identity_is_refused_naming_the_first(tmp_path: Path) -> None:
    lines = '{"url": "https://e.org/a", "text": "A"}\n{"url": "https://e.org/a", "text": "B"}\n'
    path = write(tmp_path / "a.jsonl", lines)
    first, second = read(path)
    assert isinstance(first, Article)
    assert isinstance(second, Skipped)
    assert second.source == f"{path}:2"
    assert f"is the same article ({first.id}) as {path}:1" in second.reason


def test_equal_texts_are_two_articles(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, "Same.") for name in ("a.txt", "b.txt")]
    assert [found.id for found in read(*paths) if isinstance(found, Article)] == [
        article_id(str(path)) for path in paths
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.yaml", b"title: [", "sidecar a.yaml is not valid YAML"),
        ("a.yml", b"- title", "sidecar a.yml is not a mapping"),
        ("a.json", b"{", "sidecar a.json is not valid JSON"),
        ("a.json", b"\xff", "sidecar a.json is not UTF-8"),
        ("a.yaml", b"#" * 70_000, "sidecar a.yaml has more than 64 KB"),
        ("a.yaml", b"published_at: soon", "published_at 'soon': is not an ISO 8601 date"),
    ],
)
def test_a_bad_sidecar_is_told_for_its_article(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = write(tmp_path / "a.txt", "News.")
    write(tmp_path / name, content)
    assert said in reason(path)


def test_sidecars_must_be_one_and_come_with_their_article(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "News.")
    sidecar = write(tmp_path / "a.yaml", "title: T")
    assert article(path, sidecar).title == "T"
    assert article(sidecar, tmp_path).title == "T"
    assert "is the sidecar of a.txt" in reason(sidecar)
    write(tmp_path / "a.json", "{}")
    assert "has several sidecars, a.yaml and a.json; keep one" in reason(path)


def test_a_sidecar_wins_over_front_matter_and_never_gives_the_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md", "---\ntitle: Front\noutlet: Paper\n---\nNews.")
    write(tmp_path / "a.yaml", "title: Side\ntext: Other.")
    found = article(path)
    assert (found.title, found.outlet, found.text) == ("Side", "Paper", "News.")


def test_yaml_values_arrive_as_they_are_written(tmp_path: Path) -> None:
    matter = "id: 007\noutlet: No\ntitle: 2025-08-21\nauthor: ~\nlanguage:\ndate: 2025-08-21\n"
    found = article(write(tmp_path / "a.txt", f"---\n{matter}---\nNews."))
    assert (found.id, found.outlet, found.title) == ("007", "No", "2025-08-21")
    assert (found.author, found.language, found.published_at) == (None, None, "2025-08-21")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("---\r\ntitle: T\r\n---\r\n\r\n A\r\nB \n", "\r\n A\r\nB \n"),
        ("---\n---\nA", "A"),
        ("\ufeff---\ntitle: T\n--- \nA\n---\nB", "A\n---\nB"),
        ("---\nA rule, and no end of it.\n", "---\nA rule, and no end of it.\n"),
        ("A\n---\ntitle: T\n---\n", "A\n---\ntitle: T\n---\n"),
        ("e\u0301 \u00e9\u00a0\u200b “x”\x0b\x85\r", "e\u0301 \u00e9\u00a0\u200b “x”\x0b\x85\r"),
    ],
)
def test_text_is_kept_exactly_but_for_front_matter(tmp_path: Path, content: str, text: str) -> None:
    assert article(write(tmp_path / "a.txt", content)).text == text


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("Intro\n\n# The news #\nText", "The news"),
        ("# C#\r\nText", "C#"),
        ("```\n# a comment\n```\n# Real", "Real"),
        ("~~~\n```\n# a comment\n~~~\n  # Real", "Real"),
        ("## Smaller\n#tag\n#   \nText", None),
        ("---\ntitle: Given\n---\n# Heading", "Given"),
    ],
)
def test_markdown_without_a_title_takes_its_first_heading(
    tmp_path: Path, content: str, title: str | None
) -> None:
    assert article(write(tmp_path / "a.MD", content)).title == title
    assert article(write(tmp_path / "a.txt", "# Not Markdown")).title is None


def test_folders_are_searched_in_order_and_once(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.md", "a/c.jsonl", "B.TXT", ".git/x.txt", ".hidden.txt"):
        write(tmp_path / name, '{"text": "News."}')
    write(tmp_path / "a/photo.jpg", b"\xff")
    write(tmp_path / "a/notes.yaml", "no: article")
    write(tmp_path / "B.yaml", "title: T")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "0-link").symlink_to(tmp_path / "a")
    results = read(tmp_path, tmp_path / "a", tmp_path / "b.txt", tmp_path / "a" / ".." / "b.txt")
    names = [
        found.source.removeprefix(f"{tmp_path}/")
        for found in results
        if isinstance(found, Article | Ignored) and found.source
    ]
    assert names == ["B.TXT", "b.txt", "a/c.jsonl:1", "a/notes.yaml", "a/photo.jpg", "a/z.md"]
    assert [found.source for found in results if isinstance(found, Ignored)] == [
        str(tmp_path / "a/notes.yaml"),
        str(tmp_path / "a/photo.jpg"),
    ]
    assert not [found for found in results if isinstance(found, Skipped)]


def test_a_hidden_file_is_read_when_it_is_given(tmp_path: Path) -> None:
    assert article(write(tmp_path / ".news.txt", "News.")).text == "News."


def test_a_file_name_that_is_not_utf8_still_makes_a_source(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    found = article(write(path, "News."))
    assert found.source == f"{tmp_path}/caf\\xe9.txt"
    assert found.id == article_id(found.source)


def test_a_relative_path_is_the_same_article_as_its_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.txt", "News.")
    monkeypatch.chdir(tmp_path)
    assert article(Path("a.txt")) == article(path)


def test_the_seed_article_is_kept_byte_for_byte_with_its_sidecar() -> None:
    found = article(SEED)
    assert found.text.encode() == SEED.read_bytes()
    assert found == Article(
        article_id(str(SEED)),
        found.text,
        title="India and Russia reaffirm resolve to deepen trade and strategic cooperation",
        published_at="2025-08-21",
        language="en",
        source=str(SEED),
    )
    assert read(SEED.parent) == [found]
