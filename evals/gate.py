"""The gate: what was right may not become wrong unnoticed. `make eval-gate`, or
`python -m evals.gate [--write]`; exits 1 with a list of what speaks against the change.

It asks the built-in gold questions of a keyless service with default settings, over libraries of
its own, and compares with the committed run. Latencies never gate.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.comparison import compare
from evals.datasets import GOLD, Opener, find_dataset, open_dataset
from evals.record import Judged, Record, load_accepted, load_record, record_of, save_record
from evals.results import EvalRun
from evals.run import run_eval
from evals.scoring import METRICS
from rag.bootstrap import open_service
from rag.errors import DatelineError
from rag.settings import Settings

SETS = ("seed", "news")
BASELINE = GOLD / "baseline.json"
ACCEPTED = GOLD / "accepted.txt"


@dataclass(frozen=True, slots=True)
class Findings:
    """What speaks against a change, and what is only worth knowing."""

    failures: tuple[str, ...]
    notes: tuple[str, ...]


def main() -> None:
    """Run the gate; exits 1 where it does not open."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.gate",
        description="Ask the gold questions and compare with the committed run.",
    )
    parser.add_argument("--write", action="store_true", help="make this run the committed one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dateline-gate-") as folder:
        settings = default_settings(Path(folder))
        try:
            findings = asyncio.run(gate(SETS, settings, BASELINE, ACCEPTED, write=options.write))
        except DatelineError as error:
            findings = Findings((str(error),), ())
    for note in findings.notes:
        print(f"note: {note}")
    for failure in findings.failures:
        print(f"FAILED: {failure}")
    print(f"eval gate: {'closed' if findings.failures else 'open'}")
    sys.exit(1 if findings.failures else 0)


def default_settings(data_dir: Path) -> Settings:
    """Every setting's default, whatever the environment and `.env` say."""
    return Settings.model_construct(data_dir=data_dir)


async def gate(
    names: Sequence[str],
    settings: Settings,
    baseline: Path,
    accepted: Path,
    opener: Opener = open_service,
    *,
    write: bool = False,
) -> Findings:
    """Asks the data sets and says how they do against the record in `baseline`.

    With `write`, the record is replaced, unless a question failed or a promise was broken. Raises
    `DatelineError` for a data set, a record or a list of accepted losses that cannot be used.
    """
    before = None if write else load_record(baseline)
    excused = load_accepted(accepted)
    runs = {}
    for name in names:
        print(f"asking {name} …", file=sys.stderr)
        dataset = find_dataset(name)
        async with open_dataset(dataset, settings, opener) as opened:
            runs[dataset.name] = await run_eval(opened, dataset, settings)
    faults = tuple(line for run in runs.values() for line in _faults(run))
    now = record_of(runs.values())
    if before is None:
        if not faults:
            save_record(now, baseline)
        return Findings(faults, (f"{baseline.name} {'not ' if faults else ''}written",))
    found = judge(before, now, excused)
    return Findings(faults + found.failures, found.notes)


def _faults(run: EvalRun) -> Iterator[str]:
    """What fails whatever was before."""
    for result in run.results:
        if result.error:
            yield f"{run.dataset}: {result.case.id} could not be asked: {result.error}"
        for breach in result.breaches:
            yield f"{run.dataset}: {result.case.id} breaks a promise: {breach}"


def judge(before: Record, now: Record, accepted: Mapping[str, str]) -> Findings:
    """One record against an earlier one; `accepted` gives the reasons for losses, by question."""
    failures: list[str] = []
    notes: list[str] = []
    lost: set[str] = set()
    for name, old in before.sets.items():
        new = now.sets.get(name)
        if new is None:
            failures.append(f"{name}: the committed run has this data set, this run has not")
            continue
        gone = [id_ for id_ in old.questions if id_ not in new.questions]
        failures += [f"{name}: {id_} is asked no more; rewrite the committed run" for id_ in gone]
        notes += [f"{name}: {id_} is not in the committed run" for id_ in new.added_to(old)]
        wrong = [id_ for id_, q in new.questions.items() if not q.right and old.was_right(id_)]
        missed = [id_ for id_, q in new.questions.items() if _is_missed(q, old.questions.get(id_))]
        lost.update(wrong, missed)
        failures += [_told(name, id_, new.questions[id_]) for id_ in wrong if id_ not in accepted]
        failures += [
            f"{name}: {id_}: its evidence was among the first four passages, and is not now: "
            f"{new.questions[id_].question!r}"
            for id_ in missed
            if id_ not in accepted
        ]
        failures += _worse_means(name, old.questions, new.questions)
        won = [id_ for id_, q in new.questions.items() if q.right and old.was_right(id_) is False]
        if won:
            notes.append(f"{name}: wrong before, right now: {', '.join(won)}")
    notes += [f"accepted loss {id_}: {why}" for id_, why in accepted.items() if id_ in lost]
    notes += [f"accepted, but no loss: {id_}; take it out" for id_ in accepted if id_ not in lost]
    return Findings(tuple(failures), tuple(notes))


def _is_missed(now: Judged, before: Judged | None) -> bool:
    """Whether its evidence was found among the first four passages before, and is not now."""
    return before is not None and now.scores.get("hits@4", 1.0) < before.scores.get("hits@4", 0.0)


def _told(name: str, id_: str, question: Judged) -> str:
    return f"{name}: {id_} was right, now {question.status} wrongly: {question.question!r}"


def _worse_means(
    name: str, before: Mapping[str, Judged], now: Mapping[str, Judged]
) -> Iterator[str]:
    """The metrics that fell by more than chance would have it."""
    rows = compare(
        {id_: question.scores for id_, question in now.items()},
        {id_: question.scores for id_, question in before.items()},
        {id_ for id_, question in now.items() if question.answerable},
    )
    labels = {metric.name: metric for metric in METRICS}
    for row in rows:
        if row.verdict == "worse":
            metric = labels[row.metric]
            low, high = metric.show(row.low), metric.show(row.high)
            yield (
                f"{name}: {metric.label} is {metric.show(row.ours)}, was {metric.show(row.theirs)} "
                f"(difference {low} to {high}, n {row.n})"
            )


if __name__ == "__main__":
    main()
