"""A language model whose requests OpenTelemetry sees; nothing happens without its SDK.

Names are those of its semantic conventions for generative AI (gen-ai-spans, gen-ai-metrics). What
was asked and said is left out.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from urllib.parse import urlsplit

from opentelemetry import metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider

from rag.errors import LanguageModelError
from rag.ports import LanguageModel
from rag.types import Usage

Attributes = dict[str, str | int]

# The conventions ask for these bounds.
_SECONDS = [0.01 * 2**n for n in range(14)]
_TOKENS = [4**n for n in range(14)]


class TracedModel:
    """The model, with a span `chat {model}` and GenAI metrics for each reply.

    `base_url` is its endpoint's. The providers are OpenTelemetry's global ones unless given.
    """

    def __init__(
        self,
        inner: LanguageModel,
        base_url: str | None = None,
        tracers: TracerProvider | None = None,
        meters: MeterProvider | None = None,
    ) -> None:
        self.model = inner.model
        self._inner = inner
        self._attributes: Attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",  # whose API it speaks, whoever offers it
            "gen_ai.request.model": inner.model,
            **_server(base_url),
        }
        self._tracer = trace.get_tracer("dateline", tracer_provider=tracers)
        meter = metrics.get_meter("dateline", meter_provider=meters)
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="GenAI operation duration.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )

    @property
    def state(self) -> str:
        """The model's own."""
        return self._inner.state

    async def stream(
        self, messages: Sequence[tuple[str, str]], max_tokens: int
    ) -> AsyncGenerator[str | Usage]:
        """The model's own stream; its span ends with it, however it ends."""
        span = self._tracer.start_span(
            f"chat {self.model}",
            kind=SpanKind.CLIENT,
            attributes={**self._attributes, "gen_ai.request.max_tokens": max_tokens},
        )
        began, attributes = time.perf_counter(), dict(self._attributes)
        try:
            async with aclosing(self._inner.stream(messages, max_tokens)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Usage):
                        self._used(span, piece)
                    yield piece
        except LanguageModelError as error:
            attributes["error.type"] = type(error).__name__
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)  # without its message, which may repeat the prompt
            raise
        finally:
            self._duration.record(time.perf_counter() - began, attributes)
            span.end()

    def _used(self, span: Span, usage: Usage) -> None:
        for kind, tokens in (("input", usage.prompt_tokens), ("output", usage.completion_tokens)):
            span.set_attribute(f"gen_ai.usage.{kind}_tokens", tokens)
            self._tokens.record(tokens, {**self._attributes, "gen_ai.token.type": kind})


def _server(base_url: str | None) -> Attributes:
    """Where the endpoint is: its name or address, and its port."""
    try:
        parts = urlsplit(base_url or "https://api.openai.com")
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):  # an address that the model itself will complain of
        return {}
    return {"server.address": parts.hostname or "", "server.port": port}
