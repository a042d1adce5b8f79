"""The report that people look at: saved or fresh runs as one HTML file that needs nothing else.

The page holds its styles, its plots and a few lines of script for filtering, and its own policy
(CSP) forbids it to load anything. Articles and questions are text in it, never markup.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evals import tables
from evals.comparison import Comparison
from evals.figures import Figure, category_figures, rank_figure, refusal_figure, risk_figure
from evals.inspection import Inspection, inspect
from evals.plots import check_plots
from evals.report import FAULTS
from evals.results import CaseResult, EvalRun, RunError, compare_runs

_TEMPLATES = Path(__file__).parent / "templates"
_LOST = "was right in the baseline, is wrong now"
_WON = "was wrong in the baseline, is right now"
_BROKEN = "right, but with a broken promise"
_GROUPS = (_LOST, *FAULTS, _BROKEN, _WON)


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that share a fate."""

    title: str
    questions: list[Inspection]


def check_html(path: Path) -> None:
    """Raises `DatelineError` where `write_html` could not work, before a run is waited for."""
    check_plots()
    if path.is_dir():
        raise RunError(f"{path}: is a folder; --html takes the name of a file")


def pair(datasets: Sequence[str], baselines: Sequence[EvalRun]) -> list[EvalRun | None]:
    """Each data set's baseline, None without one; `RunError` for one that is on none of them."""
    by_dataset: dict[str, EvalRun] = {}
    for baseline in baselines:
        if baseline.dataset not in datasets:
            known = ", ".join(dict.fromkeys(datasets))
            raise RunError(
                f"a baseline on the data set {baseline.dataset!r} says nothing about {known}"
            )
        if by_dataset.setdefault(baseline.dataset, baseline) is not baseline:
            raise RunError(f"there are two baselines on the data set {baseline.dataset!r}")
    return [by_dataset.get(name) for name in datasets]


def write_html(runs: Sequence[EvalRun], baselines: Sequence[EvalRun], path: Path) -> None:
    """Writes the report on the runs, one section each; `RunError` if the file cannot be written."""
    page = render(runs, baselines)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror or error}") from error


def render(runs: Sequence[EvalRun], baselines: Sequence[EvalRun] = ()) -> str:
    """The whole page; a run is set against the baseline on the same data set, where there is one.

    The same runs give the same bytes. Raises as `pair` and `check_plots` do.
    """
    check_plots()
    pairs = zip(runs, pair([run.dataset for run in runs], baselines), strict=True)
    script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("report.html")
        .render(
            sections=[
                _section(run, before, f"run-{n}") for n, (run, before) in enumerate(pairs, 1)
            ],
            parts=[title for _, title in tables.PARTS],
            script=Markup(script),
            script_hash=f"sha256-{digest}",
        )
    )


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _section(run: EvalRun, before: EvalRun | None, id_: str) -> dict[str, Any]:
    comparisons = compare_runs(run, before) if before else []
    metrics = tables.metric_rows(run, comparisons)
    curves = [make(run, before, id_) for make in (risk_figure, refusal_figure, rank_figure)]
    groups = _groups(run, before)
    return {
        "id": id_,
        "dataset": run.dataset,
        "facts": tables.headline_conditions(run),
        "outcomes": tables.outcomes(run),
        "metrics": metrics,
        "tiles": tables.headline(metrics),
        "before": _baseline(run, before, comparisons) if before else None,
        "systems": tables.system_tables(run),
        "categories": _drawn(category_figures(run, before, id_)),
        "curves": _drawn(figure for figure in curves if figure),
        "groups": groups,
        "shown": sum(len(group.questions) for group in groups),
        "asked_about": sorted({q.result.case.category for g in groups for q in g.questions}),
        "conditions": tables.conditions_table(run, before),
    }


def _baseline(
    run: EvalRun, before: EvalRun, comparisons: Sequence[Comparison]
) -> dict[str, object]:
    """What a reader must know of the other run, and how the two differ in short."""
    ours, theirs = run.conditions.data, before.conditions.data
    cases = {result.case for result in before.results}
    return {
        "facts": tables.headline_conditions(before),
        "shared": sum(result.case in cases for result in run.results),
        "verdicts": tables.verdicts_of(comparisons),
        "other_data": [name for name in ours if ours[name] != theirs.get(name)],
    }


def _groups(run: EvalRun, before: EvalRun | None) -> list[Group]:
    """The questions worth a look, each once, the gravest first."""
    earlier = {result.case: result for result in before.results} if before else {}
    found: dict[str, list[Inspection]] = {title: [] for title in _GROUPS}
    for result in sorted(run.results, key=_badness):
        inspection = inspect(result, earlier.get(result.case))
        title = _group_of(inspection)
        if title:
            found[title].append(inspection)
    return [Group(title, questions) for title, questions in found.items() if questions]


def _group_of(inspection: Inspection) -> str | None:
    if inspection.change == "lost":
        return _LOST
    if inspection.fault:
        return inspection.fault
    if inspection.result.breaches:
        return _BROKEN
    return _WON if inspection.change == "won" else None


def _badness(result: CaseResult) -> tuple[bool, float, str, str]:
    """Broken promises first, then what retrieval placed worst; the same order every time."""
    case = result.case
    return not result.breaches, result.scores.get("mrr@10", 0.0), case.category, case.id


def _drawn(figures: Iterable[Figure]) -> list[dict[str, object]]:
    return [
        {"title": f.title, "svg": Markup(f.svg), "caption": f.caption, "first": f.first}
        for f in figures
    ]
