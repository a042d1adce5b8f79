"""The plots of one run: each metric by category, caution, and how deep the evidence lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evals.abstention import Point, refusals, risk_coverage
from evals.plots import Curve, Row, curve_plot, interval_plot, rank_plot
from evals.results import CaseResult, EvalRun, estimate_of
from evals.scoring import METRICS, Metric
from evals.tables import by_category

_DEPTH = 10
_FEWEST_ANSWERS = 10
_FIRST = (  # the plots that a page shows at once
    "hits@4",
    "all_evidence@10",
    "containment",
    "citation_precision",
    "abstention_recall",
    "wrong_refusal",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing (SVG, safe to stand in HTML) with what it shows."""

    title: str
    svg: str
    caption: str
    first: bool = False


def category_figures(run: EvalRun, before: EvalRun | None, prefix: str) -> list[Figure]:
    """One plot for each metric that several categories have, those to read first marked so."""
    figures = []
    for metric in METRICS:
        rows = _rows(run, before, metric)
        if len(rows) > 2:
            told = ", ".join(f"{row.label} {metric.show(row.estimate.value)}" for row in rows)
            svg = interval_plot(f"{prefix}-{metric.name}", f"{metric.label}: {told}", rows)
            lower = "; lower is better" if metric.better == "lower" else ""
            figures.append(Figure(metric.label, svg, lower[2:], metric.name in _FIRST))
    return figures


def risk_figure(run: EvalRun, before: EvalRun | None, prefix: str) -> Figure | None:
    """What share of the answers is wrong, as fewer questions are answered; None without any."""
    curve = _risk(run)
    if not curve or not curve.stood:
        return None
    points, stood = curve.points, curve.stood
    label = (
        f"Risk and coverage. As it ran: {_percent(stood.x)} of the questions answered, "
        f"{_percent(stood.y)} of the answers wrong."
    )
    if len(points) > 1:
        label += " Answering only the surest: " + _told(points)
        caption = (
            "Left of the dot, which is the run as it was, only the answers are given of whose "
            "evidence Dateline is surest."
        )
    else:
        caption = "The run as it was. Without a confidence for each question there is no curve."
    titles = ("coverage: questions answered", "risk: answers that are wrong")
    svg = curve_plot(f"{prefix}-risk", label, titles, curve, _risk(before) if before else None)
    return Figure("Risk and coverage", svg, caption)


def _risk(run: EvalRun) -> Curve | None:
    """The curve from the first coverage on at which a share of wrong answers means something."""
    points = risk_coverage(run.results)
    asked = sum(result.answer is not None for result in run.results)
    steady = tuple(point for point in points if point.x * asked >= _FEWEST_ANSWERS)
    return Curve(steady or points[-1:], points[-1]) if points else None


def refusal_figure(run: EvalRun, before: EvalRun | None, prefix: str) -> Figure | None:
    """Unanswerable questions refused against wrong refusals; None without both kinds."""
    stood = _refused(run)
    points = refusals(run.results)
    if stood is None and not points:
        return None
    label = "Refusals."
    if stood:
        label += (
            f" As it ran: {_percent(stood.x)} of the answerable questions refused, "
            f"{_percent(stood.y)} of the unanswerable ones."
        )
    caption = "The dot is the run as it was." if stood else ""
    at_five = next((m for m in METRICS if m.name == "confidence_refused@5"), None)
    found = run.estimate(at_five) if at_five else None
    if points:
        label += " By confidence: " + _told(points)
        caption += " The line refuses by the evidence’s confidence alone"
        caption += f": {_percent(found.value)} at 5 % wrong refusals." if found else "."
    svg = curve_plot(
        f"{prefix}-refusals",
        label,
        ("answerable questions refused", "unanswerable refused"),
        Curve(points, stood),
        Curve(refusals(before.results), _refused(before)) if before else None,
    )
    return Figure("Refusals", svg, caption.strip())


def rank_figure(run: EvalRun, before: EvalRun | None, prefix: str) -> Figure | None:
    """How many passages must be read for a first hit; None where no evidence is known."""
    shares = _cumulative(run.results)
    if not shares:
        return None
    told = ", ".join(f"{k}: {_percent(share)}" for k, share in enumerate(shares, start=1))
    theirs = _cumulative(before.results) if before else []
    label = f"Questions with a hit among the first passages. {told}"
    svg = rank_plot(f"{prefix}-ranks", label, shares, theirs or None)
    caption = "How many passages must be read before one holds gold evidence."
    return Figure("Depth of the evidence", svg, caption)


def _rows(run: EvalRun, before: EvalRun | None, metric: Metric) -> list[Row]:
    """All questions, then each category; its kind is named where both kinds have the metric."""
    earlier = by_category(before) if before else {}
    whole = _row("all", run.results, before.results if before else (), metric)
    rows = {
        key: row
        for key, results in by_category(run).items()
        if (row := _row(key[1], results, earlier.get(key, ()), metric))
    }
    names = [category for _, category in rows]
    named = [
        replace(row, label=f"{category} ({kind_})") if names.count(category) > 1 else row
        for (kind_, category), row in rows.items()
    ]
    return [whole, *named] if whole else []


def _row(
    label: str, results: Sequence[CaseResult], before: Sequence[CaseResult], metric: Metric
) -> Row | None:
    found, old = estimate_of(results, metric), estimate_of(before, metric)
    return Row(label, found, old.value if old else None) if found else None


def _refused(run: EvalRun) -> Point | None:
    """Where the run stood: answerable (x) and unanswerable (y) questions that it refused."""
    by_name = {metric.name: metric for metric in METRICS}
    wrongly = run.estimate(by_name["wrong_refusal"])
    rightly = run.estimate(by_name["abstention_recall"])
    return Point(wrongly.value, rightly.value) if wrongly and rightly else None


def _cumulative(results: Sequence[CaseResult]) -> list[float]:
    """The share of questions whose first hit is among the first 1, 2, … 10 passages."""
    found = [r.scores["mrr@10"] for r in results if "mrr@10" in r.scores]
    ranks = [round(1 / value) if value else _DEPTH + 1 for value in found]
    return [sum(r <= k for r in ranks) / len(ranks) for k in range(1, _DEPTH + 1)] if ranks else []


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def _told(points: Sequence[Point]) -> str:
    """A few points of a curve in words."""
    chosen = points[:: max(1, len(points) // 5)]
    return "; ".join(f"{_percent(point.y)} at {_percent(point.x)}" for point in chosen) + "."
