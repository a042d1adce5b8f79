"""What can happen to files, and a program that uses the data directory it happened to.

Run as a program (`python -m tests.corruption DIRECTORY …`) it opens data directories that `write`
made, uses them in every way, and prints what came of it; `tests/test_corruption.py` tells whether
that is as it should be. Fakes stand in for the models.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rag.backup import INDEX, LIBRARY, back_up
from rag.bootstrap import Parts, open_service
from rag.doctor import examine
from rag.errors import DatelineError
from rag.service import Service
from rag.settings import Settings
from rag.types import Article, Finished, Question
from tests.fakes import FakeAnalyser, FakeEmbedder
from tests.indexed import WORDS
from tests.processes import ROOT

ARTICLES = 24
FILTER = "2100-01-01"
PATIENCE_S = 300
NOBODY = 65534
NEW = Article("new", "A new ferry was built in the north.\n")


def article(number: int) -> Article:
    picks = random.Random(number)
    lines = [
        f"The {one} of place{number} was seen on day {line}: {' '.join(picks.sample(WORDS, 9))}."
        for line, one in enumerate(picks.sample(WORDS, 6))
    ]
    return Article(f"art_{number}", "\n".join(lines) + "\n", title=f"Report {number}")


def settings_of(data: Path) -> Settings:
    return Settings(_env_file=None, data_dir=data, llm_model=None, chroma_url=None)


def parts() -> Parts:
    return Parts(embedder=FakeEmbedder(), analyser=FakeAnalyser())


async def write(data: Path) -> None:
    """A data directory with all that there can be, and a backup of it beside it."""
    async with open_service(settings_of(data), parts()) as service:
        for number in range(ARTICLES):
            await service.put_article(article(number))
        for number in range(4):
            asked = Question(f"What was seen of the rice of place{number} on day 1?")
            *_, last = [event async for event in service.answer(asked)]
            assert isinstance(last, Finished)
            await service.add_feedback(last.answer.id, "up", "helpful", f"note {number}")
        service._index.repair()
    back_up(data, data.parent / "backup.db")


# What happens


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that happens to one file, or to the directory."""

    number: int
    what: str
    file: str  # below the data directory

    def __str__(self) -> str:
        return f"{self.number}-{self.what}-{self.file.replace('/', '_')}"


def truncate(path: Path, picks: random.Random) -> None:
    os.truncate(path, picks.randrange(path.stat().st_size))


def flip(path: Path, picks: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[picks.randrange(len(content))] ^= 1 << picks.randrange(8)
    path.write_bytes(content)


def overwrite(path: Path, picks: random.Random) -> None:
    """A sector of noise."""
    content = bytearray(path.read_bytes())
    start = picks.randrange(len(content))
    content[start : start + 512] = picks.randbytes(min(512, len(content) - start))
    path.write_bytes(content)


def empty(path: Path, picks: random.Random) -> None:
    os.truncate(path, 0)


def remove(path: Path, picks: random.Random) -> None:
    path.unlink()


def swap(path: Path, picks: random.Random) -> None:
    """Another file below the directory in the place of this one, and the other way round."""
    others = sorted(one for one in path.parent.rglob("*") if one.is_file() and one != path)
    other = picks.choice(others)
    between = path.with_name("between")
    path.rename(between)
    other.rename(path)
    between.rename(other)


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "truncate": truncate,
    "flip": flip,
    "overwrite": overwrite,
    "empty": empty,
    "remove": remove,
    "swap": swap,
}


def cases(data: Path, count: int) -> list[Case]:
    """So many cases, always the same ones: half of them of the index's files in turn, half of the
    library, whose bits matter one by one."""
    index = sorted(
        str(path.relative_to(data)) for path in (data / INDEX).rglob("*") if path.is_file()
    )
    files = [name for name in index if (data / name).stat().st_size]
    picked = []
    for number in range(count):
        if number % 2:
            name = files[number // 2 % len(files)]
            what = list(DAMAGES)[number // 2 // len(files) % len(DAMAGES)]
        else:
            name = LIBRARY
            what = [*("flip",) * 6, *DAMAGES][number // 2 % (6 + len(DAMAGES))]
        picked.append(Case(number, what, name))
    return picked


def inflict(case: Case, data: Path) -> None:
    """Do to a data directory what the case says."""
    DAMAGES[case.what](data / case.file, random.Random(case.number))


# What comes of it


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a data directory was good for: whether it could be opened, the errors of ours that were
    told, and what doctor said in the end."""

    opened: bool
    errors: list[str]
    whole: bool  # every article is as it was, and every search finds what it should
    index: str  # its state in the end
    healthy: bool
    told: list[str]
    texts: bool  # no article was given in another text than its own


async def use(data: Path) -> Outcome:
    """Open, search, ask, write, delete, close; then let doctor look at it."""
    errors: list[str] = []
    whole, texts, opened, state = False, True, False, "-"
    try:
        async with open_service(settings_of(data), parts()) as service:
            opened = True
            stored = {}
            for number in range(ARTICLES):
                with _Noting(errors):
                    stored[number] = await service.article(f"art_{number}")
            texts = all(stored[number].text == article(number).text for number in stored)
            whole = [stored.get(n) for n in range(ARTICLES)] == [*map(article, range(ARTICLES))]
            with _Noting(errors):
                whole &= await _found(service)
            with _Noting(errors):
                await service.put_article(NEW)
            with _Noting(errors):
                service._index.repair()
                whole &= await _found(service)
            with _Noting(errors):
                await service.delete_article("new")
            state = service._index.state()
    except DatelineError as error:
        errors.append(str(error))
    findings = list(examine(settings_of(data), FakeEmbedder()))
    told = [f"{one.state} {one.part}: {one.detail} -> {one.remedy}" for one in findings]
    healthy = all(one.state != "problem" for one in findings)
    return Outcome(opened, errors, whole, state, healthy, told, texts)


async def _found(service: Service) -> bool:
    """Whether each article is found by what it alone says, by every kind of search; a question that
    is answered quotes only what stands there."""
    for number in range(0, ARTICLES, 5):
        asked = f"What was seen of the rice of place{number} on day 1?"
        for question in (Question(asked), Question(asked, as_of=FILTER)):
            evidence = await service.search(question, 5)
            if f"art_{number}" not in {one.article_id for one in evidence.passages}:
                return False
            *_, last = [event async for event in service.answer(question, keep=False)]
            assert isinstance(last, Finished)
            for one in last.answer.citations:
                text = article(int(one.article_id[4:])).text
                if text[one.start : one.end] != one.quote:
                    return False
    return True


class _Noting:
    """Notes errors of ours and goes on; any other ends the process, which is what must not be."""

    def __init__(self, errors: list[str]) -> None:
        self.errors = errors

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, DatelineError):
            self.errors.append(str(error))
            return True
        return False


async def use_while_full(data: Path) -> Outcome:
    """Use a directory whose disk becomes full, and again once there is room."""
    errors: list[str] = []
    whole = False
    async with open_service(settings_of(data), parts()) as service:
        service._index.repair()
        _fill(data / "filler")
        with _Noting(errors):
            whole = await _found(service)
        for number in range(30):
            with _Noting(errors):
                await service.put_article(Article(f"more{number}", "More of it.\n" * 2000))
        with _Noting(errors):
            whole &= await _found(service)
    (data / "filler").unlink()
    after = await use(data)
    return replace(after, errors=errors + after.errors, whole=whole and after.whole)


def _fill(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as filler:
        while filler.write(bytes(1024)):
            pass


async def use_as_nobody(data: Path) -> Outcome:
    """Use a directory as a user who may not do everything, and again once he may. What is imported
    when it is needed has to be imported before, since nobody may be able to read it."""
    if os.geteuid() == 0:
        await use(data.parent / "sound")
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    first = await use(data)
    data.chmod(0o755)
    for path in data.iterdir():  # SQLite's files beside the library have its mode, too
        path.chmod(0o755)
    then = await use(data)
    well = [] if then.whole and then.healthy else [f"afterwards: {then}"]
    return replace(first, errors=first.errors + well)


USES = {"use": use, "full": use_while_full, "nobody": use_as_nobody}


def main(how: str, directories: list[str]) -> None:
    """Use each directory in a process of its own, and print what came of it, a line each: an
    outcome, or how the process ended instead."""
    import chromadb  # noqa: F401 (once for all that are forked)

    for directory in directories:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            signal.alarm(PATIENCE_S)
            print(json.dumps(asdict(asyncio.run(USES[how](Path(directory))))), flush=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            print(json.dumps({"died": os.waitstatus_to_exitcode(status)}), flush=True)


def outcomes(directories: list[Path], how: str = "use") -> list[Outcome | str]:
    """What came of each directory; of one that took its process with it, how and the last words."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.corruption", how, *map(str, directories)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = map(json.loads, done.stdout.splitlines())
    return [f"{one}: {done.stderr[-2000:]}" if "died" in one else Outcome(**one) for one in told]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
