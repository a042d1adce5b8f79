import shutil
import socket
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.errors import IndexUnavailableError, SettingsError
from rag.index import ChromaIndex
from rag.library import SqliteLibrary
from rag.service import Service
from rag.storage.chroma import REPLY_S, ChromaCollection, _sessions, probe, server_address
from rag.types import Article, Question
from tests.chroma_server import ChromaServer, running
from tests.indexed import WORDS, Home, assert_equals_exact, embedder, put, search
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
def own_server(tmp_path: Path) -> Iterator[ChromaServer]:
    """A server to be stopped and started."""
    with running(tmp_path / "server") as server:
        yield server


@pytest.mark.slow
def test_a_server_that_was_away_serves_again(
    library: SqliteLibrary, directory: Path, own_server: ChromaServer
) -> None:
    index = ChromaIndex(library, embedder.model, directory, own_server.url)
    put(library, index, "a", *WORDS)
    own_server.stop()
    for _ in range(2):
        with pytest.raises(IndexUnavailableError, match=own_server.url):
            search(index, "chess")
    assert index.state().startswith("degraded")
    own_server.start()
    assert_equals_exact(index, library)
    assert index.state() == "ok"
    own_server.stop()
    with pytest.raises(IndexUnavailableError):
        index.repair()  # before any search
    assert index.state().startswith("degraded")
    with pytest.raises(IndexUnavailableError):
        put(library, index, "b", "chess")
    own_server.start()
    index.repair()
    assert_equals_exact(index, library)
    assert not directory.exists()
    index.close()


@pytest.mark.slow
def test_a_collection_that_a_server_lost_is_built_anew(
    tmp_path: Path, chroma_server: ChromaServer
) -> None:
    home = Home(tmp_path, chroma_server.url)
    with home.opened() as index:
        put(home.library, index, "a", *WORDS)
        (generation,) = home.generations()
        beside = home.collection(generation)
        beside.drop()
        beside.close()
        index.repair()
        assert index.state() == "ok"
        assert_equals_exact(index, home.library)
    home.library.close()


def test_a_server_that_says_nothing_is_given_up(library: SqliteLibrary, directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = "http://{}:{}".format(*silent.getsockname())
        index = ChromaIndex(library, embedder.model, directory, url)
        with pytest.raises(IndexUnavailableError, match="timed out"):
            put(library, index, "a", "chess")
        index.close()


@pytest.mark.slow
def test_a_server_that_falls_silent_is_not_waited_for_without_end(
    chroma_server: ChromaServer,
) -> None:
    collection = ChromaCollection(chroma_server.url, "silence", create=True)
    assert {one.timeout.read for one in _sessions(collection._client)} == {REPLY_S}
    collection.drop()
    collection.close()


@pytest.mark.slow
def test_a_copied_data_directory_has_collections_of_its_own(
    tmp_path: Path, chroma_server: ChromaServer, caplog: pytest.LogCaptureFixture
) -> None:
    first = Home(tmp_path / "data", chroma_server.url)
    with first.opened() as index:
        put(first.library, index, "a", *WORDS)
    first.library.close()
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    home, copy = (Home(tmp_path / name, chroma_server.url) for name in ("data", "copy"))
    with home.opened() as index, copy.opened() as other:
        put(copy.library, other, "b", "chess")
        put(home.library, index, "a", *reversed(WORDS))
        for _ in range(2):
            assert_equals_exact(index, home.library)
            assert_equals_exact(other, copy.library)
            other.rebuild()
        assert len(home.generations()) == len(copy.generations()) == 1
        assert home.generations()[0] in caplog.text
    home.library.close()
    copy.library.close()


@pytest.mark.slow
def test_what_a_moved_data_directory_leaves_on_a_server_is_told(
    tmp_path: Path, chroma_server: ChromaServer, caplog: pytest.LogCaptureFixture
) -> None:
    left: list[str] = []
    for name in ("data", "moved", "data"):
        if left:
            next(tmp_path.iterdir()).rename(tmp_path / name)
        home = Home(tmp_path / name, chroma_server.url)
        with home.opened() as index:
            if not left:
                put(home.library, index, "a", *WORDS)
            assert_equals_exact(index, home.library)
        assert all(one in caplog.text for one in left)
        left = home.generations()
        assert len(left) == 1, "what was left there is deleted"
        home.library.close()


@pytest.mark.slow
async def test_services_share_a_server_and_search_exactly_while_it_is_away(
    tmp_path: Path, own_server: ChromaServer
) -> None:
    url = own_server.url
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
        own_server.stop()
        await found(one, "exact")
        async with client_of(one) as http:
            ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert "exact search serves" in ready.json()["parts"]["index"]
        await one.put_article(other)  # acknowledged all the same
        assert await found(one, "exact") == ["bridge", "other"]
        own_server.start()
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
