"""GET /v1/models and GET /v1/models/{model}."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.encoders import Json
from api.openai import documents
from api.openai.errors import documented
from api.openai.writing import MODEL
from api.problems import Kind, ProblemResponse, problem, request_id_of
from api.responses import json_response

router = APIRouter(prefix="/v1/models", tags=["openai"])

UNKNOWN_MODEL = Kind("model-not-found", "There is no such model", 404)
CREATED = 1755734400  # clients want a time; what answers may change at any other
DATELINE: Json = {"id": MODEL, "object": "model", "created": CREATED, "owned_by": MODEL}
LISTED: Json = {"object": "list", "data": [DATELINE]}


@router.get(
    "",
    operation_id="list_models",
    summary="List models, as OpenAI does",
    response_class=Response,
    responses={
        **documented(),
        200: {"model": documents.ModelList, "description": "The one model"},
    },
)
async def list_models() -> Response:
    """List what clients can choose from: the one model, `dateline`."""
    return json_response(LISTED)


@router.get(
    "/{model:path}",
    operation_id="get_model",
    summary="Get a model, as OpenAI does",
    response_class=Response,
    responses={
        **documented(404),
        200: {"model": documents.Model, "description": "The model"},
    },
)
async def get_model(
    model: Annotated[str, Path(description="its name", examples=[MODEL])], request: Request
) -> Response:
    """Get the model `dateline`; there is no other."""
    if model == MODEL:
        return json_response(DATELINE)
    detail = f"There is no model {model[:100]!r}; there is {MODEL!r}."
    return ProblemResponse(problem(UNKNOWN_MODEL, detail, request_id_of(request)), param="model")
