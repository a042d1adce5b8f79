"""POST /v1/ask and POST /v1/search."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api import encoders, problems, schemas
from api.dependencies import Answers, ServiceOfApp, require_json
from api.responses import json_response
from api.streaming import document, stream

router = APIRouter(prefix="/v1", tags=["ask"], dependencies=[Depends(require_json)])

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
        **problems.documented(*BODY_PROBLEMS, 504),
        200: {
            "model": schemas.Answer,
            "description": "The answer; as a stream: `start`, `passages`, each `sentence` once it "
            "is verified, then exactly one of `done` (the Answer) and `error` (`{problem}`)",
            "content": {"text/event-stream": STREAM},
        },
    },
)
async def ask(body: schemas.AskRequest, request: Request, answers: Answers) -> Response:
    """Answer with cited, verified sentences, or say that the articles don't say."""
    events = answers(body.to_question())
    if body.stream or _accepts_stream(request):
        return stream(events, problems.request_id_of(request))
    return await document(events, request, encoders.answer_json)


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


def _accepts_stream(request: Request) -> bool:
    ranges = request.headers.get("accept", "").lower().split(",")
    return any(one.partition(";")[0].strip() == "text/event-stream" for one in ranges)
