"""Requests and the stages of answers as spans."""

import json
from contextlib import aclosing

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

from api.app import create_app
from api.tracing import Tracing
from rag.errors import LibraryError
from tests.fakes import FakeService
from tests.http_samples import ARTICLE, BASE, EVENTS, EVIDENCE

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CANARY = "canary-zebra-7f3a"


class Traced:
    """An app over a service, and the spans that it made."""

    def __init__(self, service: FakeService) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = Tracing(provider)
        app = create_app(service)
        app.state.tracing = self.tracing
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url=BASE)

    @property
    def spans(self):
        return {span.name: span for span in self.exporter.get_finished_spans()}


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_is_traced_by_its_stages_and_goes_on_with_the_callers_trace(stream):
    traced = Traced(FakeService(ARTICLE, script=EVENTS, evidence=EVIDENCE))
    async with traced.http as http:
        await http.post(
            f"/v1/ask?{CANARY}",
            json={"question": CANARY, "stream": stream},
            headers={"traceparent": f"00-{TRACE}-{PARENT}-01", "Authorization": CANARY},
        )
    spans = traced.spans
    assert spans.keys() == {"retrieve", "generate", "POST /v1/ask"}
    request = spans["POST /v1/ask"]
    assert request.kind is SpanKind.SERVER
    assert dict(request.attributes) == {
        "http.request.method": "POST",
        "http.route": "/v1/ask",
        "http.response.status_code": 200,
    }
    assert format_span_id(request.parent.span_id) == PARENT
    for stage in ("retrieve", "generate"):
        assert spans[stage].parent.span_id == request.context.span_id
    assert {format_trace_id(span.context.trace_id) for span in spans.values()} == {TRACE}
    assert CANARY not in json.dumps([span.to_json() for span in spans.values()])


async def test_an_unforeseen_error_marks_the_span_without_its_words():
    traced = Traced(FakeService(script=[KeyError(CANARY)]))
    async with traced.http as http:
        await http.post("/v1/ask", json={"question": "Why?"})
    assert traced.spans.keys() == {"retrieve", "POST /v1/ask"}
    request = traced.spans["POST /v1/ask"]
    assert request.status.status_code is StatusCode.ERROR
    assert request.attributes["error.type"] == "500"
    assert CANARY not in json.dumps([span.to_json() for span in traced.spans.values()])


async def test_a_refused_request_is_no_error_of_ours():
    traced = Traced(FakeService())
    async with traced.http as http:
        await http.get(f"/{CANARY}", headers={"traceparent": "nonsense"})
    request = traced.spans["GET other"]
    assert request.parent is None
    assert request.status.status_code is StatusCode.UNSET
    assert request.attributes["http.response.status_code"] == 404


async def test_a_stage_ends_when_its_answer_fails_or_is_abandoned():
    traced = Traced(FakeService())
    failing = FakeService(script=[*EVENTS[:2], LibraryError("gone")])
    with pytest.raises(LibraryError):
        [event async for event in traced.tracing.stages(failing.answer(None))]
    abandoned = FakeService(script=EVENTS)
    async with aclosing(traced.tracing.stages(abandoned.answer(None))) as events:
        await anext(events)
    names = [span.name for span in traced.exporter.get_finished_spans()]
    assert names == ["retrieve", "generate", "retrieve"]
    assert (failing.closed, abandoned.closed) == (1, 1)
