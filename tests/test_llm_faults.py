"""Answers over an LLM that fails in every way: one comes each time, in time, and nothing leaks."""

import asyncio
import os
import socket
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from api.app import create_app
from rag.answering import Answerer, Generation
from rag.bootstrap import Parts, open_service
from rag.extractive import Extractor
from rag.llm import OpenAIModel
from rag.llm.breaker import CircuitBreaker
from rag.prompting import load_prompt
from rag.settings import Settings
from rag.types import Answer, Article, Evidence, Finished, Passage, Question
from tests.fakes import FakeAnalyser, FakeEmbedder
from tests.faulty_llm import AFTER_TEXT, BEFORE_TEXT, FAULTS, HARMLESS, TRUE, UNSUPPORTED, FaultyLLM
from tests.http_samples import BASE, server_sent

pytestmark = pytest.mark.slow

T = TypeVar("T")

STREAMS = 50
AT_ONCE = 10
DEADLINE_S = 0.4
MARGIN_S = 0.25
KEY = "sk-a-secret-of-ours"
COST = TRUE.partition(" [")[0]
TEXT = f"{COST} [1]"
ARTICLE = Article("bridge", f"{COST}\nRain fell on the market.\n", title="Bridge opens")
PASSAGE = Passage(1, 1.0, "bridge", "bridge:0", ARTICLE.text, 0, len(ARTICLE.text))
QUESTION = Question("What did the harbour bridge cost in all?")
EXTRACTED = (TEXT, "llm_unavailable", "extractive")


class Found:
    """A retriever that always finds the one article."""

    async def retrieve(self, question: Question, limit: int, budget_tokens: int) -> Evidence:
        return Evidence((PASSAGE,), {"bridge": ARTICLE})


@pytest.fixture(scope="module")
def llm() -> Iterator[FaultyLLM]:
    with FaultyLLM() as served:
        yield served


def model_at(address: str, failures: float = float("inf")) -> OpenAIModel:
    """A model whose circuit breaker does not open, so that each stream meets the fault."""
    breaker = CircuitBreaker(failures)
    return OpenAIModel("m", address, KEY, DEADLINE_S, backoff_s=0.001, breaker=breaker)


async def crowd(ask: Callable[[], Awaitable[T]]) -> list[T]:
    """Many streams, some at once, each within the deadline; they leave nothing open."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> T:
        async with gate:
            began = time.monotonic()
            came = await ask()
            assert time.monotonic() - began <= DEADLINE_S + MARGIN_S
            return came

    sockets, tasks = open_sockets(), asyncio.all_tasks()
    came = await asyncio.gather(*[one() for _ in range(STREAMS)])
    assert await eventually(lambda: asyncio.all_tasks() <= tasks), asyncio.all_tasks() - tasks
    assert await eventually(lambda: open_sockets() <= sockets), "sockets are left open"
    return came


async def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold within two seconds: sockets and tasks end a moment later."""
    until = time.monotonic() + 2
    while not holds() and time.monotonic() < until:
        await asyncio.sleep(0.005)
    return holds()


def open_sockets() -> int:
    """Those of the server too: a connection that one side forgot is open at the other."""
    sockets = 0
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # that of the listing itself
            sockets += stat.S_ISSOCK(os.fstat(int(name)).st_mode)
    return sockets


async def answers_at(address: str) -> list[Answer]:
    """What many streams at once are answered."""
    model, embedder, analyser = model_at(address), FakeEmbedder(), FakeAnalyser()
    generation = Generation(model, load_prompt("answer"), 1000, 100)
    answerer = Answerer(Found(), Extractor(embedder, analyser), analyser, generation)

    async def ask() -> Answer:
        events = [event async for event in answerer.answer(QUESTION)]
        assert [isinstance(event, Finished) for event in events].index(True) == len(events) - 1
        return events[-1].answer

    try:
        answers = await crowd(ask)
    finally:
        await model.aclose()
    assert all(answer.status == "answered" for answer in answers)
    return answers


def outcomes(answers: list[Answer]) -> set[tuple[str, str | None, str]]:
    return {(answer.text, answer.fallback, answer.model) for answer in answers}


def expected(fault: str) -> tuple[str, str | None, str]:
    if fault in BEFORE_TEXT:
        return EXTRACTED
    if fault in UNSUPPORTED:
        return (TEXT, "llm_unsupported", "extractive")
    if fault in AFTER_TEXT:
        return (TEXT, "llm_unavailable", "m")
    assert fault in HARMLESS
    return (TEXT, None, "m")


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_ends_in_one_answer_in_time(fault: str, llm: FaultyLLM):
    answers = await answers_at(llm.address(fault))
    assert outcomes(answers) == {expected(fault)}
    assert not llm.elsewhere, "a redirect was followed"


async def test_a_refused_connection_ends_in_one_answer_in_time():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answers = await answers_at(f"http://127.0.0.1:{unused.getsockname()[1]}/v1")
    assert outcomes(answers) == {EXTRACTED}


async def test_a_server_without_tls_ends_in_one_answer_in_time(llm: FaultyLLM):
    assert outcomes(await answers_at(llm.address("status 500", "https"))) == {EXTRACTED}


async def test_a_name_without_address_ends_in_one_answer_in_time():
    assert outcomes(await answers_at("http://llm.invalid/v1")) == {EXTRACTED}


async def test_a_host_that_swallows_packets_ends_in_one_answer_in_time():
    with socket.socket() as full, socket.socket() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting.connect(full.getsockname())  # the backlog is full: nobody else gets in
        answers = await answers_at(f"http://127.0.0.1:{full.getsockname()[1]}/v1")
    assert outcomes(answers) == {EXTRACTED}
