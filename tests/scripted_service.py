"""A service that tells the widget what a test scripts, and pages of another origin that embed it.

Both are one server: what is asked for at 127.0.0.1 is the service, at localhost the embedding page.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from api import encoders
from rag.types import AnswerEvent, Article
from tests.listening import listening
from tests.processes import ROOT

BUILT = ROOT / "api" / "widget" / "dist"

HOLD: Literal["hold"] = "hold"
"""The stream waits here for `ScriptedService.resume`."""

CUT: Literal["cut"] = "cut"
"""The connection breaks here."""

Step = AnswerEvent | tuple[str, encoders.Json] | Literal["hold", "cut"]


class CutError(Exception):
    """Breaks a connection off."""


@dataclass(frozen=True)
class Problem:
    """An error as the response to a request."""

    status: int
    title: str = ""
    detail: str = "The detail of it."
    headers: dict[str, str] = field(default_factory=dict)

    def document(self) -> encoders.Json:
        """The RFC 9457 problem."""
        return {
            "type": "urn:dateline:problem:scripted",
            "title": self.title or HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "request_id": "req_scripted",
        }

    def response(self) -> Response:
        """The problem over HTTP."""
        return JSONResponse(
            self.document(), self.status, self.headers, media_type="application/problem+json"
        )


@dataclass(frozen=True)
class Asked:
    """A request of the widget's."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class ScriptedService:
    """What is said to whom: by question, the steps of a stream or a problem; by id, articles.

    `asked` has the requests that were made so far.
    """

    port: int = 0
    replies: dict[str, Sequence[Step] | Problem] = field(default_factory=dict)
    articles: dict[str, Article | Problem] = field(default_factory=dict)
    feedback: Problem | None = None
    pages: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop | None = None
    _resumed: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    @property
    def url(self) -> str:
        """The service's origin."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def site(self) -> str:
        """The embedding page's origin."""
        return f"http://localhost:{self.port}"

    def resume(self) -> None:
        """Let a stream that holds, or the next one that will, go on."""
        assert self._loop, "nothing was asked yet"
        self._loop.call_soon_threadsafe(self._resumed.release)

    def questions(self) -> list[str]:
        """The questions asked so far."""
        return [one.body["question"] for one in self.asked if one.path == "/v1/ask"]

    def app(self) -> Starlette:
        """The ASGI app."""
        anyone = Middleware(
            CORSMiddleware,
            allow_origins=["*"],
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["*"],
        )
        routes = [
            Route("/pages/{name}", self._page),
            Route("/{name}.js", _built),
            Route("/v1/ask", self._ask, methods=["POST"]),
            Route("/v1/feedback", self._take_feedback, methods=["POST"]),
            Route("/v1/articles/{id}", self._article),
        ]
        return Starlette(routes=routes, middleware=[anyone])

    async def _note(self, request: Request) -> Any:
        self._loop = asyncio.get_running_loop()
        body = await request.body()
        document = json.loads(body) if body else None
        self.asked.append(Asked(request.url.path, dict(request.headers), document))
        return document

    async def _page(self, request: Request) -> Response:
        html, policy = self.pages.get(request.path_params["name"], ("", None))
        return HTMLResponse(html, headers={"Content-Security-Policy": policy} if policy else None)

    async def _ask(self, request: Request) -> Response:
        body = await self._note(request)
        reply = self.replies[body["question"]]
        if isinstance(reply, Problem):
            return reply.response()
        return StreamingResponse(self._stream(reply), media_type="text/event-stream")

    async def _stream(self, steps: Sequence[Step]) -> AsyncIterator[str]:
        for step in steps:
            if step == HOLD:
                await self._resumed.acquire()
            elif step == CUT:
                raise CutError
            else:
                name, data = step if isinstance(step, tuple) else encoders.event(step)
                yield f"event: {name}\ndata: {encoders.json_bytes(data).decode()}\n\n"

    async def _take_feedback(self, request: Request) -> Response:
        body = await self._note(request)
        if self.feedback:
            return self.feedback.response()
        stored = {"id": "fb_1", "note": None, "reason": None, "created_at": "2026-01-01T00:00:00Z"}
        return JSONResponse({**stored, **body}, 201)

    async def _article(self, request: Request) -> Response:
        await self._note(request)
        article = self.articles.get(request.path_params["id"], Problem(404))
        if isinstance(article, Problem):
            return article.response()
        return Response(
            encoders.json_bytes(encoders.article_json(article)), media_type="application/json"
        )


async def _built(request: Request) -> Response:
    path = BUILT / f"{request.path_params['name']}.js"
    if path.parent != BUILT or not path.is_file():
        return Response(status_code=404)
    return Response(path.read_bytes(), media_type="text/javascript")


@contextmanager
def scripted_service() -> Iterator[ScriptedService]:
    """A service that listens, with nothing to say yet."""
    service = ScriptedService()
    with listening(service.app()) as service.port:
        yield service


def strict_policy(service: str) -> str:
    """The strictest policy of a page that the widget of a service must do under."""
    return (
        f"default-src 'none'; script-src {service}; connect-src {service}; style-src {service}; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def script_tag(service: str, **data: str) -> str:
    """The tag that embeds the widget by itself, or defines its element."""
    named = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    return f'<script src="{service}/widget.js"{named} defer></script>'


def chat_element(service: str, **attributes: str) -> str:
    """The widget's element, with the script that defines it."""
    given = {"src": service, **attributes}
    named = "".join(f' {name}="{escape(value)}"' for name, value in given.items())
    return f"{script_tag(service)}\n<dateline-chat{named}></dateline-chat>"


def page_html(body: str, lang: str = "en", head: str = "") -> str:
    """A newspaper's page around the widget."""
    direction = "rtl" if lang == "ar" else "ltr"
    return f"""<!doctype html>
<html lang="{lang}" dir="{direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The Harbour Gazette</title>
{head}
</head>
<body>
<main>
<h1>The Harbour Gazette</h1>
<p><a href="#more">What is new in town</a> and what is old.</p>
<p id="more">The ferry leaves at nine.</p>
{body}
</main>
</body>
</html>
"""
