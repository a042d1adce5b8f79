"""What Prometheus is told: requests, answers, and the state that the service is in.

Labels take few values: never a question, an id, or what else a caller may choose.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from rag.types import Answer, AnswerEvent, Finished, SentenceReady

STATES = ("ok", "degraded", "down")
"""Of a part, as `/readyz` names them."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_STATUSES = {"answered": True, "abstained": True, "failed": False, "abandoned": False}
_FALLBACKS = ("llm_unavailable", "llm_unsupported", "llm_refused")


class Metrics:
    """The metrics of one app, in a registry of their own."""

    def __init__(self, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when each series began: twice the series, and nobody asks
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "dateline_requests",
            "Requests answered, by route, method and status",
            ["route", "method", "status"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "dateline_request_duration_seconds",
            "From a request's head to the end of its response, a stream's too",
            ["route", "method"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._answers = _Answers(registry)
        self._state = _State(registry)
        Info("dateline_build", "The version served", registry=registry).info({"version": version})
        ProcessCollector(namespace="dateline", registry=registry)

    def request(self, route: str, method: str, status: str, seconds: float) -> None:
        """Count a request that has ended; `status` is "none" if no response began."""
        self._requests.labels(route, method, status).inc()
        self._request_seconds.labels(route, method).observe(seconds)

    def answer(self, events: AsyncGenerator[AnswerEvent]) -> AsyncGenerator[AnswerEvent]:
        """The events of an answer, counted as they go by."""
        return self._answers.counted(events)

    def text(self, parts: Mapping[str, str], stored: tuple[int, int] | None, waiting: int) -> bytes:
        """All metrics in Prometheus's text format, with the state of now.

        `parts` is the service's readiness, `stored` how many articles and chunks there are, None
        if that is not known, `waiting` how many pieces of work wait for a core.
        """
        self._state.set(parts, stored, waiting)
        return generate_latest(self._registry)


class _Answers:
    """What answers were, and how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answers = Counter(
            "dateline_answers",
            "Answers by how they ended, and by what wrote them",
            ["status", "model"],
            registry=registry,
        )
        self._fallbacks = Counter(
            "dateline_fallbacks", "Answers without the LLM's words", ["kind"], registry=registry
        )
        self._sentences = Counter(
            "dateline_sentences", "Sentences shown or withheld", ["outcome"], registry=registry
        )
        self._tokens = Counter(
            "dateline_tokens", "Tokens as the LLM endpoint counts them", ["kind"], registry=registry
        )
        self._first_sentence = Histogram(
            "dateline_time_to_first_sentence_seconds",
            "From the question to its first verified sentence",
            buckets=_SECONDS,
            registry=registry,
        )
        self._stages = Histogram(
            "dateline_stage_duration_seconds",
            "Time that the stages of an answer took",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._under_way = Gauge(
            "dateline_answers_under_way", "Answers being made now", registry=registry
        )
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Rates need a first value: a series that begins at 1 has not risen."""
        for status, has_model in _STATUSES.items():
            for model in ("extractive", "llm") if has_model else ("none",):
                self._answers.labels(status, model)
        for kind in _FALLBACKS:
            self._fallbacks.labels(kind)
        for outcome in ("shown", "withheld"):
            self._sentences.labels(outcome)
        for kind in ("prompt", "completion"):
            self._tokens.labels(kind)

    async def counted(self, events: AsyncGenerator[AnswerEvent]) -> AsyncGenerator[AnswerEvent]:
        """The events; an answer whose reader goes away before its end is `abandoned`."""
        began, first, answer = time.perf_counter(), True, None
        unfinished = "failed"
        self._under_way.inc()
        try:
            async with aclosing(events):
                async for event in events:
                    if first and isinstance(event, SentenceReady):
                        first = False
                        self._first_sentence.observe(time.perf_counter() - began)
                    elif isinstance(event, Finished):
                        answer = event.answer
                    yield event
        except (GeneratorExit, asyncio.CancelledError):
            unfinished = "abandoned"
            raise
        finally:
            self._under_way.dec()
            if answer:
                self._count(answer)
            else:
                self._answers.labels(unfinished, "none").inc()

    def _count(self, answer: Answer) -> None:
        kind = "extractive" if answer.model == "extractive" else "llm"
        self._answers.labels(answer.status, kind).inc()
        if answer.fallback:
            self._fallbacks.labels(answer.fallback).inc()
        self._sentences.labels("shown").inc(len(answer.sentences))
        self._sentences.labels("withheld").inc(answer.withheld)
        self._tokens.labels("prompt").inc(answer.usage.prompt_tokens)
        self._tokens.labels("completion").inc(answer.usage.completion_tokens)
        for stage in ("retrieve", "generate", "total"):
            self._stages.labels(stage).observe(getattr(answer.timings_ms, stage) / 1000)


class _State:
    """What is true at the moment."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._parts = Gauge(
            "dateline_part_state",
            "1 for the state that a part is in, else 0",
            ["part", "state"],
            registry=registry,
        )
        self._articles = Gauge("dateline_articles", "Articles stored", registry=registry)
        self._chunks = Gauge("dateline_chunks", "Chunks stored", registry=registry)
        self._waiting = Gauge(
            "dateline_work_waiting", "Work that waits for a core", registry=registry
        )

    def set(self, parts: Mapping[str, str], stored: tuple[int, int] | None, waiting: int) -> None:
        """See `Metrics.text`."""
        for part, state in parts.items():
            for one in STATES:
                self._parts.labels(part, one).set(state.partition(":")[0] == one)
        articles, chunks = stored or (math.nan, math.nan)
        self._articles.set(articles)
        self._chunks.set(chunks)
        self._waiting.set(waiting)
