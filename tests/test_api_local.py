"""The route of this machine's own commands: who is let in, and what happens when they leave."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.local import _ingest
from rag.storage.database import Database
from rag.storage.holder import Door
from rag.storage.keyring import Keyring
from rag.storage.keys import make_key
from rag.types import Article, IngestReport
from tests.fakes import FakeEmbedder, FakeService
from tests.http_samples import ARTICLE, BASE, JSON, assert_problem
from tests.wired import wired

DOOR = Door.at("127.0.0.1", 8000)
OTHER = Door.at("127.0.0.1", 8000)
READ = "/local/article"


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[Keyring]:
    with closing(Database(tmp_path / "library.db")) as database:
        yield Keyring(database)


def client(service: object, door: Door | None = DOOR, **settings: object) -> httpx.AsyncClient:
    app = create_app(service, door=door, **settings)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE, headers=JSON)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def admin(keyring: Keyring) -> str:
    new = make_key("x", ["admin"], [], datetime.now(UTC))
    keyring.add(new)
    return new.token


async def test_only_the_key_of_this_process_opens_it(keyring: Keyring) -> None:
    async with client(FakeService(ARTICLE, keys=keyring)) as http:
        for sent in ({}, bearer(OTHER.key), bearer(""), bearer(DOOR.key[:-1]), bearer("é")):
            headers = {name: value.encode() for name, value in sent.items()}
            assert_problem(await http.post(READ, headers=headers, json=["a1"]), 404, READ)
        assert (await http.post(READ, headers=bearer(DOOR.key), json=["a1"])).status_code == 200
        stored = admin(keyring)
        assert_problem(await http.post(READ, headers=bearer(stored), json=["a1"]), 404, READ)
        assert (await http.post(READ, json=["a1"])).status_code == 401
        assert (await http.post(READ, headers=bearer(OTHER.key), json=["a1"])).status_code == 401
        assert (await http.post(READ, headers=bearer(DOOR.key), json=["a1"])).status_code == 200


async def test_without_a_door_nothing_opens_it(keyring: Keyring) -> None:
    async with client(FakeService(ARTICLE, keys=keyring), None) as http:
        for token in ("", "None", admin(keyring)):
            response = await http.post(READ, headers=bearer(token), json=["a1"])
            assert response.status_code in (401, 404)


async def test_it_leaves_open_what_is_open_and_closes_nothing(keyring: Keyring) -> None:
    async with client(FakeService(ARTICLE, keys=keyring)) as http:
        assert (await http.get("/v1/articles")).status_code == 200
        assert (await http.get("/v1/articles", headers=bearer("any"))).status_code == 200
        admin(keyring)
        assert (await http.get("/v1/articles")).status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/local/nope", "[]", 404),
        ("/local/reindex", "[]", 404),
        (READ, "[", 422),
        (READ, "{}", 422),
        (READ, "[1]", 422),
        (READ, '["a", "b"]', 422),
    ],
)
async def test_only_what_it_knows_is_done(path: str, body: str, status: int) -> None:
    async with client(FakeService(ARTICLE)) as http:
        response = await http.post(path, content=body, headers=bearer(DOOR.key))
        assert response.status_code == status


async def test_the_key_is_never_shown_or_told(
    keyring: Keyring, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    admin(keyring)
    async with client(FakeService(ARTICLE, keys=keyring)) as http:
        responses = [
            await http.post(READ, headers=bearer(DOOR.key), json=["a1"]),
            await http.post(READ, headers=bearer(DOOR.key + "x"), json=["a1"]),
            await http.get("/metrics", headers=bearer(DOOR.key)),
        ]
    told = [response.text + str(response.headers) for response in responses]
    assert not any(DOOR.key in text for text in [*told, caplog.text, repr(DOOR), str(DOOR)])
    assert 'route="/local/{name}"' in told[2]


async def test_it_stands_in_no_document() -> None:
    async with client(FakeService()) as http:
        assert "/local" not in (await http.get("/openapi.json")).text


async def test_no_rate_holds_up_this_machines_commands(keyring: Keyring) -> None:
    service = FakeService(ARTICLE, keys=keyring, address_rate="2/hour", key_rate="2/hour")
    async with client(service) as http:
        for _ in range(5):
            response = await http.post(READ, headers=bearer(DOOR.key), json=["a1"])
            assert response.status_code == 200
        statuses = [(await http.post("/v1/search", json={})).status_code for _ in range(3)]
        assert statuses == [422, 422, 429]


class Slow(FakeEmbedder):
    """Encodes documents once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.let = threading.Event(), threading.Event()

    def encode_documents(self, texts):
        self.begun.set()
        self.let.wait(10)
        return super().encode_documents(texts)

    def encode_query(self, text):
        return FakeEmbedder().encode_query(text)


class Ingesting:
    """A service whose ingest tells of ten steps, each once the one before has been looked at."""

    def __init__(self) -> None:
        self.told = 0
        self.ended = threading.Event()

    async def ingest(self, paths, *, prune, progress) -> IngestReport:
        def run() -> IngestReport:
            try:
                while True:
                    progress(self.told, None, "articles")
                    self.told += 1
            finally:
                self.ended.set()

        return await asyncio.to_thread(run)


async def test_an_ingest_whose_command_leaves_ends() -> None:
    service = Ingesting()
    steps = _ingest(service, [], False)  # type: ignore[arg-type]
    assert await anext(steps) == {"progress": [0, None, "articles"]}
    await steps.aclose()
    assert await asyncio.to_thread(service.ended.wait, 10)


async def test_readers_do_not_wait_for_an_ingest(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("Rain fell on the market.\n")
    slow = Slow()
    slow.let.set()
    async with wired(tmp_path / "data", Article("a", "Markets rose."), embedder=slow) as service:
        slow.let.clear()
        slow.begun.clear()
        async with client(service) as http:
            ingest = asyncio.create_task(service.ingest([tmp_path / "b.txt"]))
            await asyncio.to_thread(slow.begun.wait, 10)
            found = await http.post("/v1/search", json={"question": "Which markets rose?"})
            listed = await http.get("/v1/articles")
            assert not ingest.done()
            slow.let.set()
            assert (await ingest).added == 1
    assert [one["article_id"] for one in found.json()["passages"]] == ["a"]
    assert [one["id"] for one in listed.json()["articles"]] == ["a"]
