"""How large a library may be: memory, and the time to take it in, to start, to rebuild the index.

`make bench-store`, `python -m evals.bench_store --help`. Vectors are made up from the texts (384
numbers each, about as many topics as news have): what is measured is all but the encoder.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag.bootstrap import Parts, open_service
from rag.ports import Vectors
from rag.settings import Settings
from rag.types import Filters, Question

DIMENSIONS = 384
TOPICS = 500
SENTENCES, CHUNKS = 30, 4
"""Of an article."""

QUESTIONS = 200
PARTS = ("ingest", "start", "rebuild")


class HashedEmbedder:
    """The `Embedder` port: a text lies near the others that begin with the same word."""

    model = "hashed"

    def __init__(self) -> None:
        self._topics = np.random.default_rng(0).standard_normal((TOPICS, DIMENSIONS))

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, shape (n, 384)."""
        return np.stack([self.encode_query(text) for text in texts])

    def encode_query(self, text: str) -> Vectors:
        """A unit vector, float32, shape (384,)."""
        topic = zlib.crc32(text.split(maxsplit=1)[0].lower().encode()) % TOPICS
        noise = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(DIMENSIONS)
        vector = self._topics[topic] + noise
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def main() -> None:
    """Measure each part in a process of its own, and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench_store", description=__doc__)
    parser.add_argument("--chunks", type=int, default=100_000, help="that are taken in, about")
    parser.add_argument("--started", type=int, default=50_000, help="that it is started with")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        measure = {"ingest": _ingest, "start": _start, "rebuild": _rebuild}[options.part]
        print(json.dumps(asyncio.run(measure(options.folder, options.chunks))))
        return
    for chunks in dict.fromkeys([options.started, options.chunks]):
        with tempfile.TemporaryDirectory() as folder:
            for part in PARTS:
                arguments = ["--part", part, "--folder", folder, "--chunks", str(chunks)]
                command = [sys.executable, "-m", "evals.bench_store", *arguments]
                done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
                _print(part, json.loads(done.stdout))


def _print(part: str, figures: dict[str, float]) -> None:
    told = ", ".join(
        f"{name} {value:,.0f}" if value >= 100 else f"{name} {value:.3g}"
        for name, value in figures.items()
    )
    print(f"{part:<8} {told}", flush=True)


async def _ingest(folder: Path, chunks: int) -> dict[str, float]:
    """Take in articles from a file, and search them, with filters and without."""
    news = folder / "news.jsonl"
    _write_news(news, chunks)
    async with open_service(_settings(folder), _parts()) as service:
        began = time.perf_counter()
        report = await service.ingest([news])
        seconds = time.perf_counter() - began
        picks, times = random.Random(1), []
        for number in range(QUESTIONS):
            outlet = (f"Outlet {picks.randrange(20)}",) if number % 2 else ()
            question = Question(_sentence(picks), filters=Filters(outlets=outlet))
            before = time.perf_counter()
            await service.search(question, 10)
            times.append(1000 * (time.perf_counter() - before))
    return {
        "chunks": report.chunks,
        "chunks/s": report.chunks / seconds,
        "search ms p50": float(np.percentile(times, 50)),
        "p95": float(np.percentile(times, 95)),
        "peak MB": _peak_mb(),
    }


async def _start(folder: Path, _: int) -> dict[str, float]:
    """Open the service, with all imported, until every part of it is ready (the analyser too) and a
    first search is answered."""
    import chromadb.api.rust  # noqa: F401
    import spacy  # noqa: F401

    began = time.perf_counter()
    async with open_service(_settings(folder), _parts()) as service:
        service.warm_up()
        while any(not state.startswith("ok") for state in (await service.readiness()).values()):
            await asyncio.sleep(0.01)
        ready = time.perf_counter() - began
        await service.search(Question("harbour bridge"), 10)
        searched = time.perf_counter() - began
        chunks = (await service.counts())[1]
    return {"chunks": chunks, "ready s": ready, "searched s": searched, "peak MB": _peak_mb()}


async def _rebuild(folder: Path, _: int) -> dict[str, float]:
    """Build the index anew from the stored vectors."""
    async with open_service(_settings(folder), _parts()) as service:
        chunks = (await service.counts())[1]
        began = time.perf_counter()
        await service.reindex()
        seconds = time.perf_counter() - began
    return {"chunks": chunks, "vectors/s": chunks / seconds, "peak MB": _peak_mb()}


def _write_news(path: Path, chunks: int) -> None:
    """Articles of made-up words, the same in every run."""
    picks = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        for number in range(chunks // CHUNKS):
            text = " ".join(_sentence(picks) for _ in range(SENTENCES))
            known = {"id": f"n{number}", "outlet": f"Outlet {number % 20}", "text": text}
            day = f"20{number % 20 + 10}-{number % 12 + 1:02}-{number % 28 + 1:02}"
            file.write(json.dumps({**known, "published_at": day}) + "\n")


def _sentence(picks: random.Random) -> str:
    words = ["".join(picks.choices("abdeilmnorstuv", k=picks.randint(2, 4))) for _ in range(14)]
    return " ".join(words).capitalize() + "."


def _settings(folder: Path) -> Settings:
    return Settings(_env_file=None, data_dir=folder / "data", llm_model=None, chroma_url=None)


def _parts() -> Parts:
    return Parts(embedder=HashedEmbedder())


def _peak_mb() -> float:
    """The most memory that this process has had; of the unit that Linux counts in."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
