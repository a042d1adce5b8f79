"""The routes of stored answers, and of what readers say of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from api import encoders, problems, schemas
from api.dependencies import DEFAULT_PAGE, PageLimit, ServiceOfApp, require_json
from api.responses import json_response

router = APIRouter(prefix="/v1", tags=["answers"])


@router.get(
    "/answers/{answer_id}",
    operation_id="get_answer",
    summary="Get a stored answer",
    response_class=Response,
    responses={
        **problems.documented(404, 422, 503),
        200: {"model": schemas.Answer, "description": "The answer, exactly as it was given"},
    },
)
async def get_answer(
    answer_id: Annotated[
        str,
        Path(pattern=schemas.ID_PATTERN, description="the answer's id", examples=["ans_5f0c2d"]),
    ],
    service: ServiceOfApp,
) -> Response:
    """Get an answer that was given before.

    It is gone after DATELINE_ANSWER_RETENTION_DAYS, and at once when an article that it quotes is
    deleted or gets another text.
    """
    return json_response(encoders.answer_json(await service.stored_answer(answer_id)))


@router.post(
    "/feedback",
    operation_id="give_feedback",
    summary="Rate an answer",
    status_code=201,
    response_class=Response,
    dependencies=[Depends(require_json)],
    responses={
        **problems.documented(404, 413, 415, 422, 503),
        201: {"model": schemas.Feedback, "description": "The feedback as it is stored"},
    },
)
async def give_feedback(body: schemas.FeedbackRequest, service: ServiceOfApp) -> Response:
    """Say whether a stored answer was good, and why; the same may be rated any number of times.

    The feedback stays when the answer is gone.
    """
    stored = await service.add_feedback(body.answer_id, body.rating, body.reason, body.note)
    return json_response(encoders.feedback_json(stored), 201)


@router.get(
    "/feedback",
    operation_id="list_feedback",
    summary="List feedback",
    response_class=Response,
    responses={
        **problems.documented(422, 503),
        200: {"model": schemas.FeedbackPage, "description": "Feedback, the newest first"},
    },
)
async def list_feedback(
    service: ServiceOfApp,
    limit: PageLimit = DEFAULT_PAGE,
    after: Annotated[
        str | None,
        Query(
            pattern="^[0-9]{1,18}$", description="the `next` of the page before", examples=["120"]
        ),
    ] = None,
) -> Response:
    """List what readers said of answers, page by page."""
    feedback, cursor = await service.feedback_page(after, limit)
    return json_response(
        {"feedback": [encoders.feedback_json(one) for one in feedback], "next": cursor}
    )
