"""The library in SQLite: articles, their chunks and vectors, and lexical search over them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from rag.database import Database
from rag.ports import Vectors
from rag.types import Article, Chunk, Filters
from rag.vectors import (
    claim_model,
    insert_vectors,
    require_model,
    select_vectors,
    switch_model,
)

BM25_WEIGHTS = (1.0, 1.0)
"""What a term weighs in a chunk's header (title, outlet, author, date) and in its text; untuned."""

_FIELDS = tuple(field.name for field in fields(Article))
_ARTICLE = ", ".join(f"a.{name}" for name in _FIELDS)
_CHUNK = "c.id, a.id, c.start, c.end"
_IN = "IN (SELECT value FROM json_each(?))"  # one parameter, however many values

Entry = tuple[Article, Sequence[Chunk], Vectors]
"""An article as it is put: with all its chunks, in order, and their vectors, shape (n, dim)."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a write did: articles written or deleted, chunk ids written, chunk ids gone."""

    articles: int = 0
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class SqliteLibrary:
    """The `Library` and `VectorStore` ports over one SQLite file, for use by many threads.

    A write is durable when its method returns, and whole or absent after a crash. Every method
    raises `LibraryError` for what SQLite cannot do.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)

    def close(self) -> None:
        """Close the database; later calls raise `LibraryError`."""
        self._database.close()

    # Writing

    def put(self, entries: Iterable[Entry], model: str) -> Change:
        """Store articles with their chunks and vectors of `model`, replacing whole those whose id
        is known; all of them or, when it raises, none."""
        count = 0
        added: list[str] = []
        removed: list[str] = []
        with self._database.writing() as db:
            claim_model(db, model)
            revision = _next_revision(db)
            for article, chunks, vectors in entries:
                count += 1
                removed += _remove(db, [article.id]).removed
                _insert(db, article, chunks, revision)
                insert_vectors(db, [chunk.id for chunk in chunks], vectors, model)
                added += [chunk.id for chunk in chunks]
        return Change(count, tuple(added), tuple(sorted(set(removed) - set(added))))

    def delete(self, ids: Collection[str]) -> Change:
        """Forget the articles among `ids` that are stored, with all that belongs to them."""
        with self._database.writing() as db:
            change = _remove(db, ids)
            if change.articles:
                _next_revision(db)
        return change

    def set_sources(self, sources: Mapping[str, str | None]) -> None:
        """Record the files that unchanged articles were found in this time, by article id."""
        with self._database.writing() as db:
            db.executemany(
                "UPDATE articles SET source = ? WHERE id = ?",
                [(source, article_id) for article_id, source in sources.items()],
            )

    # Reading

    def articles(self, ids: Collection[str]) -> dict[str, Article]:
        """The stored articles among `ids`, by id."""
        with self._database.reading() as db:
            rows = db.execute(
                f"SELECT {_ARTICLE} FROM articles a WHERE a.id {_IN}", [_json(ids)]
            ).fetchall()
        return {row[0]: Article(*row) for row in rows}

    def chunks(self, ids: Collection[str]) -> dict[str, Chunk]:
        """The stored chunks among `ids`, by id."""
        with self._database.reading() as db:
            rows = db.execute(
                f"SELECT {_CHUNK} FROM chunks c JOIN articles a ON a.rowid = c.article "
                f"WHERE c.id {_IN}",
                [_json(ids)],
            ).fetchall()
            return {chunk.id: chunk for chunk in _with_text(db, rows)}

    def article_page(self, after: str | None, limit: int) -> tuple[list[Article], str | None]:
        """Up to `limit` articles by id, and the cursor for those after them, None at the end."""
        with self._database.reading() as db:
            rows = db.execute(
                f"SELECT {_ARTICLE} FROM articles a WHERE a.id > ? ORDER BY a.id LIMIT ?",
                [after or "", limit + 1],
            ).fetchall()
        page = [Article(*row) for row in rows[:limit]]
        return page, page[-1].id if page and len(rows) > limit else None

    def counts(self) -> tuple[int, int]:
        """How many articles and how many chunks are stored."""
        with self._database.reading() as db:
            counts: tuple[int, int] = db.execute(
                "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM chunks)"
            ).fetchone()
        return counts

    def content_hashes(self, ids: Collection[str]) -> dict[str, str]:
        """The `content_hash` of the stored articles among `ids`, by id."""
        with self._database.reading() as db:
            return dict(
                db.execute(f"SELECT id, content_hash FROM articles WHERE id {_IN}", [_json(ids)])
            )

    def sources(self) -> dict[str, str]:
        """The source of every article that has one, by article id."""
        with self._database.reading() as db:
            return dict(db.execute("SELECT id, source FROM articles WHERE source IS NOT NULL"))

    def candidates(self, filters: Filters, as_of: str | None) -> list[str] | None:
        """Ids of the chunks that the filters let through; None when nothing is filtered."""
        condition, values = _condition(filters, as_of)
        if not condition:
            return None
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT c.id FROM chunks c JOIN articles a ON a.rowid = c.article "
                f"WHERE {condition} ORDER BY c.rowid",
                values,
            )
            return [chunk_id for (chunk_id,) in rows]

    def lexical(
        self, terms: Sequence[str], limit: int, filters: Filters, as_of: str | None
    ) -> list[tuple[str, float]]:
        """The best chunks for any of the words `terms` as (chunk id, score ≥ 0), best first,
        equal ones by id.

        The score is BM25 as in https://www.sqlite.org/fts5.html#the_bm25_function, negated.
        """
        match = " OR ".join(map(_quoted, terms))
        if not match:
            return []
        condition, values = _condition(filters, as_of)
        # CROSS keeps the words outermost: SQLite might else match them anew for each article.
        sql = f"""SELECT c.id, -bm25(words, ?, ?) AS score
            FROM words CROSS JOIN chunks c ON c.rowid = words.rowid
                CROSS JOIN articles a ON a.rowid = c.article
            WHERE words MATCH ? AND {condition or "TRUE"}
            ORDER BY score DESC, c.id LIMIT ?"""
        with self._database.reading() as db:
            return db.execute(sql, [*BM25_WEIGHTS, match, *values, limit]).fetchall()

    # Vectors and their model

    def vectors(self, model: str) -> tuple[list[str], Vectors]:
        """All chunk ids and their vectors of that model, shape (n, dimension), read-only."""
        with self._database.reading() as db:
            return select_vectors(db, model)

    def vectors_of(self, ids: Collection[str], model: str) -> tuple[list[str], Vectors]:
        """The same as `vectors`, of the chunks among `ids` only."""
        with self._database.reading() as db:
            return select_vectors(db, model, ids)

    def check_model(self, model: str) -> None:
        """Raises `ModelMismatchError` if the library's vectors are another model's."""
        with self._database.reading() as db:
            require_model(db, model)

    def chunks_without_vectors(
        self, model: str, after: int, limit: int
    ) -> tuple[list[Chunk], int | None]:
        """Up to `limit` chunks that `model` has not embedded, and the cursor for the next ones.

        `after` is 0 or an earlier call's cursor, which is None when there are no more.
        """
        with self._database.reading() as db:
            rows = db.execute(
                f"SELECT {_CHUNK}, c.rowid FROM chunks c JOIN articles a ON a.rowid = c.article "
                "WHERE c.rowid > ? AND NOT EXISTS "
                "(SELECT 1 FROM vectors v WHERE v.chunk = c.rowid AND v.model = ?) "
                "ORDER BY c.rowid LIMIT ?",
                [after, model, limit],
            ).fetchall()
            return _with_text(db, [row[:4] for row in rows]), rows[-1][4] if rows else None

    def add_vectors(self, ids: Sequence[str], vectors: Vectors, model: str) -> None:
        """Store the vectors of another model beside those in use; ids that are gone are left."""
        with self._database.writing() as db:
            insert_vectors(db, ids, vectors, model)

    def switch_model(self, model: str) -> int:
        """Search by `model` from now on and drop all other vectors, unless chunks are left that
        it has not embedded; how many these are."""
        with self._database.writing() as db:
            missing = switch_model(db, model)
            if not missing:
                _next_revision(db)
        return missing

    # Bookkeeping

    def revision(self) -> int:
        """A number that grows with every change of articles, chunks or vectors in use."""
        return int(self.meta("revision") or 0)

    def meta(self, key: str) -> str | None:
        """What `set_meta` stored under `key`."""
        with self._database.reading() as db:
            row = db.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
        return row[0] if row else None

    def set_meta(self, key: str, value: str) -> None:
        """Keep a fact about the library; this is no change of it."""
        with self._database.writing() as db:
            db.execute("REPLACE INTO meta VALUES (?, ?)", [key, value])


def content_hash(article: Article) -> str:
    """SHA-256 over all that is stored of an article but where it was read from."""
    content = {name: getattr(article, name) for name in _FIELDS if name != "source"}
    content = {name: value for name, value in content.items() if value is not None}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _insert(db: sqlite3.Connection, article: Article, chunks: Sequence[Chunk], at: int) -> None:
    derived: dict[str, object] = {
        "published_day": article.published_at and article.published_at[:10],
        "outlet_key": article.outlet and _outlet_key(article.outlet),
        "content_hash": content_hash(article),
        "revision": at,
        "ingested_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    values = [getattr(article, name) for name in _FIELDS]
    columns = [*_FIELDS, *derived]
    cursor = db.execute(
        f"INSERT INTO articles ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
        [*values, *derived.values()],
    )
    parent = cursor.lastrowid
    known = (article.title, article.outlet, article.author, article.published_at)
    header = " ".join(filter(None, known))
    for ordinal, chunk in enumerate(chunks):
        cursor = db.execute(
            "INSERT INTO chunks (id, article, ordinal, start, end) VALUES (?, ?, ?, ?, ?)",
            [chunk.id, parent, ordinal, chunk.start, chunk.end],
        )
        db.execute(
            "INSERT INTO words (rowid, header, body) VALUES (?, ?, ?)",
            [cursor.lastrowid, header, article.text[chunk.start : chunk.end]],
        )


def _remove(db: sqlite3.Connection, ids: Collection[str]) -> Change:
    """Delete articles with all that hangs on them."""
    chunks = db.execute(
        "SELECT c.rowid, c.id FROM chunks c JOIN articles a ON a.rowid = c.article "
        f"WHERE a.id {_IN}",
        [_json(ids)],
    ).fetchall()
    db.executemany("DELETE FROM words WHERE rowid = ?", [(rowid,) for rowid, _ in chunks])
    deleted = db.execute(f"DELETE FROM articles WHERE id {_IN}", [_json(ids)]).rowcount
    return Change(articles=deleted, removed=tuple(chunk_id for _, chunk_id in chunks))


def _with_text(db: sqlite3.Connection, rows: Sequence[tuple[str, str, int, int]]) -> list[Chunk]:
    """Chunks from rows of `_CHUNK`, their texts cut out of the articles.

    Cut here rather than by SQLite's substr, which ends at a NUL character.
    """
    texts = dict(
        db.execute(
            f"SELECT id, text FROM articles WHERE id {_IN}", [_json({row[1] for row in rows})]
        )
    )
    return [Chunk(*row, texts[row[1]][row[2] : row[3]]) for row in rows if row[1] in texts]


def _next_revision(db: sqlite3.Connection) -> int:
    (revision,) = db.execute("SELECT value + 1 FROM meta WHERE key = 'revision'").fetchone()
    db.execute("UPDATE meta SET value = ? WHERE key = 'revision'", [str(revision)])
    return int(revision)


def _condition(filters: Filters, as_of: str | None) -> tuple[str, list[str]]:
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
        parts.append(("(a.published_day <= ? OR a.published_day IS NULL)", as_of[:10]))
    return " AND ".join(sql for sql, _ in parts), [value for _, value in parts]


def _outlet_key(outlet: str) -> str:
    return unicodedata.normalize("NFC", outlet).strip().casefold()


def _quoted(term: str) -> str:
    """A term as an FTS5 string; what SQLite cannot bind or parse is left out."""
    storable = term.encode(errors="ignore").decode().replace("\0", "")
    return '"' + storable.replace('"', '""') + '"'


def _json(values: Iterable[str]) -> str:
    return json.dumps(list(values))
