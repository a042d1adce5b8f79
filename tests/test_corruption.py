"""Damaged files, a full disk, a directory that may not be written: no process dies of it, damage to
the index heals, damage to the library is found, named and told with the backup that there is.

`make corrupt` (CASES=300) runs all cases; the suite some.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.backup import LIBRARY
from tests.corruption import Case, Outcome, cases, inflict, outcomes, write
from tests.test_backup import contents

CASES = int(os.environ.get("CASES", "16"))
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
    told = [*outcomes(places)]
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
