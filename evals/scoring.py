"""One question's scores: which metrics apply to it, and their values.

A metric is absent where it does not apply, so a mean over the questions that have it is the
metric: retrieval over answerable questions with evidence, citation precision over answered ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.cases import GoldQuestion
from evals.metrics import (
    Gold,
    Statistic,
    all_evidence,
    average_precision,
    citation_precision,
    citation_recall,
    contains,
    exact_match,
    hit_within,
    hits_at,
    holds,
    reciprocal_rank,
    token_f1,
)
from evals.promises import promise_breaches, quotation_validity
from rag.tokens import count_tokens
from rag.types import Answer, Article, Passage


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the report: the score it reads, and how it is summed up."""

    key: str
    label: str
    group: str
    statistic: Statistic = "mean"

    @property
    def name(self) -> str:
        """Its name in saved runs."""
        return self.key if self.statistic == "mean" else f"{self.key}_{self.statistic}"


METRICS = (
    Metric("hits@4", "Hits@4", "retrieval"),
    Metric("hits@10", "Hits@10", "retrieval"),
    Metric("map@10", "MAP@10", "retrieval"),
    Metric("mrr@10", "MRR@10", "retrieval"),
    Metric("all_evidence@10", "all evidence in 10", "retrieval"),
    Metric("hits_1024_tokens", "hit within 1,024 tokens", "retrieval"),
    Metric("containment", "answer contained", "answers"),
    Metric("f1", "token F1", "answers"),
    Metric("exact_match", "exact match", "answers"),
    Metric("citation_precision", "citation precision", "citations"),
    Metric("citation_recall", "citation recall", "citations"),
    Metric("quotation_validity", "quotation validity", "citations"),
    Metric("promises_kept", "promises kept", "citations"),
    Metric("abstention_precision", "abstention precision", "abstention"),
    Metric("abstention_recall", "abstention recall", "abstention"),
    Metric("wrong_refusal", "wrong refusals", "abstention"),
    Metric("search_ms", "search p50, ms", "latency", "p50"),
    Metric("search_ms", "search p95, ms", "latency", "p95"),
    Metric("answer_ms", "answer p50, ms", "latency", "p50"),
    Metric("answer_ms", "answer p95, ms", "latency", "p95"),
)


def retrieval_scores(
    case: GoldQuestion, golds: Sequence[Gold], passages: Sequence[Passage]
) -> dict[str, float]:
    """Of a question with evidence, from its passages in their order; else empty."""
    if not golds:
        return {}
    found = [holds(passage, golds, case.answers) for passage in passages]
    return {
        "hits@4": hits_at(found, 4),
        "hits@10": hits_at(found, 10),
        "map@10": average_precision(found, len(golds)),
        "mrr@10": reciprocal_rank(found),
        "all_evidence@10": all_evidence(found, len(golds)),
        "hits_1024_tokens": hit_within(found, [count_tokens(p.text) for p in passages]),
    }


def answer_scores(
    case: GoldQuestion, golds: Sequence[Gold], answer: Answer | None
) -> dict[str, float]:
    """Of the answer against the gold; None (it failed) counts as wrong, but not as a refusal."""
    abstained = answer is not None and answer.status == "abstained"
    scores: dict[str, float] = {}
    if abstained:
        scores["abstention_precision"] = float(not case.answerable)
    if not case.answerable:
        return scores | {"abstention_recall": float(abstained)}
    text = " ".join(s.text for s in answer.sentences) if answer else ""  # without markers
    citations = answer.citations if answer else ()
    scores |= {
        "wrong_refusal": float(abstained),
        "containment": float(contains(text, case.answers)),
        "f1": token_f1(text, case.answers),
        "exact_match": exact_match(text, case.answers),
    }
    if golds:
        scores["citation_recall"] = citation_recall(citations, golds)
    if golds and citations:
        scores["citation_precision"] = citation_precision(citations, golds, case.answers)
    return scores


def promise_scores(
    answer: Answer, articles: Mapping[str, Article]
) -> tuple[dict[str, float], list[str]]:
    """Whether the answer keeps the public promises, answerable or not, and every breach."""
    breaches = promise_breaches(answer, articles)
    scores = {"promises_kept": float(not breaches)}
    validity = quotation_validity(answer, articles)
    return scores | ({} if validity is None else {"quotation_validity": validity}), breaches
