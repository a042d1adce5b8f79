"""Articles and their chunks as rows of the library's database, and the filters over them.

Each function works within the caller's transaction.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from rag.storage.schema import WORDS
from rag.types import Article, Chunk, Filters

_FIELDS = tuple(field.name for field in fields(Article))
_ARTICLE = ", ".join(f"a.{name}" for name in _FIELDS)
_CHUNK = (
    "SELECT c.id, a.id, c.start, c.end, c.rowid "
    "FROM chunks c JOIN articles a ON a.rowid = c.article"
)
_IN = "IN (SELECT value FROM json_each(?))"  # one parameter, however many values


def content_hash(article: Article) -> str:
    """SHA-256 over all that is stored of an article but where it was read from."""
    content = {name: getattr(article, name) for name in _FIELDS if name != "source"}
    content = {name: value for name, value in content.items() if value is not None}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def filter_sql(filters: Filters, as_of: str | None) -> tuple[str, list[str]]:
    """SQL over `articles a` for the filters, with its values; empty for no filter."""
    parts: list[tuple[str, str]] = []
    if filters.published_from:
        parts.append(("a.published_day >= ?", filters.published_from[:10]))
    if filters.published_to:
        parts.append(("a.published_day <= ?", filters.published_to[:10]))
    if filters.outlets:
        parts.append((f"a.outlet_key {_IN}", _json(map(_outlet_key, filters.outlets))))
    if filters.article_ids:
        parts.append((f"a.id {_IN}", _json(filters.article_ids)))
    if as_of:
        # An OR would be answered from two indexes, and then from every article's long row.
        parts.append(("coalesce(a.published_day, '') <= ?", as_of[:10]))
    return " AND ".join(sql for sql, _ in parts), [value for _, value in parts]


# Writing


def insert_article(
    db: sqlite3.Connection, article: Article, chunks: Iterable[tuple[Chunk, int]], revision: int
) -> None:
    """Store an article that `revision` brings, and its chunks, in order, under their numbers."""
    derived: dict[str, object] = {
        "published_day": article.published_at and article.published_at[:10],
        "outlet_key": article.outlet and _outlet_key(article.outlet),
        "content_hash": content_hash(article),
        "revision": revision,
        "ingested_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    values = [getattr(article, name) for name in _FIELDS]
    columns = [*_FIELDS, *derived]
    cursor = db.execute(
        f"INSERT INTO articles ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
        [*values, *derived.values()],
    )
    parent = cursor.lastrowid
    header = _header(article)
    for ordinal, (chunk, row) in enumerate(chunks):
        db.execute(
            "INSERT INTO chunks (rowid, id, article, ordinal, start, end) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [row, chunk.id, parent, ordinal, chunk.start, chunk.end],
        )
        db.execute(
            "INSERT INTO words (rowid, header, body) VALUES (?, ?, ?)",
            [row, header, article.text[chunk.start : chunk.end]],
        )


def rebuild_words(db: sqlite3.Connection) -> None:
    """Make the word index anew, of what is stored."""
    db.execute("DROP TABLE words")
    db.execute(WORDS)
    for (article_id,) in db.execute("SELECT id FROM articles").fetchall():
        (article,) = select_articles(db, [article_id])
        for row, start, end in db.execute(
            "SELECT c.rowid, c.start, c.end FROM chunks c JOIN articles a ON a.rowid = c.article "
            "WHERE a.id = ?",
            [article_id],
        ).fetchall():
            db.execute(
                "INSERT INTO words (rowid, header, body) VALUES (?, ?, ?)",
                [row, _header(article), article.text[start:end]],
            )


def delete_articles(db: sqlite3.Connection, ids: Collection[str]) -> tuple[int, tuple[str, ...]]:
    """Delete articles with all that hangs on them: how many these were, their chunks' ids."""
    chunks = db.execute(
        "SELECT c.rowid, c.id FROM chunks c JOIN articles a ON a.rowid = c.article "
        f"WHERE a.id {_IN}",
        [_json(ids)],
    ).fetchall()
    db.executemany("DELETE FROM words WHERE rowid = ?", [(rowid,) for rowid, _ in chunks])
    deleted = db.execute(f"DELETE FROM articles WHERE id {_IN}", [_json(ids)]).rowcount
    return deleted, tuple(chunk_id for _, chunk_id in chunks)


def next_revision(db: sqlite3.Connection) -> int:
    """Count the library's revision on by one."""
    (revision,) = db.execute("SELECT value + 1 FROM meta WHERE key = 'revision'").fetchone()
    db.execute("UPDATE meta SET value = ? WHERE key = 'revision'", [str(revision)])
    return int(revision)


# Reading


def select_articles(db: sqlite3.Connection, ids: Collection[str]) -> list[Article]:
    """The stored articles among `ids`."""
    rows = db.execute(f"SELECT {_ARTICLE} FROM articles a WHERE a.id {_IN}", [_json(ids)])
    return [_article(row) for row in rows]


def select_article_page(db: sqlite3.Connection, after: str, limit: int) -> list[Article]:
    """The first `limit` articles by id that come after the id `after`."""
    rows = db.execute(
        f"SELECT {_ARTICLE} FROM articles a WHERE a.id > ? ORDER BY a.id LIMIT ?", [after, limit]
    )
    return [_article(row) for row in rows]


def select_hashes(db: sqlite3.Connection, ids: Collection[str]) -> dict[str, str]:
    """The `content_hash` of the stored articles among `ids`, by id."""
    return dict(db.execute(f"SELECT id, content_hash FROM articles WHERE id {_IN}", [_json(ids)]))


def select_chunks(db: sqlite3.Connection, ids: Collection[str]) -> list[Chunk]:
    """The stored chunks among `ids`."""
    sql = f"{_CHUNK} WHERE c.id {_IN}"
    return _with_text(db, db.execute(sql, [_json(ids)]).fetchall())


def select_chunks_of(db: sqlite3.Connection, article_ids: Collection[str]) -> list[Chunk]:
    """All chunks of the stored articles among `article_ids`, article by article, in order."""
    sql = f"{_CHUNK} WHERE a.id {_IN} ORDER BY c.article, c.ordinal"
    return _with_text(db, db.execute(sql, [_json(article_ids)]).fetchall())


def select_chunks_without_vectors(
    db: sqlite3.Connection, model: str, after: int, limit: int
) -> tuple[list[Chunk], int | None]:
    """Up to `limit` chunks numbered above `after` that `model` has not embedded, and the number of
    the last one, None where there are none."""
    rows = db.execute(
        f"{_CHUNK} WHERE c.rowid > ? AND NOT EXISTS "
        "(SELECT 1 FROM vectors v WHERE v.chunk = c.rowid AND v.model = ?) "
        "ORDER BY c.rowid LIMIT ?",
        [after, model, limit],
    ).fetchall()
    return _with_text(db, rows), rows[-1][-1] if rows else None


def _with_text(
    db: sqlite3.Connection, rows: Sequence[tuple[str, str, int, int, int]]
) -> list[Chunk]:
    """Chunks from rows of `_CHUNK`, their texts cut out of the articles.

    Cut here rather than by SQLite's substr, which ends at a NUL character.
    """
    among = _json({row[1] for row in rows})
    rows_of_text = db.execute(f"SELECT id, text FROM articles WHERE id {_IN}", [among])
    texts: dict[str, str] = {row[0]: row[1] for row in map(_require_text, rows_of_text)}
    return [
        Chunk(chunk_id, article_id, start, end, texts[article_id][start:end])
        for chunk_id, article_id, start, end, _ in rows
        if article_id in texts
    ]


def _article(row: Sequence[str | None]) -> Article:
    return Article(*_require_text(row))


def _require_text(row: Sequence[Any]) -> Sequence[Any]:
    """A row of text and nulls; raises TypeError if damage made anything else of it."""
    if not all(isinstance(value, str | None) for value in row):
        raise TypeError("an article is damaged")
    return row


def _header(article: Article) -> str:
    """What a chunk's article adds to its words."""
    known = (article.title, article.outlet, article.author, article.published_at)
    return " ".join(filter(None, known))


def _outlet_key(outlet: str) -> str:
    return unicodedata.normalize("NFC", outlet).strip().casefold()


def _json(values: Iterable[str]) -> str:
    return json.dumps(list(values))
