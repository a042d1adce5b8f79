"""An LLM's replies as OpenTelemetry's GenAI spans and metrics."""

import asyncio
from contextlib import aclosing

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from rag.errors import LanguageModelError
from rag.tracing import TracedModel
from rag.types import Usage
from tests.fakes import FakeLanguageModel

PROMPT = [("system", "canary-system"), ("user", "canary-question")]
COMMON = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "fake-llm",
    "server.address": "llm.example",
    "server.port": 8443,
}


class Recorded:
    """A traced model, and what OpenTelemetry's SDK recorded of it."""

    def __init__(self, model: FakeLanguageModel, url: str | None = "https://llm.example:8443/v1"):
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.model = TracedModel(model, url, tracers, meters)

    @property
    def span(self):
        (span,) = self.exporter.get_finished_spans()
        return span

    def points(self) -> dict[str, list]:
        data = self.reader.get_metrics_data()
        found = [
            metric
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]
        return {metric.name: list(metric.data.data_points) for metric in found}


async def test_a_failing_reply_is_an_error_that_repeats_nothing():
    failing = FakeLanguageModel("So ", LanguageModelError("the endpoint said: canary-question"))
    recorded = Recorded(failing)
    with pytest.raises(LanguageModelError):
        [piece async for piece in recorded.model.stream(PROMPT, 100)]
    assert recorded.span.status.status_code is StatusCode.ERROR
    assert recorded.span.attributes["error.type"] == "LanguageModelError"
    (duration,) = recorded.points()["gen_ai.client.operation.duration"]
    assert duration.attributes == {**COMMON, "error.type": "LanguageModelError"}
    assert "canary" not in recorded.span.to_json()
    assert failing.closed == 1


async def test_a_reply_that_nobody_waits_for_ends_its_span_and_its_stream():
    inner = FakeLanguageModel("So ", "it ", "is.")
    recorded = Recorded(inner)
    async with aclosing(recorded.model.stream(PROMPT, 100)) as pieces:
        await anext(pieces)
    assert inner.closed == 1
    assert recorded.span.status.status_code is StatusCode.UNSET
    assert recorded.points()["gen_ai.client.operation.duration"][0].count == 1


async def test_a_reply_is_a_span_and_metrics_with_the_conventions_names():
    recorded = Recorded(FakeLanguageModel("So ", "it is.", Usage(11, 7)))
    said = [piece async for piece in recorded.model.stream(PROMPT, 100)]
    assert said == ["So ", "it is.", Usage(11, 7)]
    span = recorded.span
    assert (span.name, span.kind) == ("chat fake-llm", SpanKind.CLIENT)
    assert dict(span.attributes) == {
        **COMMON,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
    }
    points = recorded.points()
    assert points.keys() == {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}
    (duration,) = points["gen_ai.client.operation.duration"]
    assert duration.attributes == COMMON
    assert duration.explicit_bounds[:2] == (0.01, 0.02)
    tokens = {p.attributes["gen_ai.token.type"]: p for p in points["gen_ai.client.token.usage"]}
    assert {kind: point.sum for kind, point in tokens.items()} == {"input": 11, "output": 7}
    assert tokens["input"].explicit_bounds[-1] == 67108864
    assert "canary" not in span.to_json()


@pytest.mark.parametrize(
    ("url", "server"),
    [
        (None, ("api.openai.com", 443)),
        ("http://127.0.0.1/v1", ("127.0.0.1", 80)),
        ("http://user:pw@[::1]:8080/v1", ("::1", 8080)),
        ("nonsense", (None, None)),
        ("http://[nonsense", (None, None)),
        ("http://llm.example:port/v1", (None, None)),
    ],
)
async def test_the_endpoint_is_told_by_name_and_port_alone(url, server):
    recorded = Recorded(FakeLanguageModel("So."), url)
    [piece async for piece in recorded.model.stream(PROMPT, 100)]
    attributes = recorded.span.attributes
    assert (attributes.get("server.address"), attributes.get("server.port")) == server


async def test_without_the_sdk_nothing_changes():
    model = TracedModel(FakeLanguageModel("So ", "it is."))
    said = await asyncio.wait_for(anext(model.stream(PROMPT, 100)), 5)
    assert said == "So "
