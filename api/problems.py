"""Every error as an RFC 9457 problem; the one place where errors become HTTP."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Receive, Scope, Send

from api.encoders import Json, json_bytes
from api.openai.errors import error_of, parameter, speaks_openai
from rag import errors

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
REQUEST_ID_HEADER = "X-Request-ID"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: the last part of its `type`, its title and its HTTP status."""

    name: str
    title: str
    status: int


INTERNAL = Kind("internal-error", "Something went wrong on our side", 500)
INVALID = Kind("invalid-request", "The request is not valid", 422)
MALFORMED = Kind("malformed-body", "The body is not JSON", 400)
SHUTTING_DOWN = Kind("shutting-down", "The service is shutting down", 503)
FOREIGN_HOST = Kind("foreign-host", "The Host header names another host", 400)

# An error's kind is that of its nearest ancestor in this table.
KINDS: dict[type[errors.DatelineError], Kind] = {
    errors.DatelineError: INTERNAL,
    errors.ArticleError: Kind("article-not-usable", "The article cannot be taken in", 422),
    errors.NotFoundError: Kind("not-found", "Nothing is stored under this id", 404),
    errors.RepeatDiffersError: Kind("idempotency-key-reused", "The key is of another request", 422),
    errors.UnderWayError: Kind("request-under-way", "The same request is being worked on", 409),
    errors.LibraryError: Kind("library-unavailable", "The library cannot be used", 503),
    errors.EmbeddingError: Kind("embedding-unavailable", "The embedding model failed", 503),
    errors.IndexUnavailableError: Kind("index-unavailable", "The index cannot be used", 503),
    errors.BusyError: Kind("busy", "There is too much to do at the moment", 503),
    errors.LanguageModelError: Kind("llm-failed", "The language model failed", 502),
    errors.DeadlineError: Kind("deadline-passed", "The answer took too long", 504),
    errors.ShuttingDownError: SHUTTING_DOWN,
}


def kind_of(error: errors.DatelineError) -> Kind:
    """The kind of problem that an error is."""
    return next(KINDS[ancestor] for ancestor in type(error).__mro__ if ancestor in KINDS)


def kind_of_status(status: HTTPStatus) -> Kind:
    """The kind of problem of which no more is known than its status."""
    return Kind(status.phrase.lower().replace(" ", "-"), status.phrase, status.value)


def problem(kind: Kind, detail: str, request_id: str) -> Json:
    """The problem's document."""
    return {
        "type": f"urn:dateline:problem:{kind.name}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "request_id": request_id,
    }


def internal_problem(request_id: str) -> Json:
    """The problem of an error that nobody foresaw: nothing of its inside is told."""
    detail = f"The error is in the server's log; please report it with request {request_id}."
    return problem(INTERNAL, detail, request_id)


class ProblemResponse(Response):
    """A problem; on the routes that are compatible with OpenAI's it takes OpenAI's form.

    `param` and `code` say there which parameter is at fault, and how.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        document: Json,
        headers: dict[str, str] | None = None,
        *,
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        self.document = document
        self.error = error_of(document, param, code)
        self.own_headers = {**(headers or {}), REQUEST_ID_HEADER: document["request_id"]}
        super().__init__(json_bytes(document), document["status"], self.own_headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it in the form that the asker's path speaks."""
        if speaks_openai(scope["path"]):
            status, body = self.error
            error = Response(json_bytes(body), status, self.own_headers, "application/json")
            await error(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def problem_response(document: Json, headers: dict[str, str] | None = None) -> Response:
    """A response that carries a problem."""
    return ProblemResponse(document, headers)


def refusal(
    scope: Scope, kind: Kind, detail: str, headers: dict[str, str] | None = None
) -> Response:
    """The response to a request that does not reach its route."""
    return problem_response(problem(kind, detail, scope["state"]["request_id"]), headers)


def request_id_of(request: Request) -> str:
    """The id that the middleware gave to a request."""
    return str(request.state.request_id)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` of a route that answers these problems, beside the ones of every route.

    Any route may answer 400 (foreign Host header) and 500.
    """
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in sorted({400, *statuses, 500})
    }


def install(app: FastAPI) -> None:
    """Make every error of the app a problem."""
    app.add_exception_handler(errors.DatelineError, _dateline_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unforeseen_error)


async def _dateline_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.DatelineError)
    kind, request_id = kind_of(error), request_id_of(request)
    if kind.status >= 500:
        logger.error("%s: %s", kind.name, error)
    return problem_response(problem(kind, str(error), request_id))


async def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    malformed = any(one["type"] == "json_invalid" for one in found)
    kind = MALFORMED if malformed else INVALID
    detail = "; ".join(_complaint(one["loc"], one) for one in found)
    document = problem(kind, detail, request_id_of(request))
    return ProblemResponse(document, param=parameter(found[0]["loc"]), code=found[0]["type"])


def _complaint(location: Sequence[str | int], error: dict[str, Any]) -> str:
    """One line for one error of pydantic's: where, and what is expected."""
    if error["type"] == "json_invalid":
        return f"malformed JSON at character {location[-1]}: {error['ctx']['error']}"
    where = ".".join(str(part) for part in location[1:]) or str(location[0])
    if error["type"] == "extra_forbidden":
        return f"{where}: no such field"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    kind = kind_of_status(status)
    detail = error.detail if error.detail != status.phrase else _detail(status, request)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _allowed(request) or headers.get("Allow", "GET, HEAD")
    return problem_response(problem(kind, detail, request_id_of(request)), headers)


def _detail(status: HTTPStatus, request: Request) -> str:
    path = request.url.path
    if status is HTTPStatus.NOT_FOUND:
        return f"There is nothing at {path}; /openapi.json lists what there is."
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{path} cannot be asked with {request.method}."
    return status.description or status.phrase


def _allowed(request: Request) -> str:
    """All methods of a path; Starlette's own `Allow` names those of its first route only."""
    for path, operations in request.app.openapi()["paths"].items():
        if compile_path(path)[0].fullmatch(request.url.path):
            return ", ".join(sorted(method.upper() for method in operations))
    return ""


async def _unforeseen_error(request: Request, error: Exception) -> Response:
    logger.error("the request failed: %s", type(error).__name__)
    return problem_response(internal_problem(request_id_of(request)))
