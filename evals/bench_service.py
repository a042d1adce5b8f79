"""The service over sockets, beside the same load sent straight to a scripted LLM:
`make bench-service`, `python -m evals.bench_service --help`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from evals.bench_replies import Reply, decided_at, prepare
from evals.scripted_llm import Script
from evals.serving import Clients, Heard, Started, served, started

PARTS = ("first", "cpu", "streams", "memory", "keyless")
_WORKERS = 4
_SAMPLES = 50
_LINE = "\r" if sys.stderr.isatty() else "\n"
_WARM_UP = 0.2  # of the requests: pools fill, caches reach their size


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result: ours, the same for the LLM asked directly, and the most allowed of
    their difference; None where there is no such thing."""

    name: str
    unit: str
    ours: float
    direct: float | None = None
    bound: float | None = None

    @property
    def difference(self) -> float:
        """What the service adds."""
        return self.ours - (self.direct or 0.0)

    def line(self) -> str:
        """The table's line."""
        direct = "" if self.direct is None else f"{self.direct:10.2f}"
        line = f"{self.name:52}{self.ours:10.2f}{direct:>10}{self.difference:12.2f}  {self.unit:10}"
        if self.bound is None:
            return line.rstrip()
        return f"{line} ≤ {self.bound:g}: {'holds' if self.difference <= self.bound else 'BROKEN'}"


@dataclass(frozen=True, slots=True)
class Bench:
    """What the measurements share."""

    clients: Clients
    service: Started
    replies: Sequence[Reply]

    def reply(self, number: int) -> Reply:
        """What is asked, the replies in turns."""
        return self.replies[number % len(self.replies)]

    def script(self, pieces: Callable[[Reply], Sequence[str]], **pace: Any) -> Script:
        """The replies in these pieces."""
        return Script({reply.question: pieces(reply) for reply in self.replies}, **pace)


async def bench_first(bench: Bench, questions: int) -> Iterator[Figure]:
    """From the question to the first sentence, one question at a time."""
    two = partial(Reply.pieces, count=2)
    await bench.clients.direct(bench.script(two, interval_s=0.002, delay_s=0.05))
    rows = []
    for number in range(questions):
        reply = bench.reply(number)
        whole = decided_at(two(reply))[0]
        heard = await bench.clients.ask(reply.question)
        straight = await bench.clients.complete(reply.question)
        (asked, sent), (asked_direct, sent_direct) = (await bench.clients.said())[-2:]
        row = first_sentence(heard, asked, sent[whole], reply)
        came = straight.times("piece")[whole]
        rows.append([*row, asked_direct - straight.asked, came - sent_direct[whole]])
    return _first_figures(1000 * np.array(rows))


def first_sentence(heard: Heard, asked: float, sent: float, reply: Reply) -> list[float]:
    """The seconds that went to retrieval, to the LLM (from its request to its sending of the piece
    that ends the first sentence; the passages are read meanwhile) and to verification; then those
    of the service itself: before retrieval, from there to the LLM's request, and from the LLM's
    piece to the client."""
    if heard.failed or not heard.answer or not heard.times("sentence"):
        raise RuntimeError(f"no first sentence: {heard.answer}")
    begun = heard.times("start")[0]
    retrieve = heard.answer["timings_ms"]["retrieve"] / 1000
    before, between = begun - heard.asked, asked - begun - retrieve
    after = heard.times("sentence")[0] - sent - reply.verify_s
    return [retrieve, sent - asked, reply.verify_s, before, between, after]


def _first_figures(ms: NDArray[np.float64]) -> Iterator[Figure]:
    names = ("retrieval", "the LLM", "verification")
    for column, name in enumerate(names):
        yield Figure(f"first sentence, {name}, p50", "ms", np.median(ms[:, column]))
    before, between, after, asking, telling = np.median(ms[:, 3:], axis=0)
    yield Figure("first sentence, to begin, p50", "ms", before)
    yield Figure("first sentence, prompt and asking the LLM, p50", "ms", between, asking)
    yield Figure("first sentence, from the LLM to the client, p50", "ms", after, telling)
    ours, direct = ms[:, 3:6].sum(axis=1), ms[:, 6:].sum(axis=1)
    p95 = np.percentile(ours, 95), np.percentile(direct, 95)
    yield Figure("first sentence, all three, p50", "ms", np.median(ours), np.median(direct))
    yield Figure("first sentence, all three, p95", "ms", *p95, bound=10)


async def bench_cpu(bench: Bench, questions: int) -> Iterator[Figure]:
    """CPU time of a streamed token: the same replies in tokens and in whole sentences, so that what
    a question and its sentences cost, retrieval and verification, falls out."""
    ours, direct = np.zeros(2), np.zeros(2)
    tokens = np.zeros(2)
    for number in range(questions):
        question = bench.reply(number).question
        for kind, pieces in enumerate((Reply.pieces, Reply.whole)):
            await bench.clients.direct(bench.script(pieces, interval_s=0.001))
            tokens[kind] += len(pieces(bench.reply(number)))
            ours[kind] += await _cpu_of(bench.service.cpu_s, bench.clients.ask, question)
            direct[kind] += await _cpu_of(time.process_time, bench.clients.complete, question)
    streamed = tokens[0] - tokens[1]
    per_token = 1e6 * (ours[0] - ours[1]) / streamed, 1e6 * (direct[0] - direct[1]) / streamed
    whole = 1000 * ours[1] / questions, 1000 * direct[1] / questions
    figures = [
        Figure("CPU of a streamed token", "µs", *per_token, bound=80),
        Figure("CPU of an answer but for its tokens", "ms", *whole),
        Figure("tokens of an answer", "", tokens[0] / questions),
    ]
    return iter(figures)


async def _cpu_of(
    clock: Callable[[], float], ask: Callable[[str], Awaitable[Heard]], question: str
) -> float:
    before = clock()
    await ask(question)
    return clock() - before


async def bench_streams(bench: Bench, streams: int, tokens_a_second: float) -> Iterator[Figure]:
    """So many answers at once, their tokens sent at that pace once all of them are asked."""
    pace = 1 / tokens_a_second
    script = bench.script(Reply.pieces, interval_s=pace, together=streams, spread_s=25 * pace)
    asked = [bench.reply(number) for number in range(streams)]
    whole = [decided_at(reply.pieces()) for reply in asked]

    cpu = bench.service.cpu_s()
    await bench.clients.direct(script)
    heard = await asyncio.gather(*(bench.clients.ask(reply.question) for reply in asked))
    cpu = bench.service.cpu_s() - cpu
    errors = sum(one.failed for one in heard)
    came = [one.times("sentence") for one in heard]
    lost = sum(map(len, whole)) - sum(map(len, came))
    ours = beyond_source(came, await _sent(bench, heard, whole))

    await bench.clients.direct(script)
    heard = await asyncio.gather(*(bench.clients.complete(reply.question) for reply in asked))
    came = [_at(places, one.times("piece")) for one, places in zip(heard, whole, strict=True)]
    direct = beyond_source(came, await _sent(bench, heard, whole))

    (p50, p99), (d50, d99) = (np.percentile(1000 * one, [50, 99]) for one in (ours, direct))
    figures = [
        Figure(f"{streams} streams: errors", "", errors, bound=0),
        Figure(f"{streams} streams: sentences that did not come", "", lost, bound=0),
        Figure(f"{streams} streams: gap beyond the source, p50", "ms", p50, d50),
        Figure(f"{streams} streams: gap beyond the source, p99", "ms", p99, d99, bound=100),
        Figure(f"{streams} streams: CPU of the service", "s", cpu),
    ]
    return iter(figures)


async def _sent(
    bench: Bench, heard: Sequence[Heard], whole: Sequence[Sequence[int]]
) -> list[list[float]]:
    """When the LLM sent these pieces of what was heard."""
    said = await bench.clients.said()
    return [_at(p, said[one.request - 1][1]) for one, p in zip(heard, whole, strict=True)]


def _at(places: Sequence[int], times: Sequence[float]) -> list[float]:
    return [times[place] for place in places]


def beyond_source(
    came: Sequence[Sequence[float]], sent: Sequence[Sequence[float]]
) -> NDArray[np.float64]:
    """By how much each gap between a client's events is longer than that between their sending;
    streams that lost any are left out."""
    whole = [(c, s) for c, s in zip(came, sent, strict=True) if len(c) == len(s)]
    return np.concatenate([np.diff(c) - np.diff(s) for c, s in whole])


async def bench_memory(
    name: str, memory_mb: Callable[[], float], ask: Callable[[int], Awaitable[object]], count: int
) -> float:
    """How many megabytes a thousand requests leave behind, a few at a time, after a warm-up."""
    taken: list[tuple[int, float]] = []
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await ask(number)
            if number % max(1, count // _SAMPLES) == 0:
                taken.append((number, memory_mb()))
                told = f"{name}: {number} of {count}, {taken[-1][1]:.1f} MB"
                print(told, end=_LINE, file=sys.stderr, flush=True)

    await asyncio.gather(*(work() for _ in range(_WORKERS)))
    return 1000 * slope([one for one in sorted(taken) if one[0] >= _WARM_UP * count])


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the line nearest to the points by least squares."""
    x, y = np.array(points, dtype=float).T
    return float(np.polyfit(x, y, 1)[0])


async def measure(parts: Sequence[str], options: argparse.Namespace) -> AsyncGenerator[Figure]:
    """The figures of these parts, each once it is measured."""
    async with AsyncExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory())
        data = Path(folder) / "data"
        replies = await prepare(data)
        llm = await opened.enter_async_context(started("evals.scripted_llm"))
        async with served(data, llm) as service, Clients(service, llm) as clients:
            bench = Bench(clients, service, replies)
            await bench_first(bench, len(replies))  # warms up both sides
            if "first" in parts:
                for figure in await bench_first(bench, options.questions):
                    yield figure
            if "cpu" in parts:
                for figure in await bench_cpu(bench, options.questions):
                    yield figure
            if "streams" in parts:
                for figure in await bench_streams(bench, options.streams, options.pace):
                    yield figure
            if "memory" in parts:
                await _fall_back(bench)
                await clients.direct(bench.script(partial(Reply.pieces, count=3)))
                yield await _memory(bench, "with the LLM", options.requests, llm=True)
        logged = list(service.logged)
        if "keyless" in parts:
            async with served(data, None) as service, Clients(service, llm) as clients:
                bench = Bench(clients, service, replies)
                yield await _memory(bench, "keyless", options.requests, llm=False)
            logged += service.logged
    traces = sum("Traceback" in line for line in logged)
    yield Figure("tracebacks in the log", "", traces, bound=0)


async def _fall_back(bench: Bench) -> None:
    """Have each question answered without the LLM too, whose sentences it takes not: some of the
    questions to come find other passages than their replies are from."""
    await bench.clients.direct(bench.script(lambda _: ["Nothing of this stands anywhere. "]))
    for reply in bench.replies:
        await bench.clients.ask(reply.question)


async def _memory(bench: Bench, name: str, requests: int, *, llm: bool) -> Figure:
    async def ask(number: int) -> None:  # no question comes twice: caches fill up
        await bench.clients.ask(f"{bench.reply(number).question} ({number})")

    async def complete(number: int) -> None:
        await bench.clients.complete(bench.reply(number).question)

    own = psutil.Process()
    ours = await bench_memory(name, bench.service.memory_mb, ask, requests)
    direct = None
    if llm:
        clients_mb = lambda: float(own.memory_info().rss) / 1e6  # noqa: E731
        direct = await bench_memory("the openai client alone", clients_mb, complete, requests)
    return Figure(f"memory of 1,000 requests, {name}", "MB", ours, direct, bound=1)


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench_service", description=__doc__)
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="what is measured")
    parser.add_argument("--questions", type=int, default=100, help="asked one after the other")
    parser.add_argument("--streams", type=int, default=200, help="answers that stream at once")
    parser.add_argument("--pace", type=float, default=10, help="tokens a second of each of them")
    parser.add_argument("--requests", type=int, default=10_000, help="for the slope of memory")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    asyncio.run(_print(options))


async def _print(options: argparse.Namespace) -> None:
    found = []
    if not options.json:
        print(f"{'':52}{'service':>10}{'direct':>10}{'difference':>12}")
    async with aclosing(measure(options.only, options)) as figures:
        async for figure in figures:
            found.append({**asdict(figure), "difference": figure.difference})
            if not options.json:
                print(figure.line(), flush=True)
    if options.json:
        print(json.dumps({"figures": found}, ensure_ascii=False))


if __name__ == "__main__":
    main()
