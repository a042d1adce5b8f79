"""An answer's events as server-sent events, in the form that a route's clients read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Protocol

from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import encoders, problems
from api.responses import json_response
from rag.errors import DatelineError
from rag.types import Answer, AnswerEvent, Finished

logger = logging.getLogger(__name__)

HEARTBEAT_S = 10.0  # the contract promises one at least every 15 s
STALLED_S = 30.0  # so long does a stream wait for a client that reads nothing
CLIENT_GONE = 499  # nginx's status for a request whose client left; nobody reads it


class Form(Protocol):
    """What one answer's events look like to a route's clients; one is made for each answer."""

    def event(self, event: AnswerEvent) -> Iterable[ServerSentEvent]:
        """What is sent for an event of the answer; for `Finished`, the stream's end."""

    def failure(self, problem: encoders.Json) -> Iterable[ServerSentEvent]:
        """What is sent in place of the end when the answer fails."""


class Native:
    """The form of /v1/ask."""

    def event(self, event: AnswerEvent) -> Iterable[ServerSentEvent]:
        """The contract's event."""
        name, data = encoders.event(event)
        return [server_sent(data, name)]

    def failure(self, problem: encoders.Json) -> Iterable[ServerSentEvent]:
        """The contract's `error`."""
        return [server_sent({"problem": problem}, "error")]


def server_sent(data: encoders.Json, name: str | None = None) -> ServerSentEvent:
    """A document as one event."""
    return ServerSentEvent(encoders.json_bytes(data).decode(), event=name, sep="\n")


def heartbeat() -> ServerSentEvent:
    """A comment that keeps a silent stream open."""
    return ServerSentEvent(comment="heartbeat", sep="\n")


class _Stream(EventSourceResponse):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            logger.warning("a stream is broken off: its client reads nothing")


def stream(
    events: AsyncIterator[AnswerEvent],
    request_id: str,
    heartbeat_s: float = HEARTBEAT_S,
    form: Form | None = None,
    stalled_s: float = STALLED_S,
) -> EventSourceResponse:
    """An answer's events as server-sent events, with a comment line every `heartbeat_s` seconds.

    When the client goes away, or takes nothing for `stalled_s` seconds, the events are closed at
    once. They are taken as the client reads: what it does not read is not made.
    """
    return _Stream(
        _server_sent(events, request_id, form or Native()),
        ping=heartbeat_s,
        ping_message_factory=heartbeat,
        sep="\n",
        send_timeout=stalled_s,
    )


async def document(
    events: AsyncIterator[AnswerEvent],
    request: Request,
    encode: Callable[[Answer], encoders.Json],
) -> Response:
    """The whole answer, encoded. When the client goes away, the events are closed at once."""
    answering = asyncio.create_task(_finished(events))
    leaving = asyncio.create_task(_left(request))
    tasks = answering, leaving
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    if answering.cancelled():
        return Response(status_code=CLIENT_GONE)
    return json_response(encode(answering.result()))


async def _finished(events: AsyncIterator[AnswerEvent]) -> Answer:
    async with _closing(events):
        async for event in events:
            if isinstance(event, Finished):
                return event.answer
    raise RuntimeError("an answer ended without its Finished event")


async def _left(request: Request) -> None:
    """Wait for the client to go away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _server_sent(
    events: AsyncIterator[AnswerEvent], request_id: str, form: Form
) -> AsyncGenerator[ServerSentEvent, None]:
    """Each event, up to exactly one end: that of the answer, or a failure whatever goes wrong."""
    try:
        async with _closing(events):
            async for event in events:
                for one in form.event(event):
                    yield one
                if isinstance(event, Finished):
                    return
        raise RuntimeError("an answer ended without its Finished event")
    except DatelineError as error:
        logger.warning("%s", error)
        problem = problems.problem(problems.kind_of(error), str(error), request_id)
    except Exception:
        logger.exception("the answer failed")
        problem = problems.internal_problem(request_id)
    for one in form.failure(problem):
        yield one


@asynccontextmanager
async def _closing(events: AsyncIterator[AnswerEvent]) -> AsyncIterator[None]:
    """Close the events on leaving, where they can be closed (generators can)."""
    try:
        yield
    finally:
        if isinstance(events, AsyncGenerator):
            await events.aclose()
