"""Each search alone, without features or judgement: what a better ranking has to beat."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rag.cores import compute
from rag.exact import ExactIndex
from rag.ports import Embedder, Library, Vectors
from rag.types import Article, Chunk, Passage, Question


class Rankings:
    """Ranks the library's chunks by one signal at a time, as plainly as it can be done.

    Nothing here is shared with `rag.retrieval` above the library, so that a change there leaves
    the yardstick as it is.
    """

    def __init__(self, library: Library, exact: ExactIndex, embedder: Embedder) -> None:
        self._library = library
        self._exact = exact
        self._embedder = embedder

    @property
    def model(self) -> str:
        """Name of the embedding model."""
        return self._embedder.model

    async def rank(self, question: Question, limit: int) -> dict[str, tuple[Passage, ...]]:
        """The best `limit` passages by BM25 of the question's words in header and text, and by
        exact cosine similarity, each best first; filters and `as_of` bind as everywhere."""
        return await compute(lambda: self._rank(question, limit))

    async def similarities(self, question: str, texts: Sequence[str]) -> Vectors:
        """The cosine similarity of each text and the question, shape (len(texts),)."""

        def encode() -> Vectors:
            vectors = self._embedder.encode_documents(texts)
            return vectors @ self._embedder.encode_query(question)

        return await compute(encode)

    def _rank(self, question: Question, limit: int) -> dict[str, tuple[Passage, ...]]:
        self._library.check_model(self._embedder.model)
        terms = list(dict.fromkeys(re.findall(r"[^\W_]+", question.text.lower())))
        within = self._library.candidates(question.filters, question.as_of)
        lexical = self._library.lexical(terms, limit, within)
        vector = self._embedder.encode_query(question.text)
        dense = self._exact.search(vector, limit, within)
        chunks = self._library.chunks({chunk_id for chunk_id, _ in (*lexical, *dense)})
        articles = self._library.articles({chunk.article_id for chunk in chunks.values()})
        return {
            "bm25": _passages(lexical, chunks, articles),
            "dense": _passages(dense, chunks, articles),
        }


def _passages(
    scored: Sequence[tuple[str, float]],
    chunks: Mapping[str, Chunk],
    articles: Mapping[str, Article],
) -> tuple[Passage, ...]:
    """Passages of the chunks that are still there."""
    found = [(chunks[id_], score) for id_, score in scored if id_ in chunks]
    return tuple(
        Passage.of(rank, score, chunk, articles[chunk.article_id])
        for rank, (chunk, score) in enumerate(found, start=1)
        if chunk.article_id in articles
    )
