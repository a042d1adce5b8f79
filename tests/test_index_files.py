"""What is about the files of the embedded index, which a Chroma server keeps for itself: damage to
them, the process that tries them out, the generation to go back to."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.errors import IndexUnavailableError
from rag.index import ChromaIndex
from rag.library import SqliteLibrary
from rag.storage.chroma import probe
from rag.storage.generations import ATTEMPTS, REST_S, Books
from tests.indexed import WORDS, Home, assert_equals_exact, embedder, put, search


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    opened = Home(tmp_path)
    yield opened
    opened.library.close()


@pytest.fixture
def library(home: Home) -> SqliteLibrary:
    return home.library


@pytest.fixture
def index(home: Home) -> Iterator[ChromaIndex]:
    with home.opened() as opened:
        yield opened


def damage(directory: Path, name: str) -> None:
    (path,) = directory.rglob(name)
    path.write_bytes(b"damaged" * 1000)


def test_a_directory_that_cannot_be_used_is_named(library: SqliteLibrary, home: Home) -> None:
    home.directory.write_text("a file is in the way")
    index = home.index()
    put(library, None, "a", "chess")
    with pytest.raises(IndexUnavailableError, match=str(home.directory)):
        search(index, "chess")
    assert index.state().startswith("degraded")
    home.directory.unlink()
    index.repair()
    assert search(index, "chess") == ["a/0"]
    assert index.state() == "ok"
    index.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chroma.sqlite3", "header.bin"])
def test_a_damaged_index_is_rebuilt_after_a_crash(
    library: SqliteLibrary, index: ChromaIndex, home: Home, name: str
) -> None:
    put(library, index, "a", *(f"{one} {n}" for n in range(110) for one in WORDS))
    search(index, "chess")
    home.kill(index)
    (before,) = home.generations()
    damage(home.directory, name)
    reopened = home.index()
    assert_equals_exact(reopened, library)
    assert before not in home.generations()
    reopened.close()


def test_an_index_damaged_after_it_was_closed_in_order_is_rebuilt(
    library: SqliteLibrary, index: ChromaIndex, home: Home
) -> None:
    put(library, index, "a", *(f"{one} {n}" for n in range(110) for one in WORDS))
    index.close()
    damage(home.directory, "header.bin")
    reopened = home.index()
    assert_equals_exact(reopened, library)
    reopened.close()


def test_a_missing_directory_is_rebuilt(
    library: SqliteLibrary, index: ChromaIndex, home: Home
) -> None:
    put(library, index, "a", *WORDS)
    index.close()
    for path in home.directory.iterdir():
        path.rename(home.directory.parent / "elsewhere")
    reopened = home.index()
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
    library: SqliteLibrary, index: ChromaIndex, home: Home, plant, what: str
) -> None:
    put(library, index, "a", *WORDS)
    place, name = index._site.where(*home.generations())
    index.close()
    plant(what)
    timeout = 60.0 if what == CRASHES else 1.0
    assert probe(place, name, embedder.encode_query("chess"), timeout) is None


def test_an_index_whose_probe_crashes_is_rebuilt_and_the_process_lives(
    library: SqliteLibrary, index: ChromaIndex, home: Home, plant
) -> None:
    put(library, index, "a", *WORDS)
    before = home.generations()
    home.kill(index)
    plant(CRASHES)
    reopened = home.index()
    assert_equals_exact(reopened, library)
    assert home.generations() != before
    reopened.close()


def test_files_that_are_as_they_were_closed_need_no_probe(
    library: SqliteLibrary, index: ChromaIndex, home: Home, plant
) -> None:
    put(library, index, "a", *WORDS)
    index.close()
    before = home.generations()
    plant(CRASHES)
    reopened = home.index()
    assert_equals_exact(reopened, library)
    assert home.generations() == before
    reopened.close()


@pytest.mark.slow
def test_where_a_generation_breaks_the_one_before_it_catches_up(
    library: SqliteLibrary, index: ChromaIndex, home: Home
) -> None:
    put(library, index, "a", *(f"{one} {two}" for one in WORDS for two in WORDS if one < two))
    put(library, index, "b", "chess")
    kept = index.generation()
    index.rebuild()
    put(library, index, "c", "rice rice", "sport chess")
    put(library, index, "b", "monsoon", "railway")
    broken = index.generation()
    index.close()
    for path in (home.directory / str(broken)).rglob("*.bin"):
        path.write_bytes(b"")
    reopened = home.index()
    reopened.repair()
    assert reopened.generation() == kept
    assert home.generations() == [kept]
    assert_equals_exact(reopened, library)
    reopened.close()


@pytest.mark.slow
def test_where_both_generations_are_broken_a_third_is_built(
    library: SqliteLibrary, index: ChromaIndex, home: Home
) -> None:
    put(library, index, "a", *WORDS)
    index.rebuild()
    before = home.generations()
    index.close()
    for path in home.directory.rglob("chroma.sqlite3"):
        path.write_bytes(b"damaged" * 1000)
    reopened = home.index()
    assert_equals_exact(reopened, library)
    assert len(before) == 2
    assert not set(before) & set(home.generations())
    reopened.close()


def test_builds_that_fail_again_and_again_rest(library: SqliteLibrary, home: Home) -> None:
    put(library, None, "a", *WORDS)
    home.directory.write_text("a file is in the way")
    index = home.index()
    for _ in range(ATTEMPTS):
        with pytest.raises(IndexUnavailableError, match="cannot be made"):
            index.repair()
    home.directory.unlink()
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
