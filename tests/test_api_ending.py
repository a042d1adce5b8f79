"""Answers that are ended from outside: by their deadline, by the service's end, by their client."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
import uvicorn

from api.app import create_app
from api.ending import Ending
from api.streaming import stream
from rag.errors import DeadlineError, ShuttingDownError
from rag.types import PassagesFound, Started
from tests.fakes import FakeService
from tests.http_samples import (
    ANSWER,
    BASE,
    EVENTS,
    PASSAGE,
    assert_problem,
    client,
    post_scope,
    server_sent,
)

FOREVER = 1e6
ASKED = {"question": "Why?"}
CHAT = {"messages": [{"role": "user", "content": "Why?"}]}
RESPONSES = {"input": "Why?"}
TERMINAL = {
    "/v1/ask": "event: error",
    "/v1/chat/completions": 'data: {"error":',
    "/v1/responses": "event: error",
}
BODIES = {"/v1/ask": ASKED, "/v1/chat/completions": CHAT, "/v1/responses": RESPONSES}


async def test_an_answer_that_takes_too_long_ends_at_its_deadline():
    service = FakeService(script=[EVENTS[0], asyncio.Event()])
    events = Ending().bounded(service.answer(None), 0.01)
    assert await anext(events) == EVENTS[0]
    with pytest.raises(DeadlineError, match=r"0\.01 s"):
        await anext(events)
    assert service.closed == 1


async def test_a_failure_within_an_answer_is_not_taken_for_its_deadline():
    service = FakeService(script=[EVENTS[0], KeyError("x")])
    with pytest.raises(KeyError):
        _ = [event async for event in Ending().bounded(service.answer(None), FOREVER)]
    assert service.closed == 1


async def test_answers_that_wait_are_cut_off_and_so_is_what_goes_on_after():
    ending, service = Ending(), FakeService(script=[*EVENTS[:2], asyncio.Event()])
    waiting = ending.bounded(service.answer(None), FOREVER)
    behind = ending.bounded(service.answer(None), FOREVER)
    for events in (waiting, waiting, behind):
        await anext(events)
    wait = asyncio.ensure_future(anext(waiting))
    await asyncio.sleep(0)
    ending.begin()
    assert not wait.done(), "it is only begun"
    ending.cut()
    ending.cut()
    for cut_off in (wait, anext(behind), anext(ending.bounded(service.answer(None), FOREVER))):
        with pytest.raises(ShuttingDownError):
            await asyncio.wait_for(cut_off, 5)
    assert service.closed == 2, "the third was never begun"


async def test_an_answer_in_time_is_left_alone():
    ending, service = Ending(), FakeService(script=EVENTS)
    assert [event async for event in ending.bounded(service.answer(None), FOREVER)] == list(EVENTS)
    ending.cut()


@pytest.mark.parametrize("path", BODIES)
async def test_the_deadline_is_a_504_and_a_streams_one_terminal_event(path):
    service = FakeService(script=[EVENTS[0], asyncio.Event()], answer_deadline_s=0.01)
    async with client(service) as http:
        whole = await http.post(path, json=BODIES[path])
        streamed = await http.post(path, json={**BODIES[path], "stream": True})
    assert whole.status_code == 504
    assert streamed.text.count(TERMINAL[path]) == 1
    assert streamed.text.rstrip().rsplit("\n\n", 1)[-1].startswith(TERMINAL[path])
    assert "[DONE]" not in streamed.text
    assert service.closed == 2


async def test_the_deadline_is_told_as_a_problem():
    service = FakeService(script=[asyncio.Event()], answer_deadline_s=0.01)
    async with client(service) as http:
        assert_problem(await http.post("/v1/ask", json=ASKED), 504, "DATELINE_ANSWER_DEADLINE_S")


@pytest.mark.parametrize("path", BODIES)
async def test_the_end_of_the_service_is_a_503_and_a_streams_one_terminal_event(path):
    held = asyncio.Event()
    service = FakeService(script=[EVENTS[0], held])
    app = create_app(service)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as http:
        bodies = [BODIES[path], {**BODIES[path], "stream": True}]
        asking = [asyncio.create_task(http.post(path, json=body)) for body in bodies]
        while len(service.asked) < 2:
            await asyncio.sleep(0)
        app.state.ending.begin()
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.post(path, json=BODIES[path])).status_code == 503
        app.state.ending.cut()
        async with asyncio.timeout(5):
            whole, streamed = [await one for one in asking]
    assert whole.status_code == 503
    assert "shutting down" in whole.text
    assert streamed.text.count(TERMINAL[path]) == 1
    assert streamed.text.rstrip().rsplit("\n\n", 1)[-1].startswith(TERMINAL[path])
    assert service.closed == 2


@pytest.mark.parametrize("path", BODIES)
async def test_a_client_that_leaves_before_the_whole_answer_closes_it(path):
    service = FakeService(script=[EVENTS[0], asyncio.Event()])
    body = httpx.Request("POST", BASE, json=BODIES[path]).content
    requests = iter([{"type": "http.request", "body": body}])
    sent = []

    async def receive():
        if (message := next(requests, None)) is not None:
            return message
        while not service.asked:
            await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    async with asyncio.timeout(5):
        await create_app(service)(post_scope(path), receive, send)
    assert service.closed == 1
    assert sent[0]["status"] == 499


def long(text):
    """A passage with much text."""
    return replace(PASSAGE, text=text)


@asynccontextmanager
async def listening(app) -> AsyncIterator[tuple[str, int]]:
    """An ASGI application on a loopback socket, by uvicorn."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = True
            await serving


async def test_a_client_that_reads_nothing_is_given_up_and_its_answer_is_not_made():
    made, closed = 0, asyncio.Event()
    text = "x" * 100_000

    async def events():
        nonlocal made
        try:
            yield Started("ans_1", "Why?")
            for _ in range(1000):
                made += len(text)
                yield PassagesFound((long(text),))
        finally:
            closed.set()

    async def app(scope, receive, send):
        await stream(events(), "r-1", stalled_s=0.3)(scope, receive, send)

    async with listening(app) as address:
        with socket.create_connection(address) as reader:
            reader.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(10):
                await closed.wait()
    assert 0 < made < 20_000_000, "what nobody reads was made all the same"


async def test_what_is_more_than_fits_a_connections_buffers_arrives_whole():
    async def events():
        yield Started("ans_1", "Why?")
        for _ in range(50):
            yield PassagesFound((long("x" * 100_000),))
        yield EVENTS[-1]

    async def app(scope, receive, send):
        await stream(events(), "r-1")(scope, receive, send)

    async with listening(app) as (host, port), httpx.AsyncClient() as http:
        body = (await http.get(f"http://{host}:{port}/")).text
    events_read = server_sent(body)
    assert len(events_read) == 52
    assert events_read[-1][1]["id"] == ANSWER.id
