import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from rag.chroma import ChromaCollection, probe
from rag.errors import IndexUnavailableError
from rag.generations import ATTEMPTS, REST_S, Books
from rag.index import QUICK_REBUILD, ChromaIndex
from rag.library import SqliteLibrary
from tests.indexed import WORDS, assert_equals_exact, embedder, put, search


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SqliteLibrary]:
    opened = SqliteLibrary(tmp_path / "library.db")
    yield opened
    opened.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def index(library: SqliteLibrary, directory: Path) -> Iterator[ChromaIndex]:
    opened = ChromaIndex(library, embedder.model, directory)
    yield opened
    opened.close()


def generations(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def killed(library: SqliteLibrary, index: ChromaIndex, **changes: object) -> None:
    """Leave the record of an index as a process does that dies after it wrote: not closed, and
    `changes`."""
    index.close()
    record = json.loads(library.meta("index") or "")
    library.set_meta("index", json.dumps(record | {"closed": False, "files": None} | changes))


def damage(directory: Path, name: str) -> None:
    (path,) = directory.rglob(name)
    path.write_bytes(b"damaged" * 1000)


# What goes wrong


def test_a_directory_that_cannot_be_used_is_named(library: SqliteLibrary, directory: Path) -> None:
    directory.write_text("a file is in the way")
    index = ChromaIndex(library, embedder.model, directory)
    put(library, None, "a", "chess")
    with pytest.raises(IndexUnavailableError, match=str(directory)):
        search(index, "chess")
    assert index.state().startswith("degraded")
    directory.unlink()
    index.repair()
    assert search(index, "chess") == ["a/0"]
    assert index.state() == "ok"
    index.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chroma.sqlite3", "header.bin"])
def test_a_damaged_index_is_rebuilt_after_a_crash(
    library: SqliteLibrary, index: ChromaIndex, directory: Path, name: str
) -> None:
    put(library, index, "a", *(f"{one} {n}" for n in range(110) for one in WORDS))
    search(index, "chess")
    killed(library, index)
    (before,) = generations(directory)
    damage(directory, name)
    reopened = ChromaIndex(library, embedder.model, directory)
    assert_equals_exact(reopened, library)
    assert before not in generations(directory)
    reopened.close()


def test_an_index_damaged_after_it_was_closed_in_order_is_rebuilt(
    library: SqliteLibrary, index: ChromaIndex, directory: Path
) -> None:
    put(library, index, "a", *(f"{one} {n}" for n in range(110) for one in WORDS))
    index.close()
    damage(directory, "header.bin")
    reopened = ChromaIndex(library, embedder.model, directory)
    assert_equals_exact(reopened, library)
    reopened.close()


def test_an_index_that_fails_in_use_says_so_once_and_is_rebuilt(
    library: SqliteLibrary, index: ChromaIndex
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
    assert_equals_exact(index, library)


def test_a_missing_directory_is_rebuilt(
    library: SqliteLibrary, index: ChromaIndex, directory: Path
) -> None:
    put(library, index, "a", *WORDS)
    index.close()
    for path in directory.iterdir():
        path.rename(directory.parent / "elsewhere")
    reopened = ChromaIndex(library, embedder.model, directory)
    assert_equals_exact(reopened, library)
    reopened.close()


@pytest.mark.parametrize("changes", [{"state": "dirty"}, {"revision": 0}, {"model": "other"}])
def test_an_index_that_does_not_reflect_the_library_is_rebuilt_beside_it(
    library: SqliteLibrary, index: ChromaIndex, directory: Path, changes: dict[str, object]
) -> None:
    put(library, index, "a", *WORDS)
    killed(library, index, **changes)
    (before,) = generations(directory)
    reopened = ChromaIndex(library, embedder.model, directory)
    assert reopened.state().startswith("degraded")
    assert_equals_exact(reopened, library)
    assert reopened.state() == "ok"
    (after,) = generations(directory)
    assert before != after
    reopened.close()


def test_an_index_that_lacks_vectors_is_rebuilt(
    library: SqliteLibrary, index: ChromaIndex, directory: Path
) -> None:
    put(library, index, "a", *WORDS)
    index.close()
    (generation,) = generations(directory)
    opened = ChromaCollection(*index._where(generation))
    opened.remove(["a/3"])
    opened.close()
    reopened = ChromaIndex(library, embedder.model, directory)
    assert_equals_exact(reopened, library)
    reopened.close()


def replanted(library: SqliteLibrary, index: ChromaIndex, remove: str, add: str) -> ChromaIndex:
    """The index of a process that died, with the vector of `chess` under another id."""
    (generation,) = generations(index._place)
    place, name = index._where(generation)
    killed(library, index)
    opened = ChromaCollection(place, name)
    opened.remove([remove])
    opened.add([add], embedder.encode_query("chess")[None, :])
    opened.close()
    return ChromaIndex(library, embedder.model, place.parent)


@pytest.mark.slow
@pytest.mark.parametrize(("remove", "add"), [("a/5", "a/5"), ("a/5", "b/0")])
def test_as_many_vectors_as_there_should_be_are_not_enough(
    library: SqliteLibrary, index: ChromaIndex, directory: Path, remove: str, add: str
) -> None:
    put(library, index, "a", *WORDS)
    before = generations(directory)
    reopened = replanted(library, index, remove, add)
    assert_equals_exact(reopened, library)
    assert generations(directory) != before
    reopened.close()


@pytest.mark.slow
def test_the_first_write_after_a_crash_is_no_reason_to_rebuild(
    library: SqliteLibrary, index: ChromaIndex, directory: Path
) -> None:
    put(library, index, "a", *WORDS)
    before = generations(directory)
    killed(library, index)
    reopened = ChromaIndex(library, embedder.model, directory)
    put(library, reopened, "b", "chess sport")
    assert generations(directory) == before
    assert_equals_exact(reopened, library)
    reopened.close()


CRASHES = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
HANGS = "import signal; signal.pause()"


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has every process that is started from now on do something when it imports Chroma."""

    def do(what: str) -> None:
        (tmp_path / "planted").mkdir()
        (tmp_path / "planted" / "chromadb.py").write_text(what)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "planted"))

    return do


@pytest.mark.parametrize("what", [CRASHES, HANGS])
def test_a_probe_that_crashes_or_hangs_tells_that_nothing_is_reached(
    library: SqliteLibrary, index: ChromaIndex, directory: Path, plant, what: str
) -> None:
    put(library, index, "a", *WORDS)
    place, name = index._where(*generations(directory))
    index.close()
    plant(what)
    timeout = 60.0 if what == CRASHES else 1.0
    assert probe(place, name, embedder.encode_query("chess"), timeout) is None


def test_an_index_whose_probe_crashes_is_rebuilt_and_the_process_lives(
    library: SqliteLibrary, index: ChromaIndex, directory: Path, plant
) -> None:
    put(library, index, "a", *WORDS)
    before = generations(directory)
    killed(library, index)
    plant(CRASHES)
    reopened = ChromaIndex(library, embedder.model, directory)
    assert_equals_exact(reopened, library)
    assert generations(directory) != before
    reopened.close()


def test_files_that_are_as_they_were_closed_need_no_probe(
    library: SqliteLibrary, index: ChromaIndex, directory: Path, plant
) -> None:
    put(library, index, "a", *WORDS)
    index.close()
    before = generations(directory)
    plant(CRASHES)
    reopened = ChromaIndex(library, embedder.model, directory)
    assert_equals_exact(reopened, library)
    assert generations(directory) == before
    reopened.close()


@pytest.mark.slow
def test_a_record_of_an_earlier_version_is_read(
    library: SqliteLibrary, index: ChromaIndex, directory: Path
) -> None:
    put(library, index, "a", *WORDS)
    index.close()
    before = generations(directory)
    record = json.loads(library.meta("index") or "")
    old = {key: record[key] for key in ("generation", "model", "revision", "state", "closed")}
    library.set_meta("index", json.dumps(old))
    reopened = ChromaIndex(library, embedder.model, directory)
    assert_equals_exact(reopened, library)
    assert generations(directory) == before
    reopened.close()


@pytest.mark.slow
def test_where_a_generation_breaks_the_one_before_it_catches_up(
    library: SqliteLibrary, index: ChromaIndex, directory: Path
) -> None:
    put(library, index, "a", *(f"{one} {two}" for one in WORDS for two in WORDS if one < two))
    put(library, index, "b", "chess")
    kept = index.generation()
    index.rebuild()
    put(library, index, "c", "rice rice", "sport chess")
    put(library, index, "b", "monsoon", "railway")
    broken = index.generation()
    index.close()
    for path in (directory / str(broken)).rglob("*.bin"):
        path.write_bytes(b"")
    reopened = ChromaIndex(library, embedder.model, directory)
    reopened.repair()
    assert reopened.generation() == kept
    assert generations(directory) == [kept]
    assert_equals_exact(reopened, library)
    reopened.close()


@pytest.mark.slow
def test_where_both_generations_are_broken_a_third_is_built(
    library: SqliteLibrary, index: ChromaIndex, directory: Path
) -> None:
    put(library, index, "a", *WORDS)
    index.rebuild()
    before = generations(directory)
    index.close()
    for path in directory.rglob("chroma.sqlite3"):
        path.write_bytes(b"damaged" * 1000)
    reopened = ChromaIndex(library, embedder.model, directory)
    assert_equals_exact(reopened, library)
    assert len(before) == 2
    assert not set(before) & set(generations(directory))
    reopened.close()


def test_builds_that_fail_again_and_again_rest(library: SqliteLibrary, directory: Path) -> None:
    put(library, None, "a", *WORDS)
    directory.write_text("a file is in the way")
    index = ChromaIndex(library, embedder.model, directory)
    for _ in range(ATTEMPTS):
        with pytest.raises(IndexUnavailableError, match="cannot be made"):
            index.repair()
    directory.unlink()
    for _ in range(2):
        with pytest.raises(IndexUnavailableError, match=r"in vain.*dateline doctor"):
            index.repair()
    assert index.state().startswith("degraded")
    index.rebuild()  # by somebody who wishes it
    assert_equals_exact(index, library)
    index._distrust(index._collection)
    index.repair()
    assert_equals_exact(index, library)
    index.close()


def test_a_rest_is_over_in_time_or_when_the_clock_was_set_back(library: SqliteLibrary) -> None:
    now = [1000.0]
    books = Books(library, "index", lambda: now[0])
    for _ in range(ATTEMPTS):
        assert books.may_attempt()
        books.begin_attempt()
    assert not books.may_attempt()
    now[0] += REST_S - 1
    assert not books.may_attempt()
    now[0] += 1
    assert books.may_attempt()
    books.begin_attempt()
    assert not books.may_attempt()
    now[0] = 5.0
    assert books.may_attempt()
    books.end_attempts()
    now[0] = 1000.0
    assert books.may_attempt()


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
    library: SqliteLibrary, directory: Path
) -> None:
    put(library, None, "a", *(f"text {number}" for number in range(QUICK_REBUILD + 1)))
    index = ChromaIndex(library, embedder.model, directory)
    closer = threading.Thread(target=index.close)

    def close_meanwhile(done: int, total: int | None, unit: str) -> None:
        if not closer.ident:
            closer.start()
            while not index._closing:
                pass

    with pytest.raises(IndexUnavailableError, match="closed"):
        index.repair(close_meanwhile)
    closer.join()
    assert generations(directory) == []
    with pytest.raises(IndexUnavailableError):
        search(index, "text 7")
    reopened = ChromaIndex(library, embedder.model, directory)
    reopened.repair()
    assert search(reopened, "text 7", 1) == ["a/7"]
    reopened.close()


# What goes right


def test_an_empty_library_needs_no_index(index: ChromaIndex, directory: Path) -> None:
    assert index.state() == "ok"
    assert search(index, "chess") == []
    index.repair()
    assert not directory.exists()


def test_chroma_is_imported_only_when_it_is_needed(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from rag.exact import ExactIndex
from rag.index import ChromaIndex
from rag.library import SqliteLibrary
library = SqliteLibrary(Path({str(tmp_path / "library.db")!r}))
index = ChromaIndex(library, "fake", Path({str(tmp_path / "index")!r}))
index.state(), index.repair(), index.close(), library.close()
sys.exit("chromadb" in sys.modules)
"""
    root = Path(__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0


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


def test_an_index_closed_in_order_is_used_as_it_is(
    library: SqliteLibrary, index: ChromaIndex, directory: Path
) -> None:
    put(library, index, "a", *WORDS)
    index.close()
    before = generations(directory)
    reopened = ChromaIndex(library, embedder.model, directory)
    put(library, reopened, "b", "chess")  # the first thing it does is to follow a write
    assert_equals_exact(reopened, library)
    assert generations(directory) == before
    reopened.close()


@pytest.mark.slow
def test_a_sound_index_survives_a_crash(
    library: SqliteLibrary, index: ChromaIndex, directory: Path
) -> None:
    put(library, index, "a", *WORDS)
    killed(library, index)
    before = generations(directory)
    reopened = ChromaIndex(library, embedder.model, directory)
    assert_equals_exact(reopened, library)
    assert generations(directory) == before
    reopened.close()


def test_two_indexes_of_a_process_do_not_share_what_they_close(tmp_path: Path) -> None:
    opened = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        library = SqliteLibrary(tmp_path / name / "library.db")
        index = ChromaIndex(library, embedder.model, tmp_path / name / "index")
        put(library, index, name, "chess")
        opened.append((library, index))
    opened[0][1].close()
    assert search(opened[1][1], "chess") == ["two/0"]
    opened[1][1].close()
    for library, _ in opened:
        library.close()


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
    library: SqliteLibrary, index: ChromaIndex, directory: Path
) -> None:
    put(library, index, "a", *WORDS)
    before = generations(directory)
    seen: list[tuple[int, int | None]] = []
    index.rebuild(lambda done, total, unit: seen.append((done, total)))
    assert seen == [(len(WORDS), len(WORDS))]
    assert len(generations(directory)) == 2, "one to go back to"
    assert set(before) < set(generations(directory))
    assert_equals_exact(index, library)
    index.rebuild()
    assert len(generations(directory)) == 2
    assert not set(before) & set(generations(directory))


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
