"""Asking and searching over HTTP: the document, and the stream with its one terminal event."""

import asyncio
from dataclasses import replace

import pytest

from api.app import create_app
from api.streaming import stream
from rag.errors import LanguageModelError
from rag.types import Finished
from tests.fakes import FakeService
from tests.http_samples import (
    ANSWER,
    EVENTS,
    EVIDENCE,
    SAID,
    assert_problem,
    client,
    post_scope,
    server_sent,
)

ASK = {"question": "What did India say?", "stream": True}
ODD = "a\r\nb\rc\nd\u2028e\u0085f\ndata: forged\n\nevent: error"


@pytest.mark.parametrize("steps", range(len(EVENTS)))
@pytest.mark.parametrize(
    ("error", "status", "word"),
    [(LanguageModelError("it timed out"), 502, "timed out"), (KeyError("sk-secret"), 500, "")],
)
async def test_an_error_in_mid_stream_is_its_one_terminal_event(steps, error, status, word):
    service = FakeService(script=[*EVENTS[:steps], error])
    async with client(service) as http:
        response = await http.post("/v1/ask", json=ASK)
    names = [name for name, _ in server_sent(response.text)]
    assert response.status_code == 200
    assert names == [*["start", "passages", "sentence"][:steps], "error"]
    problem = server_sent(response.text)[-1][1]["problem"]
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["x-request-id"]
    assert word in problem["detail"]
    assert "secret" not in response.text
    assert service.closed == 1


async def test_a_stream_without_its_end_ends_with_an_error():
    async with client(FakeService(script=EVENTS[:3])) as http:
        response = await http.post("/v1/ask", json=ASK)
    assert [name for name, _ in server_sent(response.text)][-1] == "error"


async def test_nothing_follows_the_terminal_event():
    service = FakeService(script=[*EVENTS, *EVENTS, KeyError("late")])
    async with client(service) as http:
        response = await http.post("/v1/ask", json=ASK)
    assert [name for name, _ in server_sent(response.text)].count("done") == 1
    assert server_sent(response.text)[-1][0] == "done"
    assert service.closed == 1


async def test_a_client_that_goes_away_closes_the_answer():
    service = FakeService(script=[EVENTS[0], asyncio.Event()])
    app = create_app(service)
    gone = asyncio.Event()
    requests = iter([{"type": "http.request", "body": b'{"question": "Why?", "stream": true}'}])

    async def receive():
        if (message := next(requests, None)) is not None:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if b"event: start" in message.get("body", b""):
            gone.set()

    async with asyncio.timeout(5):
        await app(post_scope("/v1/ask"), receive, send)
    assert service.closed == 1


async def test_a_client_that_stops_reading_and_goes_away_closes_the_answer():
    service = FakeService(script=EVENTS)
    stuck = asyncio.Event()

    async def receive():
        await stuck.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if b"event: start" in message.get("body", b""):
            stuck.set()
            await asyncio.Event().wait()

    events = service.answer(None)
    async with asyncio.timeout(5):
        await stream(events, "r-1")({"type": "http", "method": "POST"}, receive, send)
    assert service.closed == 1


async def test_a_heartbeat_is_sent_while_nothing_happens():
    heard = asyncio.Event()
    service = FakeService(script=[EVENTS[0], heard, EVENTS[-1]])
    sent = []

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message.get("body", b""))
        if message.get("body", b"").startswith(b":"):
            heard.set()

    response = stream(service.answer(None), "r-1", heartbeat_s=0.001)
    async with asyncio.timeout(5):
        await response({"type": "http", "method": "POST"}, receive, send)
    assert b": heartbeat\n\n" in sent
    assert b"event: done" in b"".join(sent)


def test_the_heartbeat_is_as_frequent_as_promised():
    assert stream(FakeService().answer(None), "r-1").ping_interval <= 15


async def test_a_stream_has_the_contracts_events_in_order():
    async with client() as http:
        response = await http.post("/v1/ask", json=ASK)
    events = server_sent(response.text)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    assert [name for name, _ in events] == ["start", "passages", "sentence", "done"]
    data = dict(events)
    assert data["start"] == {"id": "ans_1", "question": "What did India say?"}
    assert [p["chunk_id"] for p in data["passages"]["passages"]] == ["a1:0"]
    assert list(data["sentence"]) == ["index", "text", "support", "citations", "new_citations"]
    assert data["sentence"]["new_citations"] == data["done"]["citations"]


@pytest.mark.parametrize(
    "accept", ["text/event-stream", "application/json, Text/Event-Stream;q=0.9"]
)
async def test_accepting_a_stream_means_the_same_as_asking_for_one(accept):
    async with client() as http:
        response = await http.post("/v1/ask", json={"question": "Why?"}, headers={"Accept": accept})
        streamed = await http.post("/v1/ask", json={"question": "Why?", "stream": True})
    assert server_sent(response.text) == server_sent(streamed.text)


async def test_the_document_is_the_streams_last_event():
    async with client() as http:
        document = await http.post("/v1/ask", json={"question": "Why?"})
        streamed = await http.post("/v1/ask", json=ASK)
    assert document.headers["content-type"] == "application/json"
    assert document.json() == server_sent(streamed.text)[-1][1]
    assert document.json()["text"] == f"{SAID} [1]"


async def test_a_stream_holds_line_ends_of_every_sort_in_one_line():
    async with client(FakeService(script=[Finished(replace(ANSWER, text=ODD))])) as http:
        response = await http.post("/v1/ask", json=ASK)
    assert server_sent(response.text)[0][1]["text"] == ODD


async def test_a_search_returns_passages_and_what_was_understood():
    async with client(service := FakeService(evidence=EVIDENCE)) as http:
        response = await http.post("/v1/search", json={"question": "Why?", "limit": 1})
    assert list(response.json()) == ["passages", "understood"]
    assert "score" not in response.json()["passages"][0]
    assert service.asked[0].text == "Why?"


async def test_a_failing_search_is_a_problem():
    class Broken(FakeService):
        async def search(self, question, limit):
            raise LanguageModelError("no")

    async with client(Broken()) as http:
        assert_problem(await http.post("/v1/search", json={"question": "Why?"}), 502)
