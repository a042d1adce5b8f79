"""SIGKILL during the true `dateline ingest`, as often as `KILLS` says: it is whole or absent, and
everything as in a clean build. `make torture` kills much more often what has a made-up encoder."""

import json
import os
import random
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from api.encoders import search_json
from rag.bootstrap import Parts, open_service
from rag.embedding import SentenceTransformerEmbedder
from rag.service import Service
from rag.settings import Settings
from rag.types import Question
from tests.processes import COMMAND, dateline, environment

KILLS = int(os.environ.get("KILLS", "3"))
ARTICLES = 40


ASKED = ("Which harbour was dredged?", "strike at the glass works", "Who opened the school?")
FUTURE = "2100-01-01"
TOPICS = {
    "harbour": "The harbour of {0} was dredged in {1}, and {2} ships came the week after.",
    "strike": "Workers of the glass works in {0} went on strike in {1}; {2} of them marched.",
    "school": "A school for {2} children was opened in {0} by its mayor in {1}.",
    "market": "The fish market of {0} moved in {1} after {2} complaints about the smell.",
}
MONTHS = ("January", "April", "July", "October", "December")


def write_news(folder: Path) -> Path:
    """Forty small articles, different ones in each folder."""
    folder.mkdir()
    picks = random.Random(folder.name)
    for number in range(ARTICLES):
        places = ["".join(picks.choices("abdeilmnorstuv", k=7)).title() for _ in range(3)]
        lines = [
            picks.choice(list(TOPICS.values())).format(
                place, picks.choice(MONTHS), picks.randint(2, 900)
            )
            for place in places
        ]
        (folder / f"{number}.txt").write_text("\n".join(lines) + "\n")
    return folder


def count_stored(data: Path) -> int:
    """How many articles are committed, as another process sees it."""
    try:
        with closing(sqlite3.connect(f"file:{data}/library.db?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM articles").fetchone()[0])
    except sqlite3.OperationalError:  # it is not there yet, or just being made
        return 0


def ended(process: subprocess.Popen[bytes], within: float) -> bool:
    try:
        process.wait(timeout=within)
    except subprocess.TimeoutExpired:
        return False
    return True


def kill_ingest(folder: Path, data: Path, delay: float, after: Callable[[], bool]) -> bool:
    """Run `dateline ingest`, kill it that many seconds after something; whether it still ran."""
    process = subprocess.Popen(
        [*COMMAND, "ingest", str(folder)],
        cwd=folder.parent,
        env=environment(data),
        stderr=subprocess.DEVNULL,
    )
    while not after() and not ended(process, within=0.005):
        pass
    ended(process, within=delay)
    process.kill()
    return process.wait() == -signal.SIGKILL


async def found(service: Service) -> list[object]:
    """What searches find. A filter that lets everything through makes them exact: two HNSW graphs
    of the same vectors may differ in what they find."""
    return [search_json(await service.search(Question(text, as_of=FUTURE), 10)) for text in ASKED]


async def assert_index_serves(service: Service) -> None:
    """The index, made good for the first search if need be, finds what exact search finds, but
    for one miss in five."""
    for text in ASKED:
        fast = await service.search(Question(text), 5)
        exact = await service.search(Question(text, as_of=FUTURE), 5)
        assert (fast.path, exact.path) == ("index", "exact")
        same = {one.chunk_id for one in fast.passages} & {one.chunk_id for one in exact.passages}
        assert len(same) >= 4
    assert (await service.readiness())["index"] == "ok"


async def repaired_like(clean: Service, service: Service, folder: Path, before: int) -> None:
    """The killed ingest's articles are all in or all out; either way everything is as in a clean
    build, and so it is once the ingest has been repeated."""
    page, _ = await service.article_page(None, 10_000)
    stored = len(page) - before
    assert stored in (0, ARTICLES), "articles that are written together come together"
    if stored:
        await clean.ingest([folder])
    assert await found(service) == await found(clean)
    if before + stored:
        await assert_index_serves(service)
    report = await service.ingest([folder])
    assert (report.added, report.unchanged) == (ARTICLES - stored, stored)
    await clean.ingest([folder])
    assert await found(service) == await found(clean)
    await assert_index_serves(service)


@pytest.mark.slow
async def test_a_killed_ingest_is_made_good_by_the_next_start(tmp_path: Path) -> None:
    picks = random.Random(20250821)
    data, clean_data = tmp_path / "killed" / "data", tmp_path / "clean" / "data"
    data.parent.mkdir()
    parts = Parts(embedder=SentenceTransformerEmbedder())
    killed = 0
    async with open_service(Settings(_env_file=None, data_dir=clean_data), parts) as clean:
        for turn in range(KILLS):
            folder = write_news(tmp_path / f"news{turn}")
            before = turn * ARTICLES
            if turn % 2:  # at any moment
                killed += kill_ingest(folder, data, picks.uniform(0, 6), lambda: True)
            else:  # while the index follows what was just committed
                killed += kill_ingest(
                    folder, data, picks.uniform(0, 0.4), lambda n=before: count_stored(data) > n
                )
            settings = Settings(_env_file=None, data_dir=data)
            async with open_service(settings, parts) as service:
                await repaired_like(clean, service, folder, before)
        assert killed
        told = dateline("search", ASKED[0], "--as-of", FUTURE, "--json", data=data)
        assert told.returncode == 0, told.stderr
        assert json.loads(told.stdout) == (await found(clean))[0]
