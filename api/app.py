"""The HTTP application over a wired service."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from api import answers, articles, ask, bundle, examples, health, local, pages, problems
from api.access import needed_scope
from api.cors import Cors
from api.ending import Ending
from api.limits import COSTLY_METHODS, Limits, Policy
from api.metrics import Metrics
from api.middleware import (
    LOOPBACK_NAMES,
    BodyLimit,
    HeadAsGet,
    HostCheck,
    ResponseHeaders,
    is_loopback,
)
from api.observing import Observed
from api.openai import chat, models, responses
from api.openai.errors import speaks_openai
from api.schemas import Problem
from api.security import KeyCheck
from api.tracing import Tracing
from api.uploads import ArticleRequest
from rag.remote import ROUTE as LOCAL_ROUTE
from rag.service import Service
from rag.settings import Settings
from rag.storage.holder import Door, program_version

DESCRIPTION = """\
Ask news articles: every sentence of the answer is backed by a verbatim quotation,
or you are told that the articles don't say.

Errors are `application/problem+json` (RFC 9457), on the routes for OpenAI's clients in OpenAI's
form. Every response carries `X-Request-ID`:
the caller's, if it is at most 128 of `A-Z a-z 0-9 . _ -`. All offsets count Unicode code points.
"""
QUESTION_BYTES = 1_000_000  # a question with a long conversation; articles may be larger


KEY_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key of `dateline keys create`. Until the first one is made, none is needed.",
}


class Dateline(FastAPI):
    """FastAPI, whose document also describes the problems that every route may answer."""

    def build_middleware_stack(self) -> ASGIApp:
        """Starlette's, within what also sees the 500 that its outermost layer answers."""
        stack = super().build_middleware_stack()
        return ResponseHeaders(Observed(stack, self.state.metrics, self.state.tracing))

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        document = super().openapi()
        components = document["components"]
        for model in (Problem, ArticleRequest):
            components["schemas"][model.__name__] = model.model_json_schema()
        components["securitySchemes"] = {"key": KEY_SCHEME}
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if speaks_openai(path):  # a request that is not valid is a 400 there
                    operation["responses"].pop("422", None)
                if scope := needed_scope(method.upper(), path, public_pages=False):
                    operation["security"] = [{"key": []}, {}]
                    _document_refusals(operation, _without_key(scope))
                if method.upper() in COSTLY_METHODS:
                    _document_refusals(operation, BEYOND_LIMITS)
        for unused in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(unused, None)
        examples.complete(document, self.state.public_url)
        return document


BEYOND_LIMITS = {
    "429": "Too many requests of the key or the address; Retry-After says when to come again",
    "503": "Too many requests altogether, or the service is shutting down",
}


def _without_key(scope: str) -> dict[str, str]:
    return {
        "401": "Without a good key",
        "403": f"The key lacks the scope `{scope}`, or is for other web origins",
        "503": "The library, with its keys, cannot be used",
    }


def _document_refusals(operation: dict[str, Any], refusals: dict[str, str]) -> None:
    """Describe refusals, by status, that the route does not name itself; they look as its other
    errors do."""
    shape = operation["responses"]["400"]["content"]
    for status, description in refusals.items():
        operation["responses"].setdefault(status, {"description": description, "content": shape})


def create_app(
    service: Service,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    allow_open: bool = False,
    door: Door | None = None,
) -> FastAPI:
    """The application over an opened service; it neither opens nor closes anything.

    `host` and `port` are where it is served. On loopback, requests that name another host are
    refused, except for that of DATELINE_PUBLIC_URL. Without any key, requests are let in on
    loopback only, or if `allow_open`. This machine's own commands come by the `door`.
    """
    address = public_url(service.settings, host, port)
    app = Dateline(
        title="Dateline",
        version=program_version(),
        description=DESCRIPTION,
        servers=[{"url": address}],
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        telemetry={"tracing": False, "logs": False},  # FastAPI's own tell paths, queries, messages
        redirect_slashes=False,  # a redirect's address would be made from the Host header
    )
    app.state.service = service
    app.state.metrics = Metrics(app.version)
    app.state.tracing = Tracing()
    app.state.public_url = address
    app.state.ending = Ending()
    problems.install(app)
    routers = ask, articles, answers, chat, responses, models, health, pages, bundle, local
    for part in routers:
        app.include_router(part.router)
    app.mount("/static", StaticFiles(directory=pages.STATIC))
    _add_middleware(app, service, host, allow_open, door)
    return app


def public_url(settings: Settings, host: str, port: int) -> str:
    """The address under which readers reach the service: the setting, else the address served."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _add_middleware(
    app: FastAPI, service: Service, host: str, allow_open: bool, door: Door | None
) -> None:
    """The last one added is the first to see a request."""
    settings = service.settings
    article_bytes = settings.max_file_mb * 1_000_000

    def body_limit(path: str) -> int:
        large = path.startswith(("/v1/articles", f"{LOCAL_ROUTE}/"))
        return article_bytes if large else QUESTION_BYTES

    app.add_middleware(BodyLimit, limit=body_limit)
    app.add_middleware(HeadAsGet)
    policy = Policy.of(settings, on_loopback=is_loopback(host))
    app.add_middleware(Limits, policy=policy, ending=app.state.ending)
    app.add_middleware(
        KeyCheck,
        keys=service.keys,
        public_pages=settings.public_pages,
        open_without_keys=allow_open or is_loopback(host),
        local=door.key if door else None,
    )
    app.add_middleware(Cors, keys=service.keys, allowed=settings.allowed_origins.split())
    if is_loopback(host):
        public = urlsplit(settings.public_url or "").hostname
        hosts = LOOPBACK_NAMES | {host.strip("[]").lower()} | ({public} if public else set())
        app.add_middleware(HostCheck, hosts=hosts)
