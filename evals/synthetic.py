"""A library of any size for measuring speed: invented articles of English words, nested vectors.

The words have the frequencies of pyspellchecker's list, and each article a few of its own that it
repeats. The vectors' similarities to their nearest neighbours, and to the further ones, are those
of all-MiniLM-L6-v2 on 6,311 chunks of news (the 1st .75, the 10th .57, the 100th .35, one in ten
.21, one in two .07), and as there a question has 5 to 16 words, of which every other one stands in
more than 1 % of the chunks, and one in twenty in more than 20 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

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

OWN_WORDS = 12  # an article
OWN_SHARE = 0.12
STOP_WORDS = 80  # so many of the most frequent words no question has

GROUPS = ((1, 0.07), (8, 0.14), (0.008, 0.14), (0.06, 0.22), (0.5, 0.18))
"""How many groups of chunks there are at each level, or how many a chunk if below 1; and the
cosine that belonging to one adds."""


@dataclass(frozen=True)
class Synthetic:
    """A library of so many chunks; the same in every run."""

    chunks: int

    def entries(self) -> Iterator[Entry]:
        """The articles with their chunks and unit vectors."""
        chance = np.random.default_rng(0)
        for number in range(self.chunks // CHUNKS):
            vectors = self.vectors[number * CHUNKS : (number + 1) * CHUNKS]
            yield _entry(number, self._texts(chance), vectors)

    @cached_property
    def vectors(self) -> Vectors:
        """The chunks' unit vectors, shape (chunks, DIMENSION)."""
        return self._grouped(self._order, GROUPS, np.random.default_rng(1))

    def query_vectors(self, count: int) -> Vectors:
        """Unit vectors of questions, each near ten of the chunks, shape (count, DIMENSION)."""
        chance = np.random.default_rng(2)
        return self._grouped(chance.choice(self._order, count), GROUPS[:-1], chance)

    def questions(self, count: int) -> list[list[str]]:
        """The words of different questions: some of an article's own, and some of all articles."""
        chance = np.random.default_rng(3)
        return [
            self._own_words(chance)[: chance.integers(2, 7)]
            + self._words(chance, int(chance.integers(1, 9)), STOP_WORDS)
            for _ in range(count)
        ]

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        """Where each chunk stands in the nested groups."""
        return np.random.default_rng(4).permutation(self.chunks)

    def _grouped(
        self,
        members: NDArray[np.int64],
        groups: Sequence[tuple[float, float]],
        chance: np.random.Generator,
    ) -> Vectors:
        rest = 1 - sum(share for _, share in groups)
        vectors = np.float32(rest**0.5) * _directions(len(members), chance)
        for level, (number, share) in enumerate(groups):
            count = int(number if number >= 1 else max(1, number * self.chunks))
            directions = _directions(count, np.random.default_rng([5, level]))
            vectors += np.float32(share**0.5) * directions[members * count // self.chunks]
        return _unit(vectors)

    @cached_property
    def _vocabulary(self) -> tuple[list[str], NDArray[np.float64]]:
        """English words, the most frequent first, and their cumulated frequencies up to 1."""
        from spellchecker import SpellChecker

        counts = sorted(SpellChecker().word_frequency.items(), key=lambda one: (-one[1], one[0]))
        cumulated = np.cumsum([count for _, count in counts], dtype=np.float64)
        return [word for word, _ in counts], cumulated / cumulated[-1]

    def _texts(self, chance: np.random.Generator) -> list[str]:
        own = self._own_words(chance)
        texts = []
        for _ in range(CHUNKS):
            words = self._words(chance, WORDS)
            for place in np.flatnonzero(chance.random(WORDS) < OWN_SHARE):
                words[place] = own[chance.integers(OWN_WORDS)]
            texts.append(" ".join(words) + ". ")
        return texts

    def _words(self, chance: np.random.Generator, count: int, without: int = 0) -> list[str]:
        """Words by their frequency, but for the most frequent ones."""
        words, cumulated = self._vocabulary
        least = cumulated[without - 1] if without else 0.0
        drawn = np.searchsorted(cumulated, chance.uniform(least, 1.0, count))
        return [words[number] for number in drawn]

    def _own_words(self, chance: np.random.Generator) -> list[str]:
        """Content words: neither among the most common ones nor hardly ever used."""
        words, _ = self._vocabulary
        return [words[number] for number in chance.integers(200, 20_000, size=OWN_WORDS)]


def day(number: int) -> str:
    """The date of a day of the library, 0 to `DAYS` - 1."""
    return (FIRST_DAY + timedelta(days=number)).isoformat()


def outlet(number: int) -> str:
    """The name of an outlet of the library, 0 to `OUTLETS` - 1."""
    return f"Outlet {number}"


def _entry(number: int, texts: Sequence[str], vectors: Vectors) -> Entry:
    article_id = f"synthetic-{number}"
    starts = np.cumsum([0, *map(len, texts)]).tolist()
    chunks = [
        Chunk(f"{article_id}/{start}", article_id, start, start + len(text), text)
        for start, text in zip(starts, texts, strict=False)
    ]
    article = Article(
        article_id,
        "".join(texts),
        title=" ".join(texts[0].split()[:8]),
        outlet=outlet(number % OUTLETS),
        published_at=day(number * 7919 % DAYS),
    )
    return article, chunks, vectors


def _directions(count: int, chance: np.random.Generator) -> Vectors:
    return _unit(chance.standard_normal((count, DIMENSION), dtype=np.float32))


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
