import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.exact import FEW, ExactIndex
from rag.library import SqliteLibrary
from tests.indexed import WORDS, embedder, put, search


@pytest.fixture
def library(tmp_path: Path):
    opened = SqliteLibrary(tmp_path / "library.db")
    yield opened
    opened.close()


def by_hand(library: SqliteLibrary, query: str, within: set[str] | None = None) -> list[str]:
    """All chunk ids by falling similarity, one at a time."""
    vector = embedder.encode_query(query)
    ids, vectors = library.vectors(embedder.model)
    scores = {key: float(np.dot(one, vector)) for key, one in zip(ids, vectors, strict=True)}
    chosen = [key for key in ids if within is None or key in within]
    return sorted(chosen, key=lambda key: -scores[key])


def test_an_empty_library_and_no_candidates_give_nothing(library: SqliteLibrary) -> None:
    exact = ExactIndex(library, embedder.model)
    assert search(exact, "india", 5) == []
    put(library, None, "a", *WORDS)
    assert search(exact, "india", 5, np.arange(0)) == []
    assert search(exact, "india", 5, np.array([99])) == []
    assert search(exact, "india", 5, np.arange(99, 100 + FEW)) == []
    assert exact.similarities(embedder.encode_query("india"), ["gone"]) == {}


def test_the_nearest_come_first_with_their_cosine(library: SqliteLibrary) -> None:
    put(library, None, "a", *(f"{one} {two}" for one in WORDS for two in WORDS))
    exact = ExactIndex(library, embedder.model)
    for limit in (1, 7, 100, 1000):
        assert search(exact, "india terror", limit) == by_hand(library, "india terror")[:limit]
    best = exact.search(embedder.encode_query("india chess"), 1)[0][1]
    assert best == pytest.approx(1.0, abs=1e-6)


def test_only_candidates_are_found_however_many_they_are(library: SqliteLibrary) -> None:
    put(library, None, "a", *(f"{one} {n}" for n in range(FEW // 10 + 2) for one in WORDS))
    exact = ExactIndex(library, embedder.model)
    rows = library.rows()
    assert len(rows) < FEW + 30
    gone = np.append(rows[:FEW], [10**6, 10**7])
    runs, most = np.append(rows[3:40], rows[60:99]), np.delete(rows, slice(None, None, 5))
    few = (rows[3:9], rows[5:2000:3], runs, rows[3:4])
    for within in (*few, rows[: FEW + 3], gone, rows[1::2], most, *few):
        ids = set(library.vectors_at(within, embedder.model)[1])
        found = search(exact, "terror 7", 5, within)
        assert found == by_hand(library, "terror 7", ids)[:5]


def test_the_similarities_of_given_chunks_are_their_cosines(library: SqliteLibrary) -> None:
    put(library, None, "a", *WORDS)
    exact = ExactIndex(library, embedder.model)
    vector = embedder.encode_query("chess")
    everything = dict(exact.search(vector, 100))
    some = exact.similarities(vector, ["a/3", "a/0", "gone"])
    assert some == pytest.approx({key: everything[key] for key in ("a/3", "a/0")}, abs=1e-6)
    assert some["a/3"] == pytest.approx(1.0, abs=1e-6)


def test_equal_texts_come_in_the_order_of_their_ids(library: SqliteLibrary) -> None:
    put(library, None, "b", "chess", "chess")
    put(library, None, "a", "chess", "rice")
    exact = ExactIndex(library, embedder.model)
    assert search(exact, "chess", 3) == ["a/0", "b/0", "b/1"]
    assert search(exact, "chess", 2) == ["a/0", "b/0"]


def test_every_change_of_the_library_is_seen(library: SqliteLibrary) -> None:
    exact = ExactIndex(library, embedder.model)
    put(library, None, "a", "chess")
    assert search(exact, "rice", 1) == ["a/0"]
    put(library, None, "b", "rice")
    assert search(exact, "rice", 1) == ["b/0"]
    put(library, None, "b", "budget")
    put(library, None, "a", "rice")
    assert search(exact, "rice", 1) == ["a/0"]
    library.delete(["a"])
    assert search(exact, "rice", 5) == ["b/0"]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(writes=st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 5)), max_size=12))
def test_vectors_that_follow_the_library_are_those_read_anew(
    library: SqliteLibrary, writes: list[tuple[str, int]]
) -> None:
    library.delete(list("abcdef"))
    following = ExactIndex(library, embedder.model)
    for number, (article_id, length) in enumerate(writes):
        if length:
            put(library, None, article_id, *(f"{WORDS[n]} {number}" for n in range(length)))
        else:
            library.delete([article_id])
        anew = ExactIndex(library, embedder.model)
        assert search(following, "chess 3", 99) == search(anew, "chess 3", 99)
        odd = library.rows()[::2]
        assert search(following, "rice 3", 99, odd) == search(anew, "rice 3", 99, odd)


def test_threads_search_while_the_library_changes(library: SqliteLibrary) -> None:
    put(library, None, "a", *WORDS)
    exact = ExactIndex(library, embedder.model)
    wrong: list[object] = []

    def look() -> None:
        for _ in range(50):
            found = search(exact, "chess", 1)
            if found != ["a/3"]:
                wrong.append(found)

    readers = [threading.Thread(target=look) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(10):
        put(library, None, f"b{number}", "monsoon railway")
    for reader in readers:
        reader.join()
    assert wrong == []
