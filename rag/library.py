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

from rag.catalogue import Catalogue, fresh_rows, keep_rows, read_catalogue, select_rows
from rag.clusters import assign_backlog, assign_cluster, select_copies
from rag.database import Database
from rag.ports import Rows, Vectors
from rag.types import Article, Chunk, Copy, Filters
from rag.vectors import (
    claim_model,
    insert_vectors,
    require_model,
    select_vectors,
    select_vectors_at,
    switch_model,
)
from rag.words import count_words, score_words, search_words

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
        self._catalogue: Catalogue | None = None  # the newest that was read

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
            rows = fresh_rows(db)
            for article, chunks, vectors in entries:
                count += 1
                removed += _remove(db, [article.id]).removed
                _insert(db, article, zip(chunks, rows, strict=False), revision)
                assign_cluster(db, article.id, article.text)
                insert_vectors(db, [chunk.id for chunk in chunks], vectors, model)
                added += [chunk.id for chunk in chunks]
            keep_rows(db, rows)
            assign_backlog(db)
        return Change(count, tuple(added), tuple(sorted(set(removed) - set(added))))

    def delete(self, ids: Collection[str]) -> Change:
        """Forget the articles among `ids` that are stored, with all that belongs to them."""
        with self._database.writing() as db:
            change = _remove(db, ids)
            if change.articles:
                _next_revision(db)
        return change

    def find_copies(self) -> int:
        """Look for copies among articles that were stored before Dateline did: some of them, as
        many as each `put` does; how many these were, 0 once all are done."""
        with self._database.writing() as db:
            return assign_backlog(db)

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

    def chunks_of(self, article_ids: Collection[str]) -> dict[str, list[Chunk]]:
        """All chunks of the stored articles among `article_ids`, in order, by article id."""
        with self._database.reading() as db:
            rows = db.execute(
                f"SELECT {_CHUNK} FROM chunks c JOIN articles a ON a.rowid = c.article "
                f"WHERE a.id {_IN} ORDER BY c.article, c.ordinal",
                [_json(article_ids)],
            ).fetchall()
            chunks = _with_text(db, rows)
        found: dict[str, list[Chunk]] = {}
        for chunk in chunks:
            found.setdefault(chunk.article_id, []).append(chunk)
        return found

    def copies_of(
        self, article_ids: Collection[str], filters: Filters, as_of: str | None
    ) -> dict[str, tuple[Copy, ...]]:
        """The near-duplicates of each article, itself among them, that the filters let through:
        the earliest published first. Articles without any are left out."""
        condition, values = _condition(filters, as_of)
        with self._database.reading() as db:
            return select_copies(db, article_ids, condition, values)

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

    def outlets(self) -> list[str]:
        """The outlets of the stored articles, each as it is written, in alphabetical order."""
        with self._database.reading() as db:
            rows = db.execute("SELECT DISTINCT outlet FROM articles WHERE outlet > '' ORDER BY 1")
            return [outlet for (outlet,) in rows]

    def newest_day(self) -> str | None:
        """The latest day of publication that is known."""
        with self._database.reading() as db:
            day: str | None
            (day,) = db.execute("SELECT max(published_day) FROM articles").fetchone()
        return day

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

    def candidates(self, filters: Filters, as_of: str | None) -> Rows | None:
        """The chunks that the filters let through; None when nothing is filtered."""
        condition, values = _condition(filters, as_of)
        if not condition:
            return None
        with self._database.reading() as db:
            passing = f"SELECT a.rowid AS number FROM articles a WHERE {condition}"
            return self._newest_catalogue(db).chunks_of(select_rows(db, passing, values))

    def lexical(
        self, terms: Sequence[str], limit: int, within: Rows | None = None
    ) -> list[tuple[str, float]]:
        """The best chunks for any of the words `terms`, as `rag.words.search_words` finds them, of
        those in `within`, if given."""
        with self._database.reading() as db:
            return search_words(db, terms, limit, within)

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many chunks each of the words stands, as far as `rag.words` counts."""
        with self._database.reading() as db:
            return count_words(db, terms)

    def lexical_scores(self, terms: Sequence[str], ids: Collection[str]) -> dict[str, float]:
        """The scores as in `lexical` of the chunks among `ids` that hold any of the terms."""
        with self._database.reading() as db:
            return score_words(db, terms, ids)

    def rows(self) -> Rows:
        """All chunks by their numbers."""
        with self._database.reading() as db:
            return self._newest_catalogue(db).chunks

    def _newest_catalogue(self, db: sqlite3.Connection) -> Catalogue:
        (revision,) = db.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()
        if self._catalogue is None or self._catalogue.revision != int(revision):
            self._catalogue = read_catalogue(db, int(revision))
        return self._catalogue

    # Vectors and their model

    def vectors(self, model: str) -> tuple[list[str], Vectors]:
        """All chunk ids and their vectors of that model, shape (n, dimension), read-only."""
        with self._database.reading() as db:
            return select_vectors(db, model)

    def vectors_of(self, ids: Collection[str], model: str) -> tuple[list[str], Vectors]:
        """The same as `vectors`, of the chunks among `ids` only."""
        with self._database.reading() as db:
            return select_vectors(db, model, ids)

    def vectors_at(self, rows: Rows | None, model: str) -> tuple[Rows, list[str], Vectors]:
        """Numbers, ids and vectors of the chunks among `rows`, or of all: these by outlet and
        day."""
        with self._database.reading() as db:
            return select_vectors_at(db, model, rows)

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


def _insert(
    db: sqlite3.Connection, article: Article, chunks: Iterable[tuple[Chunk, int]], at: int
) -> None:
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
        # An OR would be answered from two indexes, and then from every article's long row.
        parts.append(("coalesce(a.published_day, '') <= ?", as_of[:10]))
    return " AND ".join(sql for sql, _ in parts), [value for _, value in parts]


def _outlet_key(outlet: str) -> str:
    return unicodedata.normalize("NFC", outlet).strip().casefold()


def _json(values: Iterable[str]) -> str:
    return json.dumps(list(values))
