"""A library of any size for measuring speed: invented articles of English words, clustered vectors.

The words have the frequencies of pyspellchecker's list, and each article a few of its own that it
repeats; the questions are made of such words. With 50,000 chunks the numbers of words a question
(5 to 16) and of chunks a word (median 1.5 %, one in twenty above 20 %) are as on news quizzes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from rag.library import Entry
from rag.ports import Vectors
from rag.types import Article, Chunk

DIMENSION = 384
CHUNKS = 5  # an article
WORDS = 170  # a chunk
OUTLETS = 50
DAYS = 1000
FIRST_DAY = date(2024, 1, 1)

STOP_WORDS = 80  # so many of the most frequent words no question has
OWN_WORDS = 12  # an article
OWN_SHARE = 0.12
CLUSTER = 50  # chunks of one matter
NEARNESS = 0.6  # cosine between two chunks of a cluster, about


@dataclass(frozen=True, slots=True)
class Synthetic:
    """What a synthetic library of `chunks` chunks is made from; the same for the same seed."""

    chunks: int
    vocabulary: tuple[str, ...]
    frequencies: NDArray[np.float64]
    centres: Vectors

    def entries(self, seed: int = 0) -> Iterator[Entry]:
        """The articles with their chunks and unit vectors."""
        chance = np.random.default_rng(seed)
        for number in range(self.chunks // CHUNKS):
            texts, _ = self._texts(chance)
            yield _entry(number, texts, self.vectors(CHUNKS, chance))

    def vectors(self, count: int, chance: np.random.Generator) -> Vectors:
        """Unit vectors near the centres of clusters, shape (count, DIMENSION)."""
        noise = chance.standard_normal((count, DIMENSION), dtype=np.float32)
        noise *= np.sqrt((1 / NEARNESS - 1) / DIMENSION)
        return _unit(self.centres[chance.integers(len(self.centres), size=count)] + noise)

    def questions(self, count: int, seed: int = 1) -> list[str]:
        """Questions of which a part asks for an article's own words, each a different one."""
        chance = np.random.default_rng(seed)
        made: list[str] = []
        for _ in range(count):
            own = self._own_words(chance)[: chance.integers(2, 7)]
            common = self._words(chance, int(chance.integers(1, 9)), STOP_WORDS)
            made.append("what did " + " ".join([*own, *common]) + "?")
        return made

    def _texts(self, chance: np.random.Generator) -> tuple[list[str], list[str]]:
        own = self._own_words(chance)
        texts = []
        for _ in range(CHUNKS):
            words = self._words(chance, WORDS)
            for place in np.flatnonzero(chance.random(WORDS) < OWN_SHARE):
                words[place] = own[chance.integers(OWN_WORDS)]
            texts.append(" ".join(words) + ". ")
        return texts, own

    def _words(self, chance: np.random.Generator, count: int, above: int = 0) -> list[str]:
        """Words by their frequency, without the `above` most frequent ones."""
        least = self.frequencies[above - 1] if above else 0.0
        drawn = np.searchsorted(self.frequencies, chance.uniform(least, 1.0, count))
        return [self.vocabulary[number] for number in drawn]

    def _own_words(self, chance: np.random.Generator) -> list[str]:
        """Content words: neither among the most common ones nor hardly ever used."""
        return [self.vocabulary[n] for n in chance.integers(200, 20_000, size=OWN_WORDS)]


def synthetic(chunks: int) -> Synthetic:
    """The recipe for a library of so many chunks."""
    vocabulary, frequencies = _vocabulary()
    chance = np.random.default_rng(chunks)
    clusters = max(1, chunks // CLUSTER)
    centres = _unit(chance.standard_normal((clusters, DIMENSION), dtype=np.float32))
    return Synthetic(chunks, vocabulary, frequencies, centres)


def _vocabulary() -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """English words, the most frequent first, and their cumulated frequencies up to 1."""
    from spellchecker import SpellChecker

    counts = sorted(SpellChecker().word_frequency.items(), key=lambda one: (-one[1], one[0]))
    cumulated = np.cumsum([count for _, count in counts], dtype=np.float64)
    return tuple(word for word, _ in counts), cumulated / cumulated[-1]


def _entry(number: int, texts: Sequence[str], vectors: Vectors) -> Entry:
    article_id = f"synthetic-{number}"
    starts = np.cumsum([0, *map(len, texts)]).tolist()
    chunks = [
        Chunk(f"{article_id}/{start}", article_id, start, start + len(text), text)
        for start, text in zip(starts, texts, strict=False)
    ]
    published = FIRST_DAY + timedelta(days=number * 7919 % DAYS)
    article = Article(
        article_id,
        "".join(texts),
        title=" ".join(texts[0].split()[:8]),
        outlet=f"Outlet {number % OUTLETS}",
        published_at=published.isoformat(),
    )
    return article, chunks, vectors


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
