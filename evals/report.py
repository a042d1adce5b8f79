"""The table that `dateline eval` prints: metrics, categories, and the questions that went wrong."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import IO

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evals.comparison import Comparison
from evals.metrics import Estimate
from evals.results import CaseResult, EvalRun, Part, compare_baselines, estimate_of, kind
from evals.scoring import METRICS, Metric

_PARTS: tuple[tuple[Part, str], ...] = (
    ("all", "all"),
    ("tune", "tuning half"),
    ("report", "reporting half"),
)
_BY_CATEGORY = ("hits@4", "containment", "wrong_refusal", "abstention_recall")
_PIPED_WIDTH = 140


def print_run(run: EvalRun, verbose: bool = False, file: IO[str] | None = None) -> None:
    """Prints a run: coloured and boxed on a terminal, plain aligned columns when piped."""
    console = _console(file)
    console.print(f"[bold]{escape(run.dataset)}[/bold]: {escape(_headline(run))}")
    console.print(_metrics_table(run, _table_box(console)))
    console.print()
    console.print(_category_table(run, _table_box(console)))
    for name, rows in compare_baselines(run).items():
        console.print()
        print_comparison(rows, f"{run.dataset} against {name}", file)
    for result in run.results:
        if result.error:
            console.print(f"failed: {escape(f'{result.case.id}: {result.error}')}")
        for breach in result.breaches:
            console.print(f"broken promise: {escape(f'{result.case.id}: {breach}')}")
    if verbose:
        for line in worst_questions(run):
            console.print(escape(line), soft_wrap=True)


def print_comparison(rows: Sequence[Comparison], title: str, file: IO[str] | None = None) -> None:
    """Prints one system against another, metric by metric, with the verdicts."""
    console = _console(file)
    console.print(f"[bold]{escape(title)}[/bold]", soft_wrap=True)
    table = Table(box=_table_box(console), pad_edge=False)
    table.add_column("metric", no_wrap=True)
    for heading in ("n", "ours", "theirs", "difference, 95 %", "p", "McNemar", "Holm"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    metrics = {metric.name: metric for metric in METRICS}
    for row in rows:
        table.add_row(*_comparison_cells(row, metrics[row.metric]))
    console.print(table)


def _comparison_cells(row: Comparison, metric: Metric) -> list[str]:
    difference, low, high = (
        f"{'+' if value > 0 else ''}{metric.show(value)}"
        for value in (row.difference, row.low, row.high)
    )
    return [
        metric.label,
        str(row.n),
        metric.show(row.ours),
        metric.show(row.theirs),
        f"{difference}  {low} to {high}",
        f"{row.p:.4f}",
        "" if row.mcnemar is None else f"{row.mcnemar:.4f}",
        f"{row.p_holm:.4f}",
        row.verdict,
    ]


def worst_questions(run: EvalRun) -> list[str]:
    """The questions that went wrong, a few lines each, the gravest kind first."""
    by_kind: dict[str, list[str]] = {name: [] for name in FAULTS}
    for result in run.results:
        fault = fault_of(result)
        if fault:
            by_kind[fault].append(_describe(result))
    lines = []
    for fault, described in by_kind.items():
        if described:
            lines += ["", f"{fault} ({len(described)})", *described]
    return lines


FAULTS = ("answered although unanswerable", "wrong", "wrongly refused", "not retrieved", "failed")


def fault_of(result: CaseResult) -> str | None:
    """What went wrong with a question, None if nothing did."""
    scores = result.scores
    if result.error:
        return "failed"
    if scores.get("abstention_recall") == 0:
        return "answered although unanswerable"
    if scores.get("wrong_refusal") == 1:
        return "wrongly refused"
    if scores.get("containment") == 0:
        return "wrong"
    return "not retrieved" if result.answer is None and scores.get("hits@10") == 0 else None


def _headline(run: EvalRun) -> str:
    counts = run.counts()
    parts = [f"{len(run.results)} questions"]
    for title, key in (("", "kind"), ("", "failed"), ("search: ", "path"), ("", "fallback")):
        if counts[key]:
            parts.append(title + ", ".join(f"{n} {name}" for name, n in counts[key].items()))
    for key in ("model", "prompt"):
        if counts[key]:
            parts.append(f"{key} {', '.join(counts[key])}")
    return " · ".join(parts)


def _console(file: IO[str] | None) -> Console:
    console = Console(file=file or sys.stdout, highlight=False)
    if console.is_terminal:
        return console
    return Console(file=file or sys.stdout, highlight=False, width=_PIPED_WIDTH)


def _table_box(console: Console) -> box.Box | None:
    return box.SIMPLE_HEAD if console.is_terminal else None


def _metrics_table(run: EvalRun, style: box.Box | None) -> Table:
    table = Table(box=style, pad_edge=False)
    table.add_column("value, 95 % interval, n", no_wrap=True)
    for _, title in _PARTS:
        table.add_column(title, justify="right", no_wrap=True)
    for metric in METRICS:
        cells = [_cell(run.estimate(metric, part), metric) for part, _ in _PARTS]
        if any(cells):
            table.add_row(metric.label, *cells)
    return table


def _category_table(run: EvalRun, style: box.Box | None) -> Table:
    metrics = [m for m in METRICS if m.key in _BY_CATEGORY]
    groups: dict[str, list[CaseResult]] = {}
    for result in run.results:
        groups.setdefault(f"{result.case.category} ({kind(result.case)})", []).append(result)
    metrics = [m for m in metrics if run.estimate(m)]
    table = Table(box=style, pad_edge=False)
    table.add_column("category", no_wrap=True)
    table.add_column("n", justify="right")
    for metric in metrics:
        table.add_column(metric.label, justify="right")
    for name in sorted(groups):
        table.add_row(escape(name), str(len(groups[name])), *_category_cells(groups[name], metrics))
    return table


def _category_cells(results: Sequence[CaseResult], metrics: Sequence[Metric]) -> list[str]:
    estimates = [(estimate_of(results, metric), metric) for metric in metrics]
    return [metric.show(found.value) if found else "–" for found, metric in estimates]


def _cell(estimate: Estimate | None, metric: Metric) -> str:
    if estimate is None:
        return ""
    low, high = metric.show(estimate.low), metric.show(estimate.high)
    return f"{metric.show(estimate.value)}  {low}–{high}  {estimate.n:>4}"


def _describe(result: CaseResult) -> str:
    case, answer = result.case, result.answer
    lines = [f"  {case.id} [{case.category}] {case.question}"]
    if case.answers:
        lines.append(f"    gold: {' | '.join(case.answers)}")
        lines.append(f"    first hit: {_first_hit(result)}")
    if answer:
        lines.append(f"    {answer.status}: {' '.join(answer.text.split())}")
    if result.error:
        lines.append(f"    error: {result.error}")
    return "\n".join(lines)


def _first_hit(result: CaseResult) -> str:
    reciprocal = result.scores.get("mrr@10")
    if reciprocal is None:
        return "no evidence is known"
    return f"rank {round(1 / reciprocal)}" if reciprocal else "not among the first ten"
