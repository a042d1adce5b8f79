"""SIGKILL while articles are written: what was acknowledged stays, what was not is whole or absent.

Two kinds of process are killed: this file, run as a program that writes articles until its end
with a fake embedder, and the true `dateline ingest`, as often as `KILLS` says.
"""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from api.encoders import search_json
from rag.bootstrap import Parts, open_service
from rag.embedding import SentenceTransformerEmbedder
from rag.exact import ExactIndex
from rag.holder import hold
from rag.index import ChromaIndex
from rag.ingest import Ingester
from rag.library import SqliteLibrary
from rag.service import Service
from rag.settings import Settings
from rag.types import Article, Chunk, Question
from tests.fakes import FakeEmbedder
from tests.processes import COMMAND, dateline, environment

ROUNDS = 6
KILLS = int(os.environ.get("KILLS", "3"))
ARTICLES = 40
ROOT = Path(__file__).parents[1]
QUERIES = ("india terror", "chess", "version 1 of 7", "rice monsoon budget")
WORDS = "india pakistan terror chess sport trade rice monsoon budget railway".split()


def article(number: int, version: int) -> Article:
    """The article of that number, of some versions longer than of others."""
    picks = random.Random(number * 1000 + version)
    lines = [
        f"Version {version} of {number}: {' '.join(picks.choices(WORDS, k=6))} {line}.\n"
        for line in range(picks.randint(1, 40))
    ]
    return Article(f"a{number}", "".join(lines), title=f"Version {version}")


def lines_of(article: Article) -> list[Chunk]:
    chunks, start = [], 0
    for line in article.text.splitlines(keepends=True):
        key = f"{article.id}/{start}/{line}"
        chunks.append(Chunk(key, article.id, start, start + len(line), line))
        start += len(line)
    return chunks


def write(directory: Path, first_version: int) -> None:
    """Put, replace and delete articles, telling each that is acknowledged."""
    with hold(directory):
        library = SqliteLibrary(directory / "library.db")
        embedder = FakeEmbedder()
        index = ChromaIndex(library, embedder.model, directory / "index")
        ingester = Ingester(library, index, embedder, chunker=lines_of)
        for version in range(first_version, first_version + 100):
            for number in range(ARTICLES):
                if (number + version) % 7 == 0:
                    ingester.delete([f"a{number}"])
                    print(number, -1, flush=True)
                else:
                    ingester.put(article(number, version))
                    print(number, version, flush=True)


def killed_while_writing(
    directory: Path, first_version: int, after_lines: int, delay: float
) -> list[tuple[int, int]]:
    """What a process acknowledged that was killed so long after so many acknowledgements."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.test_kill", str(directory), str(first_version)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(after_lines)]
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=delay)
    process.kill()
    rest, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    told = [line for line in "".join([*lines, rest]).splitlines(keepends=True) if "\n" in line]
    return [(int(number), int(version)) for number, version in map(str.split, told)]


def assert_whole(library: SqliteLibrary, acknowledged: dict[int, int]) -> dict[int, int]:
    """Every article is stored whole in the version that was acknowledged, but for the one write
    that may have been made and not told. Returns the versions there are, -1 for deleted."""
    page, after = library.article_page(None, 2 * ARTICLES)
    assert after is None
    expected: list[Chunk] = []
    for stored in page:
        version = int((stored.title or "").removeprefix("Version "))
        assert stored == article(int(stored.id[1:]), version)
        expected += lines_of(stored)
    ids, vectors = library.vectors("fake")
    assert sorted(ids) == sorted(chunk.id for chunk in expected)
    assert library.chunks(ids) == {chunk.id: chunk for chunk in expected}
    stored_vectors = dict(zip(ids, vectors, strict=True))
    for chunk in expected[::17]:
        assert np.array_equal(stored_vectors[chunk.id], FakeEmbedder().encode_query(chunk.text))
    versions = {int(a.id[1:]): int((a.title or "").removeprefix("Version ")) for a in page}
    found = {number: versions.get(number, -1) for number in range(ARTICLES)}
    untold = [key for key, version in acknowledged.items() if found[key] != version]
    assert len(untold) <= 1
    return found


def answers(library: SqliteLibrary, index: ChromaIndex | ExactIndex) -> list[object]:
    """What searches find, ties in the order of the ids."""
    found: list[object] = []
    for query in QUERIES:
        dense = index.search(FakeEmbedder().encode_query(query), 10)
        lexical = library.lexical(query.split(), 100)
        found.append([round(score, 4) for _, score in dense])
        found.append([(key, round(score, 9)) for key, score in lexical])
    return found


def assert_searches_as_a_clean_build(
    library: SqliteLibrary, index: ChromaIndex, directory: Path
) -> None:
    directory.mkdir()
    clean = SqliteLibrary(directory / "library.db")
    exact = ExactIndex(clean, "fake")
    page, _ = library.article_page(None, 2 * ARTICLES)
    embedder = FakeEmbedder()
    clean.put(
        [
            (one, lines_of(one), embedder.encode_documents([c.text for c in lines_of(one)]))
            for one in page
        ],
        embedder.model,
    )
    assert answers(library, index) == answers(clean, exact)
    for query in QUERIES:
        vector = embedder.encode_query(query)
        (best, score), *_ = index.search(vector, 1)
        assert (best, pytest.approx(score, abs=1e-4)) == exact.search(vector, 1)[0]
    clean.close()


@pytest.mark.slow
def test_no_kill_loses_or_tears_an_article(tmp_path: Path) -> None:
    picks = random.Random(20250824)
    data = tmp_path / "data"
    acknowledged: dict[int, int] = {}
    for turn in range(ROUNDS):
        told = killed_while_writing(
            data, 1 + 100 * turn, picks.randint(1, 2 * ARTICLES), picks.uniform(0, 0.05)
        )
        acknowledged.update(told)
        with hold(data):
            library = SqliteLibrary(data / "library.db")
            index = ChromaIndex(library, "fake", data / "index")
            acknowledged = assert_whole(library, acknowledged)
            index.repair()
            assert_searches_as_a_clean_build(library, index, tmp_path / f"clean{turn}")
            assert index.state() == "ok"
            index.close()
            library.close()


# The true ingest

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


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
