"""The library in SQLite: articles, their chunks and vectors, and lexical search over them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.ports import Rows, Vectors
from rag.storage.answers import delete_answers, delete_outdated_answers
from rag.storage.catalogue import Catalogue, fresh_rows, keep_rows, read_catalogue, select_rows
from rag.storage.clusters import assign_backlog, assign_cluster, select_copies
from rag.storage.database import Database
from rag.storage.rows import (
    delete_articles,
    filter_sql,
    insert_article,
    next_revision,
    rebuild_words,
    select_article_page,
    select_articles,
    select_chunks,
    select_chunks_of,
    select_chunks_without_vectors,
    select_hashes,
)
from rag.storage.vectors import (
    claim_model,
    insert_vectors,
    require_model,
    select_dimension,
    select_vectors,
    select_vectors_at,
    switch_model,
)
from rag.storage.words import count_words, merge_words, score_words, search_words
from rag.types import Article, Chunk, Copy, Filters

_REMAINS = "remains"  # the key in `meta` that is there while files may keep what was deleted

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

    @property
    def database(self) -> Database:
        """The database, for what is kept beside the articles."""
        return self._database

    def close(self) -> None:
        """Close the database; later calls raise `LibraryError`."""
        self._database.close()

    # Writing

    def put(self, entries: Iterable[Entry], model: str) -> Change:
        """Store articles with their chunks and vectors of `model`, replacing whole those whose id
        is known; all of them or, when it raises, none. Answers from a text that is replaced go."""
        count = 0
        added: list[str] = []
        removed: list[str] = []
        with self._database.writing() as db:
            claim_model(db, model)
            revision = next_revision(db)
            rows = fresh_rows(db)
            for article, chunks, vectors in entries:
                count += 1
                delete_outdated_answers(db, article)
                removed += delete_articles(db, [article.id])[1]
                insert_article(db, article, zip(chunks, rows, strict=False), revision)
                assign_cluster(db, article.id, article.text)
                insert_vectors(db, [chunk.id for chunk in chunks], vectors, model)
                added += [chunk.id for chunk in chunks]
            keep_rows(db, rows)
            assign_backlog(db)
        return Change(count, tuple(added), tuple(sorted(set(removed) - set(added))))

    def delete(self, ids: Collection[str]) -> Change:
        """Forget the articles among `ids` that are stored, with all that belongs to them, and the
        answers with text from them."""
        with self._database.writing() as db:
            delete_answers(db, ids)
            count, removed = delete_articles(db, ids)
            if count:
                next_revision(db)
                db.execute("REPLACE INTO meta VALUES (?, '1')", [_REMAINS])
        return Change(articles=count, removed=removed)

    def scrub(self) -> bool:
        """Have no file keep a byte of what was deleted; whether readers of an older state let it.

        SQLite overwrites what is deleted; what is left is in the word index and in the WAL.
        """
        if not self.meta(_REMAINS):
            return True
        with self._database.writing() as db:
            merge_words(db)
        if not self._database.empty_wal():
            return False
        with self._database.writing() as db:
            db.execute("DELETE FROM meta WHERE key = ?", [_REMAINS])
        return True

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

    def rebuild_words(self) -> None:
        """Make the word index anew, of what is stored."""
        with self._database.writing() as db:
            rebuild_words(db)

    def forget_lost_vectors(self) -> None:
        """Forget the checksums of vectors that are gone with their chunks."""
        with self._database.writing() as db:
            db.execute(
                "DELETE FROM checksums WHERE name = 'vectors' "
                "AND CAST(row AS INTEGER) NOT IN (SELECT rowid FROM chunks)"
            )

    def reindex_tables(self) -> None:
        """Make SQLite's own indexes anew, of the tables' rows."""
        with self._database.writing() as db:
            db.execute("REINDEX")

    # Reading

    def articles(self, ids: Collection[str]) -> dict[str, Article]:
        """The stored articles among `ids`, by id."""
        with self._database.reading() as db:
            return {article.id: article for article in select_articles(db, ids)}

    def chunks(self, ids: Collection[str]) -> dict[str, Chunk]:
        """The stored chunks among `ids`, by id."""
        with self._database.reading() as db:
            return {chunk.id: chunk for chunk in select_chunks(db, ids)}

    def chunks_of(self, article_ids: Collection[str]) -> dict[str, list[Chunk]]:
        """All chunks of the stored articles among `article_ids`, in order, by article id."""
        with self._database.reading() as db:
            chunks = select_chunks_of(db, article_ids)
        found: dict[str, list[Chunk]] = {}
        for chunk in chunks:
            found.setdefault(chunk.article_id, []).append(chunk)
        return found

    def copies_of(
        self, article_ids: Collection[str], filters: Filters, as_of: str | None
    ) -> dict[str, tuple[Copy, ...]]:
        """The near-duplicates of each article, itself among them, that the filters let through:
        the earliest published first. Articles without any are left out."""
        condition, values = filter_sql(filters, as_of)
        with self._database.reading() as db:
            return select_copies(db, article_ids, condition, values)

    def article_page(self, after: str | None, limit: int) -> tuple[list[Article], str | None]:
        """Up to `limit` articles by id, and the cursor for those after them, None at the end."""
        with self._database.reading() as db:
            found = select_article_page(db, after or "", limit + 1)
        page = found[:limit]
        return page, page[-1].id if page and len(found) > limit else None

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

    def days(self) -> tuple[str, str] | None:
        """The first and the last day of publication, None where none is known."""
        with self._database.reading() as db:
            first, last = db.execute(
                "SELECT (SELECT min(published_day) FROM articles), "
                "(SELECT max(published_day) FROM articles)"
            ).fetchone()
        return (first, last) if first else None

    def content_hashes(self, ids: Collection[str]) -> dict[str, str]:
        """The `content_hash` of the stored articles among `ids`, by id."""
        with self._database.reading() as db:
            return select_hashes(db, ids)

    def sources(self) -> dict[str, str]:
        """The source of every article that has one, by article id."""
        with self._database.reading() as db:
            return dict(db.execute("SELECT id, source FROM articles WHERE source IS NOT NULL"))

    def candidates(self, filters: Filters, as_of: str | None) -> Rows | None:
        """The chunks that the filters let through; None when nothing is filtered."""
        condition, values = filter_sql(filters, as_of)
        if not condition:
            return None
        with self._database.reading() as db:
            passing = f"SELECT a.rowid AS number FROM articles a WHERE {condition}"
            return self._newest_catalogue(db).chunks_of(select_rows(db, passing, values))

    def lexical(
        self, terms: Sequence[str], limit: int, within: Rows | None = None
    ) -> list[tuple[str, float]]:
        """The best chunks for any of the words `terms`, as `rag.storage.words.search_words` finds
        them, of those in `within`, if given."""
        with self._database.reading() as db:
            return search_words(db, terms, limit, within)

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many chunks each of the words stands, as far as `rag.storage.words` counts."""
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

    def dimension(self, model: str) -> int | None:
        """How many numbers the stored vectors of that model have, None where there are none."""
        with self._database.reading() as db:
            return select_dimension(db, model)

    def chunks_without_vectors(
        self, model: str, after: int, limit: int
    ) -> tuple[list[Chunk], int | None]:
        """Up to `limit` chunks that `model` has not embedded, and the cursor for the next ones.

        `after` is 0 or an earlier call's cursor, which is None when there are no more.
        """
        with self._database.reading() as db:
            return select_chunks_without_vectors(db, model, after, limit)

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
                next_revision(db)
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
