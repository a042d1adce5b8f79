"""What a run of the evals leaves behind: every question's outcome, and the conditions."""

from __future__ import annotations

import json
import platform
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr, TypeAdapter, ValidationError

from evals.cases import GoldQuestion, Half
from evals.comparison import Comparison, compare
from evals.metrics import Estimate, Gold, estimate
from evals.scoring import METRICS, Metric
from rag.errors import DatelineError
from rag.settings import Settings
from rag.types import Answer, Passage

Part = Literal["all", "tune", "report"]

_PACKAGES = ("dateline", "chromadb", "numpy", "openai", "sentence-transformers", "spacy", "torch")
_REPOSITORY = Path(__file__).resolve().parent.parent
_TOLD = 3  # faults of a file that an error names; the rest are mostly the same again


class RunError(DatelineError):
    """A saved run cannot be used; the text names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One question: what was retrieved and answered, how long it took, and its scores.

    `golds` is the case's evidence with its places in the library; `error` says why there is no
    answer although one was wanted; `baselines` are the scores of the systems that the run is
    compared with, by their names.
    """

    case: GoldQuestion
    half: Half
    passages: tuple[Passage, ...]
    path: str | None
    answer: Answer | None
    scores: dict[str, float]
    breaches: tuple[str, ...] = ()
    error: str | None = None
    golds: tuple[Gold, ...] = ()
    baselines: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which conditions a run was made: enough to repeat it, never a secret."""

    started_at: str
    settings: dict[str, Any]
    options: dict[str, Any]
    data: dict[str, str | None]  # SHA-256 of the questions and of the articles
    code: dict[str, Any]  # commit, whether the tree was changed, versions
    index: str | None = None  # the generation of the vector index that served


@dataclass(frozen=True, slots=True)
class EvalRun:
    """A data set asked of a service."""

    dataset: str
    conditions: Conditions
    results: tuple[CaseResult, ...]

    def part(self, part: Part) -> list[CaseResult]:
        """The results of one half, or all."""
        return [r for r in self.results if part in ("all", r.half)]

    def estimate(self, metric: Metric, part: Part = "all") -> Estimate | None:
        """The metric over one part; None where it applies to no question."""
        return estimate_of(self.part(part), metric)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many questions: by half, answerable or not, retrieval path, model and prompt."""
        answers = [r.answer for r in self.results if r.answer]
        prompts = (f"{a.prompt.name} {a.prompt.version}" for a in answers if a.prompt)
        return {
            "half": Counter(r.half for r in self.results),
            "kind": Counter(kind(r.case) for r in self.results),
            "path": Counter(r.path for r in self.results if r.path),
            "model": Counter(a.model for a in answers),
            "prompt": Counter(prompts),
            "fallback": Counter(a.fallback for a in answers if a.fallback),
            "failed": Counter("failed" for r in self.results if r.error),
        }


def kind(case: GoldQuestion) -> str:
    """Whether a question is answerable, as a word for counts and tables."""
    return "answerable" if case.answerable else "unanswerable"


def estimate_of(results: Sequence[CaseResult], metric: Metric) -> Estimate | None:
    """The metric over those results that have it."""
    having = [r for r in results if metric.key in r.scores]
    values = [r.scores[metric.key] for r in having]
    return estimate(values, metric.statistic, [r.case.answerable for r in having])


def compare_baselines(run: EvalRun) -> dict[str, list[Comparison]]:
    """The run against each system that it was compared with, by its name."""
    names = dict.fromkeys(name for result in run.results for name in result.baselines)
    return {
        name: compare(
            {r.case.id: r.scores for r in run.results},
            {r.case.id: r.baselines[name] for r in run.results if name in r.baselines},
            _answerable(run.results),
        )
        for name in names
    }


def compare_runs(ours: EvalRun, theirs: EvalRun) -> list[Comparison]:
    """One run against another, over the questions that both have with the same gold.

    Raises `RunError` if there are none.
    """
    known = {result.case.id: result for result in theirs.results}
    common = [r for r in ours.results if r.case.id in known and known[r.case.id].case == r.case]
    if not common:
        raise RunError("the two runs have no question in common")
    return compare(
        {r.case.id: r.scores for r in common},
        {r.case.id: known[r.case.id].scores for r in common},
        _answerable(common),
    )


def _answerable(results: Sequence[CaseResult]) -> set[str]:
    return {r.case.id for r in results if r.case.answerable}


def summary(run: EvalRun) -> dict[str, Any]:
    """The run without its single questions, as JSON-ready data."""
    parts: tuple[Part, ...] = ("all", "tune", "report")
    return {
        "dataset": run.dataset,
        "conditions": asdict(run.conditions),
        "counts": run.counts(),
        "metrics": {
            part: {m.name: asdict(e) for m in METRICS if (e := run.estimate(m, part))}
            for part in parts
        },
        "comparisons": {
            name: [asdict(row) for row in rows] for name, rows in compare_baselines(run).items()
        },
    }


def save(run: EvalRun, path: Path) -> None:
    """Writes the whole run as one JSON document, making the folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = summary(run) | {"results": [asdict(result) for result in run.results]}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> EvalRun:
    """The run that `save` wrote there; `RunError` if there is none, or one that cannot be read.

    Keys that this version does not know are ignored, so that later versions' runs can be read.
    """
    try:
        run = TypeAdapter(EvalRun).validate_json(path.read_bytes())
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        raise RunError(f"{path}: not a saved run of `dateline eval`: {_faults(error)}") from error
    ids = Counter(result.case.id for result in run.results)
    if not ids:
        raise RunError(f"{path}: a saved run, but without a single question")
    twice = [id_ for id_, n in ids.items() if n > 1]
    if twice:
        raise RunError(f"{path}: holds the question {twice[0]!r} more than once")
    return run


def _faults(error: ValidationError) -> str:
    faults = [
        f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" if fault["loc"] else fault["msg"]
        for fault in error.errors(include_url=False, include_input=False)
    ]
    more = f"; and {len(faults) - _TOLD} more" if len(faults) > _TOLD else ""
    return "; ".join(faults[:_TOLD]) + more


def describe_settings(settings: Settings) -> dict[str, Any]:
    """The settings without secrets; of addresses, what a URL may hide is left out."""
    secret = {name for name, value in settings if isinstance(value, SecretStr)}
    described = settings.model_dump(mode="json", exclude=secret)
    return {name: _without_secrets(value) for name, value in described.items()}


def _without_secrets(value: object) -> object:
    if not isinstance(value, str) or "://" not in value:
        return value
    parts = urlsplit(value)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def describe_code() -> dict[str, Any]:
    """The commit of the source tree, where this is one, and the versions that run."""
    commit = _git("rev-parse", "HEAD")
    return {
        "commit": commit,
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")) if commit else None,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    if not (_REPOSITORY / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(_REPOSITORY), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
