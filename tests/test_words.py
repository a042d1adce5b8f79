import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.library import SqliteLibrary
from rag.storage.words import search_words
from tests.indexed import put

WORDS = "a b c d e f".split()  # the first ones are the commonest
CHUNKS = 60


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A library of chunks of one to twelve words; some chunks are equal."""
    path: Path = tmp_path_factory.mktemp("words") / "library.db"
    library = SqliteLibrary(path)
    chance = np.random.default_rng(0)
    weights = 1 / np.arange(1, 7) ** 1.5
    for number in range(CHUNKS // 4):
        lengths = chance.integers(1, 13, size=4)
        drawn = (chance.choice(WORDS, size=n, p=weights / weights.sum()) for n in lengths)
        put(library, None, f"{number}", *(" ".join(words) + " " for words in drawn))
    library.close()
    with sqlite3.connect(path) as connection:
        yield connection
    connection.close()


def by_plain_sql(
    db: sqlite3.Connection, terms: list[str], having: list[str] | None = None
) -> list[tuple[str, float, int]]:
    """Id, score and row of all chunks with any of the terms, and any of those in `having`."""
    return db.execute(
        """SELECT c.id, -bm25(words, 1.0, 1.0) AS score, c.rowid
        FROM words JOIN chunks c ON c.rowid = words.rowid
        WHERE words MATCH ? AND c.rowid IN (SELECT rowid FROM words WHERE words MATCH ?)
        ORDER BY score DESC, c.id""",
        [" OR ".join(terms), " OR ".join(having or terms)],
    ).fetchall()


def best(found: list[tuple[str, float, int]], limit: int) -> list[tuple[str, float]]:
    return [(key, score) for key, score, _ in found[:limit]]


def rarest(db: sqlite3.Connection, terms: list[str], within: set[int], limit: int, matches: int):
    """The rarest terms: as many as stand in `matches` chunks, or as find `limit` of `within`."""
    chunks = {t: {row for *_, row in by_plain_sql(db, [t])} for t in terms}
    kept: list[str] = []
    total = 0
    for term in sorted(terms, key=lambda t: (min(len(chunks[t]), matches + 1), t)):
        total += len(chunks[term])
        if total > matches and len(set().union(*(chunks[t] for t in kept)) & within) >= limit:
            break
        kept.append(term)
    return kept


terms_given = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6, unique=True)
rows_given = st.sets(st.integers(1, CHUNKS + 5)).map(sorted)
free = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


@free
@given(terms=terms_given, rows=st.none() | rows_given, limit=st.integers(1, 70))
def test_where_matches_are_few_all_are_scored(
    db: sqlite3.Connection, terms: list[str], rows: list[int] | None, limit: int
) -> None:
    within = None if rows is None else np.array(rows, dtype=np.int64)
    expected = [one for one in by_plain_sql(db, terms) if rows is None or one[2] in rows]
    assert search_words(db, terms, limit, within, matches=10**6) == best(expected, limit)


@free
@given(
    terms=terms_given,
    rows=st.none() | rows_given,
    limit=st.integers(1, 70),
    matches=st.integers(0, 2 * CHUNKS),
)
def test_where_matches_are_many_those_with_the_rarest_words_are_scored_by_all_words(
    db: sqlite3.Connection, terms: list[str], rows: list[int] | None, limit: int, matches: int
) -> None:
    within = None if rows is None else np.array(rows, dtype=np.int64)
    allowed = set(range(CHUNKS + 9)) if rows is None else set(rows)
    narrow = rows is not None and len(rows) <= matches
    having = terms if narrow else rarest(db, terms, allowed, limit, matches)
    everything = [one for one in by_plain_sql(db, terms) if one[2] in allowed]
    expected = [one for one in by_plain_sql(db, terms, having) if one[2] in allowed]
    found = search_words(db, terms, limit, within, matches)
    assert found == best(expected, limit)
    assert len(found) == min(limit, len(everything))


def test_words_that_every_chunk_holds_are_found_all_the_same(db: sqlite3.Connection) -> None:
    assert len(search_words(db, ["a"], 20, None, matches=3)) == 20
    assert len(search_words(db, ["a", "nowhere"], 20, None, matches=3)) == 20


def test_nothing_is_found_where_nothing_is_let_through(db: sqlite3.Connection) -> None:
    assert search_words(db, ["a"], 9, np.empty(0, dtype=np.int64)) == []
    assert search_words(db, ["a"], 9, np.array([10**6])) == []
    assert search_words(db, [], 9, None) == []
