"""Ingest beside the bare encoder on the same chunks."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.datasets import SEEDS
from rag.bootstrap import Parts, open_service
from rag.chunking import chunk_article
from rag.embedding import SentenceTransformerEmbedder
from rag.readers import read_articles
from rag.sentences import sentence_spans
from rag.settings import Settings
from rag.types import Article

ARTICLES = 120
SENTENCES = 30
ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Speed:
    """How many chunks took how many seconds."""

    chunks: int
    seconds: float

    @property
    def rate(self) -> float:
        """Chunks per second."""
        return self.chunks / self.seconds


async def bench_ingest(paths: Sequence[Path], limit: int | None = None) -> None:
    """Print the ratio of the two, measured in turns, for articles from files or, without any, for
    some put together from the sentences of `seeds/`."""
    articles = _articles(paths)[:limit]
    embedder = SentenceTransformerEmbedder()
    warm = [chunk.text for chunk in chunk_article(articles[0])] * 200
    embedder.encode_documents(warm[:200])
    bare: list[Speed] = []
    whole: list[Speed] = []
    for n in range(ROUNDS):
        part = articles[n::ROUNDS]
        turns = [_encode, _ingest] if n % 2 == 0 else [_ingest, _encode]
        for turn in turns:
            speed = await turn(part, embedder)
            (bare if turn is _encode else whole).append(speed)
    print(f"articles {len(articles)}, chunks {sum(speed.chunks for speed in bare)}")
    encoder, ingest = _total(bare), _total(whole)
    print(f"bare encoder   {encoder.rate:8.1f} chunks/s")
    print(f"whole ingest   {ingest.rate:8.1f} chunks/s   ratio {ingest.rate / encoder.rate:.2f}")


async def _encode(articles: Sequence[Article], embedder: SentenceTransformerEmbedder) -> Speed:
    texts = [chunk.text for article in articles for chunk in chunk_article(article)]
    began = time.perf_counter()
    embedder.encode_documents(texts)
    return Speed(len(texts), time.perf_counter() - began)


async def _ingest(articles: Sequence[Article], embedder: SentenceTransformerEmbedder) -> Speed:
    """Read, chunk, encode, store and index articles that lie in files."""
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "articles"
        sources.mkdir()
        for n, article in enumerate(articles):
            (sources / f"{n}.txt").write_text(article.text, encoding="utf-8")
        settings = Settings(data_dir=Path(folder) / "data")
        async with open_service(settings, Parts(embedder=embedder)) as service:
            began = time.perf_counter()
            report = await service.ingest([sources])
            return Speed(report.chunks, time.perf_counter() - began)


def _total(speeds: Sequence[Speed]) -> Speed:
    return Speed(sum(s.chunks for s in speeds), sum(s.seconds for s in speeds))


def _articles(paths: Sequence[Path]) -> list[Article]:
    limits = {"max_file_bytes": 10**9, "max_article_chars": 10**7}
    found = [a for a in read_articles(paths or [SEEDS], **limits) if isinstance(a, Article)]
    return found if paths else _composed(found)


def _composed(seeds: Sequence[Article]) -> list[Article]:
    """Articles of real sentences in random order, the same in every run."""
    chance = random.Random(0)
    sentences = [a.text[s.start : s.end] for a in seeds for s in sentence_spans(a.text)]
    texts = (" ".join(chance.choices(sentences, k=SENTENCES)) for _ in range(ARTICLES))
    return [Article(id=f"bench-{n}", text=text) for n, text in enumerate(texts)]
