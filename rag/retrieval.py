"""Question → passages: lexical and dense search, filtered, fused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, Protocol

import anyio.to_thread

from rag.errors import IndexUnavailableError
from rag.fusion import fuse
from rag.ports import Embedder, Library, VectorIndex, Vectors
from rag.types import Article, Chunk, Evidence, Filters, Passage, Question, Understood

LEXICAL_WEIGHT = 0.6
"""Share of BM25 in the fused score; tuned with `dateline eval` on news quiz questions."""

POOL = 50
"""Chunks that each search contributes to the fusion."""

STOP_WORDS = frozenset(
    "a about after all also an and any are as at be been before but by can could did do does for "
    "from had has have he her his how i if in into is it its may might more most no not of on or "
    "our out over said say says she should so some such than that the their them there they this "
    "to up us was we were what when where which who whom whose why will with would you your".split()
)


class ExactSearch(Protocol):
    """Vector search over the library's own vectors, within a set of chunk ids if given."""

    def search(
        self, vector: Vectors, limit: int, within: Sequence[str] | None = None
    ) -> list[tuple[str, float]]:
        """The nearest chunks as (chunk id, cosine similarity), best first."""


class Retriever:
    """Finds the passages for a question in the library."""

    def __init__(
        self, library: Library, index: VectorIndex, exact: ExactSearch, embedder: Embedder
    ) -> None:
        self._library = library
        self._index = index
        self._exact = exact
        self._embedder = embedder

    async def retrieve(self, question: Question, limit: int) -> Evidence:
        """The best `limit` passages, best first, with their articles.

        Raises `ModelMismatchError` where the library was embedded with another model.
        """
        return await anyio.to_thread.run_sync(self._retrieve, question, limit)

    def _retrieve(self, question: Question, limit: int) -> Evidence:
        self._library.check_model(self._embedder.model)
        filters, as_of = question.filters, question.as_of
        candidates = self._library.candidates(filters, as_of)
        lexical = dict(self._library.lexical(search_terms(question.text), POOL, filters, as_of))
        dense, path = self._dense(question.text, candidates)
        scores = fuse([(LEXICAL_WEIGHT, lexical), (1 - LEXICAL_WEIGHT, dense)])
        best = sorted(scores, key=lambda chunk_id: (-scores[chunk_id], chunk_id))
        return self._evidence(best, scores, limit, _understood(filters, as_of), path)

    def _dense(
        self, text: str, candidates: list[str] | None
    ) -> tuple[dict[str, float], Literal["index", "exact"]]:
        """Similarities by chunk id; filtered questions are searched exactly, and so are all
        while the index is away."""
        if candidates == []:
            return {}, "exact"
        vector = self._embedder.encode_query(text)
        if candidates is None:
            try:
                return dict(self._index.search(vector, POOL)), "index"
            except IndexUnavailableError:
                pass  # the library holds the same vectors; readiness reports the index
        return dict(self._exact.search(vector, POOL, candidates)), "exact"

    def _evidence(
        self,
        best: Sequence[str],
        scores: dict[str, float],
        limit: int,
        understood: Understood,
        path: Literal["index", "exact"],
    ) -> Evidence:
        chunks = self._library.chunks(best[: 2 * limit])  # some may have been deleted meanwhile
        articles = self._library.articles({chunk.article_id for chunk in chunks.values()})
        passages: list[Passage] = []
        for chunk_id in best:
            chunk = chunks.get(chunk_id)
            article = articles.get(chunk.article_id) if chunk else None
            if chunk is None or article is None or _is_stale(chunk, article):
                continue
            passages.append(
                Passage(
                    rank=len(passages) + 1,
                    score=scores[chunk_id],
                    article_id=article.id,
                    chunk_id=chunk.id,
                    text=chunk.text,
                    start=chunk.start,
                    end=chunk.end,
                    title=article.title,
                    outlet=article.outlet,
                    author=article.author,
                    published_at=article.published_at,
                    url=article.url,
                )
            )
            if len(passages) == limit:
                break
        used = {passage.article_id for passage in passages}
        return Evidence(
            tuple(passages),
            {key: article for key, article in articles.items() if key in used},
            understood,
            path,
        )


def search_terms(question: str) -> list[str]:
    """The question's words for lexical search, stop words left out unless nothing else is left."""
    words = list(dict.fromkeys(re.findall(r"[^\W_]+", question.lower())))
    return [word for word in words if word not in STOP_WORDS] or words


def _is_stale(chunk: Chunk, article: Article) -> bool:
    """Whether the article was replaced between the two readings."""
    return article.text[chunk.start : chunk.end] != chunk.text


def _understood(filters: Filters, as_of: str | None) -> Understood:
    return Understood(
        as_of=as_of,
        published_from=filters.published_from,
        published_to=filters.published_to,
        outlets=filters.outlets,
    )
