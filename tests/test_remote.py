"""The service, asked through a server's own route for commands: it gives what it gives directly."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from api.app import create_app
from rag.errors import LibraryError, NotFoundError, RemoteError
from rag.remote import Remote, through
from rag.storage.holder import Door
from rag.types import Article, Finished, Question
from tests.fakes import FakeService
from tests.http_samples import ARTICLE, EVENTS, EVIDENCE
from tests.wired import ASKED, BRIDGE, wired

DOOR = Door.at("127.0.0.1", 8000)
QUESTION = Question(ASKED["question"])


@asynccontextmanager
async def remote(service: object, door: Door = DOOR) -> AsyncIterator[Remote]:
    transport = httpx2.ASGITransport(create_app(service, door=door))  # type: ignore[arg-type]
    headers = {"Authorization": f"Bearer {DOOR.key}"}
    async with httpx2.AsyncClient(
        transport=transport, base_url=DOOR.url, headers=headers
    ) as client:
        yield Remote(client)


@asynccontextmanager
async def answering(respond: Callable[[httpx2.Request], httpx2.Response]) -> AsyncIterator[Remote]:
    """Something at the server's address that answers in its own way."""
    transport = httpx2.MockTransport(respond)
    async with httpx2.AsyncClient(transport=transport, base_url=DOOR.url) as client:
        yield Remote(client)


# What goes wrong


async def test_what_the_service_raises_is_raised_here_in_its_words() -> None:
    async with remote(FakeService(script=[EVENTS[0], LibraryError("the disk is full")])) as there:
        with pytest.raises(NotFoundError, match="no article nope"):
            await there.article("nope")
        with pytest.raises(NotFoundError, match="no article nope"):
            await there.delete_article("nope")
        events = there.answer(QUESTION)
        assert await anext(events) == EVENTS[0]
        with pytest.raises(RemoteError, match=r"^the disk is full$"):
            await anext(events)


async def test_another_version_is_told_with_the_way_out() -> None:
    with pytest.raises(RemoteError, match=r"Dateline 0\.0\.9, and this is .*restart"):
        async with through(replace(DOOR, version="0.0.9")):
            pass


async def test_a_server_that_is_gone_is_told_with_its_address() -> None:
    async with through(replace(DOOR, url="http://127.0.0.1:9")) as there:
        with pytest.raises(RemoteError, match=r"http://127\.0\.0\.1:9 .*try again"):
            await there.search(QUESTION, 1)


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, "", "broke off"),
        (200, 'data: {"progress": [1, 2, "chunks"]}\n\n', "broke off"),
        (200, 'data: {"result": {"passages": 3}}\n\n', "cannot be read"),
        (503, '{"detail": "The service is shutting down."}', "shutting down"),
        (502, "<html>", "status 502"),
    ],
)
async def test_a_reply_that_is_none_is_told(status: int, body: str, told: str) -> None:
    async with answering(lambda _: httpx2.Response(status, text=body)) as there:
        with pytest.raises(RemoteError, match=told):
            await there.search(QUESTION, 1)


async def test_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with through(DOOR) as there:
        assert there._client._mounts == {}


# What goes right


async def test_it_gives_what_the_service_gives(tmp_path: Path) -> None:
    odd = Article("b", "x\x00\x85\u2028y")
    async with wired(tmp_path / "data", BRIDGE, odd) as service, remote(service) as there:
        assert await there.search(QUESTION, 3) == await service.search(QUESTION, 3)
        assert await there.article("b") == await service.article("b")
        for page in ((None, 1), (None, 2), ("b", 1)):
            assert await there.article_page(*page) == await service.article_page(*page)
        *events, last = [event async for event in there.answer(QUESTION)]
        assert isinstance(last, Finished)
        assert await service.stored_answer(last.answer.id) == last.answer
        assert len(events) == 3
        await service.add_feedback(last.answer.id, "up", None, "“well”")
        assert await there.feedback_page(None, 1) == await service.feedback_page(None, 1)
        await there.delete_article("bridge")
        assert [one.id for one in (await service.article_page(None, 9))[0]] == ["b"]


async def test_every_field_of_an_answer_and_of_evidence_arrives() -> None:
    async with remote(FakeService(script=EVENTS, evidence=EVIDENCE)) as there:
        assert [event async for event in there.answer(QUESTION)] == list(EVENTS)
        assert await there.search(QUESTION, 5) == EVIDENCE


async def test_a_question_arrives_whole() -> None:
    service = FakeService(evidence=EVIDENCE, script=EVENTS)
    asked = json.loads('"\\u201cWhy?\\u201d\\u2028\\ud83c\\uddee\\ud83c\\uddf3"')
    question = Question(asked, history=QUESTION.history, as_of="2025-08-21")
    async with remote(service) as there:
        await there.search(question, 1)
    assert service.asked == [question]


async def test_an_ingest_reports_what_it_did_and_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "a.txt").write_text("Markets rose.\n")
    (folder / "b.txt").write_bytes(b"\x00")
    monkeypatch.chdir(tmp_path)
    steps: list[tuple[int, int | None, str]] = []
    async with wired(tmp_path / "data") as service, remote(service) as there:
        report = await there.ingest(
            [Path("news"), Path("nope.txt"), Path("odd\udcff")],
            progress=lambda *step: steps.append(step),
        )
        assert (report.added, report.unchanged) == (1, 0)
        assert {failure.source for failure in report.failed} == {
            str(folder / "b.txt"),
            str(tmp_path / "nope.txt"),
            f"{tmp_path}/odd\\xff",
        }
        assert steps == [(1, None, "articles"), (1, 1, "chunks")]
        (folder / "a.txt").unlink()
        report = await there.ingest([Path("news")], prune=True)
        assert report.pruned == 1
        assert await service.counts() == (0, 0)


async def test_a_long_list_of_files_is_taken() -> None:
    class Taking(FakeService):
        async def ingest(self, paths, *, prune, progress):
            raise LibraryError(f"{len(paths)} paths")

    async with remote(Taking(ARTICLE)) as there:
        with pytest.raises(RemoteError, match="30000 paths"):
            await there.ingest([Path(f"/{'x' * 60}/{n}.txt") for n in range(30_000)])
