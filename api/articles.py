"""The routes of the library's articles."""

from __future__ import annotations

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Header, HTTPException, Query, Request
from starlette.responses import Response

from api import encoders, problems, schemas
from api.dependencies import DEFAULT_PAGE, ArticleId, PageLimit, ServiceOfApp
from api.responses import json_response
from api.uploads import BODY, ArticleRequest, GivenArticle, repeatable
from rag.articles import to_article
from rag.types import Article

router = APIRouter(prefix="/v1/articles", tags=["articles"])


IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=r"^[!-~]{1,255}$",
        description="any text of the client's own for this request: sent again within 24 hours "
        "under the same key, it gets the same response, and is not carried out again",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ),
]
LOCATION = {
    "Location": {"description": "where the article is now", "schema": {"type": "string"}},
}
REPLAYED = {
    "Idempotent-Replayed": {
        "description": "`true` if the response is that of an earlier request under the same key",
        "schema": {"const": "true"},
    },
}


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
    limit: PageLimit = DEFAULT_PAGE,
    after: Annotated[
        str | None,
        Query(
            max_length=1_000,
            description="the `next` of the page before",
            examples=["art_0123456789abcdef"],
        ),
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
    openapi_extra=BODY,
    responses={
        **problems.documented(409, 413, 415, 422, 503),
        201: {
            "model": schemas.Article,
            "description": "The article is in the library",
            "headers": LOCATION | REPLAYED,
        },
    },
)
async def add_article(
    request: Request,
    body: GivenArticle,
    service: ServiceOfApp,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take an article in; one with the same id, or else the same url, is replaced.

    An article without both gets an id of its own; with an Idempotency-Key, the same one when the
    request is sent again. HTML, Markdown and plain text are read as `dateline ingest` reads files,
    with the metadata that they hold.
    """
    article = _article(body, service, fallback=uuid4().hex)
    if idempotency_key is None:
        await service.put_article(article)
        return _stored(article, 201)
    article, replayed = await service.add_article(
        article, repeatable(request, idempotency_key, body)
    )
    response = _stored(article, 201)
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


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
    openapi_extra=BODY,
    responses={
        **problems.documented(413, 415, 422, 503),
        200: {
            "model": schemas.Article,
            "description": "The article is up to date",
            "headers": LOCATION,
        },
        201: {
            "model": schemas.Article,
            "description": "The article was added",
            "headers": LOCATION,
        },
    },
)
async def put_article(article_id: ArticleId, body: GivenArticle, service: ServiceOfApp) -> Response:
    """Take an article in under a given id, in the place of the one that is there.

    Sent again it changes nothing, so it needs no Idempotency-Key.
    """
    if body.id not in (None, article_id):
        raise HTTPException(422, f"id: is {body.id} in the body, and {article_id} in the path")
    given = body.model_copy(update={"id": article_id})
    article = _article(given, service, fallback=article_id)
    added = await service.put_article(article) == "added"
    return _stored(article, 201 if added else 200)


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


def _article(body: ArticleRequest, service: ServiceOfApp, *, fallback: str) -> Article:
    max_chars = service.settings.max_article_chars
    return to_article(body, fallback=fallback, source=None, max_chars=max_chars)


def _stored(article: Article, status: int) -> Response:
    response = json_response(encoders.article_json(article), status)
    response.headers["Location"] = f"/v1/articles/{article.id}"
    return response
