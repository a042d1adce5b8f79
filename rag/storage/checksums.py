"""A checksum of every row that cannot be made anew, kept by the database itself.

Triggers write a row's CRC-32 beside it with every change, whoever makes it, so that a bit that
flips in the file is found, and the row that it belongs to is known. It finds accidents, no forgers.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Mapping, Sequence

Tables = Mapping[str, tuple[Sequence[str], Sequence[str]]]
"""The tables that are watched: the columns that name a row, and all those that its sum is over."""


def register(db: sqlite3.Connection) -> None:
    """Teach a connection the SQL function `checksum` that the triggers call."""
    db.create_function("checksum", -1, _checksum, deterministic=True)
    db.execute("PRAGMA recursive_triggers = ON")  # a row that REPLACE replaces is deleted, too


def watch(tables: Tables) -> tuple[str, ...]:
    """The SQL that keeps the sums of these tables' rows in the table `checksums` from now on."""
    statements = []
    for table, (key, columns) in tables.items():
        put = (
            f"INSERT INTO checksums VALUES ('{table}', {_key('new', key)}, "
            f"{_sum('new', columns)}) ON CONFLICT DO UPDATE SET sum = excluded.sum"
        )
        drop = f"DELETE FROM checksums WHERE name = '{table}' AND row = {_key('old', key)}"
        statements += [
            f"CREATE TRIGGER {table}_inserted AFTER INSERT ON {table} BEGIN {put}; END",
            f"CREATE TRIGGER {table}_updated AFTER UPDATE ON {table} BEGIN {drop}; {put}; END",
            f"CREATE TRIGGER {table}_deleted AFTER DELETE ON {table} BEGIN {drop}; END",
            f"INSERT INTO checksums SELECT '{table}', {_key('t', key)}, {_sum('t', columns)} "
            f"FROM {table} t",
        ]
    return tuple(statements)


def damaged_rows(table: str, key: Sequence[str], columns: Sequence[str]) -> str:
    """SQL for the keys of a table's rows whose sum is missing or another, and of those whose sum
    is there alone."""
    return (
        f"SELECT {_key('t', key)} FROM {table} t LEFT JOIN checksums s "
        f"ON s.name = '{table}' AND s.row = {_key('t', key)} "
        f"WHERE s.sum IS NOT {_sum('t', columns)} "
        f"UNION SELECT s.row FROM checksums s WHERE s.name = '{table}' AND s.row NOT IN "
        f"(SELECT {_key('t', key)} FROM {table} t)"
    )


def _key(row: str, key: Sequence[str]) -> str:
    return " || ' ' || ".join(f"{row}.{column}" for column in key)


def _sum(row: str, columns: Sequence[str]) -> str:
    # As blobs: damaged text may be no UTF-8.
    return f"checksum({', '.join(f'CAST({row}.{column} AS BLOB)' for column in columns)})"


def _checksum(*columns: bytes | None) -> int:
    """CRC-32 over the columns with their lengths, so that nothing moves unseen between two."""
    crc = 0
    for column in columns:
        crc = zlib.crc32(b"-" if column is None else b"%d:" % len(column), crc)
        crc = zlib.crc32(column or b"", crc)
    return crc
