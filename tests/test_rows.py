import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.storage.database import Database
from rag.storage.rows import (
    content_hash,
    delete_articles,
    filter_sql,
    insert_article,
    select_article_page,
    select_articles,
    select_chunks,
    select_chunks_of,
    select_hashes,
)
from rag.types import Article, Chunk, Filters


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    database = Database(tmp_path / "library.db")
    with database.writing() as connection:
        yield connection
    database.close()


def insert(db: sqlite3.Connection, *articles: Article) -> None:
    for number, article in enumerate(articles):
        half = len(article.text) // 2
        chunks = [
            Chunk(f"{article.id}/{n}", article.id, start, end, article.text[start:end])
            for n, (start, end) in enumerate([(0, half), (half, len(article.text))])
        ]
        insert_article(db, article, zip(chunks, (2 * number + 1, 2 * number + 2), strict=True), 1)


def passing(db: sqlite3.Connection, filters: Filters, as_of: str | None = None) -> str:
    condition, values = filter_sql(filters, as_of)
    rows = db.execute(f"SELECT id FROM articles a WHERE {condition} ORDER BY id", values)
    return "".join(article_id for (article_id,) in rows)


def test_an_id_that_is_stored_is_not_taken_twice(db: sqlite3.Connection) -> None:
    insert(db, Article("a", "some text"))
    with pytest.raises(sqlite3.IntegrityError, match=r"articles\.id"):
        insert_article(db, Article("a", "other text"), [], 2)


def test_what_is_not_stored_is_neither_found_nor_deleted(db: sqlite3.Connection) -> None:
    assert delete_articles(db, ["a"]) == (0, ())
    assert select_articles(db, ["a"]) == select_article_page(db, "", 9) == []
    assert select_chunks(db, ["a/0"]) == select_chunks_of(db, ["a"]) == []
    assert select_hashes(db, ["a"]) == {}


def test_the_content_hash_tells_every_change_but_that_of_the_file(db: sqlite3.Connection) -> None:
    article = Article("a", "text", title="t", source="here")
    insert(db, article)
    assert select_hashes(db, ["a", "b"]) == {"a": content_hash(article)}
    assert content_hash(replace(article, source="there")) == content_hash(article)
    for name in ("text", "url", "title", "outlet", "author", "published_at", "language"):
        assert content_hash(replace(article, **{name: "other"})) != content_hash(article), name
    # A value in one field is not the same value in another.
    assert content_hash(Article("a", "x", title="t")) != content_hash(Article("a", "x", outlet="t"))


def test_chunks_have_the_articles_text_also_behind_a_nul(db: sqlite3.Connection) -> None:
    insert(db, Article("a", "one\0two\0three"), Article("b", "four five"))
    assert [chunk.text for chunk in select_chunks_of(db, ["a"])] == ["one\0tw", "o\0three"]
    assert [chunk.text for chunk in select_chunks(db, ["b/1", "none"])] == [" five"]


def test_a_deleted_article_takes_its_chunks_and_words_along(db: sqlite3.Connection) -> None:
    insert(db, Article("a", "one two"), Article("b", "three four"))
    assert delete_articles(db, ["a", "none"]) == (1, ("a/0", "a/1"))
    for table in ("chunks", "words"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (2,)


def test_no_filter_is_no_condition() -> None:
    assert filter_sql(Filters(), None) == ("", [])


@pytest.mark.parametrize(
    ("filters", "as_of", "found"),
    [
        (Filters(published_from="2025-01-02"), None, "bc"),
        (Filters(published_from="2025-01-02T18:00"), None, "bc"),
        (Filters(published_to="2025-01-02"), None, "ab"),
        (Filters(outlets=(" the ECHO ", "Caf\u00e9")), None, "ab"),
        (Filters(article_ids=("a", "d", "none")), None, "ad"),
        (Filters(), "2025-01-02", "abd"),
        (Filters(published_from="2025-01-02", outlets=("The Echo",)), None, ""),
    ],
)
def test_a_filter_lets_through_what_it_says(
    db: sqlite3.Connection, filters: Filters, as_of: str | None, found: str
) -> None:
    insert(
        db,
        Article("a", "text", outlet="The Echo", published_at="2025-01-01"),
        Article("b", "text", outlet="Cafe\u0301", published_at="2025-01-02T09:30:00+02:00"),
        Article("c", "text", published_at="2025-01-03"),
        Article("d", "text"),  # undated: within any `as_of`, but in no range of days
    )
    assert passing(db, filters, as_of) == found
