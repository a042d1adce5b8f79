"""CORS: which web pages' scripts may read our responses. It lets nobody in: that is for keys.

Pure ASGI. Starlette's own takes its origins once, at the start; ours change with the keys.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import kind_of, refusal
from api.security import FOREIGN_ORIGIN
from rag.errors import DatelineError
from rag.storage.keyring import Keyring

logger = logging.getLogger(__name__)

# The Fetch standard has `*` not cover Authorization. Cookies are never allowed.
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, *",
    "Access-Control-Max-Age": "600",
}
_WIDGET = re.compile(r"/widget[^/]*\.js")


class Cors:
    """Answers preflights, and tells browsers which origins may read a response: those of
    `allowed` and of the publishable keys; any the widget's script."""

    def __init__(self, app: ASGIApp, keys: Keyring, allowed: Collection[str]) -> None:
        self.app = app
        self.keys = keys
        self.allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        widget = bool(_WIDGET.fullmatch(scope["path"]))
        try:
            readable = widget or (origin is not None and await self._allows(origin))
        except DatelineError as error:
            logger.error("origins cannot be checked: %s", error)
            await refusal(scope, kind_of(error), str(error))(scope, receive, send)
            return

        async def send_readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = MutableHeaders(scope=message)
                if readable:
                    named["Access-Control-Allow-Origin"] = "*" if widget else str(origin)
                    named["Access-Control-Expose-Headers"] = "*"
                if not widget:
                    named.add_vary_header("Origin")
            await send(message)

        asked = headers.get("access-control-request-method")
        if scope["method"] == "OPTIONS" and origin is not None and asked is not None:
            await self._preflight(scope, readable)(scope, receive, send_readable)
        else:
            await self.app(scope, receive, send_readable)

    async def _allows(self, origin: str) -> bool:
        if origin in self.allowed:
            return True
        return origin in await anyio.to_thread.run_sync(self.keys.origins)

    def _preflight(self, scope: Scope, readable: bool) -> Response:
        if readable:
            return Response(status_code=204, headers=PREFLIGHT)
        detail = "Allow the origin in DATELINE_ALLOWED_ORIGINS, or make a publishable key for it."
        return refusal(scope, FOREIGN_ORIGIN, detail)
