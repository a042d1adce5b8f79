"""Answers over an LLM that fails in every way: one comes each time, in time, and nothing leaks."""

import asyncio
import os
import socket
import stat
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

import rag.llm.connection  # noqa: F401  takes a second, once, which is no fault's time
from api.app import create_app
from rag.answering import Answerer
from rag.bootstrap import Parts, open_service
from rag.condensing import Condenser
from rag.llm import OpenAIModel
from rag.llm.breaker import CircuitBreaker
from rag.prompting import load_prompt
from rag.settings import Settings
from rag.types import Answer, Article, Claim, Evidence, Finished, Passage, Question, Usage
from rag.verification.reading import Reading
from rag.writing import Generation
from tests.fakes import FakeAnalyser, FakeEmbedder
from tests.faulty_llm import AFTER_TEXT, BEFORE_TEXT, FAULTS, HARMLESS, TRUE, UNSUPPORTED, FaultyLLM
from tests.http_samples import BASE, server_sent

pytestmark = pytest.mark.slow

T = TypeVar("T")

STREAMS = 50
AT_ONCE = 10
DEADLINE_S = 0.4
READ_S = 1.5  # in which a busy machine reads what comes before a hang
AMPLE_S = 5.0  # for replies that end by themselves, so that a busy machine does not cut them
MARGIN_S = 0.25
KEY = "sk-a-secret-of-ours"
COST = TRUE.partition(" [")[0]
TEXT = f"{COST} [1]"
ARTICLE = Article("bridge", f"{COST}\nRain fell on the market.\n", title="Bridge opens")
PASSAGE = Passage(1, 1.0, "bridge", "bridge:0", ARTICLE.text, 0, len(ARTICLE.text))
QUESTION = Question("What did the harbour bridge cost in all?")
EXTRACTED = (TEXT, "llm_unavailable", "extractive")


class Found:
    """A retriever that always finds the one article, and an extractor of its first sentence."""

    async def retrieve(self, question: Question, limit: int, budget_tokens: int) -> Evidence:
        return Evidence((PASSAGE,), {"bridge": ARTICLE})

    def extract(
        self, question: Question, readings: Sequence[Reading], confidence: float | None = None
    ) -> list[Claim]:
        return [Claim(COST)]


class Lateness:
    """By how much the event loop's timers were late: seconds that a busy machine took."""

    def __init__(self) -> None:
        self._lost, self._due = 0.0, time.monotonic()

    def so_far(self) -> float:
        """In sum, that of the timer that is overdue included."""
        return self._lost + max(0.0, time.monotonic() - self._due)

    async def measure(self) -> None:
        """Until this is cancelled."""
        while True:
            self._due = time.monotonic() + 0.02
            await asyncio.sleep(0.02)
            self._lost = self.so_far()


class Timed:
    """A model that notes how long each reply kept its reader, on a machine that is not busy."""

    def __init__(self, model: OpenAIModel, late: Lateness) -> None:
        self.model, self.state = model.model, model.state
        self._late = late
        self.took: list[float] = []
        self._stream = model.stream

    async def stream(
        self, messages: Sequence[tuple[str, str]], max_tokens: int
    ) -> AsyncGenerator[str | Usage]:
        began = time.monotonic() - self._late.so_far()
        try:
            async with aclosing(self._stream(messages, max_tokens)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            self.took.append(time.monotonic() - self._late.so_far() - began)


@pytest.fixture(scope="module", autouse=True)
def llm() -> Iterator[FaultyLLM]:
    with FaultyLLM() as served:
        asyncio.run(warmed_up(served.address("no terminal chunk")))
        yield served


async def warmed_up(address: str) -> None:
    """What is imported with the first reply is no part of the times."""
    model = OpenAIModel("m", address, KEY)
    assert [piece async for piece in model.stream([("user", "hi")], 10)]
    await model.aclose()


def model_at(
    address: str, failures: float = float("inf"), deadline_s: float = DEADLINE_S
) -> OpenAIModel:
    """A model whose circuit breaker does not open, so that each stream meets the fault."""
    breaker = CircuitBreaker(failures)
    return OpenAIModel("m", address, KEY, deadline_s, backoff_s=0.001, breaker=breaker)


async def crowd(ask: Callable[[], Awaitable[T]], late: Lateness) -> list[T]:
    """Many streams, some at once, which leave nothing open."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> T:
        async with gate:
            return await ask()

    sockets, tasks = open_sockets(), asyncio.all_tasks()
    measured = asyncio.create_task(late.measure())
    came = await asyncio.gather(*[one() for _ in range(STREAMS)])
    measured.cancel()
    assert await eventually(lambda: asyncio.all_tasks() <= tasks), asyncio.all_tasks() - tasks
    assert await eventually(lambda: open_sockets() <= sockets), "sockets are left open"
    return came


async def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold soon: sockets end a moment later, those of resolvers seconds."""
    until = time.monotonic() + 20
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


async def answers_at(address: str, deadline_s: float = DEADLINE_S) -> list[Answer]:
    """What many streams at once are answered."""
    model = model_at(address, deadline_s=deadline_s)
    late = Lateness()
    timed = Timed(model, late)
    generation = Generation(timed, load_prompt("answer"), 1000, 100)
    answerer = Answerer(Found(), Found(), FakeAnalyser(), Condenser(FakeAnalyser()), generation)

    async def ask() -> Answer:
        events = [event async for event in answerer.answer(QUESTION)]
        assert [isinstance(event, Finished) for event in events].index(True) == len(events) - 1
        return events[-1].answer

    try:
        answers = await crowd(ask, late)
    finally:
        await model.aclose()
    assert all(answer.status == "answered" for answer in answers)
    assert len(timed.took) == STREAMS
    assert max(timed.took) <= deadline_s + MARGIN_S
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


# The HTTP client's own generators, left where a reply broke off, now and then meet the garbage
# collector while they are being closed.
@pytest.mark.filterwarnings(
    "ignore:.*AsyncResponseStream.__aiter__:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_ends_in_one_answer_in_time(fault: str, llm: FaultyLLM):
    deadline_s = READ_S if "hang" in fault else AMPLE_S
    if fault in BEFORE_TEXT:
        deadline_s = DEADLINE_S
    answers = await answers_at(llm.address(fault), deadline_s)
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


async def test_a_reset_after_a_sentence_keeps_what_was_shown(llm: FaultyLLM):
    answers = await answers_at(llm.address("a sentence, then a reset"))
    assert outcomes(answers) <= {EXTRACTED, (TEXT, "llm_unavailable", "m")}  # as it was read


@asynccontextmanager
async def served(data: Path, address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole service, whose LLM is at the address."""
    parts = Parts(embedder=FakeEmbedder(), analyser=FakeAnalyser(), model=model_at(address, 5))
    settings = Settings(_env_file=None, data_dir=data, chroma_url=None)
    async with open_service(settings, parts) as service:
        await service.put_article(ARTICLE)
        transport = httpx.ASGITransport(create_app(service))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as http:
            yield http


WHOLE_SERVICE = ["status 503", "hang after the head", "half a sentence, then a reset", "no HTTP"]


@pytest.mark.parametrize("fault", WHOLE_SERVICE)
async def test_the_service_answers_on_all_routes_and_is_degraded_but_ready(
    fault: str, llm: FaultyLLM, tmp_path: Path
):
    async with served(tmp_path, llm.address(fault)) as http:
        for _ in range(2):
            stream = await http.post("/v1/ask", json={"question": QUESTION.text, "stream": True})
            names, data = zip(*server_sent(stream.text), strict=True)
            assert names == ("start", "passages", "sentence", "done")
            assert (data[-1]["text"], data[-1]["fallback"]) == (TEXT, "llm_unavailable")
            body = {"model": "dateline", "messages": [{"role": "user", "content": QUESTION.text}]}
            chat = await http.post("/v1/chat/completions", json=body)
            assert chat.json()["choices"][0]["message"]["content"] == TEXT
            body = {"model": "dateline", "input": QUESTION.text}
            response = await http.post("/v1/responses", json=body)
            assert response.json()["status"] == "completed"
        asked = llm.asked
        assert (await http.post("/v1/ask", json={"question": QUESTION.text})).status_code == 200
        assert llm.asked == asked, "an outage is known, and the LLM is spared"
        ready = await http.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    said = ready.json()["parts"]["answerer"]
    assert said == "degraded: the LLM 'm' does not answer; answers are extractive"
