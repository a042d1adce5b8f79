"""Is the process alive, can it answer, and how does it fare?"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.responses import Response

from api import problems, schemas
from api.dependencies import EndingOfApp, ServiceOfApp
from api.responses import json_response
from rag import cores
from rag.errors import LibraryError

router = APIRouter(tags=["health"])

METRICS = 'dateline_answers_total{model="extractive",status="answered"} 3.0\n'


@router.get(
    "/healthz",
    operation_id="health",
    summary="Is the process alive?",
    response_class=Response,
    responses={
        **problems.documented(),
        200: {"model": schemas.Health, "description": "It is"},
    },
)
async def health() -> Response:
    """Say that the process serves requests."""
    return json_response({"status": "ok"})


@router.get(
    "/readyz",
    operation_id="readiness",
    summary="Can it answer?",
    response_class=Response,
    responses={
        **problems.documented(),
        200: {"model": schemas.Readiness, "description": "It can, if perhaps not at its best"},
        503: {"model": schemas.Readiness, "description": "It cannot: a part is down"},
    },
)
async def readiness(service: ServiceOfApp, ending: EndingOfApp) -> Response:
    """Say what state each part is in. An empty library is ready."""
    parts = await service.readiness()
    if ending.began:
        parts = {"server": "down: shutting down", **parts}
    status = overall(parts)
    code = 503 if status == "unavailable" else 200
    return json_response({"status": status, "parts": parts}, code)


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="What Prometheus scrapes",
    response_class=Response,
    responses={
        **problems.documented(),
        200: {
            "description": "The metrics in Prometheus's text format",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": METRICS}},
        },
    },
)
async def metrics(request: Request, service: ServiceOfApp) -> Response:
    """Tell how much was asked, how it was answered, how long it took, and what state all is in."""
    try:
        stored = await service.counts()
    except LibraryError:  # readiness says so
        stored = None
    waiting = cores.waiting()
    text = request.app.state.metrics.text(await service.readiness(), stored, waiting)
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)


def overall(parts: dict[str, str]) -> Literal["ready", "degraded", "unavailable"]:
    """The state of the whole: that of its worst part."""
    states = {state.partition(":")[0] for state in parts.values()}
    if "down" in states:
        return "unavailable"
    return "degraded" if "degraded" in states else "ready"
