"""Row numbers of the library as arrays: what a filter, whatever it lets through, is quick with.

Each function works within the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from rag.ports import Rows

_NEXT = "next_row"  # the key in `meta` of the number that the next chunk gets


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The row numbers of all chunks, rising, and of their articles, as of one revision."""

    revision: int
    chunks: Rows
    articles: NDArray[np.int64]

    def chunks_of(self, articles: NDArray[np.int64]) -> Rows:
        """The chunks of these articles, rising."""
        wanted = np.zeros(
            1 + max(self.articles.max(initial=0), articles.max(initial=0)), dtype=bool
        )
        wanted[articles] = True
        return self.chunks[wanted[self.articles]]


def read_catalogue(db: sqlite3.Connection, revision: int) -> Catalogue:
    """The library's catalogue at its present `revision`."""
    pairs = select_rows(db, "SELECT rowid || ' ' || article AS number FROM chunks").reshape(-1, 2)
    chunks, articles = pairs[pairs[:, 0].argsort()].T
    return Catalogue(revision, np.ascontiguousarray(chunks), np.ascontiguousarray(articles))


def select_rows(
    db: sqlite3.Connection, sql: str, values: Sequence[object] = ()
) -> NDArray[np.int64]:
    """What a query for a column `number` of integers yields, in any order.

    It comes as one text: making Python's integers of them takes five times as long.
    """
    (text,) = db.execute(f"SELECT group_concat(number, ' ') FROM ({sql})", values).fetchone()
    return np.fromstring(text or "", dtype=np.int64, sep=" ")


def fresh_rows(db: sqlite3.Connection) -> Iterator[int]:
    """Row numbers that no chunk has or ever had, for `keep_rows` to take note of.

    A number given twice would let the candidates of a filter, once the article is replaced, stand
    for chunks that the filter keeps out.
    """
    (first,) = db.execute(
        "SELECT max((SELECT coalesce(max(rowid), 0) + 1 FROM chunks), "
        "coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?), 1))",
        [_NEXT],
    ).fetchone()
    return count(first)


def keep_rows(db: sqlite3.Connection, rows: Iterator[int]) -> None:
    """Write down how many of the `fresh_rows` were taken."""
    db.execute("REPLACE INTO meta VALUES (?, ?)", [_NEXT, str(next(rows))])
