"""What every request leaves behind: a line in the log, metrics, a span. None tells its content.

Pure ASGI, so that a client's going away stays visible to the routes.
"""

from __future__ import annotations

import logging
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import route_of
from api.metrics import Metrics
from api.tracing import Tracing

logger = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Observed:
    """Notes each request when it has ended, by its route; whatever else was sent stays unsaid."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tracing: Tracing) -> None:
        self.app = app
        self.metrics = metrics
        self.tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = route_of(scope["path"])
        began, status, sent = time.perf_counter(), None, 0

        async def noted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            sent += len(message.get("body", b""))
            await send(message)

        with self.tracing.request(method, route, Headers(scope=scope)) as span:
            try:
                await self.app(scope, receive, noted)
            finally:
                seconds = time.perf_counter() - began
                self.tracing.responded(span, status)
                self.metrics.request(route, method, str(status or "none"), seconds)
                said = {"method": method, "route": route, "status": status, "bytes": sent}
                logger.info("request", extra={**said, "duration_ms": round(1000 * seconds, 1)})
