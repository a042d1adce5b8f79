"""The committed run that the gate compares with, and the losses that a commit owns up to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from evals.results import CaseResult, EvalRun
from evals.scoring import METRICS
from rag.errors import DatelineError

_GROUPS = ("retrieval", "answers", "citations", "abstention")  # neither latency nor cost
_KEYS = tuple(dict.fromkeys(m.key for m in METRICS if m.group in _GROUPS and m.better))
_DECIMALS = 4


class RecordError(DatelineError):
    """The committed run or the list of accepted losses cannot be used."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One question: what became of it, whether that was right, and its gated scores.

    Right is an answer that contains an accepted one, and an abstention on an unanswerable question.
    """

    question: str
    answerable: bool
    status: Literal["answered", "abstained", "failed"]
    right: bool
    breaches: int
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class SetRecord:
    """One data set: what was asked of which articles, the metrics, and every question by id."""

    data: dict[str, str | None]
    metrics: dict[str, float]
    questions: dict[str, Judged]

    def was_right(self, id_: str) -> bool | None:
        """Whether a question was right; None if it was not asked."""
        return self.questions[id_].right if id_ in self.questions else None

    def added_to(self, other: SetRecord) -> list[str]:
        """The questions that the other does not have."""
        return [id_ for id_ in self.questions if id_ not in other.questions]


@dataclass(frozen=True, slots=True)
class Record:
    """A run of all gated data sets, with the code and settings that made it."""

    code: dict[str, Any]
    settings: dict[str, Any]
    sets: dict[str, SetRecord]


def record_of(runs: Iterable[EvalRun]) -> Record:
    """What is kept of the runs; their code and settings are the same."""
    runs = list(runs)
    settings = {k: v for k, v in runs[0].conditions.settings.items() if k != "data_dir"}
    return Record(runs[0].conditions.code, settings, {run.dataset: _set_of(run) for run in runs})


def save_record(record: Record, path: Path) -> None:
    """Writes the record with a line for each question, so that a diff shows what changed."""
    sets = {
        name: _object(
            {
                "data": _dump(one.data),
                "metrics": _dump(one.metrics),
                "questions": _object({id_: _dump(asdict(q)) for id_, q in one.questions.items()}),
            }
        )
        for name, one in record.sets.items()
    }
    about = {"code": _dump(record.code), "settings": _dump(record.settings)}
    path.write_text(_object(about | {"sets": _object(sets)}) + "\n", encoding="utf-8")


def load_record(path: Path) -> Record:
    """What `save_record` wrote; `RecordError` if it is missing or something else."""
    try:
        return TypeAdapter(Record).validate_json(path.read_bytes())
    except OSError as error:
        raise RecordError(
            f"{path}: cannot be read: {error.strerror}; `make eval-gate ACCEPT=1` writes it"
        ) from error
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        raise RecordError(f"{path}: not a run of the gate: {place}: {fault['msg']}") from error


def load_accepted(path: Path) -> dict[str, str]:
    """Reasons by question id, from lines of `id reason`; `#` begins a comment. No file: none."""
    if not path.exists():
        return {}
    accepted: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        id_, _, reason = line.strip().partition(" ")
        if not reason.strip():
            raise RecordError(f"{path}:{number}: {id_}: says no reason")
        accepted[id_] = reason.strip()
    return accepted


def _set_of(run: EvalRun) -> SetRecord:
    metrics = {
        metric.name: round(found.value, _DECIMALS)
        for metric in METRICS
        if metric.key in _KEYS and (found := run.estimate(metric))
    }
    questions = {result.case.id: _judged(result) for result in run.results}
    return SetRecord(run.conditions.data, metrics, questions)


def _judged(result: CaseResult) -> Judged:
    key = "containment" if result.case.answerable else "abstention_recall"
    scores = {k: round(result.scores[k], _DECIMALS) for k in _KEYS if k in result.scores}
    return Judged(
        question=result.case.question,
        answerable=result.case.answerable,
        status=result.answer.status if result.answer else "failed",
        right=result.scores.get(key) == 1,
        breaches=len(result.breaches),
        scores=scores,
    )


def _object(members: Mapping[str, str]) -> str:
    """A JSON object of members that are JSON already, a line each."""
    lines = ",\n".join(f"{_dump(name)}: {value}" for name, value in members.items())
    return f"{{\n{lines}\n}}"


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
