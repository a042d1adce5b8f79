"""The order of the search and that of a reranker, blended into one."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rag.errors import RerankingError
from rag.ports import Reranker
from rag.types import Article, Chunk

logger = logging.getLogger(__name__)

RERANKED = 30
"""So many of the best chunks are reranked."""

WEIGHT = 0.5
"""What the reranker's relevance counts for against our own score as a share of the best chunk's.
Not tuned: that takes a reranker, and none is packaged. Of chunks that it calls equally relevant,
the better one by our score goes first."""

Ranked = list[tuple[Chunk, float]]


@dataclass(frozen=True, slots=True)
class Blended:
    """Chunks with their scores, best first, and what these consist of: our own score times
    `scale`, and what the reranker gave, by chunk id; a chunk that it did not read has nothing."""

    ranked: Ranked
    scale: float = 1.0
    given: Mapping[str, float] = field(default_factory=dict)

    def given_to(self, chunk: Chunk) -> dict[str, float]:
        """What the reranker gave to a chunk's score, by the name of "reranker"."""
        return {"reranker": self.given[chunk.id]} if chunk.id in self.given else {}


class Blender:
    """Reranks the best chunks, or leaves them as they are where the reranker fails.

    `state` is the reranker's state, for readiness.
    """

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker
        self.state = "ok: loaded when first used"

    def warm_up(self) -> None:
        """Load what the first question would wait for."""
        self._scores("When did rain fall?", ["Rain fell on Tuesday."])

    def blend(self, question: str, ranked: Ranked, articles: Mapping[str, Article]) -> Blended:
        """The chunks, given best first with scores ≥ 0, in the order of the blended scores.

        These lie in [0, 1]. The first `RERANKED` are read, each with its article's title before
        it; those that were not read stay in their order, behind those that were.
        """
        best = max((score for _, score in ranked), default=0.0)
        if best <= 0:
            return Blended(ranked)
        asked = [chunk for chunk, _ in ranked[:RERANKED]]
        scores = self._scores(question, [_titled(chunk, articles) for chunk in asked])
        given = {
            chunk.id: WEIGHT * score
            for chunk, score in zip(asked, scores, strict=True)
            if score is not None
        }
        if not given:
            return Blended(ranked)
        scale = (1 - WEIGHT) / best
        # what was not read counts as irrelevant, and so stands behind all that was read
        blended = [
            (chunk, scale * max(0.0, score) + given.get(chunk.id, 0.0)) for chunk, score in ranked
        ]
        return Blended(sorted(blended, key=lambda found: -found[1]), scale, given)

    def _scores(self, question: str, texts: Sequence[str]) -> Sequence[float | None]:
        try:
            scores = self._reranker.score(question, texts)
        except RerankingError as error:
            logger.warning("not reranked: %s", error)
            self.state = f"degraded: {error}"
            return [None] * len(texts)
        self.state = f"ok: {self._reranker.model}"
        return scores


def _titled(chunk: Chunk, articles: Mapping[str, Article]) -> str:
    article = articles.get(chunk.article_id)
    return f"{article.title}\n{chunk.text}" if article and article.title else chunk.text
