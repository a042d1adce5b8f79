"""What is deleted leaves no byte in any file of the data directory."""

import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.backup import INDEX, LIBRARY
from rag.index import ChromaIndex
from rag.library import SqliteLibrary
from rag.scrubbing import Scrubber
from rag.types import Article, Finished, Question
from tests.indexed import WORDS, embedder, put, search
from tests.wired import client_of, wired

CANARIES = int(os.environ.get("CANARIES", "40"))
"""Articles that are deleted; `make forget` deletes more."""


MARK = "zyxcanar"
"""Stands in every word of a canary, also once it is stemmed."""


def canary(number: int) -> str:
    """A word that nothing else has; its beginning is its own, since indexes store common ones
    once."""
    return f"q{number:04d}{MARK}y"


def article(number: int) -> Article:
    word = canary(number)
    lines = [f"The {word} of {one} was seen by {word}{line}." for line, one in enumerate(WORDS)]
    return Article(
        f"art_{number}",
        "\n".join(lines * (1 + number % 30)) + "\n",
        url=f"https://news.example/{word}",
        title=f"About {word}",
        outlet=f"The {word} Times",
        author=f"A. {word}",
        published_at="2025-08-21",
        source=f"/news/{word}.txt",
    )


def remains(directory: Path, wanted: Iterable[bytes]) -> set[tuple[str, bytes]]:
    """What of the wanted stands in any file of a directory, by file."""
    return {
        (path.name, one)
        for path in directory.rglob("*")
        if path.is_file()
        for content in [path.read_bytes()]
        for one in wanted
        if one in content
    }


def traces() -> list[bytes]:
    return [MARK.encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be")]


def vectors_of(library: SqliteLibrary) -> list[bytes]:
    _, vectors = library.vectors("fake")
    return [vector.tobytes() for vector in vectors]


async def test_deleted_articles_leave_no_byte(tmp_path: Path) -> None:
    data = tmp_path / "data"
    kept = Article("kept", "Rain fell on the market.\n")
    async with wired(data, *map(article, range(CANARIES))) as service:
        for number in range(0, CANARIES, 10):
            question = Question(f"By whom was the {canary(number)} of india seen?")
            *_, last = [event async for event in service.answer(question)]
            assert isinstance(last, Finished)
            await service.add_feedback(last.answer.id, "up", "helpful", None)
        await service.put_article(replace(article(0), title=f"Again {canary(0)}"))
        vectors = vectors_of(service._library)
        await service.put_article(kept)
        assert {name for name, _ in remains(data, traces())} >= {LIBRARY, f"{LIBRARY}-wal"}
        assert "chroma.sqlite3" in {name for name, _ in remains(data, vectors)}
        async with client_of(service) as client:
            for number in range(CANARIES):
                assert (await client.delete(f"/v1/articles/art_{number}")).status_code == 204
        service._ingester.scrubber.now()
        assert remains(data, [*traces(), *vectors]) == set(), "while it is open"
        found = await service.search(Question("rain on the market"), 3)
        assert ([one.article_id for one in found.passages], found.path) == (["kept"], "index")
    assert remains(data, [*traces(), *vectors]) == set(), "once it is closed"


async def test_a_process_that_ends_in_order_leaves_nothing_either(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with wired(data, article(1), Article("kept", "Rain fell.\n")) as service:
        vectors = vectors_of(service._library)
        await service.delete_article("art_1")
        vectors = [one for one in vectors if one not in vectors_of(service._library)]
        assert vectors
    assert remains(data, [*traces(), *vectors]) == set()
    async with wired(data) as service:
        found = await service.search(Question("rain"), 3)
        assert ([one.article_id for one in found.passages], found.path) == (["kept"], "index")


async def test_what_a_killed_process_left_the_next_one_scrubs(tmp_path: Path) -> None:
    data, killed = tmp_path / "data", tmp_path / "killed"
    async with wired(data, article(1), Article("kept", "Rain fell.\n")) as service:
        vectors = vectors_of(service._library)[:1]
        await service.delete_article("art_1")
        shutil.copytree(data, killed)
    assert remains(killed, traces())
    assert remains(killed, vectors)
    async with wired(killed) as service:
        assert remains(killed, traces()) == set()
        found = await service.search(Question("rain"), 3)
        assert ([one.article_id for one in found.passages], found.path) == (["kept"], "index")
        assert remains(killed, vectors) == set()


# In time


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SqliteLibrary]:
    opened = SqliteLibrary(tmp_path / LIBRARY)
    yield opened
    opened.close()


class Scrubbed:
    """An index that notes that it was scrubbed."""

    def __init__(self) -> None:
        self.times = 0
        self.done = threading.Event()

    def scrub(self) -> None:
        self.times += 1
        self.done.set()


def test_many_deletions_are_scrubbed_once_and_in_time(library: SqliteLibrary) -> None:
    put(library, None, "a", "terrorism")
    library.delete(["a"])
    index = Scrubbed()
    scrubber = Scrubber(library, index, quiet_s=0.2)
    for _ in range(10):
        scrubber.later()
    assert index.done.wait(10)
    assert index.times == 1
    assert not library.meta("remains")
    scrubber.close()
    scrubber.later()
    assert index.times == 1


def test_deletions_that_never_pause_do_not_put_it_off(library: SqliteLibrary) -> None:
    index = Scrubbed()
    scrubber = Scrubber(library, index, quiet_s=60, latest_s=0.3)
    for _ in range(2):  # each time anew
        index.done.clear()
        until = time.monotonic() + 10
        while not index.done.wait(0.02) and time.monotonic() < until:
            scrubber.later()
    assert index.times == 2
    scrubber.close()


def test_a_reader_of_an_older_state_puts_it_off(library: SqliteLibrary) -> None:
    put(library, None, "a", "terrorism")
    with library.database.reading() as db:
        db.execute("SELECT count(*) FROM articles").fetchone()
        library.delete(["a"])
        assert not library.scrub()
        assert library.meta("remains")
    assert library.scrub()
    assert not library.meta("remains")


def test_an_index_that_holds_what_was_deleted_is_not_kept(
    library: SqliteLibrary, tmp_path: Path
) -> None:
    index = ChromaIndex(library, embedder.model, tmp_path / INDEX)
    put(library, index, "a", "chess")
    put(library, index, "b", "rice")
    index.rebuild()
    assert len(list((tmp_path / INDEX).iterdir())) == 2, "one to go back to"
    change = library.delete(["a"])
    index.update(((), np.empty((0, 0), dtype=np.float32)), change.removed)
    assert len(list((tmp_path / INDEX).iterdir())) == 1, "it has what was deleted"
    assert search(index, "rice") == ["b/0"]
    wanted = [embedder.encode_query("chess").tobytes()]
    assert remains(tmp_path / INDEX, wanted)
    index.scrub()
    assert remains(tmp_path / INDEX, wanted) == set()
    assert search(index, "rice") == ["b/0"]
    change = library.delete(["b"])
    index.update(((), np.empty((0, 0), dtype=np.float32)), change.removed)
    index.scrub()
    assert not (tmp_path / INDEX).exists()
    assert search(index, "rice") == []
    index.close()
