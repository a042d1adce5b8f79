"""What the commands may be told: their options, as types of their parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
From = Annotated[str | None, typer.Option("--from", help="Only articles from this day on.")]
To = Annotated[str | None, typer.Option("--to", help="Only articles up to this day.")]
Outlet = Annotated[list[str] | None, typer.Option(help="Only this outlet; may be repeated.")]
AsOf = Annotated[str | None, typer.Option(help="Leave out articles published after this day.")]
Explain = Annotated[
    bool,
    typer.Option("--explain", help="Tell what was understood, and what gave passages their score."),
]

# Of `dateline eval`

Datasets = Annotated[
    list[str] | None, typer.Argument(help="Gold sets by name, file or folder; default: seed.")
]
Articles = Annotated[
    Path | None, typer.Option(help="Ask these articles instead of the stored ones.")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Ask only so many questions.")]
RetrievalOnly = Annotated[bool, typer.Option("--retrieval-only", help="Search, but do not answer.")]
Baseline = Annotated[
    list[str] | None, typer.Option(help="Compare with bm25, dense or rrf; may be repeated.")
]
Prompt = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME[.VERSION]", help="Ask with this prompt; several are compared."),
]
Peers = Annotated[
    Path | None, typer.Option(help="Compare with the first ranks of other systems (JSONL).")
]
Compare = Annotated[
    tuple[Path, Path] | None,
    typer.Option(metavar="RUN AGAINST", help="Run nothing; compare two saved runs."),
]
Out = Annotated[Path | None, typer.Option(help="Where to save the run.")]
Html = Annotated[Path | None, typer.Option(help="Write a report to look at into this file.")]
Report = Annotated[
    list[Path] | None,
    typer.Option(metavar="RUN", help="Run nothing; show this saved run; may be repeated."),
]
Against = Annotated[
    list[Path] | None,
    typer.Option(metavar="RUN", help="In the report, the saved run to compare with."),
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show the worst questions.")]


def check_saved_runs(
    datasets: list[str] | None,
    compare: tuple[Path, Path] | None,
    report: list[Path] | None,
    against: list[Path] | None,
    html: Path | None,
) -> None:
    """Raises `typer.BadParameter` where options for saved runs do not go with the others."""
    if (compare or report) and datasets:
        raise typer.BadParameter("--compare, --report: saved runs are shown without data sets")
    if compare and (report or html):
        raise typer.BadParameter(
            "--compare only prints; a report takes --report, --against, --html"
        )
    if against and not html:
        raise typer.BadParameter("--against is for the report: name its file with --html")
