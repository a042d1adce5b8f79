"""Requests and the stages of answers as spans."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

from api.app import create_app
from api.tracing import Tracing
from rag.errors import LibraryError
from tests.conftest import CopyOfSeeded
from tests.fakes import FakeService
from tests.http_samples import ARTICLE, BASE, EVENTS, EVIDENCE
from tests.processes import serving
from tests.scripted_llm import Reply, ScriptedLLM

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


@contextmanager
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """An OpenTelemetry collector on loopback: its address, and what it is sent, by path."""
    received: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            received.append((self.path, self.rfile.read(length)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_the_launcher_exports_a_servers_traces_and_metrics(copy_of_seeded: CopyOfSeeded):
    launcher = str(Path(sys.executable).with_name("opentelemetry-instrument"))
    with (
        ScriptedLLM([Reply("Nothing of it. [A1]", usage=(11, 7))]) as llm,
        collector() as (address, received),
    ):
        with serving(
            copy_of_seeded(),
            (launcher,),
            OTEL_SERVICE_NAME="dateline",
            OTEL_EXPORTER_OTLP_ENDPOINT=address,
            OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
            OTEL_EXPORTER_OTLP_COMPRESSION="none",
            OTEL_LOGS_EXPORTER="otlp",
            DATELINE_LLM_MODEL="m",
            DATELINE_LLM_BASE_URL=llm.base_url,
        ) as served:
            body = {"question": f"What did India say about terrorism, {CANARY}?"}
            asking = f"{served.url}/v1/ask?q={CANARY}"
            httpx.post(asking, json=body, timeout=60).raise_for_status()
        assert served.process.returncode == 0, served.said
    spans = {
        span.name: span
        for path, sent in received
        if path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(sent).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    assert spans.keys() == {"POST /v1/ask", "retrieve", "generate", "chat m"}
    assert spans["chat m"].parent_span_id == spans["generate"].span_id
    assert spans["generate"].parent_span_id == spans["POST /v1/ask"].span_id
    metrics = {
        metric.name
        for path, sent in received
        if path == "/v1/metrics"
        for resource in ExportMetricsServiceRequest.FromString(sent).resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"} <= metrics
    assert not any(CANARY.encode() in sent for _, sent in received)
    (request,) = (json.loads(line) for line in served.said[1:] if '"request"' in line)
    assert request["trace_id"] == spans["POST /v1/ask"].trace_id.hex()
