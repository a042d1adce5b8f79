"""What holds for every request: an id, the right host, a bounded body, safe headers.

Pure ASGI, so that a client's going away stays visible to the routes.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from http import HTTPStatus
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import bind_request
from api.problems import FOREIGN_HOST, REQUEST_ID_HEADER, kind_of_status, refusal

SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

# Nothing that we send may be run, framed or guessed at, unless its route says otherwise (OWASP
# REST Security Cheat Sheet, "Security Headers").
SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class ResponseHeaders:
    """Gives each request an id (the caller's, if sane) and each response it and safe headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        theirs = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        request_id = theirs if SANE_REQUEST_ID.fullmatch(theirs) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        bind_request(request_id)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID_HEADER] = request_id
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class HostCheck:
    """Refuses requests whose Host header names none of `hosts`, with a 400 problem.

    On loopback this stops DNS rebinding: a page of evil.example whose name resolves to 127.0.0.1
    still sends `Host: evil.example`.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host", "")
            if host_name(host) not in self.hosts:
                detail = (
                    f"This server listens on this machine only and does not answer for {host!r}; "
                    "if readers reach it under that name, set DATELINE_PUBLIC_URL."
                )
                await refusal(scope, FOREIGN_HOST, detail)(scope, receive, send)
                return
        await self.app(scope, receive, send)


class HeadAsGet:
    """Answers HEAD as GET without the body, as RFC 9110 asks of every resource that has GET."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if "body" in message else message)

        await self.app({**scope, "method": "GET"}, receive, send_head)


class BodyLimit:
    """Refuses bodies of more bytes than `limit` allows for their path, with a 413 problem."""

    def __init__(self, app: ASGIApp, limit: Callable[[str], int]) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request whose body is refused as soon as it is known to be too large."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit(scope["path"])
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and float(declared) > limit:
            error = too_large(limit)
            kind = kind_of_status(HTTPStatus(error.status_code))
            await refusal(scope, kind, error.detail)(scope, receive, send)
            return
        read = 0
        answered = False  # then nobody reads the body, and it is too late to refuse it

        async def receive_within_limit() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if not answered and read > limit:
                raise too_large(limit)
            return message

        async def send_answer(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        await self.app(scope, receive_within_limit, send_answer)


def too_large(limit: int) -> HTTPException:
    """The error of a body of more than `limit` bytes."""
    return HTTPException(413, f"The body is larger than the {limit:,} bytes that this route takes.")


def is_loopback(host: str) -> bool:
    """Whether a server on `host` (a name or an address) is reached from its own machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def host_name(host: str) -> str:
    """The name or address in a Host header, without port and brackets, in lower case."""
    name = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return name.lower()
