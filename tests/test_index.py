"""What any index does, wherever it is; `test_index_files.py` has what is about files."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.errors import IndexUnavailableError, LibraryError
from rag.index import QUICK_REBUILD, ChromaIndex
from rag.library import SqliteLibrary
from tests.indexed import WORDS, Home, assert_equals_exact, embedder, put, search


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.slow)])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    server = request.param == "server"
    opened = Home(tmp_path, request.getfixturevalue("chroma_server").url if server else None)
    yield opened
    opened.library.close()


@pytest.fixture
def library(home: Home) -> SqliteLibrary:
    return home.library


@pytest.fixture
def index(home: Home) -> Iterator[ChromaIndex]:
    with home.opened() as opened:
        yield opened


# What goes wrong


def test_an_index_that_fails_in_use_says_so_once_and_is_rebuilt(
    library: SqliteLibrary, index: ChromaIndex, home: Home
) -> None:
    put(library, index, "a", *WORDS)
    assert index._collection
    index._collection.close()  # as if its files had gone from under it
    with pytest.raises(IndexUnavailableError):
        search(index, "chess")
    assert index.state().startswith("degraded")
    assert_equals_exact(index, library)
    assert index._collection
    index._collection.close()
    with pytest.raises(IndexUnavailableError):
        put(library, index, "b", "chess")
    assert index.state().startswith("degraded")
    if home.url:  # a server may be away, so that searches do not wait for it
        index.repair()
    assert_equals_exact(index, library)


@pytest.mark.parametrize("changes", [{"state": "dirty"}, {"revision": 0}, {"model": "other"}])
def test_an_index_that_does_not_reflect_the_library_is_rebuilt_beside_it(
    library: SqliteLibrary, index: ChromaIndex, home: Home, changes: dict[str, object]
) -> None:
    put(library, index, "a", *WORDS)
    home.kill(index, **changes)
    (before,) = home.generations()
    reopened = home.index()
    assert reopened.state().startswith("degraded")
    assert_equals_exact(reopened, library)
    assert reopened.state() == "ok"
    (after,) = home.generations()
    assert before != after
    reopened.close()


def test_an_index_that_lacks_vectors_is_rebuilt(
    library: SqliteLibrary, index: ChromaIndex, home: Home
) -> None:
    put(library, index, "a", *WORDS)
    index.close()
    (generation,) = home.generations()
    opened = home.collection(generation)
    opened.remove(["a/3"])
    opened.close()
    reopened = home.index()
    assert_equals_exact(reopened, library)
    reopened.close()


def replanted(home: Home, index: ChromaIndex, remove: str, add: str) -> ChromaIndex:
    """The index of a process that died, with the vector of `chess` under another id."""
    (generation,) = home.generations()
    home.kill(index)
    opened = home.collection(generation)
    opened.remove([remove])
    opened.add([add], embedder.encode_query("chess")[None, :])
    opened.close()
    return home.index()


@pytest.mark.slow
@pytest.mark.parametrize(("remove", "add"), [("a/5", "a/5"), ("a/5", "b/0")])
def test_as_many_vectors_as_there_should_be_are_not_enough(
    library: SqliteLibrary, index: ChromaIndex, home: Home, remove: str, add: str
) -> None:
    put(library, index, "a", *WORDS)
    before = home.generations()
    reopened = replanted(home, index, remove, add)
    assert_equals_exact(reopened, library)
    assert home.generations() != before
    reopened.close()


@pytest.mark.slow
def test_the_first_write_after_a_crash_is_no_reason_to_rebuild(
    library: SqliteLibrary, index: ChromaIndex, home: Home
) -> None:
    put(library, index, "a", *WORDS)
    before = home.generations()
    home.kill(index)
    reopened = home.index()
    put(library, reopened, "b", "chess sport")
    assert home.generations() == before
    assert_equals_exact(reopened, library)
    reopened.close()


@pytest.mark.slow
def test_a_record_of_an_earlier_version_is_read(
    library: SqliteLibrary, index: ChromaIndex, home: Home
) -> None:
    put(library, index, "a", *WORDS)
    index.close()
    before = home.generations()
    home.record(files=..., remains=..., previous=...)
    reopened = home.index()
    assert_equals_exact(reopened, library)
    assert home.generations() == before
    reopened.close()


def test_a_write_that_the_index_was_not_told_of_is_made_good_by_the_next(
    library: SqliteLibrary, index: ChromaIndex
) -> None:
    put(library, index, "a", "chess")
    put(library, None, "b", "rice")
    put(library, index, "c", "sport")
    assert_equals_exact(index, library)


def test_a_long_rebuild_is_not_made_to_wait_for(library: SqliteLibrary, index: ChromaIndex) -> None:
    put(library, None, "a", *(f"text {number}" for number in range(QUICK_REBUILD + 1)))
    with pytest.raises(IndexUnavailableError, match="reindex"):
        search(index, "chess")
    assert index.state().startswith("degraded")
    index.repair()
    assert index.state() == "ok"
    assert search(index, "text 7", 1) == ["a/7"]


def test_an_index_closed_while_it_is_rebuilt_gives_up_and_begins_again(
    library: SqliteLibrary, home: Home
) -> None:
    put(library, None, "a", *(f"text {number}" for number in range(QUICK_REBUILD + 1)))
    index = home.index()
    closer = threading.Thread(target=index.close)

    def close_meanwhile(done: int, total: int | None, unit: str) -> None:
        if not closer.ident:
            closer.start()
            assert index.closed_within(60)

    with pytest.raises(IndexUnavailableError, match="closed"):
        index.repair(close_meanwhile)
    closer.join()
    assert home.generations() == []
    with pytest.raises(IndexUnavailableError):
        search(index, "text 7")
    reopened = home.index()
    reopened.repair()
    assert search(reopened, "text 7", 1) == ["a/7"]
    reopened.close()


class Refusing:
    """A library that at times cannot be written to, as on a full disk."""

    def __init__(self, library: SqliteLibrary) -> None:
        self._library = library
        self.refuses = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def set_meta(self, key: str, value: str) -> None:
        if self.refuses:
            raise LibraryError("the disk is full")
        self._library.set_meta(key, value)


def test_a_write_that_could_not_be_recorded_is_made_good(home: Home) -> None:
    library: Any = Refusing(home.library)
    index = ChromaIndex(library, embedder.model, home.directory, home.url)
    put(library, index, "a", *WORDS)
    library.refuses = True
    with pytest.raises(LibraryError):
        put(library, index, "b", "chess")
    library.refuses = False
    assert index.state().startswith("degraded")
    index.repair()
    assert index.state() == "ok"
    assert_equals_exact(index, home.library)
    index.close()


# What goes right


def test_an_empty_library_needs_no_index(index: ChromaIndex, home: Home) -> None:
    assert index.state() == "ok"
    assert search(index, "chess") == []
    index.repair()
    assert home.generations() == []


def test_the_index_finds_what_exact_search_finds(
    library: SqliteLibrary, index: ChromaIndex
) -> None:
    put(library, index, "a", *(f"{one} {two}" for one in WORDS for two in WORDS if one < two))
    assert_equals_exact(index, library)
    assert index.search(embedder.encode_query("chess rice"), 1)[0][1] == pytest.approx(1, abs=1e-5)


def test_the_index_follows_every_write(library: SqliteLibrary, index: ChromaIndex) -> None:
    put(library, index, "a", *WORDS)
    put(library, index, "b", "chess", "chess chess")
    assert_equals_exact(index, library)
    put(library, index, "b", "rice")
    assert_equals_exact(index, library)
    change = library.delete(["a"])
    index.update(((), np.empty((0, 0), dtype=np.float32)), change.removed)
    assert search(index, "chess", 20) == ["b/0"]


def test_an_index_of_mostly_removed_vectors_is_built_anew(
    library: SqliteLibrary, index: ChromaIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.index.WASTE", 20)
    put(library, index, "kept", *WORDS)
    index.repair()
    first = index.generation()
    rounds = 0
    while index.generation() == first and rounds < 10:
        rounds += 1
        put(library, index, "a", *WORDS)
        put(library, index, "a", "chess")
        index.repair()
    assert (rounds - 1) * (len(WORDS) - 1) <= 20 < rounds * (len(WORDS) - 1)
    assert_equals_exact(index, library)
    second = index.generation()
    index.repair()
    assert index.generation() == second, "its count begins anew"


def test_of_a_library_that_was_emptied_nothing_is_left(
    library: SqliteLibrary, index: ChromaIndex, home: Home
) -> None:
    put(library, index, "a", *WORDS)
    change = library.delete(["a"])
    index.update(((), np.empty((0, 0), dtype=np.float32)), change.removed)
    index.scrub()
    assert home.generations() == []
    put(library, index, "b", "chess")
    assert search(index, "chess") == ["b/0"]


def test_an_index_closed_in_order_is_used_as_it_is(
    library: SqliteLibrary, index: ChromaIndex, home: Home
) -> None:
    put(library, index, "a", *WORDS)
    index.close()
    before = home.generations()
    reopened = home.index()
    put(library, reopened, "b", "chess")  # the first thing it does is to follow a write
    assert_equals_exact(reopened, library)
    assert home.generations() == before
    reopened.close()


@pytest.mark.slow
def test_a_sound_index_survives_a_crash(
    library: SqliteLibrary, index: ChromaIndex, home: Home
) -> None:
    put(library, index, "a", *WORDS)
    home.kill(index)
    before = home.generations()
    reopened = home.index()
    assert_equals_exact(reopened, library)
    assert home.generations() == before
    reopened.close()


def test_two_indexes_of_a_process_do_not_share_what_they_close(
    library: SqliteLibrary, index: ChromaIndex, home: Home, tmp_path: Path
) -> None:
    other = Home(tmp_path / "other", home.url)
    put(library, index, "one", "chess")
    with other.opened() as second:
        put(other.library, second, "two", "chess")
        index.close()
        assert search(second, "chess") == ["two/0"]
    other.library.close()


def test_writes_during_a_rebuild_are_in_it_and_searches_go_elsewhere(
    library: SqliteLibrary, index: ChromaIndex
) -> None:
    put(library, None, "a", *WORDS)
    put(library, None, "b", "chess")
    states: list[str] = []

    def meanwhile(done: int, total: int | None, unit: str) -> None:
        if not states:
            put(library, index, "c", "chess sport")
            put(library, index, "a", *reversed(WORDS))
            library.delete(["b"])
            with pytest.raises(IndexUnavailableError, match="rebuilt"):
                search(index, "chess")
        states.append(index.state())

    index.rebuild(meanwhile)
    assert states[0].startswith("degraded: being rebuilt")
    assert index.state() == "ok"
    assert_equals_exact(index, library)


def test_a_rebuild_replaces_the_generation(
    library: SqliteLibrary, index: ChromaIndex, home: Home
) -> None:
    put(library, index, "a", *WORDS)
    before = home.generations()
    seen: list[tuple[int, int | None]] = []
    index.rebuild(lambda done, total, unit: seen.append((done, total)))
    assert seen == [(len(WORDS), len(WORDS))]
    kept = before if home.url is None else []  # an embedded one to go back to
    assert set(home.generations()) == {*kept, index.generation()}
    assert_equals_exact(index, library)
    index.rebuild()
    assert len(home.generations()) == 1 + len(kept)
    assert not set(before) & set(home.generations())


def test_threads_search_while_the_index_follows(library: SqliteLibrary, index: ChromaIndex) -> None:
    put(library, index, "a", *WORDS)
    wrong: list[object] = []

    def look() -> None:
        for _ in range(30):
            found = search(index, "chess", 1)
            if found != ["a/3"]:
                wrong.append(found)

    readers = [threading.Thread(target=look) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(10):
        put(library, index, f"b{number}", "monsoon railway")
    for reader in readers:
        reader.join()
    assert wrong == []


def test_each_build_is_a_generation_of_its_own(library: SqliteLibrary, index: ChromaIndex) -> None:
    assert index.generation() is None
    put(library, index, "a", "chess")
    first = index.generation()
    put(library, index, "b", "rice")
    assert first
    assert index.generation() == first
    index.rebuild()
    assert index.generation() not in (None, first)
