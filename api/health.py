"""Is the process alive, and can it answer?"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from starlette.responses import Response

from api import problems, schemas
from api.dependencies import EndingOfApp, ServiceOfApp
from api.responses import json_response

router = APIRouter(tags=["health"])


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


def overall(parts: dict[str, str]) -> Literal["ready", "degraded", "unavailable"]:
    """The state of the whole: that of its worst part."""
    states = {state.partition(":")[0] for state in parts.values()}
    if "down" in states:
        return "unavailable"
    return "degraded" if "degraded" in states else "ready"
