import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.chroma import ChromaCollection, probe, server_address
from rag.errors import IndexUnavailableError, SettingsError
from rag.index import ChromaIndex
from rag.library import SqliteLibrary
from rag.service import Service
from rag.types import Article, Question
from tests.indexed import WORDS, assert_equals_exact, embedder, put, search
from tests.wired import BRIDGE, client_of, wired


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SqliteLibrary]:
    opened = SqliteLibrary(tmp_path / "library.db")
    yield opened
    opened.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "index"


def test_an_address_that_is_none_is_refused_at_once(library: SqliteLibrary, tmp_path: Path) -> None:
    for url in ("chroma", "http://", "ftp://host:1", "http://host:port"):
        with pytest.raises(SettingsError, match="DATELINE_CHROMA_URL"):
            ChromaIndex(library, embedder.model, tmp_path, url)


def test_an_address_need_not_name_the_port() -> None:
    assert server_address("http://chroma:8123/") == ("chroma", 8123, False)
    assert server_address("http://chroma") == ("chroma", 80, False)
    assert server_address("https://chroma") == ("chroma", 443, True)


def test_a_server_that_is_away_leaves_the_index_unavailable(
    library: SqliteLibrary, directory: Path
) -> None:
    index = ChromaIndex(library, embedder.model, directory, "http://127.0.0.1:9")
    with pytest.raises(IndexUnavailableError, match=r"127\.0\.0\.1:9"):
        put(library, index, "a", "chess")
    with pytest.raises(IndexUnavailableError):
        search(index, "chess")
    assert index.state().startswith("degraded")
    assert library.counts() == (1, 1)
    index.close()


# Chroma's own server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[[], tuple[str, subprocess.Popen[bytes]]]]:
    """Starts a server, always at the same address and with the same files."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    command = shutil.which("chroma", path=str(Path(sys.executable).parent)) or "chroma"
    arguments = [command, "run", "--path", str(tmp_path / "server"), "--host", host, "--port"]
    started: list[subprocess.Popen[bytes]] = []

    def start() -> tuple[str, subprocess.Popen[bytes]]:
        process = subprocess.Popen([*arguments, str(port)], stdout=subprocess.DEVNULL)
        started.append(process)
        while process.poll() is None:
            try:
                socket.create_connection((host, port), timeout=1).close()
                break
            except OSError:
                continue
        return f"http://{host}:{port}", process

    yield start
    for process in started:
        process.terminate()
        process.wait()


@pytest.mark.slow
def test_a_server_serves_as_the_embedded_index_does_and_may_be_away(
    library: SqliteLibrary, directory: Path, server
) -> None:
    url, process = server()
    index = ChromaIndex(library, embedder.model, directory, url)
    put(library, index, "a", *WORDS)
    put(library, index, "b", "chess")
    assert_equals_exact(index, library)
    index.rebuild()
    assert_equals_exact(index, library)
    process.terminate()
    process.wait()
    for _ in range(2):
        with pytest.raises(IndexUnavailableError, match=url):
            search(index, "chess")
    assert index.state().startswith("degraded")
    server()
    assert_equals_exact(index, library)
    assert index.state() == "ok"
    assert not directory.exists()
    index.close()


@pytest.mark.slow
async def test_services_share_a_server_and_search_exactly_while_it_is_away(
    tmp_path: Path, server
) -> None:
    url, process = server()
    other = Article("other", "The harbour bridge burned.\n")
    asked = Question("What did the harbour bridge cost?")
    async with (
        wired(tmp_path / "one", BRIDGE, chroma_url=url) as one,
        wired(tmp_path / "two", BRIDGE, other, chroma_url=url) as two,
    ):

        async def found(service: Service, path: str) -> list[str]:
            evidence = await service.search(asked, 5)
            assert evidence.path == path
            return sorted({passage.article_id for passage in evidence.passages})

        assert await found(one, "index") == ["bridge"]
        assert await found(two, "index") == ["bridge", "other"]
        await two.delete_article("bridge")
        await two.reindex()  # drops its older collections alone
        assert await found(one, "index") == ["bridge"]
        assert await found(two, "index") == ["other"]
        process.terminate()
        process.wait()
        await found(one, "exact")
        async with client_of(one) as http:
            ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert "exact search serves" in ready.json()["parts"]["index"]
        await one.put_article(other)  # acknowledged all the same
        assert await found(one, "exact") == ["bridge", "other"]
        server()
        assert await found(two, "index") == ["other"]  # nothing was written meanwhile
        await one.delete_article("other")  # a write makes good what was missed
        assert await found(one, "index") == ["bridge"]
        assert (await one.readiness())["index"] == "ok"


# The probe


@pytest.mark.slow
def test_the_probe_tells_what_can_be_found(directory: Path) -> None:
    collection = ChromaCollection(directory, "words", create=True)
    collection.add(WORDS, embedder.encode_documents(WORDS))
    collection.close()
    chess = embedder.encode_query("chess")
    found = probe(directory, "words", chess)
    assert found == pytest.approx({one: embedder.encode_query(one) @ chess for one in WORDS})
    assert probe(directory, "another", chess) is None
    assert probe(directory, "words", chess, timeout=0.01) is None  # as if it hung
    (directory / "chroma.sqlite3").write_bytes(b"damaged" * 1000)
    assert probe(directory, "words", chess) is None


@pytest.mark.slow
def test_searches_between_small_writes_lose_nothing(directory: Path) -> None:
    chance = np.random.default_rng(0)
    vectors = chance.standard_normal((900, 384), dtype=np.float32)
    for number, some in enumerate(np.split(vectors, 3)):
        directory.mkdir(exist_ok=True)
        collection = ChromaCollection(directory / str(number), "words", create=True)
        start = 0
        while start < len(some):
            end = start + int(chance.integers(1, 60))
            collection.add([str(row) for row in range(len(some))[start:end]], some[start:end])
            collection.search(some[0], 5)
            start = end
        assert len(collection.search(some[0], len(some))) == len(some)
        assert [collection.search(one, 1)[0][0] for one in some] == [*map(str, range(len(some)))]
        collection.close()


class Losing:
    """Chroma's collection, of which searches do not find some ids until they were added so often
    again."""

    def __init__(self, collection: Any, lost: dict[str, int]) -> None:
        self._collection = collection
        self._lost = lost

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    def upsert(self, ids: list[str], embeddings: np.ndarray) -> None:
        self._lost.update({key: self._lost[key] - 1 for key in ids if key in self._lost})
        self._collection.upsert(ids=ids, embeddings=embeddings)

    def query(self, **what: Any) -> Any:
        found = self._collection.query(**what)
        return {"ids": [[key for key in found["ids"][0] if self._lost.get(key, 0) <= 0]]}


@pytest.mark.parametrize(("times", "reached"), [(1, True), (2, True), (9, False)])
def test_a_vector_that_chroma_lost_is_added_again(
    directory: Path, times: int, reached: bool
) -> None:
    collection = ChromaCollection(directory, "words", create=True)
    collection.add(WORDS[:6], embedder.encode_documents(WORDS[:6]))
    lost = {WORDS[2]: times}
    collection._collection = Losing(collection._collection, lost)
    with nullcontext() if reached else pytest.raises(IndexUnavailableError, match="reach"):
        collection.add(WORDS[6:], embedder.encode_documents(WORDS[6:]))
    assert (lost[WORDS[2]] <= 0) is reached
    assert collection.count() == len(WORDS)
    collection.close()
