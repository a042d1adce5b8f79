"""POST /v1/ask and POST /v1/search."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from api import encoders, problems, schemas
from api.dependencies import ServiceOfApp, require_json
from api.responses import json_response
from rag.errors import DatelineError
from rag.types import AnswerEvent, Finished

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/v1", tags=["ask"], dependencies=[Depends(require_json)])

HEARTBEAT_S = 10.0  # the contract promises one at least every 15 s
BODY_PROBLEMS = (413, 415, 422, 502, 503)

STREAM = {
    "itemSchema": {
        "type": "object",
        "properties": {
            "event": {"enum": ["start", "passages", "sentence", "done", "error"]},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
        "required": ["event", "data"],
    },
    "example": (
        'event: start\ndata: {"id":"ans_5f0c2d","question":"…"}\n\n'
        'event: passages\ndata: {"passages":[…]}\n\n'
        'event: sentence\ndata: {"index":0,"text":"…","support":"exact","citations":[1],'
        '"new_citations":[…]}\n\n'
        'event: done\ndata: {"id":"ans_5f0c2d","status":"answered",…}\n\n'
    ),
}


@router.post(
    "/ask",
    operation_id="ask",
    summary="Ask the articles",
    response_class=Response,
    responses={
        **problems.documented(*BODY_PROBLEMS),
        200: {
            "model": schemas.Answer,
            "description": "The answer; as a stream: `start`, `passages`, each `sentence` once it "
            "is verified, then exactly one of `done` (the Answer) and `error` (`{problem}`)",
            "content": {"text/event-stream": STREAM},
        },
    },
)
async def ask(body: schemas.AskRequest, request: Request, service: ServiceOfApp) -> Response:
    """Answer with cited, verified sentences, or say that the articles don't say."""
    events = service.answer(body.to_question())
    if body.stream or _accepts_stream(request):
        return stream(events, problems.request_id_of(request))
    async with _closing(events):
        async for event in events:
            if isinstance(event, Finished):
                return json_response(encoders.answer_json(event.answer))
    raise RuntimeError("an answer ended without its Finished event")


@router.post(
    "/search",
    operation_id="search",
    summary="Find passages",
    response_class=Response,
    responses={
        **problems.documented(*BODY_PROBLEMS),
        200: {"model": schemas.SearchResults, "description": "The passages, best first"},
    },
)
async def search(body: schemas.SearchRequest, service: ServiceOfApp) -> Response:
    """Find the passages that an answer would be made from."""
    evidence = await service.search(body.to_question(), body.limit)
    return json_response(encoders.search_json(evidence))


def stream(
    events: AsyncIterator[AnswerEvent], request_id: str, heartbeat_s: float = HEARTBEAT_S
) -> EventSourceResponse:
    """An answer's events as server-sent events, with a comment line every `heartbeat_s` seconds.

    When the client goes away, the events are closed at once.
    """
    return EventSourceResponse(
        _server_sent(events, request_id),
        ping=heartbeat_s,
        ping_message_factory=lambda: ServerSentEvent(comment="heartbeat", sep="\n"),
        sep="\n",
    )


async def _server_sent(
    events: AsyncIterator[AnswerEvent], request_id: str
) -> AsyncGenerator[ServerSentEvent, None]:
    """Each event, up to exactly one terminal one: `done`, or `error` whatever goes wrong."""
    try:
        async with _closing(events):
            async for event in events:
                yield _encoded(*encoders.event(event))
                if isinstance(event, Finished):
                    return
        raise RuntimeError("an answer ended without its Finished event")
    except DatelineError as error:
        logger.warning("request %s: %s", request_id, error)
        problem = problems.problem(problems.kind_of(error), str(error), request_id)
    except Exception:
        logger.exception("request %s failed", request_id)
        problem = problems.internal_problem(request_id)
    yield _encoded("error", {"problem": problem})


def _encoded(name: str, data: encoders.Json) -> ServerSentEvent:
    return ServerSentEvent(encoders.json_bytes(data).decode(), event=name, sep="\n")


@asynccontextmanager
async def _closing(events: AsyncIterator[AnswerEvent]) -> AsyncIterator[None]:
    """Close the events on leaving, where they can be closed (generators can)."""
    try:
        yield
    finally:
        if isinstance(events, AsyncGenerator):
            await events.aclose()


def _accepts_stream(request: Request) -> bool:
    ranges = request.headers.get("accept", "").lower().split(",")
    return any(one.partition(";")[0].strip() == "text/event-stream" for one in ranges)
