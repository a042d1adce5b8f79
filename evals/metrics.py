"""The formulas: pure functions from what was found and answered to numbers in [0, 1].

A hit is a passage that holds a piece of gold evidence; retrieval metrics read, for each rank, which
pieces the passage holds (`holds`). Hits@k and MRR@10 are both TREC's Success@k and RR@10 and those
of MultiHop-RAG (Tang and Yang 2024, `retrieval_evaluate.py`); MAP@10 is MultiHop-RAG's alone, so
that numbers can be laid beside published ones.
"""

from __future__ import annotations

import math
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import ir_measures
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from rag.types import Citation, Passage, Sentence, Span

Statistic = Literal["mean", "p50", "p95", "auroc", "refused@5", "refused@10"]
Found = Sequence[frozenset[int]]  # for each rank, the numbers of the gold pieces that it holds
Values = NDArray[np.float64]

_RESAMPLES = 1000
_SEED = 20250821


@dataclass(frozen=True, slots=True)
class Gold:
    """A piece of evidence in the library; `span` is where its quote stands, None without one."""

    article_id: str
    quote: str | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic over `n` questions with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float
    n: int


# Text


def normalise(text: str) -> str:
    """SQuAD's normal form (Rajpurkar et al. 2016): lower case, no punctuation, no articles.

    Punctuation outside ASCII counts as well: quotation marks vanish, all else parts words.
    """
    kept = "".join(_plain(character) for character in text.lower())
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", kept).split())


def _plain(character: str) -> str:
    if character in string.punctuation or character in "‘’“”":
        return ""
    return " " if unicodedata.category(character)[0] in "PS" else character


def contains(text: str, answers: Iterable[str]) -> bool:
    """Whether an accepted answer stands in the text, as whole words after normalisation.

    "Japan's" holds "Japan" and "101-year-old" holds "101"; "Iranian" does not hold "Iran".
    """
    haystacks = [f" {form} " for form in _forms(text)]
    for answer in answers:
        for form, haystack in zip(_forms(answer), haystacks, strict=True):
            if form and f" {form} " in haystack:
                return True
    return False


def _forms(text: str) -> tuple[str, str]:
    return normalise(text), normalise(re.sub(r"['’]s\b|[-‐‑–—/]", " ", text))


def exact_match(text: str, answers: Iterable[str]) -> float:
    """1 if the normalised text is an accepted answer (SQuAD), else 0."""
    return float(any(normalise(text) == normalise(answer) for answer in answers))


def token_f1(text: str, answers: Iterable[str]) -> float:
    """The best harmonic mean of token precision and recall with an accepted answer (SQuAD)."""
    return max((_f1(normalise(text).split(), normalise(a).split()) for a in answers), default=0.0)


def _f1(got: list[str], gold: list[str]) -> float:
    shared = sum((Counter(got) & Counter(gold)).values())
    return 2 * shared / (len(got) + len(gold)) if shared else 0.0


# Evidence


def overlaps(one: Span, other: Span) -> bool:
    """Whether two spans share at least half of the shorter one."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    shorter = min(one.end - one.start, other.end - other.start)
    return shared > 0 and 2 * shared >= shorter


def holds(passage: Passage, golds: Sequence[Gold], answers: Sequence[str]) -> frozenset[int]:
    """The numbers of the gold pieces that a passage, or an article that carries a copy, holds.

    A piece with a quote is held by a passage that overlaps it, one without by a passage of its
    article that contains an accepted answer.
    """
    return frozenset(n for n, gold in enumerate(golds) if _holds(passage, gold, answers))


def _holds(passage: Passage, gold: Gold, answers: Sequence[str]) -> bool:
    if gold.article_id == passage.article_id and gold.span is not None:
        return overlaps(Span(passage.start, passage.end), gold.span)
    if gold.article_id in (passage.article_id, *(copy.article_id for copy in passage.copies)):
        return contains(passage.text, (gold.quote,) if gold.quote else answers)
    return False


# Retrieval

_MEASURES = {
    "hits@4": ir_measures.Success @ 4,
    "hits@10": ir_measures.Success @ 10,
    "mrr@10": ir_measures.RR @ 10,
    "ndcg@10": ir_measures.nDCG @ 10,
    "ap": ir_measures.AP,
}


def trec_scores(found: Found, golds: int) -> dict[str, float]:
    """Success@4 and @10, RR@10, nDCG@10 and AP by ir-measures (MacAvaney et al. 2022).

    What is ranked are the pieces of evidence, each where a passage first holds it; a passage that
    holds none, or nothing new, is a miss in its place, and one that holds several stands for each
    of them in turn. So every ranking is judged against the same number of relevant items.
    """
    ranked: list[str] = []
    seen: set[int] = set()
    for rank, pieces in enumerate(found, start=1):
        new = sorted(pieces - seen)
        ranked += [f"piece {n}" for n in new] or [f"passage {rank}"]
        seen.update(new)
    run = [ir_measures.ScoredDoc("q", name, -place) for place, name in enumerate(ranked)]
    relevant = [ir_measures.Qrel("q", f"piece {n}", 1) for n in range(golds)]
    scores = ir_measures.calc_aggregate(_MEASURES.values(), relevant, run)
    return {name: float(scores[measure]) for name, measure in _MEASURES.items()}


def average_precision(found: Found, golds: int, k: int = 10) -> float:
    """MAP@k's summand as MultiHop-RAG counts it, not TREC's.

    At each rank, the pieces that are new there are divided by the rank; the sum is divided by
    min(pieces, k). So two pieces at ranks 1 and 2 give (1/1 + 1/2) / 2 = .75, TREC's gives 1.
    """
    seen: set[int] = set()
    total = 0.0
    for rank, pieces in enumerate(found[:k], start=1):
        total += len(pieces - seen) / rank
        seen |= pieces
    return total / min(golds, k)


def all_evidence(found: Found, golds: int, k: int = 10) -> float:
    """1 if the first k passages hold every piece, else 0."""
    return float(len(frozenset[int]().union(*found[:k])) == golds)


def hit_within(found: Found, tokens: Sequence[int], budget: int = 1024) -> float:
    """1 if a hit is among the first passages that together fit into the budget of tokens."""
    used = np.cumsum(tokens)
    return float(any(pieces for pieces, total in zip(found, used, strict=True) if total <= budget))


# Citations


def citation_precision(
    citations: Sequence[Citation], golds: Sequence[Gold], answers: Sequence[str]
) -> float:
    """The share of citations from an evidence article that overlap its quote or hold an answer."""
    return sum(_is_right(c, golds, answers) for c in citations) / len(citations)


def _is_right(citation: Citation, golds: Sequence[Gold], answers: Sequence[str]) -> bool:
    same = [gold for gold in golds if gold.article_id == citation.article_id]
    return any(_cites(citation, gold) for gold in same if gold.span) or (
        bool(same) and contains(citation.quote, answers)
    )


def citation_recall(citations: Sequence[Citation], golds: Sequence[Gold]) -> float:
    """The share of gold pieces that are cited: their quote overlapped, without one the article."""
    return sum(any(_cites(c, gold) for c in citations) for gold in golds) / len(golds)


def faces(one: Sequence[Citation], other: Sequence[Citation], golds: Sequence[Gold]) -> bool:
    """Whether two sides cite different pieces of gold, and each some."""
    ours, theirs = ({g for g in golds if any(_cites(c, g) for c in side)} for side in (one, other))
    return bool(ours and theirs) and not ours & theirs


def sentence_support(
    sentences: Sequence[Sentence],
    citations: Sequence[Citation],
    golds: Sequence[Gold],
    answers: Sequence[str],
) -> float:
    """The share of sentences with a citation that `citation_precision` counts as right."""
    right = {c.number for c in citations if _is_right(c, golds, answers)}
    return sum(not right.isdisjoint(s.citations) for s in sentences) / len(sentences)


def _cites(citation: Citation, gold: Gold) -> bool:
    if citation.article_id != gold.article_id:
        return False
    return gold.span is None or overlaps(Span(citation.start, citation.end), gold.span)


# Statistics


def estimate(
    values: Sequence[float], statistic: Statistic = "mean", answerable: Sequence[bool] = ()
) -> Estimate | None:
    """The statistic with its percentile-bootstrap interval (Efron 1979; 1,000 resamples, seeded).

    None where it has no value. Questions are resampled, so the interval says how much another
    sample of questions of this kind may differ. `answerable` goes with the values where the
    statistic asks how well they tell answerable questions from others.
    """
    if not values:
        return None
    sample = np.asarray(values, dtype=np.float64)
    labels = np.asarray(answerable, dtype=bool) if len(answerable) else np.ones(len(sample), bool)
    value = float(statistic_of(sample, labels, statistic))
    if math.isnan(value):
        return None
    rows = np.random.default_rng(_SEED).integers(0, len(sample), (_RESAMPLES, len(sample)))
    resampled = statistic_of(sample[rows], labels[rows], statistic)
    low, high = np.nanquantile(resampled, [0.025, 0.975])
    return Estimate(value, float(low), float(high), len(sample))


def statistic_of(values: Values, answerable: NDArray[np.bool_], statistic: Statistic) -> Values:
    """The statistic over the last axis; nan where nothing has it, and in a mean for no value."""
    if statistic == "mean":
        present = ~np.isnan(values)
        count = present.sum(axis=-1)
        total = np.where(present, values, 0.0).sum(axis=-1)
        return np.asarray(np.divide(total, count, np.full(total.shape, np.nan), where=count > 0))
    if statistic == "auroc":
        return _auroc(values, answerable)
    if statistic in _WRONGLY_REFUSED:
        return _refused(values, answerable, _WRONGLY_REFUSED[statistic])
    return np.asarray(np.quantile(values, {"p50": 0.5, "p95": 0.95}[statistic], axis=-1))


_WRONGLY_REFUSED: Mapping[Statistic, float] = {"refused@5": 0.05, "refused@10": 0.10}


def _auroc(confidence: Values, answerable: NDArray[np.bool_]) -> Values:
    """How often an answerable question has more confidence than an unanswerable one, a tie
    counting half: Mann and Whitney's U (1947) over the number of such pairs."""
    yes = answerable.sum(axis=-1)
    pairs = yes * (~answerable).sum(axis=-1)
    wins = (rankdata(confidence, axis=-1) * answerable).sum(axis=-1) - yes * (yes + 1) / 2
    return np.asarray(np.divide(wins, pairs, np.full(wins.shape, np.nan), where=pairs > 0))


def _refused(confidence: Values, answerable: NDArray[np.bool_], wrongly: float) -> Values:
    """The share of unanswerable questions below the highest threshold that leaves at most the
    share `wrongly` of the answerable ones below itself."""
    yes, no = answerable.sum(axis=-1), (~answerable).sum(axis=-1)
    ordered = np.sort(np.where(answerable, confidence, np.inf), axis=-1)
    spared = np.floor(wrongly * yes + 1e-9).astype(int)  # 0.1 · 30 is not quite 3
    place = np.minimum(spared, np.maximum(yes - 1, 0))
    threshold = np.take_along_axis(ordered, place[..., None], axis=-1)
    refused = ((confidence < threshold) & ~answerable).sum(axis=-1)
    share = np.full(refused.shape, np.nan)
    return np.asarray(np.divide(refused, no, share, where=(yes > 0) & (no > 0)))
