"""The `dateline eval` command behind its options: run data sets, or compare two saved runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from evals.asking import DEPTH, Asker, Plan, sample
from evals.baselines import BaselineError, Peers, check_names, load_peers
from evals.cases import GoldError
from evals.datasets import DEFAULT, Dataset, Opened, Opener, find_dataset, hash_files, open_dataset
from evals.html_report import check_html, pair, write_html
from evals.report import print_comparison, print_run
from evals.results import (
    Conditions,
    EvalRun,
    compare_runs,
    describe_code,
    describe_settings,
    load,
    save,
    summary,
)
from rag.bootstrap import open_service
from rag.ports import Progress
from rag.prompting import load_prompt
from rag.settings import Settings


@dataclass(frozen=True, slots=True)
class EvalOptions:
    """What `dateline eval` may be told beside the data sets."""

    articles: Path | None = None
    limit: int | None = None
    retrieval_only: bool = False
    out: Path | None = None
    json: bool = False
    verbose: bool = False
    baselines: tuple[str, ...] = ()
    peers: Path | None = None
    prompts: tuple[str, ...] = ()
    html: Path | None = None
    against: tuple[Path, ...] = ()


async def evaluate(
    datasets: Sequence[str],
    options: EvalOptions,
    settings: Settings,
    progress: Progress | None = None,
    opener: Opener = open_service,
) -> int:
    """Runs the data sets (none named: the seed set), saves and prints each; the exit status.

    0: every question could be asked; 1: some could not. Raises `DatelineError` for a data set or
    library that cannot be used, before any question is asked.
    """
    found = [find_dataset(name, options.articles) for name in datasets or (DEFAULT,)]
    _check(options, found)
    plan = Plan(not options.retrieval_only, options.baselines, _peers(options.peers, found))
    earlier = _earlier(options, [dataset.name for dataset in found])
    runs: list[EvalRun] = []
    saved: list[Path] = []
    for dataset, asking in product(found, _with_prompts(settings, options.prompts)):
        async with open_dataset(dataset, asking, opener, progress) as opened:
            for skipped in opened.skipped:
                print(f"not ingested: {skipped.source}: {skipped.reason}", file=sys.stderr)
            run = await run_eval(opened, dataset, asking, plan, options.limit, progress)
        path = _destination(run, options.out)
        save(run, path)
        runs.append(run)
        saved.append(path)
        if not options.json:
            print_run(run, verbose=options.verbose)
            _print_against_first(runs)
        print(f"saved: {path}", file=sys.stderr)
    return _close(runs, saved, earlier, options)


def _with_prompts(settings: Settings, prompts: Sequence[str]) -> list[Settings]:
    """The settings with each prompt in turn, or as they are; raises `DatelineError` for a prompt
    that does not exist, or that no LLM would be asked with."""
    for prompt in prompts:
        name, _, version = prompt.partition(".")
        load_prompt(name, version or None)
    if prompts and not settings.llm_model:
        raise GoldError("--prompt: no LLM is set; name one with DATELINE_LLM_MODEL")
    return [settings.model_copy(update={"prompt": prompt}) for prompt in prompts] or [settings]


def _print_against_first(runs: Sequence[EvalRun]) -> None:
    """The last run against the first on the same data set, which had another prompt."""
    first, last = next(r for r in runs if r.dataset == runs[-1].dataset), runs[-1]
    if first is not last:
        names = [run.conditions.settings["prompt"] for run in (last, first)]
        print_comparison(compare_runs(last, first), f"prompt {names[0]} against {names[1]}")


def show_saved(paths: Sequence[Path], options: EvalOptions) -> int:
    """Prints saved runs, and writes the report on them, as when they ended; the exit status.

    Raises `DatelineError` for a file that is no saved run, or a report that cannot be written.
    """
    runs = [load(path) for path in paths]
    earlier = _earlier(options, [run.dataset for run in runs])
    if not options.json:
        for run in runs:
            print_run(run, verbose=options.verbose)
    return _close(runs, paths, earlier, options)


def _earlier(options: EvalOptions, datasets: Sequence[str]) -> list[EvalRun]:
    """The runs that the report is to set against these; what hinders it is found out here."""
    if options.html:
        check_html(options.html)
    earlier = [load(path) for path in options.against]
    pair(datasets, earlier)
    return earlier


def _close(
    runs: Sequence[EvalRun],
    saved: Sequence[Path],
    earlier: Sequence[EvalRun],
    options: EvalOptions,
) -> int:
    if options.html:
        write_html(runs, earlier, options.html)
        print(f"report: {options.html}", file=sys.stderr)
    if options.json:
        told = [summary(run) | {"saved": str(at)} for run, at in zip(runs, saved, strict=True)]
        print(json.dumps({"runs": told}, ensure_ascii=False))
    return 1 if any(result.error for run in runs for result in run.results) else 0


def compare_saved(ours: Path, theirs: Path, as_json: bool = False) -> int:
    """Prints how the first of two saved runs does against the second; the exit status.

    Raises `RunError` for a file that is no saved run, or for runs without a common question.
    """
    rows = compare_runs(load(ours), load(theirs))
    if as_json:
        document = {"run": str(ours), "against": str(theirs), "rows": [asdict(row) for row in rows]}
        print(json.dumps(document, ensure_ascii=False))
    else:
        print_comparison(rows, f"{ours} against {theirs}")
    return 0


async def run_eval(
    opened: Opened,
    dataset: Dataset,
    settings: Settings,
    plan: Plan = Plan(),
    limit: int | None = None,
    progress: Progress | None = None,
) -> EvalRun:
    """Asks every question of the data set, one after the other, as a single user would.

    The first is asked once before, unmeasured, so that loading a model is nobody's latency.
    """
    started = datetime.now(UTC).isoformat(timespec="milliseconds")
    cases = sample(dataset.cases, limit)
    asker = Asker(opened, settings, plan, dataset.cases)
    await asker.ask(cases[0])
    results = []
    for done, case in enumerate(cases):
        if progress:
            progress(done, len(cases), "questions")
        results.append(await asker.ask(case))
    if progress:
        progress(len(cases), len(cases), "questions")
    conditions = Conditions(
        started_at=started,
        settings=describe_settings(settings),
        options={
            "limit": limit,
            "retrieval_only": not plan.with_answers,
            "depth": DEPTH,
            "baselines": list(plan.baselines),
            "peers": list(plan.peers),
        },
        data={"questions": hash_files(dataset.questions), "articles": opened.articles_hash},
        code=describe_code(),
        index=await opened.service.index_generation(),
    )
    return EvalRun(dataset.name, conditions, tuple(results))


def _check(options: EvalOptions, datasets: Sequence[Dataset]) -> None:
    """Raises `DatelineError` for options that cannot be followed."""
    if options.limit is not None and options.limit < 1:
        raise GoldError(f"--limit {options.limit}: at least one question must be asked")
    several = len(datasets) > 1 or len(options.prompts) > 1
    if several and options.out and options.out.suffix == ".json":
        raise GoldError(f"--out {options.out}: several data sets or prompts need a folder")
    check_names(options.baselines)


def _peers(path: Path | None, datasets: Sequence[Dataset]) -> Peers:
    """The peers in a file, if one is given; `BaselineError` if they were asked other questions."""
    if path is None:
        return {}
    peers = load_peers(path)
    asked = {id_ for ranks in peers.values() for id_ in ranks}
    if not any(case.id in asked for dataset in datasets for case in dataset.cases):
        names = ", ".join(dataset.name for dataset in datasets)
        raise BaselineError(f"--peers {path}: ranks none of the questions of {names}")
    return peers


def _destination(run: EvalRun, out: Path | None) -> Path:
    if out and out.suffix == ".json":
        return out
    stamp = run.conditions.started_at.replace(":", "").replace("+0000", "Z")
    return (out or Path("reports")) / f"{run.dataset}-{stamp}.json"
