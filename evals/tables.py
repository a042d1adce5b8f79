"""The figures of a run as rows of text, for the pages that show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, get_args

from evals.comparison import Comparison, Verdict
from evals.metrics import Estimate
from evals.report import fault_of
from evals.results import CaseResult, EvalRun, Part, compare_baselines, kind
from evals.scoring import METRICS, Metric

PARTS: tuple[tuple[Part, str], ...] = (
    ("all", "all questions"),
    ("tune", "tuning half"),
    ("report", "reporting half"),
)
_BARS = ("yes/no", "share")  # scales of which an interval can be drawn between 0 and 1
_HEADLINE = (
    "containment",
    "hits@4",
    "citation_precision",
    "abstention_recall",
    "wrong_refusal",
    "promises_kept",
    "all_evidence@10",
    "hits_1024_tokens",
    "mrr@10",
)
_TILES = 6
_METRICS = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True, slots=True)
class Cell:
    """An estimate as text; `bar` is its low end, value and high end in percent of the axis."""

    value: str
    interval: str
    n: int
    bar: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference to the baseline as text, and what may be said of it."""

    theirs: str
    difference: str
    interval: str
    verdict: str


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric over each part (None where no question of it applies) and against the baseline."""

    metric: Metric
    cells: tuple[Cell | None, ...]
    difference: Difference | None

    @property
    def meaning(self) -> str:
        """What the metric says, in words for everybody; empty where the label says it all."""
        return _MEANINGS.get(self.metric.name, "")


_MEANINGS = {
    "hits@4": "gold evidence is among the first 4 passages",
    "hits@10": "gold evidence is among the first 10 passages",
    "mrr@10": "how early the first evidence comes",
    "ndcg@10": "how early all the evidence comes",
    "ap": "how early all the evidence comes, by TREC’s formula",
    "map@10": "how early all the evidence comes, by MultiHop-RAG’s formula",
    "all_evidence@10": "every piece of evidence is among the first 10 passages",
    "hits_1024_tokens": "gold evidence within the first 1,024 tokens of passages",
    "containment": "an accepted answer stands in the answer",
    "f1": "words shared with the accepted answer",
    "exact_match": "the answer is the accepted answer and nothing else",
    "citation_precision": "citations that are gold evidence or hold the answer",
    "citation_recall": "gold evidence that is cited",
    "sentence_support": "sentences with a citation that is right",
    "exact_sentences": "sentences that are their quotation, word for word",
    "quotation_validity": "quotations that stand in their article, word for word",
    "promises_kept": "answers that break none of the API’s promises",
    "abstention_precision": "refusals that were right",
    "abstention_recall": "unanswerable questions that were refused",
    "wrong_refusal": "answerable questions that were refused",
    "confidence_auroc": "how well confidence tells what is answerable",
    "confidence_refused@5": "unanswerable refused at 5 % wrong refusals",
    "confidence_refused@10": "unanswerable refused at 10 % wrong refusals",
}


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One metric of the run against another system's."""

    metric: Metric
    ours: str
    difference: Difference
    n: int
    p: str


@dataclass(frozen=True, slots=True)
class SystemTable:
    """The run against another system, and how often each verdict fell."""

    name: str
    rows: list[ComparisonRow]
    verdicts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many questions ended like this; `slug` names it for styles, `share` is in percent."""

    slug: str
    label: str
    n: int
    share: float


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of the run, and of the baseline."""

    name: str
    value: str
    before: str | None = None

    @property
    def differs(self) -> bool:
        """Whether the baseline was run under another one."""
        return self.before is not None and self.before != self.value


def metric_rows(
    run: EvalRun, comparisons: Sequence[Comparison] = ()
) -> list[tuple[str, list[MetricRow]]]:
    """The metrics that apply to the run, by group."""
    compared = {one.metric: one for one in comparisons}
    rows = []
    for metric in METRICS:
        cells = tuple(_cell(run.estimate(metric, part), metric) for part, _ in PARTS)
        if any(cells):
            found = compared.get(metric.name)
            rows.append(MetricRow(metric, cells, _difference(found, metric) if found else None))
    return [(name, list(rows)) for name, rows in groupby(rows, key=lambda row: row.metric.group)]


def verdicts_of(comparisons: Sequence[Comparison]) -> dict[str, int]:
    """How often each verdict fell."""
    fell = [comparison.verdict for comparison in comparisons]
    return {verdict: fell.count(verdict) for verdict in get_args(Verdict)}


def system_tables(run: EvalRun) -> list[SystemTable]:
    """The run against each system that it was compared with as it ran."""
    return [
        SystemTable(name, [_comparison_row(one) for one in found], verdicts_of(found))
        for name, found in compare_baselines(run).items()
    ]


def _comparison_row(found: Comparison) -> ComparisonRow:
    metric = _METRICS[found.metric]
    deciding = found.p if found.mcnemar is None else found.mcnemar
    shown = "< .001" if deciding < 0.001 else f"{deciding:.3f}"
    return ComparisonRow(
        metric, metric.show(found.ours), _difference(found, metric), found.n, shown
    )


def headline(groups: Sequence[tuple[str, Sequence[MetricRow]]]) -> list[MetricRow]:
    """The few figures to read first."""
    known = {row.metric.name: row for _, rows in groups for row in rows}
    return [known[name] for name in _HEADLINE if name in known][:_TILES]


def outcomes(run: EvalRun) -> list[Outcome]:
    """How the questions ended, the good ends first; each question counts once."""
    ends = [_outcome(result) for result in run.results]
    return [
        Outcome(slug, label, n, 100 * n / len(ends))
        for slug, label in _OUTCOMES.items()
        if (n := ends.count(slug))
    ]


_OUTCOMES = {
    "right": "answered right",
    "held-back": "rightly refused",
    "found": "evidence found in ten passages",
    "unjudged": "not judged",
    "refused": "wrongly refused",
    "missed": "not retrieved",
    "wrong": "answered wrong",
    "invented": "answered although unanswerable",
    "failed": "failed",
}
_OF_FAULT = {
    "answered although unanswerable": "invented",
    "wrong": "wrong",
    "wrongly refused": "refused",
    "not retrieved": "missed",
    "failed": "failed",
}


def _outcome(result: CaseResult) -> str:
    fault = fault_of(result)
    if fault:
        return _OF_FAULT[fault]
    if result.answer:
        return "right" if result.case.answerable else "held-back"
    return "found" if "hits@10" in result.scores else "unjudged"


def headline_conditions(run: EvalRun) -> dict[str, str]:
    """What a reader must know of a run before believing its figures, by name."""
    counts, conditions = run.counts(), run.conditions
    kinds = ", ".join(f"{n} {name}" for name, n in counts["kind"].items())
    code = conditions.code
    commit = str(code.get("commit") or "not known")[:12]
    told = {
        "questions": f"{len(run.results)}: {kinds}",
        "asked": readable_time(conditions.started_at),
        "model": _counted(counts["model"]) or "none: retrieval only",
        "prompt": _counted(counts["prompt"]) or "none",
        "fallback": _counted(counts["fallback"]),
        "commit": f"{commit}, with changes on top" if code.get("changed") else commit,
        "embedding": str(conditions.settings.get("embedding_model") or "the packaged model"),
        "searched by": _counted(counts["path"]),
        "index generation": conditions.index or "",
    }
    return {name: value for name, value in told.items() if value}


def conditions_table(run: EvalRun, before: EvalRun | None) -> list[Condition]:
    """Every saved condition of the run, with the baseline's beside it."""
    ours = dict(_flat(_documented(run)))
    theirs = dict(_flat(_documented(before))) if before else {}
    return [
        Condition(name, ours.get(name, "–"), theirs.get(name, "–") if before else None)
        for name in dict.fromkeys([*ours, *theirs])
    ]


def readable_time(iso: str) -> str:
    """A moment as `21 August 2025, 18:23 UTC`; what is no ISO time stays as it is."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    if moment.tzinfo:
        moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%B %Y, %H:%M}{' UTC' if moment.tzinfo else ''}"


def by_category(run: EvalRun) -> dict[tuple[str, str], list[CaseResult]]:
    """The results by kind and category, the answerable ones first."""

    def key(result: CaseResult) -> tuple[str, str]:
        return kind(result.case), result.case.category

    return {key_: list(found) for key_, found in groupby(sorted(run.results, key=key), key=key)}


def signed(value: float, metric: Metric) -> str:
    """A difference with its sign, as long as it does not vanish in the rounding."""
    shown = metric.show(abs(value))
    if not shown.strip("0."):
        return shown
    return f"+{shown}" if value > 0 else f"−{shown}"


def bar_of(estimate: Estimate, metric: Metric) -> tuple[float, float, float] | None:
    """Low end, value and high end in percent, None where the scale has no upper end."""
    if metric.scale not in _BARS:
        return None
    low, value, high = (100 * x for x in (estimate.low, estimate.value, estimate.high))
    return round(low, 1), round(value, 1), round(high, 1)


def _cell(estimate: Estimate | None, metric: Metric) -> Cell | None:
    if estimate is None:
        return None
    interval = f"{metric.show(estimate.low)}–{metric.show(estimate.high)}"
    return Cell(metric.show(estimate.value), interval, estimate.n, bar_of(estimate, metric))


def _difference(found: Comparison, metric: Metric) -> Difference:
    interval = f"{signed(found.low, metric)} to {signed(found.high, metric)}"
    shown = signed(found.difference, metric)
    return Difference(metric.show(found.theirs), shown, interval, found.verdict)


def _counted(counts: Mapping[str, int]) -> str:
    """The names, with their numbers if there are several."""
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{name} ({n})" for name, n in counts.items())


def _documented(run: EvalRun) -> dict[str, Any]:
    conditions = run.conditions
    return {
        "started at": conditions.started_at,
        "options": conditions.options,
        "data": conditions.data,
        "index generation": conditions.index,
        "code": conditions.code,
        "settings": conditions.settings,
    }


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _flat(inner, f"{prefix}{name} · ")
        else:
            yield f"{prefix}{name}", "–" if inner is None or inner == "" else str(inner)
