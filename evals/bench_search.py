"""Search in a synthetic library beside bare NumPy, bare FTS5 and exact search.

Each is measured in turns with what it is compared with, and ratios are of CPU time, which other
work on the machine changes least.
"""

from __future__ import annotations

import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from evals.synthetic import DAYS, OUTLETS, Synthetic, day, outlet
from rag.bootstrap import open_service
from rag.embedding import PACKAGED_MODEL
from rag.exact import ExactIndex
from rag.index import ChromaIndex
from rag.library import SqliteLibrary
from rag.ports import Vectors
from rag.service import Service
from rag.settings import Settings
from rag.types import Filters, Question

QUESTIONS = 100
POOL = 50  # chunks that each search is asked for
BATCH = 200  # articles put at a time

Filter = tuple[Filters, str | None]
T = TypeVar("T")


async def bench_search(chunks: int, folder: Path) -> None:
    """Print the speed of each part of a search, and of the whole, in a library of so many chunks:
    the one in `folder`, or a new one there."""
    data = Synthetic(chunks)
    settings = Settings(data_dir=folder / str(chunks))
    if not (settings.data_dir / "index").is_dir():
        _build(data, settings.data_dir)
    with closing(SqliteLibrary(settings.data_dir / "library.db")) as library:
        print(f"{'':42}ms: p50     p95   of CPU: p50     p95   to the baseline: p50   p95")
        bench_filters(data, library)
        bench_words(data, library, settings.data_dir / "library.db")
        bench_index(data, library, settings.data_dir / "index")
    async with open_service(settings) as service:
        await bench_service(data, service)
    unit = 1e6 if sys.platform == "darwin" else 1e3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(f"memory of the whole run, at most: {peak:.0f} MB")


def bench_filters(data: Synthetic, library: SqliteLibrary) -> None:
    """Filtered vector search, with the resolution of the filter, beside a matrix product and a
    partition over the same vectors, copied out for it."""
    exact = ExactIndex(library, PACKAGED_MODEL)
    queries = data.query_vectors(QUESTIONS)
    exact.search(queries[0], POOL)
    for name, filters in _filters().items():
        copies: list[Vectors] = []
        for one in filters:
            _, _, vectors = library.vectors_at(library.candidates(*one), PACKAGED_MODEL)
            copies.append(vectors)
        bare, ours = _Times(), _Times()
        for number, query in enumerate(queries):
            filter_, vectors = filters[number % len(filters)], copies[number % len(filters)]
            bare.of(partial(_bare_nearest, vectors, query))
            with ours:
                exact.search(query, POOL, library.candidates(*filter_))
        _print(f"filtered vectors, {name}", ours, bare)


def bench_words(data: Synthetic, library: SqliteLibrary, path: Path) -> None:
    """Lexical search, filtered and not, beside the plain query of FTS5 for the same words."""
    words = data.questions(QUESTIONS)
    filters: dict[str, list[Filter]] = {"unfiltered": [(Filters(), None)], **_filters()}
    bare, ours, found = _Times(), {name: _Times() for name in filters}, []
    with closing(sqlite3.connect(path)) as db:
        for number, terms in enumerate(words):
            best = bare.of(partial(_bare_words, db, terms))[:10]
            ids = library.vectors_at(np.array(best), PACKAGED_MODEL)[1]
            found.append(len(set(ids) & dict(library.lexical(terms, 10)).keys()) / max(1, len(ids)))
            for name, some in filters.items():
                within = library.candidates(*some[number % len(some)])
                ours[name].of(partial(library.lexical, terms, POOL, within))
    _print("bare FTS5", bare, bare)
    for name, times in ours.items():
        _print(f"words, {name}", times, bare)
    print(f"words, of bare FTS5's best ten: {np.mean(found):.4f}")


def bench_index(data: Synthetic, library: SqliteLibrary, folder: Path) -> None:
    """The vector index beside exact search: its speed, and how much of its best ten it finds."""
    exact = ExactIndex(library, PACKAGED_MODEL)
    index = ChromaIndex(library, PACKAGED_MODEL, folder)
    queries = data.query_vectors(QUESTIONS)
    for warmed in (exact, index):
        warmed.search(queries[0], POOL)
    bare, ours, found = _Times(), _Times(), []
    for query in queries:
        expected = bare.of(partial(exact.search, query, POOL))[:10]
        nearest = ours.of(partial(index.search, query, POOL))[:10]
        found.append(len(dict(expected).keys() & dict(nearest).keys()) / 10)
    index.close()
    _print("index, beside exact search", ours, bare)
    print(f"index, recall@10 against exact search: {np.mean(found):.4f}")


async def bench_service(data: Synthetic, service: Service) -> None:
    """The whole search, encoding and all, each question for the first time."""
    words = data.questions(QUESTIONS + 10)
    questions = ["what did " + " ".join(terms) + "?" for terms in words]
    filters: dict[str, list[Filter]] = {"unfiltered": [(Filters(), None)], **_filters()}
    for text in questions[QUESTIONS:]:  # loads the models
        await service.search(Question(text), 10)
    loading = _Times()
    with loading:
        await service.search(Question(questions[-1], as_of=day(DAYS)), 10)
    _print("first filtered search: loads all vectors", loading)
    for number, (name, some) in enumerate(filters.items()):
        times = _Times()
        for turn, text in enumerate(questions[number : QUESTIONS : len(filters)]):
            filter_, as_of = some[turn % len(some)]
            with times:
                await service.search(Question(text, filters=filter_, as_of=as_of), 10)
        _print(f"whole search, {name}", times)


def _filters() -> dict[str, list[Filter]]:
    """Filters by the part of the chunks that they let through; so many of each kind that the
    vectors that they let through do not all stay in the CPU's cache."""
    half = [tuple(outlet((n + k) % OUTLETS) for k in range(OUTLETS // 2)) for n in (0, 7, 29)]
    return {
        "2 % by outlet": [(Filters(outlets=(outlet(n),)), None) for n in range(OUTLETS)],
        "2 % by date": [
            (Filters(published_from=day(n), published_to=day(n + 19)), None)
            for n in range(0, DAYS, 20)
        ],
        "50 % by outlet": [(Filters(outlets=names), None) for names in half],
        "50 % by date": [(Filters(published_from=day(n)), None) for n in (480, 500, 520)],
        "45 % by outlet and as_of": [(Filters(outlets=names), day(900)) for names in half],
        "90 % by as_of": [(Filters(), day(n)) for n in (880, 900, 920)],
    }


def _bare_nearest(vectors: Vectors, query: Vectors) -> object:
    similarities = vectors @ query
    best = np.argpartition(similarities, -min(POOL, len(similarities)))[-POOL:]
    return best[np.argsort(-similarities[best])]


def _bare_words(db: sqlite3.Connection, terms: Sequence[str]) -> list[int]:
    match = " OR ".join(f'"{term}"' for term in terms)
    sql = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?"
    return [row for (row,) in db.execute(sql, [match, POOL])]


def _build(data: Synthetic, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    with closing(SqliteLibrary(folder / "library.db")) as library:
        entries = data.entries()
        while some := list(islice(entries, BATCH)):
            library.put(some, PACKAGED_MODEL)
        stored = time.perf_counter()
        print(f"stored   {data.chunks / (stored - began):8.0f} chunks/s")
        index = ChromaIndex(library, PACKAGED_MODEL, folder / "index")
        index.rebuild()
        index.close()
    print(f"indexed  {data.chunks / (time.perf_counter() - stored):8.0f} chunks/s")


class _Times:
    """How long each of some like pieces of work took, and how much CPU time, in milliseconds."""

    def __init__(self) -> None:
        self._taken: list[tuple[float, float]] = []

    def of(self, work: Callable[[], T]) -> T:
        """Do it."""
        with self:
            return work()

    def __enter__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        ended = time.perf_counter(), time.process_time()
        wall, cpu = (1000 * (end - start) for start, end in zip(self._began, ended, strict=True))
        self._taken.append((wall, cpu))

    def percentiles(self) -> list[list[float]]:
        """The medians and the 95th percentiles."""
        found: list[list[float]] = np.percentile(self._taken, [50, 95], axis=0).T.tolist()
        return found


def _print(name: str, ours: _Times, bare: _Times | None = None) -> None:
    wall, cpu = ours.percentiles()
    line = f"{name:42}{wall[0]:7.2f}{wall[1]:8.2f}{cpu[0]:14.2f}{cpu[1]:8.2f}"
    if bare:
        median, high = bare.percentiles()[1]
        line += f"{cpu[0] / median:23.2f}{cpu[1] / high:6.2f}"
    print(line, flush=True)
