"""An answer's events as server-sent events, in the form that a route's clients read."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Protocol

from sse_starlette import EventSourceResponse, ServerSentEvent

from api import encoders, problems
from rag.errors import DatelineError
from rag.types import Answer, AnswerEvent, Finished

logger = logging.getLogger(__name__)

HEARTBEAT_S = 10.0  # the contract promises one at least every 15 s


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


def stream(
    events: AsyncIterator[AnswerEvent],
    request_id: str,
    heartbeat_s: float = HEARTBEAT_S,
    form: Form | None = None,
) -> EventSourceResponse:
    """An answer's events as server-sent events, with a comment line every `heartbeat_s` seconds.

    When the client goes away, the events are closed at once.
    """
    return EventSourceResponse(
        _server_sent(events, request_id, form or Native()),
        ping=heartbeat_s,
        ping_message_factory=lambda: ServerSentEvent(comment="heartbeat", sep="\n"),
        sep="\n",
    )


async def finished(events: AsyncIterator[AnswerEvent]) -> Answer:
    """The whole answer, once it is there."""
    async with _closing(events):
        async for event in events:
            if isinstance(event, Finished):
                return event.answer
    raise RuntimeError("an answer ended without its Finished event")


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
