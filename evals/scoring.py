"""One question's scores: which metrics apply to it, and their values.

A metric is absent where it does not apply, so a mean over the questions that have it is the
metric: retrieval over answerable questions with evidence, citation precision over answered ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from genai_prices import Usage, calc_price

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
    faces,
    hit_within,
    holds,
    sentence_support,
    token_f1,
    trec_scores,
)
from evals.promises import promise_breaches, quotation_validity
from rag.text.wording import fold
from rag.tokens import count_tokens
from rag.types import Answer, Article, Passage

Scale = Literal["yes/no", "share", "ms", "tokens", "usd"]
Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the report: the score it reads, and how it is summed up over questions.

    `better` is None for what two runs are not compared by: a style, or a machine's speed.
    """

    key: str
    label: str
    group: str
    statistic: Statistic = "mean"
    scale: Scale = "share"
    better: Better | None = "higher"

    @property
    def name(self) -> str:
        """Its name in saved runs."""
        return self.key if self.statistic == "mean" else f"{self.key}_{self.statistic}"

    def show(self, value: float) -> str:
        """A value as tables print it."""
        return f"{value:.{_DECIMALS[self.scale]}f}"


_DECIMALS: Mapping[Scale, int] = {"yes/no": 3, "share": 3, "ms": 0, "tokens": 0, "usd": 5}

METRICS = (
    Metric("hits@4", "Hits@4", "retrieval", scale="yes/no"),
    Metric("hits@10", "Hits@10", "retrieval", scale="yes/no"),
    Metric("mrr@10", "MRR@10", "retrieval"),
    Metric("ndcg@10", "nDCG@10", "retrieval"),
    Metric("ap", "AP", "retrieval"),
    Metric("map@10", "MAP@10", "retrieval"),
    Metric("all_evidence@10", "all evidence in 10", "retrieval", scale="yes/no"),
    Metric("hits_1024_tokens", "hit within 1,024 tokens", "retrieval", scale="yes/no"),
    Metric("standalone", "follow-up condensed", "answers", scale="yes/no"),
    Metric("containment", "answer contained", "answers", scale="yes/no"),
    Metric("f1", "token F1", "answers"),
    Metric("exact_match", "exact match", "answers", scale="yes/no"),
    Metric("evidence_f1", "token F1 with evidence", "answers"),
    Metric("citation_precision", "citation precision", "citations"),
    Metric("citation_recall", "citation recall", "citations"),
    Metric("sentence_support", "sentences with evidence", "citations"),
    Metric("exact_sentences", "sentences marked exact", "citations", better=None),
    Metric("quotation_validity", "quotation validity", "citations"),
    Metric("promises_kept", "promises kept", "citations", scale="yes/no"),
    Metric("withheld", "sentences of the LLM withheld", "citations", better="lower"),
    Metric("written", "answers written by the LLM", "citations", scale="yes/no"),
    Metric("conflict_precision", "conflicts, precision", "conflicts"),
    Metric("conflict_recall", "conflicts, recall", "conflicts", scale="yes/no"),
    Metric("conflict_kind", "kind of conflict", "conflicts", scale="yes/no"),
    Metric("abstention_precision", "abstention precision", "abstention"),
    Metric("abstention_recall", "abstention recall", "abstention", scale="yes/no"),
    Metric("wrong_refusal", "wrong refusals", "abstention", scale="yes/no", better="lower"),
    Metric("confidence", "confidence, AUROC", "abstention", "auroc"),
    Metric("confidence", "refused at 5 % wrongly", "abstention", "refused@5"),
    Metric("confidence", "refused at 10 % wrongly", "abstention", "refused@10"),
    Metric("search_ms", "search p50, ms", "latency", "p50", "ms", None),
    Metric("search_ms", "search p95, ms", "latency", "p95", "ms", None),
    Metric("first_sentence_ms", "first sentence p50, ms", "latency", "p50", "ms", None),
    Metric("first_sentence_ms", "first sentence p95, ms", "latency", "p95", "ms", None),
    Metric("answer_ms", "answer p50, ms", "latency", "p50", "ms", None),
    Metric("answer_ms", "answer p95, ms", "latency", "p95", "ms", None),
    Metric("prompt_tokens", "prompt tokens", "cost", "mean", "tokens", "lower"),
    Metric("completion_tokens", "completion tokens", "cost", "mean", "tokens", "lower"),
    Metric("cost_usd", "cost a question, USD", "cost", "mean", "usd", "lower"),
)


def retrieval_scores(
    case: GoldQuestion, golds: Sequence[Gold], passages: Sequence[Passage]
) -> dict[str, float]:
    """Of a question with evidence, from its passages in their order; else empty."""
    if not golds:
        return {}
    found = [holds(passage, golds, case.answers) for passage in passages]
    return {
        **trec_scores(found, len(golds)),
        "map@10": average_precision(found, len(golds)),
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
    scores |= {"wrong_refusal": float(abstained)} | text_scores(case, golds, text)
    if golds:
        scores["citation_recall"] = citation_recall(citations, golds)
    if golds and answer and answer.sentences and citations:
        scores |= {
            "citation_precision": citation_precision(citations, golds, case.answers),
            "sentence_support": sentence_support(answer.sentences, citations, golds, case.answers),
        }
    return scores


def text_scores(case: GoldQuestion, golds: Sequence[Gold], text: str) -> dict[str, float]:
    """Of a text that answers an answerable question, against the accepted answers and, where all
    evidence is quoted, against the quotations, one after the other."""
    scores = {
        "containment": float(contains(text, case.answers)),
        "f1": token_f1(text, case.answers),
        "exact_match": exact_match(text, case.answers),
    }
    quotes = [gold.quote for gold in golds if gold.quote]
    if quotes and len(quotes) == len(golds):
        scores["evidence_f1"] = token_f1(text, [" ".join(dict.fromkeys(quotes))])
    return scores


def standalone_score(case: GoldQuestion, answer: Answer) -> dict[str, float]:
    """Of a follow-up: whether the question that was answered has all that it must mention, and
    nothing that it must omit."""
    if not case.history:
        return {}
    asked = fold(answer.standalone_question)
    has_all = all(fold(word) in asked for word in case.mentions)
    return {"standalone": float(has_all and not any(fold(word) in asked for word in case.omits))}


def conflict_scores(
    case: GoldQuestion,
    golds: Sequence[Gold],
    answer: Answer | None,
    disputes: Sequence[Sequence[Gold]],
) -> dict[str, float]:
    """Of the conflicts that an answer reports, where the gold says whether there are any.

    `disputes` holds the evidence of every question of the data set on which its articles differ: a
    conflict is right if its sides cite two pieces of the same one.
    """
    if case.conflict is None:
        return {}
    found = answer.conflicts if answer else ()
    cited = {c.number: c for c in answer.citations} if answer else {}
    sides = [[[cited[number] for number in side] for side in c.sides] for c in found]
    right = [any(faces(one, other, dispute) for dispute in disputes) for one, other in sides]
    scores = {"conflict_precision": sum(right) / len(right)} if right else {}
    if case.conflict != "none":
        kinds = {
            c.kind for c, (one, other) in zip(found, sides, strict=True) if faces(one, other, golds)
        }
        scores["conflict_recall"] = float(bool(kinds))
        if kinds:
            scores["conflict_kind"] = float(kinds == {case.conflict})
    return scores


def promise_scores(
    answer: Answer, articles: Mapping[str, Article]
) -> tuple[dict[str, float], list[str]]:
    """Whether the answer keeps the public promises, answerable or not, and every breach."""
    breaches = promise_breaches(answer, articles)
    scores = {"promises_kept": float(not breaches)}
    if answer.sentences:
        exact = sum(sentence.support == "exact" for sentence in answer.sentences)
        scores["exact_sentences"] = exact / len(answer.sentences)
    validity = quotation_validity(answer, articles)
    return scores | ({} if validity is None else {"quotation_validity": validity}), breaches


def llm_scores(answer: Answer) -> dict[str, float]:
    """How much of what an LLM wrote could be shown; empty where none was asked."""
    if not (answer.prompt or answer.fallback):
        return {}
    scores = {"written": float(answer.prompt is not None and answer.status == "answered")}
    drafted = answer.withheld + (len(answer.sentences) if answer.prompt else 0)
    return scores | ({"withheld": answer.withheld / drafted} if drafted else {})


def cost_scores(answer: Answer, model: str | None, endpoint: str | None) -> dict[str, float]:
    """The tokens that an LLM took, empty if none was asked, and US dollars where genai-prices
    knows what `model` costs at that endpoint (None: OpenAI's own).

    The price list is the one that came with the installed package: nothing is downloaded.
    """
    usage = answer.usage
    if not usage.prompt_tokens and not usage.completion_tokens:
        return {}
    scores = {
        "prompt_tokens": float(usage.prompt_tokens),
        "completion_tokens": float(usage.completion_tokens),
    }
    used = Usage(input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens)
    try:
        priced = (
            calc_price(used, model or "", provider_api_url=endpoint)
            if endpoint
            else calc_price(used, model or "", provider_id="openai")
        )
    except LookupError:
        return scores
    return scores | {"cost_usd": float(priced.total_price)}
