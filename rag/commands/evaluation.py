"""`dateline eval`: gold questions, asked and measured, or saved runs, shown and compared."""

from __future__ import annotations

import typer

from rag import options
from rag.commands.running import exit_with, read_settings

app = typer.Typer()


@app.command(name="eval", epilog="Example: dateline eval seed --html report.html")
def evaluate(  # noqa: PLR0913 (each option is a parameter)
    datasets: options.Datasets = None,
    articles: options.Articles = None,
    limit: options.Limit = None,
    retrieval_only: options.RetrievalOnly = False,
    baseline: options.Baseline = None,
    peers: options.Peers = None,
    prompt: options.Prompt = None,
    compare: options.Compare = None,
    out: options.Out = None,
    html: options.Html = None,
    report: options.Report = None,
    against: options.Against = None,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> None:
    """Ask gold questions and print how good retrieval, answers and citations are."""

    options.check_saved_runs(datasets, compare, report, against, html)

    async def measure() -> int:
        from evals.run import EvalOptions, compare_saved, show_saved
        from evals.run import evaluate as run_evals
        from rag.terminal import progress, stderr

        if compare:
            return compare_saved(*compare, as_json=as_json)
        wanted = EvalOptions(
            articles=articles,
            limit=limit,
            retrieval_only=retrieval_only,
            out=out,
            json=as_json,
            verbose=verbose,
            baselines=tuple(baseline or ()),
            peers=peers,
            prompts=tuple(prompt or ()),
            html=html,
            against=tuple(against or ()),
        )
        if report:
            return show_saved(report, wanted)
        with progress("Evaluating", stderr()) as tell:
            return await run_evals(datasets or [], wanted, read_settings(), tell)

    exit_with(measure())
