"""Lexical search by FTS5, in the table `words` whose rows are the chunks'.

Each function works within the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence

import numpy as np

from rag.ports import Rows
from rag.storage.catalogue import select_rows

BM25_WEIGHTS = (1.0, 1.0)
"""What a term weighs in a chunk's header (title, outlet, author, date) and in its text; untuned."""

MATCHES = 5000
"""Chunks that are scored for a question, about: scoring, at 1.5 µs each, is what takes the time."""

_SCORE = f"-bm25(words, {BM25_WEIGHTS[0]}, {BM25_WEIGHTS[1]})"


def search_words(
    db: sqlite3.Connection,
    terms: Sequence[str],
    limit: int,
    within: Rows | None,
    matches: int = MATCHES,
) -> list[tuple[str, float]]:
    """The best chunks for any of the words `terms` as (chunk id, score ≥ 0), best first, equal
    ones by id; of those in `within`, if given.

    The score is BM25 as in https://www.sqlite.org/fts5.html#the_bm25_function, negated. Where the
    words stand in more than `matches` chunks, only chunks with one of the rarest are considered:
    common words add to a score, and hardly ever make it.
    """
    phrases = list(map(_quoted, terms))
    if not phrases or (within is not None and not len(within)):
        return []
    if within is None or len(within) > matches:
        within = _with_rarest(db, phrases, limit, within, matches)
    return _scored(db, phrases, within, limit)


def score_words(
    db: sqlite3.Connection, terms: Sequence[str], ids: Collection[str]
) -> dict[str, float]:
    """The scores as in `search_words` of those chunks among `ids` that hold any of the words."""
    of_ids = "SELECT rowid AS number FROM chunks WHERE id IN (SELECT value FROM json_each(?))"
    rows = select_rows(db, of_ids, [json.dumps(list(ids))])
    return dict(_scored(db, list(map(_quoted, terms)), rows, len(rows))) if terms else {}


def count_words(db: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
    """In how many chunks each of the words stands; `MATCHES` + 1 stands for more."""
    return {term: _count(db, _quoted(term), MATCHES) for term in terms}


def merge_words(db: sqlite3.Connection) -> None:
    """Have the index hold nothing of what was deleted, which it else only marks: .8 s for 50,000
    chunks."""
    db.execute("INSERT INTO words (words) VALUES ('optimize')")


def _with_rarest(
    db: sqlite3.Connection, phrases: Sequence[str], limit: int, within: Rows | None, matches: int
) -> Rows | None:
    """Chunks with one of the rarest phrases: of as many as stand in `matches` chunks together, or
    as it takes to find `limit`. None stands for all chunks with any."""
    counts = sorted((_count(db, phrase, matches), phrase) for phrase in phrases)
    if within is None and sum(number for number, _ in counts) <= matches:
        return None
    found = np.empty(0, dtype=np.int64)
    total = 0
    for number, phrase in counts:
        total += number
        if total > matches and len(found) >= limit:
            return found
        rows = select_rows(db, "SELECT rowid AS number FROM words WHERE words MATCH ?", [phrase])
        if within is not None:
            rows = rows[np.isin(rows, within, assume_unique=True, kind="table")]
        found = np.union1d(found, rows)
    return None if within is None else found


def _count(db: sqlite3.Connection, phrase: str, matches: int) -> int:
    """How many chunks hold the phrase; `matches` + 1 stands for more."""
    (number,) = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)",
        [phrase, matches + 1],
    ).fetchone()
    return int(number)


def _scored(
    db: sqlite3.Connection, phrases: Sequence[str], within: Rows | None, limit: int
) -> list[tuple[str, float]]:
    # The plus keeps SQLite from matching the words anew for each row; CROSS keeps them outermost.
    among = "" if within is None else "AND +words.rowid IN (SELECT value FROM json_each(?))"
    rows = [] if within is None else [json.dumps(within.tolist())]
    return db.execute(
        f"SELECT c.id, {_SCORE} AS score FROM words CROSS JOIN chunks c ON c.rowid = words.rowid "
        f"WHERE words MATCH ? {among} ORDER BY score DESC, c.id LIMIT ?",
        [" OR ".join(phrases), *rows, limit],
    ).fetchall()


def _quoted(term: str) -> str:
    """A term as an FTS5 string; what SQLite cannot bind or parse is left out."""
    storable = term.encode(errors="ignore").decode().replace("\0", "")
    return '"' + storable.replace('"', '""') + '"'
