"""Whether a library's database is as it was written, and if not, what exactly is damaged.

Each function works on a connection to a library of any schema version, be it damaged, be it read by
others meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, fields
from itertools import chain
from typing import Literal

from rag.storage.checksums import damaged_rows, register
from rag.storage.rows import content_hash
from rag.storage.schema import MIGRATIONS, WATCHED, digest
from rag.types import Article

MESSAGES = 20
"""Of what SQLite finds wrong with the structure, so many lines are told."""

Kind = Literal["structure", "article", "made", "words", "index", "record"]


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is damaged, as people are told of it.

    `made` stands for what is made of an `article` that itself is sound, `words` for the word index
    and `index` for the record of the vector index: these can be made anew. An `article`, a `record`
    (an answer, feedback, a key …) and the `structure` of the file cannot.
    """

    kind: Kind
    what: str
    article: str | None = None


def inspect(db: sqlite3.Connection, *, words: bool = True) -> list[Damage]:
    """All that is damaged. The word index is looked at only if `words`; that takes a connection
    that may write, though nothing is written."""
    register(db)
    contents = list(_guarded(_contents, db))
    looks = [_structure, _schema, *([_rows] if "checksums" in _names(db) else [])]
    others = chain.from_iterable(_guarded(look, db) for look in looks)
    unsound = {damage.article for damage in contents}
    found = [one for one in others if one.article is None or one.article not in unsound]
    if words:
        found += _guarded(_words, db)
    return list(dict.fromkeys([*contents, *found]))


def schema_version(db: sqlite3.Connection) -> int:
    """The schema version that the database says it has."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def _guarded(
    look: Callable[[sqlite3.Connection], Iterator[Damage]], db: sqlite3.Connection
) -> Iterator[Damage]:
    """What a look finds, to the point where SQLite cannot go on."""
    try:
        yield from look(db)
    except sqlite3.Error as error:
        yield Damage("structure", f"the database: {error}")


def _structure(db: sqlite3.Connection) -> Iterator[Damage]:
    for (message,) in db.execute(f"PRAGMA integrity_check({MESSAGES})"):
        if message != "ok":
            yield Damage("structure", f"the database: {' '.join(message.split())}")
    for table, row, parent, _ in db.execute("PRAGMA foreign_key_check").fetchmany(MESSAGES):
        yield Damage("structure", f"the database: row {row} of {table} has no row in {parent}")


def _schema(db: sqlite3.Connection) -> Iterator[Damage]:
    """What of the tables' definitions is not as the steps to the database's version made it."""
    version = schema_version(db)
    if not 0 < version <= len(MIGRATIONS):
        yield Damage("structure", f"the database: there is no schema version {version}")
        return
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        register(fresh)
        for statement in chain.from_iterable(MIGRATIONS[:version]):
            fresh.execute(statement)
        expected = _definitions(fresh)
    actual = _definitions(db)
    for name, _ in sorted(expected.items() - actual.items()):
        yield Damage("structure", f"the database: the definition of {name}")
    if "migrations" in actual:
        taken = db.execute("SELECT digest FROM migrations ORDER BY version").fetchall()
        if [one for (one,) in taken] != [digest(step) for step in MIGRATIONS[:version]]:
            yield Damage("structure", f"the database: the steps to its schema version {version}")


def _definitions(db: sqlite3.Connection) -> dict[str, str]:
    return dict(db.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))


def _names(db: sqlite3.Connection) -> set[str]:
    try:
        return set(_definitions(db))
    except sqlite3.Error:
        return set()


def _contents(db: sqlite3.Connection) -> Iterator[Damage]:
    """The articles whose content is not what its hash says, or cannot be read."""
    columns = ", ".join(field.name for field in fields(Article))
    # By the index of the ids alone, which can be read where the articles cannot.
    for row, article_id in db.execute("SELECT rowid, id FROM articles ORDER BY id").fetchall():
        try:
            *values, expected = db.execute(
                f"SELECT {columns}, content_hash FROM articles WHERE rowid = ?", [row]
            ).fetchone() or [None]
            sound = bool(values) and content_hash(Article(*values)) == expected
        except (sqlite3.Error, TypeError, ValueError):
            sound = False
        if not sound:
            yield Damage("article", f"article {article_id}: its text or metadata", article_id)


def _rows(db: sqlite3.Connection) -> Iterator[Damage]:
    """The rows that are not what their checksums say."""
    for table, (key, columns) in WATCHED.items():
        for (row,) in db.execute(damaged_rows(table, key, columns)).fetchall():
            yield _named(db, table, row)


def _named(db: sqlite3.Connection, table: str, row: int | str) -> Damage:
    """The damage to a row, by the name that users know what it is of."""
    if table == "meta":
        made = str(row).split(" ")[0] == "index"
        return Damage("index" if made else "record", f"the library's note of “{row}”")
    if table in ("articles", "chunks", "vectors"):
        article_id = _article_of(db, table, row)
        if article_id is None:
            return Damage("structure", f"the database: row {row} of {table} is lost")
        parts = {"articles": "its dates of storage", "chunks": "a chunk", "vectors": "a vector"}
        return Damage("made", f"article {article_id}: {parts[table]}", article_id)
    if table in ("answers", "feedback"):
        found = db.execute(f"SELECT id FROM {table} WHERE rowid = ?", [row]).fetchone()
        row = found[0] if found else f"{row} (lost)"
    singular = {"answers": "answer", "feedback": "feedback", "keys": "key", "receipts": "receipt"}
    return Damage("record", f"{singular[table]} {row}")


def _article_of(db: sqlite3.Connection, table: str, row: int | str) -> str | None:
    if table == "articles":
        sql, value = "SELECT id FROM articles WHERE rowid = ?", row
    else:
        sql = (
            "SELECT a.id FROM chunks c JOIN articles a ON a.rowid = c.article "
            "WHERE c.rowid = CAST(? AS INTEGER)"
        )
        value = str(row).split(" ")[0]
    found = db.execute(sql, [value]).fetchone()
    return found[0] if found else None


def _words(db: sqlite3.Connection) -> Iterator[Damage]:
    """Whether the word index says what its texts say."""
    db.execute("BEGIN")
    try:
        db.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        yield Damage("words", f"the word index: {error}")
    finally:
        db.execute("ROLLBACK")
