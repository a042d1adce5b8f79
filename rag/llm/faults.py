"""What can go wrong with an endpoint: what it is called, what to do, and whether to try again."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

_RETRIED_STATUS = {408, 409, 429}
_OF_THE_REQUEST = {400, 413, 422}
_DETAIL_CHARS = 300
_LOOK = "look into the server's log, or try again later"
_RUNNING = "check that the server is running and that DATELINE_LLM_BASE_URL is right"
_IS_OURS = "check that DATELINE_LLM_BASE_URL is an OpenAI-style API (…/v1)"
_ADVICE = {
    400: "check DATELINE_LLM_MODEL; if the prompt is too long for it, lower DATELINE_PROMPT_TOKENS",
    401: "check DATELINE_LLM_API_KEY",
    403: "check that the key in DATELINE_LLM_API_KEY may use this model",
    404: "check the model's name in DATELINE_LLM_MODEL, and that DATELINE_LLM_BASE_URL is the root"
    " of the API (it usually ends in /v1)",
    429: "wait, or check the account's rate limit and credit",
}


class UnreadableReplyError(Exception):
    """What came is too long, or nothing that one can read."""


class EmptyReplyError(Exception):
    """The endpoint ended its reply, of that type and for that reason, without any text."""

    def __init__(self, finish: str | None, content_type: str) -> None:
        self.finish = finish
        self.content_type = content_type


@dataclass(frozen=True, slots=True)
class Fault:
    """What happened, and what to do about it.

    `outage` tells that it is not for the request, so that the next one is likely to meet it too;
    `retried` that the same request may succeed, `wait_s` when the endpoint wants to see it again.
    """

    what: str
    advice: str
    outage: bool = True
    retried: bool = False
    wait_s: float | None = None


def caught() -> tuple[type[Exception], ...]:
    """The errors that `fault_of` explains. The client lets through some that are not its own."""
    from httpx2 import HTTPError
    from openai import APIError

    ours = (EmptyReplyError, UnreadableReplyError)
    return (APIError, HTTPError, TimeoutError, ValueError, RecursionError, *ours)


def fault_of(error: Exception, timeout_s: float) -> Fault:
    """What an error of the client, or of reading a reply, means."""
    from httpx2 import HTTPError
    from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

    if isinstance(error, APITimeoutError):
        what = "no connection, or no word over it, in time"
        return Fault(what, _RUNNING)
    if isinstance(error, TimeoutError):
        what = f"no complete reply within {timeout_s:g} s"
        return Fault(what, "raise DATELINE_LLM_TIMEOUT_S, or use a faster model")
    if isinstance(error, APIStatusError):
        return _of_status(error)
    if isinstance(error, APIConnectionError | HTTPError):
        what = f"the connection failed ({_root_cause(error)})"
        return Fault(what, _RUNNING, retried=True)
    if isinstance(error, APIError):
        return Fault(f"it broke off: {_detail(error)}", _LOOK)
    if isinstance(error, EmptyReplyError):
        return _of_emptiness(error)
    what = "too deeply nested" if isinstance(error, RecursionError) else str(error)
    return Fault(f"it cannot be read ({what[:_DETAIL_CHARS]})", _IS_OURS)


def shown(address: str) -> str:
    """An address without credentials and query."""
    return re.sub(r"//[^/@]*@", "//", address).partition("?")[0]


def _of_status(error: Any) -> Fault:
    status, headers = error.status_code, error.response.headers
    if 300 <= status < 400:
        what = f"status {status}: a redirect to {shown(headers.get('location', 'nowhere'))}"
        return Fault(what, "set DATELINE_LLM_BASE_URL to the address to be asked")
    spent = error.code == "insufficient_quota"  # OpenAI's 429 that no wait will heal
    return Fault(
        f"status {status}: {_detail(error)}",
        _ADVICE.get(status, _LOOK),
        outage=status not in _OF_THE_REQUEST,
        retried=not spent and (status in _RETRIED_STATUS or status >= 500),
        wait_s=_seconds(headers.get("retry-after")),
    )


def _of_emptiness(error: EmptyReplyError) -> Fault:
    if "event-stream" not in error.content_type:
        what = f"{error.content_type or 'an unnamed type'} came instead of an event stream"
        return Fault(what, _IS_OURS)
    if error.finish == "length":
        what, advice = "no text before the token limit", "raise DATELINE_ANSWER_TOKENS"
        return Fault(what, advice, outage=False)
    what = f"an empty reply (finish reason: {error.finish})"
    broken_off = error.finish is None
    return Fault(what, "try again, or use another model", outage=broken_off, retried=broken_off)


def _seconds(retry_after: str | None) -> float | None:
    """A Retry-After header (RFC 9110, 10.2.3: seconds or a date) as seconds from now."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _detail(error: Any) -> str:
    """The endpoint's own words, in one short line."""
    said = error.body.get("message") if isinstance(error.body, dict) else None
    return " ".join(str(said or error.body or error.message).split())[:_DETAIL_CHARS]


def _root_cause(error: BaseException) -> str:
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return str(error) or type(error).__name__
