import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest

from rag.errors import LanguageModelError
from rag.llm import OpenAIModel
from rag.llm.breaker import CircuitBreaker, RetryBudget
from tests.scripted_llm import Reply, ScriptedLLM, Status

OUTAGE = LanguageModelError("down", outage=True)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    return Clock()


def meet(breaker: CircuitBreaker, *endings: BaseException | None) -> None:
    gone = (asyncio.CancelledError, GeneratorExit)
    for ending in endings:
        with suppress(LanguageModelError, *gone), breaker.attempt("LLM"):
            if ending:
                raise ending


def refused(breaker: CircuitBreaker) -> bool:
    try:
        with breaker.attempt("LLM"):
            raise asyncio.CancelledError
    except LanguageModelError:
        return True
    except asyncio.CancelledError:
        return False


def test_failures_in_a_row_open_it_until_a_probe_comes_whole(clock: Clock) -> None:
    breaker = CircuitBreaker(3, 15, clock)
    meet(breaker, OUTAGE, OUTAGE, None, OUTAGE, OUTAGE)
    assert not breaker.open, "a whole reply starts the count anew"
    meet(breaker, OUTAGE)
    assert breaker.open
    assert refused(breaker)
    clock.now += 15
    meet(breaker, OUTAGE)
    assert refused(breaker), "a probe that fails opens it again"
    clock.now += 15
    meet(breaker, None)
    assert not breaker.open
    assert not refused(breaker)


def test_faults_of_a_request_and_readers_that_go_count_as_nothing(clock: Clock) -> None:
    breaker = CircuitBreaker(2, 15, clock)
    for ending in (LanguageModelError("too long"), asyncio.CancelledError(), GeneratorExit()):
        meet(breaker, OUTAGE, ending, None)
        meet(breaker, ending, ending, ending)
        assert not breaker.open
    meet(breaker, OUTAGE, asyncio.CancelledError(), OUTAGE)
    assert breaker.open, "nor do they start the count anew"


def test_one_probe_at_a_time_is_let_in_and_one_that_is_left_is_none(clock: Clock) -> None:
    breaker = CircuitBreaker(1, 15, clock)
    meet(breaker, OUTAGE)
    clock.now += 15
    with suppress(asyncio.CancelledError), breaker.attempt("LLM"):
        assert refused(breaker), "another one is under way"
        raise asyncio.CancelledError
    assert breaker.open
    assert not refused(breaker), "the next may try"


def test_one_that_began_before_the_outage_does_not_prolong_it(clock: Clock) -> None:
    breaker = CircuitBreaker(1, 15, clock)
    with suppress(LanguageModelError), breaker.attempt("LLM"):
        meet(breaker, OUTAGE)
        clock.now += 14
        raise OUTAGE
    clock.now += 1
    assert not refused(breaker)


def test_a_tenth_of_the_requests_may_be_made_again() -> None:
    budget = RetryBudget()
    assert sum(budget.spend() for _ in range(50)) == 10
    for _ in range(100):
        budget.earn()
    assert sum(budget.spend() for _ in range(50)) == 10


async def test_an_outage_is_not_multiplied_by_retries() -> None:
    with ScriptedLLM([Status(503)]) as llm:
        breaker = CircuitBreaker(float("inf"))
        model = OpenAIModel("m", llm.base_url, backoff_s=0.0001, breaker=breaker)
        for _ in range(60):
            with pytest.raises(LanguageModelError, match="503"):
                await anext(model.stream([("user", "hi")], 5))
        await model.aclose()
        assert len(llm.requests) <= 60 + 10 + 6


async def test_it_answers_again_after_an_outage() -> None:
    clock = Clock()
    with ScriptedLLM([*[Status(401)] * 2, Reply("Yes.")]) as llm:
        model = OpenAIModel("m", llm.base_url, breaker=CircuitBreaker(2, 15, clock))
        for match in ("401", "401", "2 failures in a row"):
            with pytest.raises(LanguageModelError, match=match):
                await anext(model.stream([("user", "hi")], 5))
        assert model.state.startswith("degraded: ")
        clock.now += 15
        pieces = [piece async for piece in model.stream([("user", "hi")], 5)]
        assert pieces[0] == "Yes."
        assert model.state == "ok: m"
        await model.aclose()
