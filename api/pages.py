"""What readers see in a browser: the demo page and the articles."""

from __future__ import annotations

import pathlib
from typing import Annotated

from fastapi import APIRouter, Path, Query
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from api import layout, problems
from api.dependencies import ServiceOfApp
from api.responses import page_response
from rag.errors import NotFoundError
from rag.types import Article

HERE = pathlib.Path(__file__).parent
STATIC = HERE / "static"

router = APIRouter(tags=["pages"])
_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_HTML = {"content": {"text/html": {"schema": {"type": "string"}}}}
_OFFSET = Query(description="of the quotation, in code points of the article's text")


@router.get(
    "/",
    operation_id="demo_page",
    summary="The demo page",
    response_class=Response,
    responses={**problems.documented(), 200: {"description": "The page", **_HTML}},
)
async def demo_page() -> Response:
    """A page to ask the articles on."""
    return page_response(_templates.get_template("demo.html").render(), scripts=True)


@router.get(
    "/articles/{article_id}",
    operation_id="article_page",
    summary="Read an article",
    response_class=Response,
    responses={
        **problems.documented(422, 503),
        200: {"description": "The article, the quotation marked at `#quote`", **_HTML},
        404: {"description": "There is no such article", **_HTML},
    },
)
async def article_page(
    article_id: Annotated[str, Path(description="the article's id")],
    service: ServiceOfApp,
    start: Annotated[str | None, _OFFSET] = None,
    end: Annotated[str | None, _OFFSET] = None,
) -> Response:
    """A page to read an article on, without script; `#quote` leads to the quotation."""
    try:
        article = await service.article(article_id)
    except NotFoundError:
        return page_response(_templates.get_template("missing.html").render(), 404)
    return page_response(_article_html(article, start, end))


def _article_html(article: Article, start: str | None, end: str | None) -> str:
    quote = layout.quoted_span(article.text, start, end)
    return _templates.get_template("article.html").render(
        article=article,
        address=layout.web_address(article.url),
        published=layout.readable_date(article.published_at),
        updated=layout.readable_date(article.updated_at),
        paragraphs=layout.paragraphs(article.text, quote),
        quote_lost=quote is None and bool(start or end),
    )
