"""Errors in OpenAI's shape: `{"error": {message, type, param, code}}`."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from api.encoders import Json
from api.openai import documents

_PATHS = ("/v1/responses", "/v1/chat", "/v1/models")
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_NAMES = {
    "no_key": "invalid_api_key",
    "bad_key": "invalid_api_key",
    "missing_scope": "insufficient_permissions",
    "foreign_origin": "insufficient_permissions",
    "too_many_requests": "rate_limit_exceeded",
    "too_many_at_once": "rate_limit_exceeded",
}
_CODES = {"missing": "missing_required_parameter", "json_invalid": "invalid_json"}


def speaks_openai(path: str) -> bool:
    """Whether a path is one of OpenAI's, or lies below one."""
    return any(path == one or path.startswith(f"{one}/") for one in _PATHS)


def error_of(problem: Json, param: str | None = None, code: str | None = None) -> tuple[int, Json]:
    """A problem's status and document as OpenAI has them; `code` is pydantic's name of the error.

    What OpenAI has no status of its own for, a request that is not valid, is a 400 there.
    """
    status = 400 if problem["status"] == 422 else problem["status"]
    kind = "server_error" if status >= 500 else _TYPES.get(status, "invalid_request_error")
    name = problem["type"].rpartition(":")[2].replace("-", "_")
    name = _NAMES.get(name, name)
    if code:
        name = code if code.startswith("unsupported_") else _CODES.get(code, "invalid_value")
    error = {"message": problem["detail"], "type": kind, "param": param, "code": name}
    return status, {"error": error}


def parameter(location: Sequence[str | int]) -> str | None:
    """A place in the body as OpenAI writes it: `messages[0].content`."""
    if len(location) < 2 or isinstance(location[1], int):
        return None  # the body as a whole
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location[1:])
    return "".join(parts).removeprefix(".")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` of a route that answers these errors, beside those of every route."""
    return {
        status: {"model": documents.Error, "description": HTTPStatus(status).phrase}
        for status in sorted({400, *statuses, 500})
    }
