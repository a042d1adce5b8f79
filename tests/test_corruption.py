"""Damaged files, a full disk, a directory that may not be written: no process dies of it, damage to
the index heals, damage to the library is found, named and told with the backup that there is.

`make corrupt` (CASES=300) runs all cases; the suite some.
"""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.backup import LIBRARY
from rag.library import SqliteLibrary
from rag.storage.archive import Archive
from rag.storage.checksums import register
from rag.storage.database import Database
from rag.storage.keyring import Keyring
from rag.storage.keys import make_key
from rag.storage.receipts import Receipts, Repeatable
from rag.types import Article
from tests.corruption import NOBODY, Case, Outcome, cases, inflict, outcomes, write
from tests.fakes import quotation
from tests.indexed import put
from tests.test_backup import contents

CASES = int(os.environ.get("CASES", "8"))
TOGETHER = 8  # cases whose processes are forked from one


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory as it should be, and a backup beside it."""
    data = tmp_path_factory.mktemp("corruption") / "data"
    asyncio.run(write(data))
    return data


def copied(sound: Path, to: Path) -> Path:
    """A copy that knows of the same backup."""
    return shutil.copytree(sound, to)


def as_it_was(sound: Path, data: Path) -> bool:
    """Whether the library holds what it held, but for what a use of it writes."""
    before, after = contents(sound / LIBRARY), contents(data / LIBRARY)
    written = {"meta", "migrations"}
    return all(before[table] == after[table] for table in before.keys() - written)


def faults(case: Case, outcome: Outcome | str, sound: Path, data: Path) -> Iterator[str]:
    """What is not as it should be."""
    if isinstance(outcome, str):
        yield f"the process died: {outcome}"
    elif case.file == LIBRARY:
        yield from faults_of_library(outcome, sound, data)
    else:
        if not (outcome.opened and outcome.whole and outcome.healthy and not outcome.errors):
            yield "the index is damaged, and that is not all that is wrong"
        if outcome.index != "ok":
            yield f"the index has not healed: {outcome.index}"


def faults_of_library(outcome: Outcome, sound: Path, data: Path) -> Iterator[str]:
    lost = [line for line in outcome.told if line.startswith("problem library")]
    if lost:
        if not all(str(sound.parent / "backup.db") in line for line in lost):
            yield "the backup is not offered"
        if not outcome.texts and not any("article art_" in line for line in lost):
            yield "the article that is damaged is not named"
    elif any(line.startswith("repaired library") for line in outcome.told):
        if not outcome.healthy:
            yield "what is damaged was not mended"
    elif not outcome.whole or not as_it_was(sound, data):
        yield "the library is damaged, and nobody noticed"


def judged(some: list[Case], sound: Path, directory: Path) -> Iterator[str]:
    """The faults of some cases."""
    places = [directory / str(case.number) for case in some]
    for case, place in zip(some, places, strict=True):
        copied(sound, place)
        inflict(case, place)
    told = outcomes(places)
    assert len(told) == len(some)
    for case, outcome, place in zip(some, told, places, strict=True):
        for fault in faults(case, outcome, sound, place):
            yield f"{case}: {fault}: {outcome}"
        shutil.rmtree(place)


def test_no_damage_to_a_file_kills_a_process_or_goes_unnoticed(sound: Path, tmp_path: Path) -> None:
    all_cases = cases(sound, CASES)
    found = [
        fault
        for start in range(0, CASES, TOGETHER)
        for fault in judged(all_cases[start : start + TOGETHER], sound, tmp_path)
    ]
    assert not found, "\n".join([f"{len(found)} faults in {CASES} cases:", *found])


def test_the_judge_finds_what_is_planted(sound: Path, tmp_path: Path) -> None:
    """What would pass if damage were not looked for."""
    data = copied(sound, tmp_path / "data")
    fine = Outcome(True, [], True, "ok", True, [], True)
    library, index = Case(0, "flip", LIBRARY), Case(1, "flip", "index/file")
    assert [*faults(library, fine, sound, data)] == []
    assert [*faults(index, fine, sound, data)] == []
    for change in ({"errors": ["one"]}, {"whole": False}, {"healthy": False}, {"index": "away"}):
        assert [*faults(index, replace(fine, **change), sound, data)]
    assert [*faults(index, "{'died': -11}", sound, data)]
    nameless = replace(fine, told=["problem library: damaged -> restore"], texts=False)
    assert len([*faults(library, nameless, sound, data)]) == 2
    with closing(sqlite3.connect(data / LIBRARY)) as db:
        register(db)
        db.execute("UPDATE feedback SET note = 'another'")
        db.commit()
    assert [*faults(library, fine, sound, data)] == ["the library is damaged, and nobody noticed"]


@pytest.fixture
def shared(sound: Path) -> Iterator[Path]:
    """A folder that everybody can reach, with a sound copy that belongs to nobody."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    for name in ("sound", "data"):
        copied(sound, folder / name)
    give_away(folder)
    yield folder
    shutil.rmtree(folder)


def give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("closed", "mode", "told"),
    [
        (".", 0o500, "problem directory"),
        (".", 0o000, "problem directory"),
        (LIBRARY, 0o400, "problem library"),
        ("index", 0o000, "problem index"),
    ],
)
def test_what_may_not_be_read_or_written_is_told(
    shared: Path, closed: str, mode: int, told: str
) -> None:
    data = shared / "data"
    before = contents(data / LIBRARY)
    give_away(shared)
    (data / closed).chmod(mode)
    (outcome,) = outcomes([data], "nobody")
    assert isinstance(outcome, Outcome), outcome
    assert any(line.startswith(told) for line in outcome.told), outcome
    assert outcome.texts
    assert not any(error.startswith("afterwards") for error in outcome.errors), outcome
    if closed == "index":
        assert outcome.opened
        assert outcome.whole, "exact search serves"
    else:
        assert outcome.errors
        assert not outcome.healthy
    assert contents(data / LIBRARY)["articles"] == before["articles"]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "dateline-test", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system can be mounted by root only")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_ends_nothing_and_loses_nothing(sound: Path, small: Path) -> None:
    data = copied(sound, small / "data")
    (outcome,) = outcomes([data], "full")
    assert isinstance(outcome, Outcome), outcome
    assert any("full" in error for error in outcome.errors), outcome
    assert outcome.whole, outcome
    assert outcome.healthy, outcome
    assert outcome.index == "ok"


def test_a_clock_that_is_set_back_loses_nothing(tmp_path: Path) -> None:
    """What was stored in what is now the future is there, can be used, and is not pruned."""
    clock = [datetime(2031, 1, 1, tzinfo=UTC)]
    database = Database(tmp_path / LIBRARY)
    library = SqliteLibrary(tmp_path / LIBRARY)
    put(library, None, "a", "chess")
    answer = quotation("Which game?", Article("a", "chess"), "chess")
    archive = Archive(database, 30, lambda: clock[0])
    assert archive.keep(answer)
    keyring = Keyring(database, lambda: clock[0])
    new = make_key("laptop", ["ask"], (), clock[0])
    keyring.add(new)
    receipts = Receipts(database, lambda: clock[0])
    request = Repeatable("", "key", b"digest")
    with receipts.claim(request, "a"):
        pass
    clock[0] = datetime(2025, 1, 1, tzinfo=UTC)
    assert archive.prune() == 0
    assert archive.answer(answer.id) == answer
    assert archive.add_feedback(answer.id, "up", None, None)
    assert archive.keep(replace(answer, id="ans_2"))
    assert archive.answer("ans_2")
    found = keyring.find(new.token)
    assert found
    assert keyring.state(found) == "active"
    with receipts.claim(request, "b") as receipt:
        assert (receipt.article_id, receipt.done) == ("a", True)
    library.close()
    database.close()
