"""The routes of the library's articles."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import ConfigDict
from starlette.responses import Response

from api import encoders, problems, schemas
from api.dependencies import ArticleId, ServiceOfApp, require_json
from api.responses import json_response
from rag.articles import ArticleFields, to_article

router = APIRouter(prefix="/v1/articles", tags=["articles"])

DEFAULT_PAGE, MAX_PAGE = 50, 500


def _describe_text(schema: dict[str, Any]) -> None:
    """Tell the schema what the field's validator asks for."""
    schema["properties"]["text"] |= {
        "minLength": 1,
        "pattern": r"\S",
        "examples": ["Markets rose."],
    }


class ArticleRequest(ArticleFields):
    """An article to take in. Blank metadata is unknown; only `text` is required."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_describe_text)


@router.get(
    "",
    operation_id="list_articles",
    summary="List articles",
    response_class=Response,
    responses={
        **problems.documented(422, 503),
        200: {"model": schemas.ArticlePage, "description": "Articles, without their text"},
    },
)
async def list_articles(
    service: ServiceOfApp,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="most to return")] = DEFAULT_PAGE,
    after: Annotated[
        str | None, Query(max_length=1_000, description="the `next` of the page before")
    ] = None,
) -> Response:
    """List the library's articles, page by page."""
    articles, cursor = await service.article_page(after, limit)
    summaries = [encoders.article_json(article, text=False) for article in articles]
    return json_response({"articles": summaries, "next": cursor})


@router.post(
    "",
    operation_id="add_article",
    summary="Add an article",
    status_code=201,
    response_class=Response,
    dependencies=[Depends(require_json)],
    responses={
        **problems.documented(413, 415, 422, 503),
        201: {"model": schemas.Article, "description": "The article is in the library"},
    },
)
async def add_article(body: ArticleRequest, service: ServiceOfApp) -> Response:
    """Take an article in; one with the same id, or else the same url, is replaced.

    An article without both gets an id of its own.
    """
    return await _put(service, body, fallback=uuid4().hex, status_of_known=201)


@router.get(
    "/{article_id}",
    operation_id="get_article",
    summary="Get an article",
    response_class=Response,
    responses={
        **problems.documented(404, 422, 503),
        200: {"model": schemas.Article, "description": "The article"},
    },
)
async def get_article(article_id: ArticleId, service: ServiceOfApp) -> Response:
    """Get an article, with the exact text that citation offsets point into."""
    return json_response(encoders.article_json(await service.article(article_id)))


@router.put(
    "/{article_id}",
    operation_id="put_article",
    summary="Add or replace an article",
    response_class=Response,
    dependencies=[Depends(require_json)],
    responses={
        **problems.documented(413, 415, 422, 503),
        200: {"model": schemas.Article, "description": "The article is up to date"},
        201: {"model": schemas.Article, "description": "The article was added"},
    },
)
async def put_article(
    article_id: ArticleId, body: ArticleRequest, service: ServiceOfApp
) -> Response:
    """Take an article in under a given id, in the place of the one that is there."""
    if body.id not in (None, article_id):
        raise HTTPException(422, f"id: is {body.id} in the body, and {article_id} in the path")
    given = body.model_copy(update={"id": article_id})
    return await _put(service, given, fallback=article_id, status_of_known=200)


@router.delete(
    "/{article_id}",
    operation_id="delete_article",
    summary="Delete an article",
    status_code=204,
    response_class=Response,
    responses={
        **problems.documented(404, 422, 503),
        204: {"description": "The article is gone, and nothing finds it any more"},
    },
)
async def delete_article(article_id: ArticleId, service: ServiceOfApp) -> Response:
    """Delete an article."""
    await service.delete_article(article_id)
    return Response(status_code=204)


async def _put(
    service: ServiceOfApp, body: ArticleRequest, *, fallback: str, status_of_known: int
) -> Response:
    max_chars = service.settings.max_article_chars
    article = to_article(body, fallback=fallback, source=None, max_chars=max_chars)
    added = await service.put_article(article) == "added"
    response = json_response(encoders.article_json(article), 201 if added else status_of_known)
    response.headers["Location"] = f"/v1/articles/{article.id}"
    return response
