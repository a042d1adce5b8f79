"""What routes need of the app that they run in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Path, Query, Request

from api.ending import Ending
from api.schemas import ID_PATTERN
from rag.service import Service
from rag.types import AnswerEvent, Question

DEFAULT_PAGE = 50

Answering = Callable[[Question], AsyncGenerator[AnswerEvent]]


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _public_url(request: Request) -> str:
    url: str = request.app.state.public_url
    return url


async def _ending(request: Request) -> Ending:
    ending: Ending = request.app.state.ending
    return ending


async def _answers(request: Request) -> Answering:
    service, ending = await _service(request), await _ending(request)
    metrics, tracing = request.app.state.metrics, request.app.state.tracing

    def answer(question: Question) -> AsyncGenerator[AnswerEvent]:
        events = ending.bounded(service.answer(question), service.settings.answer_deadline_s)
        return metrics.answer(tracing.stages(events))  # type: ignore[no-any-return]

    return answer


async def require_json(request: Request) -> None:
    """Refuse a body of another type than JSON, with 415.

    A web page can send other types to any address without asking (no CORS preflight).
    """
    if not is_json(media_type(request)):
        raise HTTPException(415, "The body should be JSON, sent as Content-Type: application/json.")


def media_type(request: Request) -> str:
    """The body's type as the request names it, without parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON, or a kind of it."""
    return media_type == "application/json" or media_type.endswith("+json")


ServiceOfApp = Annotated[Service, Depends(_service)]
EndingOfApp = Annotated[Ending, Depends(_ending)]
Answers = Annotated[Answering, Depends(_answers)]
"""Asks the service; its answer's events are observed, and end at the deadline or before the service
does."""
PageLimit = Annotated[
    int, Query(ge=1, le=500, description="most to return", examples=[DEFAULT_PAGE])
]
PublicUrl = Annotated[str, Depends(_public_url)]
ArticleId = Annotated[
    str,
    Path(
        pattern=ID_PATTERN,
        description="the article's id",
        examples=["art_0123456789abcdef"],
    ),
]
