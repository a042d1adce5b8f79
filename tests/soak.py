"""Mixed operations for hours: whether memory and disk stay as they are (`make soak`).

The service is the whole one, with a made-up encoder and no grammar unless `--true`. Over a library
that keeps its size, articles are put, replaced, deleted, read, taken in from files, searched and
asked for, and now and then the service is closed and opened.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

import psutil

from evals.bench_store import HashedEmbedder
from evals.results import describe_code
from rag.bootstrap import Parts, open_service
from rag.errors import NotFoundError
from rag.service import Service
from rag.settings import Settings
from rag.types import Article, Question
from tests.fakes import NoGrammar

ARTICLES = 300
SAMPLES = 200
GROWTH = 0.1
"""So much more memory or disk may the last quarter have taken than the second did."""

MIX = {"ask": 35, "search": 25, "put": 20, "delete": 8, "read": 8, "ingest": 3, "restart": 1}
PLACES, LETTERS = 500, "abdeilmnorstuv"
"""Made-up names, that come again as names do in news."""

SUBJECTS = "the harbour,the school,the market,the railway,the council,the bridge".split(",")
VERBS = "opened,closed,burned,reopened,flooded,moved".split(",")


@dataclass(frozen=True)
class Sample:
    """What was used after so many operations."""

    operations: int
    seconds: float
    memory_mb: float
    disk_mb: float


class Soak:
    """The operations, one after the other, over one data directory."""

    def __init__(self, folder: Path, parts: Parts, seed: int = 1) -> None:
        self.done: Counter[str] = Counter()
        self.samples: list[Sample] = []
        self._folder = folder
        self._parts = parts
        self._picks = random.Random(seed)
        self._places = ["".join(self._picks.choices(LETTERS, k=7)).title() for _ in range(PLACES)]
        self._process = psutil.Process()
        self._began = time.monotonic()

    async def run(self, operations: int) -> None:
        """Do so many, and note what is used on the way."""
        left = self._picks.choices(list(MIX), list(MIX.values()), k=operations)
        settings = Settings(
            _env_file=None, data_dir=self._folder / "data", llm_model=None, chroma_url=None
        )
        while left:
            async with open_service(settings, self._parts) as service:
                while left and (kind := left.pop()) != "restart":
                    await getattr(self, f"_{kind}")(service)
                    self._note(kind, max(1, operations // SAMPLES))
            if left:
                self._note("restart", max(1, operations // SAMPLES))

    def growth(self) -> dict[str, float]:
        """By how much the last quarter needed more than the second, the first being that in which
        the library grows to its size."""
        quarter = len(self.samples) // 4
        second, last = self.samples[quarter : 2 * quarter], self.samples[-quarter:]
        return {
            "memory": mean(s.memory_mb for s in last) / mean(s.memory_mb for s in second) - 1,
            "disk": mean(s.disk_mb for s in last) / mean(s.disk_mb for s in second) - 1,
        }

    def _note(self, kind: str, every: int) -> None:
        self.done[kind] += 1
        if self.done.total() % every == 0:
            files = [path for path in self._folder.rglob("*") if path.is_file()]
            self.samples.append(
                Sample(
                    self.done.total(),
                    round(time.monotonic() - self._began, 1),
                    round(self._process.memory_info().rss / 1e6, 1),
                    round(sum(path.stat().st_blocks * 512 for path in files) / 1e6, 2),
                )
            )

    async def _ask(self, service: Service) -> None:
        async for _ in service.answer(Question(self._question())):
            pass

    async def _search(self, service: Service) -> None:
        as_of = self._picks.choice([None, "2100-01-01"])  # by the index, and exactly
        await service.search(Question(self._question(), as_of=as_of), 10)

    async def _put(self, service: Service) -> None:
        await service.put_article(self._article())

    async def _delete(self, service: Service) -> None:
        with suppress(NotFoundError):
            await service.delete_article(self._id())

    async def _read(self, service: Service) -> None:
        with suppress(NotFoundError):
            await service.article(self._id())

    async def _ingest(self, service: Service) -> None:
        news = self._folder / "news.jsonl"
        articles = [self._article() for _ in range(8)]
        news.write_text("\n".join(json.dumps({"id": a.id, "text": a.text}) for a in articles))
        await service.ingest([news])

    def _article(self) -> Article:
        lines = [self._sentence() for _ in range(self._picks.randint(1, 60))]
        return Article(self._id(), "\n".join(lines) + "\n")

    def _sentence(self) -> str:
        subject, verb = self._picks.choice(SUBJECTS), self._picks.choice(VERBS)
        place = self._picks.choice(self._places)
        return f"In {place} {subject} {verb} after {self._picks.randint(2, 900)} days."

    def _question(self) -> str:
        return f"When was it that {self._picks.choice(SUBJECTS)} {self._picks.choice(VERBS)}?"

    def _id(self) -> str:
        return f"a{self._picks.randrange(ARTICLES)}"


def plot(samples: list[Sample], path: Path) -> None:
    """Draw both curves into a file, of the kind that its suffix says."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    for place, (name, label) in enumerate(
        {"memory_mb": "memory, MB", "disk_mb": "disk, MB"}.items()
    ):
        axes = figure.add_subplot(2, 1, place + 1)
        axes.plot([s.operations for s in samples], [getattr(s, name) for s in samples])
        axes.set_ylim(bottom=0)
        axes.set_ylabel(label)
    axes.set_xlabel("operations")
    figure.savefig(path)


def main() -> int:
    """Soak, write the curves, and print what grew; exits 1 where that was too much."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--operations", type=int, default=20_000)
    parser.add_argument("--true", action="store_true", help="with the packaged models, slower")
    parser.add_argument("--out", type=Path, default=Path("soak"), help="…json and …svg")
    given = parser.parse_args()
    logging.disable()
    fakes = Parts(embedder=HashedEmbedder(), analyser=NoGrammar())
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), Parts() if given.true else fakes)
        asyncio.run(soak.run(given.operations))
    grown = soak.growth()
    document = {
        "operations": soak.done,
        "models": "packaged" if given.true else "made-up vectors, no grammar",
        "growth": grown,
        "code": describe_code(),
        "samples": [asdict(sample) for sample in soak.samples],
    }
    given.out.with_suffix(".json").write_text(json.dumps(document, indent=1))
    plot(soak.samples, given.out.with_suffix(".svg"))
    last = soak.samples[-1]
    print(
        f"{soak.done.total()} operations in {last.seconds:.0f} s: memory {last.memory_mb:.0f} MB "
        f"({grown['memory']:+.1%} from the second to the last quarter), "
        f"disk {last.disk_mb:.1f} MB ({grown['disk']:+.1%})"
    )
    return any(share > GROWTH for share in grown.values())


if __name__ == "__main__":
    sys.exit(main())
