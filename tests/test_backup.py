import os
import shutil
import signal
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

import rag.backup
from rag.backup import INDEX, LIBRARY, back_up, newest_backup, restore, sweep
from rag.errors import LibraryError, LibraryInUseError
from rag.index import ChromaIndex
from rag.library import SqliteLibrary
from rag.storage.database import Database
from rag.storage.holder import hold
from rag.storage.keyring import Keyring
from rag.storage.keys import make_key
from rag.storage.schema import WATCHED
from tests.indexed import WORDS, embedder, entry, put, search

BACKUPS = int(os.environ.get("BACKUPS", "6"))
"""Backups that are made under load, and restored."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    directory.mkdir()
    return directory


@pytest.fixture
def library(data: Path) -> Iterator[SqliteLibrary]:
    opened = SqliteLibrary(data / LIBRARY)
    yield opened
    opened.close()


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of a database, but for the records of its index, which it is restored without."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        found = {
            table: sorted(db.execute(f"SELECT * FROM {table}"), key=repr)
            for table in [*WATCHED, "words", "clusters", "bands", "answer_articles", "migrations"]
        }
    found["meta"] = [row for row in found["meta"] if not str(row[0]).startswith("index")]
    return found


def files_of(database: str) -> set[str]:
    return {f"{database}{end}" for end in ("", "-wal", "-shm")}


def flip(path: Path, wanted: bytes) -> None:
    """Turn the lowest bit of the first byte of something in a file."""
    content = bytearray(path.read_bytes())
    content[content.index(wanted)] ^= 1
    path.write_bytes(content)


# What must fail


def test_what_is_there_is_not_overwritten(library: SqliteLibrary, data: Path) -> None:
    file = data.parent / "backup.db"
    file.write_text("dear to somebody")
    with pytest.raises(LibraryError, match=r"backup\.db is there already.*--force"):
        back_up(data, file)
    assert file.read_text() == "dear to somebody"
    back_up(data, file, force=True)
    library.close()
    before = contents(data / LIBRARY)
    with pytest.raises(LibraryError, match=r"library\.db is there already.*--force"):
        restore(data, file)
    assert contents(data / LIBRARY) == before


def test_the_library_is_not_its_own_backup(library: SqliteLibrary, data: Path) -> None:
    (data.parent / "link").symlink_to(data / LIBRARY)
    for file in (data / LIBRARY, data / f"{LIBRARY}-wal", data.parent / "link"):
        with pytest.raises(LibraryError, match="the library itself"):
            back_up(data, file, force=True)
    with pytest.raises(LibraryError, match="the library itself"):
        restore(data, data / LIBRARY, force=True)


def test_without_a_library_or_a_backup_there_is_an_error(data: Path) -> None:
    with pytest.raises(LibraryError, match=r"no file .*library\.db"):
        back_up(data, data.parent / "backup.db")
    with pytest.raises(LibraryError, match=r"no file .*backup\.db"):
        restore(data, data.parent / "backup.db")
    assert list(data.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(library: SqliteLibrary, data: Path) -> None:
    with pytest.raises(LibraryError, match=r"nowhere/backup\.db cannot be read or written"):
        back_up(data, data / "nowhere" / "backup.db")


def test_a_damaged_library_replaces_no_good_backup(library: SqliteLibrary, data: Path) -> None:
    put(library, None, "a", "terrorism is condemned")
    put(library, None, "b", "chess")
    file = data.parent / "backup.db"
    back_up(data, file)
    good = file.read_bytes()
    library.close()
    flip(data / LIBRARY, b"terrorism is condemned")
    with pytest.raises(LibraryError, match="damaged: article a: its text"):
        back_up(data, file, force=True)
    assert file.read_bytes() == good
    assert sorted(data.parent.iterdir()) == [file, data], "and nothing unfinished is left"


@pytest.mark.parametrize("wanted", [b"terrorism is condemned", b"SQLite format", b"CREATE TRIGGER"])
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    library: SqliteLibrary, data: Path, wanted: bytes
) -> None:
    put(library, None, "a", "terrorism is condemned")
    file = data.parent / "backup.db"
    back_up(data, file)
    put(library, None, "b", "chess")
    library.close()
    flip(file, wanted)
    before = contents(data / LIBRARY)
    with pytest.raises(LibraryError, match=r"backup\.db"):
        restore(data, file, force=True)
    assert contents(data / LIBRARY) == before
    assert not (data / "library.db.restoring").exists()


def test_what_is_no_backup_is_refused(data: Path) -> None:
    for name, content in (("empty", b""), ("text", b"This is no database. " * 500)):
        (data.parent / name).write_bytes(content)
        with pytest.raises(LibraryError, match=name):
            restore(data, data.parent / name)
    other = data.parent / "other.db"
    with closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE cookbook (recipe)")
    with pytest.raises(LibraryError, match="no schema version 0"):
        restore(data, other)
    assert not (data / LIBRARY).exists()


def test_a_backup_of_a_newer_dateline_is_refused(library: SqliteLibrary, data: Path) -> None:
    file = data.parent / "backup.db"
    back_up(data, file)
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(LibraryError, match=r"version 99.*upgrade Dateline"):
        restore(data.parent / "new", file)


def test_a_directory_that_is_held_is_not_restored_into(library: SqliteLibrary, data: Path) -> None:
    file = data.parent / "backup.db"
    with hold(data, "dateline serve"):
        back_up(data, file)
        with pytest.raises(LibraryInUseError):
            restore(data, file, force=True)


def test_a_library_that_others_read_is_not_replaced(library: SqliteLibrary, data: Path) -> None:
    put(library, None, "a", "chess")
    file = data.parent / "backup.db"
    back_up(data, file)
    with library.database.reading() as db:
        db.execute("SELECT count(*) FROM articles").fetchone()
        put(library, None, "b", "rice")
        with pytest.raises(LibraryError, match="is being read"):
            restore(data, file, force=True)
    assert set(library.articles(["a", "b"])) == {"a", "b"}


@pytest.mark.parametrize("step", ["_copy", "_checked", "_publish", "_forget_index", "_settle"])
def test_what_a_killed_backup_or_restore_left_goes_with_the_next(
    library: SqliteLibrary, data: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, None, "a", "terrorism is condemned")
    file = data.parent / "backup.db"
    library.close()
    pid = os.fork()
    if not pid:
        killed = getattr(rag.backup, step)

        def and_die(*given: object) -> None:
            killed(*given)
            os.kill(os.getpid(), signal.SIGKILL)

        monkeypatch.setattr(rag.backup, step, and_die)
        try:
            back_up(data, file)
            restore(data, file, force=True)
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    sweep(data)
    back_up(data, file, force=True)
    assert sorted(data.parent.iterdir()) == [file, data]
    names = {path.name for path in data.iterdir()}
    assert names <= {"lock", "holder.json", "backups.jsonl", *files_of(LIBRARY)}
    assert contents(file) == contents(data / LIBRARY)


def test_a_backup_under_way_is_not_swept_by_another_to_the_same_file(
    library: SqliteLibrary, data: Path
) -> None:
    file = data.parent / "backup.db"
    done: list[str] = []

    def meanwhile(*_: object) -> None:
        if not done:
            done.append(back_up(data, file, force=True).sha256)

    put(library, None, "a", "chess")
    back_up(data, file, force=True, progress=meanwhile)
    assert done
    assert contents(file) == contents(data / LIBRARY)
    assert sorted(data.parent.iterdir()) == [file, data]


# What goes right


def test_a_backup_is_one_file_for_its_owner_only(library: SqliteLibrary, data: Path) -> None:
    put(library, None, "a", *WORDS)
    file = data.parent / "backup.db"
    told: list[tuple[int, int | None]] = []
    snapshot = back_up(data, file, progress=lambda done, total, unit: told.append((done, total)))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (snapshot.articles, snapshot.chunks) == (1, len(WORDS))
    assert snapshot.bytes == file.stat().st_size
    assert told[-1][0] == told[-1][1]
    assert sorted(data.parent.iterdir()) == [file, data]
    file.chmod(0o400)
    assert contents(file) == contents(data / LIBRARY)
    assert sorted(data.parent.iterdir()) == [file, data], "reading it needs no file beside it"


def test_every_restore_equals_its_snapshot_taken_under_write_load(
    library: SqliteLibrary, data: Path
) -> None:
    """A writer always puts two articles together: no backup has one without the other."""
    ended = threading.Event()
    failed: list[BaseException] = []

    def write() -> None:
        try:
            number = 0
            while not ended.is_set():
                texts = [f"{word} {number}" for word in WORDS[number % 7 :]]
                pair = [entry(f"{name}{number % 50}", texts) for name in ("left", "right")]
                library.put(pair, embedder.model)
                if number % 5 == 0:
                    library.delete([f"left{number % 50}", f"right{number % 50}"])
                number += 1
        except LibraryError as error:
            failed.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(BACKUPS):
            back_up(data, data.parent / f"{turn}.db")
    finally:
        ended.set()
        writer.join()
    assert failed == []
    for turn in range(BACKUPS):
        file, new = data.parent / f"{turn}.db", data.parent / f"restored{turn}"
        snapshot = restore(new, file)
        assert contents(new / LIBRARY) == contents(file)
        restored = SqliteLibrary(new / LIBRARY)
        page, _ = restored.article_page(None, 200)
        lefts = {article.id[4:] for article in page if article.id.startswith("left")}
        assert lefts == {article.id[5:] for article in page if article.id.startswith("right")}
        assert len(page) == snapshot.articles
        restored.close()
        shutil.rmtree(new)


def test_a_restored_library_has_its_index_built_anew(library: SqliteLibrary, data: Path) -> None:
    index = ChromaIndex(library, embedder.model, data / INDEX)
    put(library, index, "a", "chess")
    file = data.parent / "backup.db"
    back_up(data, file)
    put(library, index, "a", "rice")
    put(library, index, "b", "sport")
    index.close()
    library.close()
    restore(data, file, force=True)
    restored = SqliteLibrary(data / LIBRARY)
    index = ChromaIndex(restored, embedder.model, data / INDEX)
    assert index.generation() is None
    assert search(index, "rice") == ["a/0"]
    assert restored.chunks(["a/0"])["a/0"].text == "chess"
    index.close()
    restored.close()


def test_what_a_killed_process_left_in_the_wal_is_saved_and_does_not_leak(
    library: SqliteLibrary, data: Path
) -> None:
    put(library, None, "a", "chess")
    file = data.parent / "backup.db"
    back_up(data, file)
    put(library, None, "b", "rice")
    killed = shutil.copytree(data, data.parent / "killed")  # with its WAL, which holds it all
    assert (killed / f"{LIBRARY}-wal").stat().st_size
    other = shutil.copytree(killed, data.parent / "other")
    assert back_up(killed, data.parent / "late.db").articles == 2
    restore(other, file, force=True)
    assert contents(other / LIBRARY) == contents(file)
    restored = SqliteLibrary(other / LIBRARY)
    assert set(restored.articles(["a", "b"])) == {"a"}
    restored.close()


def test_keys_are_restored_as_hashes_and_stay_good(library: SqliteLibrary, data: Path) -> None:
    new = make_key("laptop", ["ask"], (), datetime(2025, 8, 21, tzinfo=UTC))
    Keyring(library.database).add(new)
    file = data.parent / "backup.db"
    back_up(data, file)
    assert new.token.encode() not in file.read_bytes()
    restore(data.parent / "new", file)
    database = Database(data.parent / "new" / LIBRARY)
    found = Keyring(database).find(new.token)
    assert found
    assert found.id == new.key.id
    database.close()


def test_the_newest_backup_is_known_while_it_is_as_it_was(
    library: SqliteLibrary, data: Path
) -> None:
    assert newest_backup(data) is None
    first, second, third = (data.parent / f"{number}.db" for number in range(3))
    for file in (first, second, third):
        back_up(data, file)
    assert newest_backup(data).file == str(third)  # type: ignore[union-attr]
    third.unlink()
    flip(second, b"CREATE TABLE")
    assert newest_backup(data).file == str(first)  # type: ignore[union-attr]
    (data / "backups.jsonl").write_text("damaged")
    assert newest_backup(data) is None
