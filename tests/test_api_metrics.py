"""What Prometheus is told."""

import asyncio
import re
from dataclasses import replace

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.access import SCOPED, route_of
from api.app import create_app
from rag.errors import LibraryError
from rag.types import Finished, Timings, Usage
from tests.fakes import FakeService, abstention
from tests.http_samples import ANSWER, ARTICLE, BASE, EVENTS, EVIDENCE, client
from tests.processes import ROOT

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
CANARY = "canary-zebra-7f3a"


def parsed(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scraped(http: httpx.AsyncClient) -> Samples:
    response = await http.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return parsed(response.text)


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


async def test_nothing_that_a_caller_chooses_becomes_a_label():
    async with client() as http:
        chosen = {"Origin": f"https://{CANARY}.example", "X-Request-ID": CANARY}
        await http.get(f"/{CANARY}?q={CANARY}", headers=chosen)
        await http.get(f"/v1/articles/{CANARY}", headers=chosen)
        await http.request(CANARY.upper(), "/v1/ask", headers=chosen)
        await http.post("/v1/ask", json={"question": CANARY}, headers=chosen)
        text = (await http.get("/metrics")).text
    assert CANARY not in text.lower()
    samples = parsed(text)
    requests = "dateline_requests_total"
    assert value(samples, requests, route="other", method="GET", status="404") == 1
    assert value(samples, requests, route="/v1/articles/{id}", method="GET", status="404") == 1
    assert value(samples, requests, route="/v1/ask", method="other", status="405") == 1
    assert value(samples, requests, route="/v1/ask", method="POST", status="200") == 1


@pytest.mark.parametrize("path", [path for _, path in SCOPED])
def test_every_route_is_named_as_the_table_names_it(path: str):
    assert route_of(re.sub(r"{.*}", "x", path)) == path


async def test_an_error_that_nobody_foresaw_is_counted_as_the_500_that_it_is():
    async with client(FakeService(script=[KeyError("odd")])) as http:
        await http.post("/v1/ask", json={"question": "Why?"})
        samples = await scraped(http)
    label = {"route": "/v1/ask", "method": "POST"}
    assert value(samples, "dateline_requests_total", status="500", **label) == 1
    assert value(samples, "dateline_request_duration_seconds_count", **label) == 1
    assert value(samples, "dateline_answers_total", status="failed", model="none") == 1


async def test_a_stream_that_ends_with_an_error_is_a_failed_answer():
    script = [*EVENTS[:3], LibraryError("gone")]
    async with client(FakeService(script=script)) as http:
        await http.post("/v1/ask", json={"question": "Why?", "stream": True})
        samples = await scraped(http)
    assert value(samples, "dateline_answers_total", status="failed", model="none") == 1
    assert value(samples, "dateline_answers_under_way") == 0
    assert value(samples, "dateline_time_to_first_sentence_seconds_count") == 1


async def test_an_answer_whose_reader_goes_away_is_abandoned_and_no_longer_under_way():
    reached, never = asyncio.Event(), asyncio.Event()

    class Waiting(FakeService):
        async def answer(self, question):
            yield EVENTS[0]
            reached.set()
            await never.wait()

    async with client(Waiting()) as http:
        asking = asyncio.ensure_future(http.post("/v1/ask", json={"question": "Why?"}))
        await reached.wait()
        assert value(await scraped(http), "dateline_answers_under_way") == 1
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        samples = await scraped(http)
    assert value(samples, "dateline_answers_under_way") == 0
    assert value(samples, "dateline_answers_total", status="abandoned", model="none") == 1
    label = {"route": "/v1/ask", "method": "POST", "status": "none"}
    assert value(samples, "dateline_requests_total", **label) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/ask", {"question": "Why?"}),
        ("/v1/ask", {"question": "Why?", "stream": True}),
        ("/v1/responses", {"input": "Why?"}),
        ("/v1/responses", {"input": "Why?", "stream": True}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Why?"}]}),
        (
            "/v1/chat/completions",
            {"messages": [{"role": "user", "content": "Why?"}], "stream": True},
        ),
    ],
)
async def test_each_answer_is_counted_once_whatever_its_form(path, body):
    answer = replace(
        ANSWER,
        model="some-llm",
        usage=Usage(11, 7),
        withheld=3,
        timings_ms=Timings(retrieve=100, generate=1900, total=2000),
    )
    service = FakeService(script=[*EVENTS[:-1], Finished(answer)])
    async with client(service) as http:
        await http.post(path, json=body)
        samples = await scraped(http)
    answers = {labels: n for (name, labels), n in samples.items() if name == ANSWERS and n}
    assert answers == {(("model", "llm"), ("status", "answered")): 1}
    assert value(samples, "dateline_sentences_total", outcome="shown") == 1
    assert value(samples, "dateline_sentences_total", outcome="withheld") == 3
    assert value(samples, "dateline_tokens_total", kind="prompt") == 11
    assert value(samples, "dateline_tokens_total", kind="completion") == 7
    assert value(samples, "dateline_time_to_first_sentence_seconds_count") == 1
    stages = {
        stage: value(samples, "dateline_stage_duration_seconds_sum", stage=stage)
        for stage in ("retrieve", "generate", "total")
    }
    assert stages == {"retrieve": 0.1, "generate": 1.9, "total": 2.0}


ANSWERS = "dateline_answers_total"


async def test_an_abstention_and_a_fallback_are_told_apart():
    answer = replace(abstention("Why?"), fallback="llm_unavailable")
    async with client(FakeService(script=[EVENTS[0], Finished(answer)])) as http:
        before = await scraped(http)
        await http.post("/v1/ask", json={"question": "Why?"})
        samples = await scraped(http)
    assert value(before, "dateline_fallbacks_total", kind="llm_unavailable") == 0
    assert value(samples, "dateline_fallbacks_total", kind="llm_unavailable") == 1
    assert value(samples, ANSWERS, status="abstained", model="extractive") == 1
    assert value(samples, "dateline_time_to_first_sentence_seconds_count") == 0


async def test_the_state_is_that_of_now():
    service = FakeService(ARTICLE, parts={"library": "ok: fine", "index": "degraded: being built"})
    async with client(service) as http:
        before = await scraped(http)
        service.parts = {"library": "ok", "index": "down: gone"}
        after = await scraped(http)
    state = "dateline_part_state"
    assert value(before, state, part="index", state="degraded") == 1
    assert value(before, state, part="index", state="down") == 0
    assert value(after, state, part="index", state="degraded") == 0
    assert value(after, state, part="index", state="down") == 1
    assert value(after, state, part="library", state="ok") == 1
    assert (value(after, "dateline_articles"), value(after, "dateline_chunks")) == (1, 2)
    assert value(after, "dateline_work_waiting") == 0


async def test_a_library_that_cannot_be_read_stops_no_scrape():
    class Failing(FakeService):
        async def counts(self):
            raise LibraryError("the disk is gone")

    async with client(Failing(parts={"library": "down: the disk is gone"})) as http:
        samples = await scraped(http)
    assert value(samples, "dateline_articles") != value(samples, "dateline_articles")  # NaN
    assert value(samples, "dateline_part_state", part="library", state="down") == 1


async def test_two_apps_in_a_process_do_not_count_together():
    async with client() as one, client() as other:
        await one.post("/v1/ask", json={"question": "Why?"})
        assert value(await scraped(one), ANSWERS, status="answered", model="extractive") == 1
        assert value(await scraped(other), ANSWERS, status="answered", model="extractive") == 0


async def test_the_version_served_is_told():
    app = create_app(FakeService())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as http:
        assert value(await scraped(http), "dateline_build_info", version=app.version) == 1


async def test_the_documentation_names_the_metrics_that_are_served():
    text = (ROOT / "docs" / "operations.md").read_text().partition("## Metrics")[2]
    named = set(re.findall(r"\bdateline_[a-z_]+\b", text))
    service = FakeService(ARTICLE, script=EVENTS, evidence=EVIDENCE)
    async with client(service) as http:
        await http.post("/v1/ask", json={"question": "Why?"})
        served = {name for name, _ in await scraped(http)}
    documented = {name for name in named if not name.startswith("dateline_process_")}
    bare = {re.sub("_(bucket|sum|count)$", "", name) for name in served}
    assert {name for name in bare if not name.startswith("dateline_process_")} == {
        re.sub("_bucket$", "", name) for name in documented
    }
    assert all(name.startswith("dateline_") for name in served)
