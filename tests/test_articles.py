"""Fields → article: what is refused, what is kept, and which article is the same one."""

from __future__ import annotations

import codecs
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rag.articles import ArticleFields, article_id, decode_utf8, parse_fields, to_article
from rag.errors import ArticleError
from rag.types import Article


def reason(**fields: object) -> str:
    with pytest.raises(ArticleError) as caught:
        parse_fields("a.txt", fields)
    assert caught.value.source == "a.txt"
    return caught.value.reason


def article(max_chars: int = 100, **fields: object) -> Article:
    parsed = parse_fields("a.txt", {"text": "News.", **fields})
    return to_article(parsed, fallback="/news/a.txt", source="/news/a.txt", max_chars=max_chars)


@pytest.mark.parametrize("text", ["", " \n\t", "\u2003\u2028"])
def test_blank_text_is_refused(text: str) -> None:
    assert reason(text=text) == "text: is blank: an article needs text"


def test_missing_text_and_text_that_is_none_are_refused() -> None:
    assert "text: field required" in reason(title="No text")
    assert "text: input should be a valid string" in reason(text=5)


@pytest.mark.parametrize(("bad", "code"), [("a\0b", "0000"), ("a\ud83db", "D83D")])
def test_characters_that_cannot_be_stored_are_refused(bad: str, code: str) -> None:
    assert f"text: holds U+{code} at position 1" in reason(text=bad)
    assert f"holds U+{code} at position 1" in reason(text="News.", title=bad)


@pytest.mark.parametrize(
    "bad",
    ["21/08/2025", "2025", "2025-02-30", "2025-08-21T25:00", "yesterday", "٢٠٢٥-٠٨-٢١", 20250821],
)
def test_a_bad_date_is_refused_by_field_and_value(bad: object) -> None:
    said = reason(text="News.", updated_at=bad)
    assert said.startswith(f"updated_at {bad!r}: is not an ISO 8601 date; write 2025-08-21")


@pytest.mark.parametrize("bad", ["a b", "a/b", "ä", "a\n", "x" * 129, True])
def test_a_bad_id_is_refused(bad: object) -> None:
    assert reason(text="News.", id=bad).startswith("id ")


def test_every_bad_field_is_named_at_once_and_long_values_are_cut() -> None:
    said = reason(text="", id="?" * 500, title=["a", "list"])
    assert "id '????" in said
    assert "title ['a', 'list']: " in said
    assert "text: is blank" in said
    assert len(said) < 400


def test_an_article_over_the_limit_is_refused_with_the_setting_to_raise() -> None:
    assert article(max_chars=5, text="12345").text == "12345"
    with pytest.raises(ArticleError, match=r"has 6 characters.*DATELINE_MAX_ARTICLE_CHARS"):
        article(max_chars=5, text="123456")


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("2025-08-21", "2025-08-21"),
        (" 2025-08-21\n", "2025-08-21"),
        ("2025-08-21T09:30", "2025-08-21T09:30:00"),
        ("2025-08-21 09:30:05", "2025-08-21T09:30:05"),
        ("2025-08-21t09:30:00z", "2025-08-21T09:30:00+00:00"),
        ("2025-08-21 09:30:00 +0530", "2025-08-21T09:30:00+05:30"),
        ("2025-08-21T09:30:00.5-05", "2025-08-21T09:30:00.500000-05:00"),
        (date(2025, 8, 21), "2025-08-21"),
        (datetime(2025, 8, 21, 9, 30, tzinfo=UTC), "2025-08-21T09:30:00+00:00"),
        ("", None),
        (None, None),
    ],
)
def test_dates_become_iso_8601_and_keep_what_they_say(given: object, normal: str | None) -> None:
    assert article(published_at=given).published_at == normal


def test_date_is_another_name_of_published_at_within_files() -> None:
    assert article(date="2025-08-21").published_at == "2025-08-21"
    assert article(date="2020-01-01", published_at="2025-08-21").published_at == "2025-08-21"
    assert ArticleFields.model_validate({"text": "x", "date": "2020-01-01"}).published_at is None


def test_later_layers_win_even_to_say_that_something_is_unknown() -> None:
    front = {"title": "Front", "author": "Wrong", "published_at": "2020-01-01", "text": "News."}
    fields = parse_fields("a.txt", front, {"author": None, "date": "2025-08-21"})
    assert (fields.title, fields.author, fields.published_at) == ("Front", None, "2025-08-21")


def test_blank_metadata_is_unknown_and_other_keys_are_ignored() -> None:
    found = article(title="", outlet="  ", author=None, tags=["a"], source="elsewhere")
    assert found == Article(article_id("/news/a.txt"), "News.", source="/news/a.txt")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_text_and_metadata_are_kept_exactly(text: str) -> None:
    if text.strip():
        found = article(max_chars=10**6, text=text, title=text)
        assert (found.text, found.title) == (text, text)


def test_identity_is_the_id_else_the_url_else_the_path_and_never_the_text() -> None:
    url = "https://example.com/a"
    assert article(id="n:1", url=url).id == "n:1"
    assert article(id=7).id == "7"
    assert article(url=url).id == article_id(url) == article(url=url, text="Other.").id
    assert article().id == article_id("/news/a.txt") == article(text="Other.").id
    # sha256sum of the identity; to change it would make every stored article a new one
    assert article_id("/news/a.txt") == "art_f9f0787840db503b"


def test_the_json_schema_tells_what_an_id_may_be() -> None:
    with pytest.raises(ValidationError):
        ArticleFields(text="x", id="not ok")
    schema = ArticleFields.model_json_schema()
    assert schema["required"] == ["text"]
    assert {"type": "null"} in schema["properties"]["id"]["anyOf"]
    assert "A-Za-z0-9._:-" in schema["properties"]["id"]["anyOf"][0]["pattern"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"caf\xe9 au lait", "is not UTF-8: byte 0xe9 at offset 3; convert it"),
        (codecs.BOM_UTF8 + b"\xff", "byte 0xff at offset 3"),
        (b"PK\x03\x00", "is binary (NUL byte at offset 3)"),
        (codecs.BOM_UTF16_LE + "hi".encode("utf-16-le"), "is UTF-16 text; convert it"),
        (codecs.BOM_UTF16_BE + "hi".encode("utf-16-be"), "is UTF-16 text; convert it"),
        (codecs.BOM_UTF32_LE + "hi".encode("utf-32-le"), "is UTF-32 text; convert it"),
        (b"\xed\xa0\xbd", "is not UTF-8"),
    ],
)
def test_bytes_that_are_no_utf8_text_are_refused_by_what_they_are(data: bytes, said: str) -> None:
    with pytest.raises(ArticleError) as caught:
        decode_utf8(data, "a.txt")
    assert said in caught.value.reason


def test_only_one_byte_order_mark_is_dropped() -> None:
    assert decode_utf8(codecs.BOM_UTF8 * 2 + b" a\r\n", "a.txt") == "\ufeff a\r\n"
