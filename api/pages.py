"""What readers see in a browser: the demo page, the articles and the answers."""

from __future__ import annotations

import pathlib
from typing import Annotated

from fastapi import APIRouter, Path, Query
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from api import bundle, layout, problems
from api.dependencies import PublicUrl, ServiceOfApp
from api.responses import page_response
from rag.errors import NotFoundError
from rag.types import Answer, Article

HERE = pathlib.Path(__file__).parent
STATIC = HERE / "static"
SAMPLE = "What did India say about terrorism?"

router = APIRouter(tags=["pages"])
_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_HTML = {"content": {"text/html": {"schema": {"type": "string"}}}}
_OFFSET = Query(
    description="of the quotation, in code points of the article's text", examples=["42"]
)


@router.get(
    "/",
    operation_id="demo_page",
    summary="The demo page",
    response_class=Response,
    responses={**problems.documented(), 200: {"description": "The page", **_HTML}},
)
async def demo_page(public_url: PublicUrl) -> Response:
    """A page to ask the articles on, with the widget that other pages can have."""
    html = _templates.get_template("demo.html").render(
        sample=SAMPLE, public_url=public_url, widget=bundle.script("widget")
    )
    return page_response(html, scripts=True)


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
    article_id: Annotated[
        str, Path(description="the article's id", examples=["art_0123456789abcdef"])
    ],
    service: ServiceOfApp,
    start: Annotated[str | None, _OFFSET] = None,
    end: Annotated[str | None, _OFFSET] = None,
) -> Response:
    """A page to read an article on, without script; `#quote` leads to the quotation."""
    try:
        article = await service.article(article_id)
    except NotFoundError:
        return _missing(
            "article", "It may have been removed from the library since you were given this link."
        )
    return page_response(_article_html(article, start, end))


@router.get(
    "/answers/{answer_id}",
    operation_id="answer_page",
    summary="Read an answer",
    response_class=Response,
    responses={
        **problems.documented(422, 503),
        200: {"description": "The answer with its quotations as footnotes", **_HTML},
        404: {"description": "There is no such answer, or no more", **_HTML},
    },
)
async def answer_page(
    answer_id: Annotated[str, Path(description="the answer's id", examples=["ans_5f0c2d"])],
    service: ServiceOfApp,
) -> Response:
    """A page to read a stored answer on, without script; each quotation leads to its article."""
    try:
        answer = await service.stored_answer(answer_id)
    except NotFoundError:
        return _missing(
            "answer",
            "Answers are kept for some time only, and not longer than the articles they quote.",
        )
    return page_response(_answer_html(answer))


def _missing(what: str, why: str) -> Response:
    html = _templates.get_template("missing.html").render(what=what, why=why)
    return page_response(html, 404)


def _answer_html(answer: Answer) -> str:
    return _templates.get_template("answer.html").render(
        answer=answer,
        quote_address=layout.quote_address,
        readable_date=layout.readable_date,
        web_address=layout.web_address,
    )


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
