"""Requests and the stages of answers as OpenTelemetry's spans; nothing happens without its SDK.

Names are those of its semantic conventions (HTTP server spans). No span tells what was asked.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, aclosing

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider

from rag.types import AnswerEvent, PassagesFound


class Tracing:
    """Makes the spans; `provider` is OpenTelemetry's global one unless given."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("dateline", tracer_provider=provider)

    def request(
        self, method: str, route: str, headers: Mapping[str, str]
    ) -> AbstractContextManager[Span]:
        """The span of a request; it goes on with the caller's trace (W3C `traceparent`)."""
        return self._tracer.start_as_current_span(
            f"{method} {route}",
            context=propagate.extract(headers),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "http.route": route},
            record_exception=False,  # its message may repeat what was asked
            set_status_on_exception=False,
        )

    def responded(self, span: Span, status: int | None) -> None:
        """Note the status of the response, None if none began."""
        if status is not None:
            span.set_attribute("http.response.status_code", status)
        if status is None or status >= 500:
            span.set_attribute("error.type", str(status or "no_response"))
            span.set_status(StatusCode.ERROR)

    async def stages(self, events: AsyncGenerator[AnswerEvent]) -> AsyncGenerator[AnswerEvent]:
        """The events of an answer; `retrieve` spans what comes before the passages, `generate` the
        rest."""
        span = self._tracer.start_span("retrieve")
        try:
            async with aclosing(events):
                while True:
                    with trace.use_span(span, False, False, False):
                        event = await anext(events, None)
                    if event is None:
                        return
                    if isinstance(event, PassagesFound):
                        span.end()
                        span = self._tracer.start_span("generate")
                    yield event
        finally:
            span.end()
