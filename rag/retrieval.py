"""Question → passages: read, searched by words and by meaning, ranked, copies counted once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate
from typing import Literal, Protocol

import numpy as np

from rag.blending import RERANKED, Blended, Blender
from rag.collapsing import carriers, collapse
from rag.cores import compute
from rag.errors import IndexUnavailableError
from rag.ports import Embedder, Library, Rows, VectorIndex, Vectors
from rag.query.outlets import OutletNames
from rag.query.understanding import understand
from rag.ranking import (
    FEATURES,
    WEIGHTS,
    Pool,
    Values,
    content_words,
    features,
    likelihood,
    likelihood_signals,
)
from rag.tokens import count_tokens
from rag.types import Article, Chunk, Evidence, Passage, Question, Understanding

POOL = 60
"""Chunks that each search of each part of a question contributes to the ranking."""

TRIES = 3
"""Searches for one question, as long as an article found by each goes before it is shown: what is
left was ranked, and its confidence counted, beside passages that are no more."""

Path = Literal["index", "exact"]


class ExactSearch(Protocol):
    """Vector search over the library's own vectors, among some of the chunks if given."""

    def search(
        self, vector: Vectors, limit: int, within: Rows | None = None
    ) -> list[tuple[str, float]]:
        """The nearest chunks as (chunk id, cosine similarity), best first."""

    def similarities(self, vector: Vectors, ids: Collection[str]) -> dict[str, float]:
        """The cosine similarity of each stored chunk among `ids`."""


class Retriever:
    """Finds the passages for a question in the library.

    `blender` reranks them, if there is one.
    """

    def __init__(
        self,
        library: Library,
        index: VectorIndex,
        exact: ExactSearch,
        embedder: Embedder,
        weights: Mapping[str, float] = WEIGHTS,
        blender: Blender | None = None,
    ) -> None:
        self._library = library
        self._index = index
        self._exact = exact
        self._embedder = embedder
        self._weights = np.array([weights[name] for name in FEATURES])
        self.blender = blender
        self._known = _Known(-1, OutletNames(()), None)

    async def retrieve(
        self, question: Question, limit: int, budget_tokens: int | None = None
    ) -> Evidence:
        """The best `limit` passages, best first, with their articles; no more of them than fit
        into the budget, if one is given, but at least one.

        Raises `ModelMismatchError` where the library was embedded with another model.
        """
        return await compute(lambda: self._retrieve(question, limit, budget_tokens))

    def _retrieve(self, question: Question, limit: int, budget_tokens: int | None) -> Evidence:
        self._library.check_model(self._embedder.model)
        for _ in range(TRIES):
            evidence, whole = self._searched(question, limit, budget_tokens)
            if whole:
                break
        return evidence

    def _searched(
        self, question: Question, limit: int, budget_tokens: int | None
    ) -> tuple[Evidence, bool]:
        """What one search finds, and whether all of that is still in the library."""
        asked = self._read(question)
        within = self._library.candidates(question.filters, question.as_of)
        pool, path = self._pool(asked, within)
        values = features(pool)
        scores = values @ self._weights
        order = np.argsort(-scores, kind="stable")
        ranked = [(pool.chunks[i], float(scores[i])) for i in order.tolist()]
        blended = self._blended(asked[0], self._collapsed(question, asked[0], ranked))
        found = blended.ranked[:limit]
        if budget_tokens is not None:
            found = _within_budget(found, budget_tokens)
        articles = self._library.articles({chunk.article_id for chunk, _ in found})
        given = dict(zip((c.id for c in pool.chunks), values * self._weights, strict=True))
        passages = self._passages(question, found, articles)
        evidence = Evidence(
            passages=passages,
            articles=articles,
            understood=asked[0].understood,
            path=path,
            searched=pool.size,
            confidence=_confidence(values[order], scores[order], asked[0]),
            understanding=asked[0],
            explained={
                chunk.id: _named(given[chunk.id] * blended.scale) | blended.given_to(chunk)
                for chunk, _ in found
                if chunk.id in given
            },
        )
        return evidence, len(passages) == len(found)

    # Reading the question

    def _read(self, question: Question) -> list[Understanding]:
        """What the question says, and what each of its parts does, if it has several."""
        known = self._newest_known()
        whole = understand(question, known.outlets, known.today)
        parts = (replace(question, text=part) for part in whole.parts[1:])
        return [whole, *(understand(part, known.outlets, known.today) for part in parts)]

    def _newest_known(self) -> _Known:
        revision = self._library.revision()
        if self._known.revision != revision:
            outlets = OutletNames(self._library.outlets())
            self._known = _Known(revision, outlets, self._library.days())
        return self._known

    # Searching

    def _pool(self, asked: Sequence[Understanding], within: Rows | None) -> tuple[Pool, Path]:
        """What any search finds for the question or a part of it, with what all of them say."""
        path: Path = "index" if within is None else "exact"
        words = [content_words(one.parts[0]) for one in asked]
        vectors = [self._embedder.encode_query(one.parts[0]) for one in asked]
        found: dict[str, None] = {}  # an ordered set
        lexical: list[dict[str, float]] = []
        for terms, vector in zip(words, vectors, strict=True):
            lexical.append(dict(self._library.lexical(terms, POOL, within)))
            nearest, path = self._nearest(vector, within, path)
            found |= dict.fromkeys([*lexical[-1], *nearest])
        chunks = self._library.chunks(found)
        articles = self._library.articles({chunk.article_id for chunk in chunks.values()})
        kept = [
            chunks[key] for key in found if key in chunks and _is_current(chunks[key], articles)
        ]
        return Pool(
            asked=asked,
            chunks=kept,
            articles=articles,
            lexical=_rows(lexical, kept),
            dense=_rows([self._exact.similarities(v, [c.id for c in kept]) for v in vectors], kept),
            frequencies=self._library.frequencies(words[0]),
            size=self._library.counts()[1],
        ), path

    def _nearest(self, vector: Vectors, within: Rows | None, path: Path) -> tuple[list[str], Path]:
        """The chunks nearest to a vector; filtered questions are searched exactly, and so are all
        while the index is away."""
        if within is None and path == "index":
            try:
                return [key for key, _ in self._index.search(vector, POOL)], "index"
            except IndexUnavailableError:
                pass  # the library holds the same vectors; readiness reports the index
        if within is not None and not len(within):
            return [], "exact"
        return [key for key, _ in self._exact.search(vector, POOL, within)], "exact"

    # What is shown

    def _collapsed(
        self, question: Question, asked: Understanding, ranked: Sequence[tuple[Chunk, float]]
    ) -> list[tuple[Chunk, float]]:
        prefer = asked.understood.outlets
        return collapse(self._library, ranked, question.filters, question.as_of, prefer)

    def _blended(self, asked: Understanding, found: list[tuple[Chunk, float]]) -> Blended:
        if self.blender is None:
            return Blended(found)
        articles = self._library.articles({chunk.article_id for chunk, _ in found[:RERANKED]})
        return self.blender.blend(asked.parts[0], found, articles)

    def _passages(
        self,
        question: Question,
        found: Sequence[tuple[Chunk, float]],
        articles: Mapping[str, Article],
    ) -> tuple[Passage, ...]:
        shown = [(chunk, score) for chunk, score in found if _is_current(chunk, articles)]
        copies = carriers(
            self._library, [chunk for chunk, _ in shown], question.filters, question.as_of
        )
        return tuple(
            Passage.of(rank, score, chunk, articles[chunk.article_id], copies.get(chunk.id, ()))
            for rank, (chunk, score) in enumerate(shown, start=1)
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of all articles as of one revision of the library."""

    revision: int
    outlets: OutletNames
    days: tuple[str, str] | None

    @property
    def today(self) -> date:
        """The day that "yesterday" is counted from: the last one in a library all of whose articles
        are of days to come (a single one may be misdated)."""
        now = date.today()
        try:
            first, last = map(date.fromisoformat, self.days or ())
        except ValueError:
            return now
        return last if first > now else now


def _confidence(values: Values, scores: Values, asked: Understanding) -> float:
    """How likely the chunks, best first, answer the question."""
    dated = bool(asked.understood.as_of or asked.understood.latest)
    return likelihood(likelihood_signals(values, float(scores[:1].sum()), dated))


def _named(given: Values) -> dict[str, float]:
    return dict(zip(FEATURES, given.tolist(), strict=True))


def _within_budget(found: list[tuple[Chunk, float]], tokens: int) -> list[tuple[Chunk, float]]:
    """The first chunks that together have at most so many tokens, at least one."""
    used = accumulate(count_tokens(chunk.text) for chunk, _ in found)
    return found[: max(1, sum(total <= tokens for total in used))]


def _rows(scores: Sequence[Mapping[str, float]], chunks: Sequence[Chunk]) -> Values:
    """Scores by chunk id as rows over the chunks, a missing one counting as 0."""
    table = [[one.get(chunk.id, 0.0) for chunk in chunks] for one in scores]
    return np.array(table, dtype=np.float64).reshape(len(scores), len(chunks))


def _is_current(chunk: Chunk, articles: Mapping[str, Article]) -> bool:
    """Whether its article was neither deleted nor replaced between two readings."""
    article = articles.get(chunk.article_id)
    return article is not None and article.text[chunk.start : chunk.end] == chunk.text
