"""Scoring chunks for a question by features that can be explained, each in [0, 1] or nearly so."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.text.wording import FUNCTION_WORDS, stem
from rag.types import Article, Chunk, Period, Understanding

Values = NDArray[np.float64]

FEATURES = (
    "lexical",  # BM25 of the whole question, as a share of the best chunk's
    "dense",  # cosine similarity of chunk and question, 0 where it is negative
    "part",  # lexical, dense, outlet and period for the part that the chunk fits best
    "context",  # idf-weighted share of the question's words in chunk, header and lead
    "article",  # how well the article's best three chunks do by lexical and dense
    "lead",  # how near the chunk is to the beginning of its article
    "outlet",  # its outlet is one that the question names
    "period",  # it was published in a period that the question names
    "recency",  # how new it is, where the question or `as_of` asks for it
    "quoted",  # share of the question's quoted phrases that stand here
)

WEIGHTS: Mapping[str, float] = {
    "lexical": 0.103,
    "dense": 0.239,
    "part": 0.135,
    "context": 0.166,
    "article": 0.044,
    "lead": 0.08,
    "outlet": 0.065,
    "period": 0.067,
    "recency": 0.051,
    "quoted": 0.05,
}
"""Fitted by `python -m evals.tune` on news quizzes, questions over several outlets' facts,
encyclopaedic questions and the tuning half of `evals/gold/news`, each set weighing the same. None
of these quotes a phrase: `quoted` was set by hand. They sum to 1, and so a score lies in [0, 1]."""

BY_HAND = frozenset({"quoted"})
"""Features whose weight is not fitted."""

JUDGED = 5
"""So many of the best chunks tell whether a question can be answered."""

LIKELIHOOD: Mapping[str, float] = {
    "score": 10.34,
    "dense": 4.87,
    "recency": 0.74,
    "undated": 0.66,
    "bias": -7.46,
}
"""Logistic regression of "is answerable", fitted as `WEIGHTS` were."""

LEAD_CHARS = 1000
"""The lead of an article; a chunk that begins so far down counts half as near to the beginning."""

FRESH_DAYS = 10.0
"""After so many days an article counts 1/e as new."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Pool:
    """The chunks considered for a question, in one order, and what the searches say of them.

    `asked` is what the question and each part of it are understood to say, `lexical` and `dense`
    have BM25 scores and cosines of shape (len(asked), chunks), the whole question's first;
    `frequencies` tells in how many of the library's `size` chunks a word stands.
    """

    asked: Sequence[Understanding]
    chunks: Sequence[Chunk]
    articles: Mapping[str, Article]
    lexical: Values
    dense: Values
    frequencies: Mapping[str, int]
    size: int


def content_words(text: str) -> list[str]:
    """The words that carry meaning, folded to lower case, once each; all words if none does."""
    words = list(dict.fromkeys(_WORD.findall(text.lower())))
    return [word for word in words if word not in FUNCTION_WORDS and len(word) > 1] or words


def features(pool: Pool) -> Values:
    """What speaks for each chunk: shape (chunks, len(FEATURES)), in the order of `FEATURES`."""
    if not pool.chunks:
        return np.empty((0, len(FEATURES)))
    outlet = _by_outlet(pool)
    period = _by_period(pool)
    similarity = _both(pool.lexical, pool.dense)
    fit = similarity * (1 + (outlet + period) / 2) / 2
    terms = _Terms(pool)
    columns: dict[str, Sequence[float] | Values] = {
        "lexical": _share(pool.lexical[0]),
        "dense": np.maximum(pool.dense[0], 0.0),
        "part": fit[1:].max(axis=0, initial=0.0),
        "article": _article_scores(pool.chunks, similarity[0]),
        "lead": [1 / (1 + chunk.start / LEAD_CHARS) for chunk in pool.chunks],
        "outlet": outlet[0],
        "period": period[0],
        "recency": _recencies(pool),
    }
    rows = [terms.read(chunk, pool.articles[chunk.article_id]) for chunk in pool.chunks]
    columns |= {name: [row[name] for row in rows] for name in rows[0]}
    return np.column_stack([np.asarray(columns[name], dtype=np.float64) for name in FEATURES])


def likelihood(signals: Mapping[str, float]) -> float:
    """How likely a library answers a question, in [0, 1], by its `signals`."""
    return 1 / (1 + math.exp(-sum(LIKELIHOOD[name] * signals[name] for name in LIKELIHOOD)))


def likelihood_signals(best: Values, score: float, dated: bool) -> dict[str, float]:
    """What tells how likely a library answers a question: the best chunk's score, and the highest
    similarity and recency in the features of the best chunks, of shape (chunks, len(FEATURES)).

    `dated` tells that recency was asked for.
    """
    highest = best[:JUDGED].max(axis=0, initial=0.0)
    return {
        "score": score,
        "dense": float(highest[FEATURES.index("dense")]),
        "recency": float(highest[FEATURES.index("recency")]),
        "undated": float(not dated),
        "bias": 1.0,
    }


class _Terms:
    """The question's words and quoted phrases, and how well a chunk has them."""

    def __init__(self, pool: Pool) -> None:
        asked = pool.asked[0]
        self._weights = {
            stem(word): math.log(1 + pool.size / (pool.frequencies.get(word, 0) + 0.5))
            for word in content_words(asked.parts[0])
        }
        self._total = sum(self._weights.values()) or 1.0
        self._quoted = [_plain(phrase) for phrase in asked.phrases]
        self._around: dict[str, frozenset[str]] = {}

    def read(self, chunk: Chunk, article: Article) -> dict[str, float]:
        """The features that only the texts tell."""
        here = frozenset(_stems(chunk.text)) | self._about(article)
        plain = _plain(chunk.text) if self._quoted else ""
        return {
            "context": sum(w for s, w in self._weights.items() if s in here) / self._total,
            "quoted": sum(phrase in plain for phrase in self._quoted) / (len(self._quoted) or 1),
        }

    def _about(self, article: Article) -> frozenset[str]:
        """The stems of an article's header and lead."""
        if article.id not in self._around:
            header = (article.title, article.outlet, article.author, article.published_at)
            text = " ".join([*filter(None, header), article.text[:LEAD_CHARS]])
            self._around[article.id] = frozenset(_stems(text))
        return self._around[article.id]


def _by_outlet(pool: Pool) -> Values:
    """1 where a chunk's outlet is named in the question or part, shape (len(asked), chunks)."""
    outlets = [pool.articles[chunk.article_id].outlet for chunk in pool.chunks]
    named = [set(one.understood.outlets) for one in pool.asked]
    return np.array([[outlet in names for outlet in outlets] for names in named], dtype=np.float64)


def _by_period(pool: Pool) -> Values:
    """1 where a chunk was published in a period that the question or part names, same shape."""
    days = _days(pool)
    return np.array(
        [[any(_within(day, p) for p in one.periods) for day in days] for one in pool.asked],
        dtype=np.float64,
    )


def _recencies(pool: Pool) -> list[float]:
    days = [_day(day) for day in _days(pool)]
    understood = pool.asked[0].understood
    now = _day(understood.as_of)
    if now is None and understood.latest:
        now = max(filter(None, days), default=None)
    return [_recency(day, now) for day in days]


def _days(pool: Pool) -> list[str]:
    return [(pool.articles[chunk.article_id].published_at or "")[:10] for chunk in pool.chunks]


def _recency(day: date | None, now: date | None) -> float:
    return math.exp(-abs((now - day).days) / FRESH_DAYS) if day and now else 0.0


def _within(day: str, period: Period) -> bool:
    return bool(day) and (period.first or "") <= day <= (period.last or "9999")


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def _both(lexical: Values, dense: Values) -> Values:
    """Half BM25, half cosine, each as a share of the part's best; shape (parts, chunks)."""
    return np.stack(
        [(_share(one) + _share(two)) / 2 for one, two in zip(lexical, dense, strict=True)]
    )


def _share(scores: Values) -> Values:
    """Scores as shares of the highest; those below 0 count as 0."""
    best = scores.max(initial=0.0)
    shares: Values = np.maximum(scores, 0.0) / (best or 1.0)
    return shares


def _article_scores(chunks: Sequence[Chunk], scores: Values) -> list[float]:
    """For each chunk, the mean of its article's best three scores, a missing one counting as 0."""
    by_article: dict[str, list[float]] = {}
    for chunk, score in zip(chunks, scores.tolist(), strict=True):
        by_article.setdefault(chunk.article_id, []).append(score)
    means = {key: sum(sorted(found)[-3:]) / 3 for key, found in by_article.items()}
    return [means[chunk.article_id] for chunk in chunks]


def _stems(text: str) -> Iterator[str]:
    """The stems of the words that carry meaning, in order."""
    return filter(None, map(_content_stem, _WORD.findall(text.lower())))


@lru_cache(maxsize=200_000)
def _content_stem(word: str) -> str:
    return "" if word in FUNCTION_WORDS or len(word) < 2 else stem(word)


def _plain(text: str) -> str:
    """The words of a text between spaces, for looking phrases up."""
    return f" {' '.join(_WORD.findall(text.lower()))} "
