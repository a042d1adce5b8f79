"""The verifier beside plain baselines on summaries that people judged: FaithBench.

A line of its file has a source, a summary (`claim`), and the worst and the best that people said of
that: `Unwanted`, `Questionable`, `Benign` or `Consistent`. A summary is unsupported where the worst
is Unwanted, supported where it is Consistent. `undisputed` leaves out what somebody found Unwanted
and somebody Consistent, and takes the best as well: Consistent at best, and not Unwanted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from evals.metrics import statistic_of
from rag.chunking import chunk_article
from rag.citations import MIN_SHARE, Verifier
from rag.errors import DatelineError
from rag.ports import Embedder, LanguageAnalyser, Vectors
from rag.sentences import sentence_spans
from rag.text.statements import Source, Statement, read_statement
from rag.text.wording import content_stems
from rag.types import Article, Claim, Evidence, Passage
from rag.verification.support import coverage

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

VERDICT, GRADED = "verdict", "graded"
SYSTEMS = {
    VERDICT: "the verifier: every sentence is shown; has no threshold",
    GRADED: "the verifier's reading: content words that the source carries in no form, counted",
    "lexical": "content words of the summary that the source has, their share",
    "lexical count": "the same, those that the source has not, counted",
    "cosine": "of each sentence to the nearest of the source, the mean",
}
"""What each system is; the higher its score, the better supported is a summary."""

FOLDS = 5
RESAMPLES = 2_000
_SEED = 1


class FaithBenchError(DatelineError):
    """A file of judged summaries cannot be read."""


class Summary(BaseModel):
    """A text, what a model made of it, and the worst and the best that people said of that."""

    id: str
    source: str
    claim: str
    worst: str
    best: str


@dataclass(frozen=True, slots=True)
class Detection:
    """A system's AUROC; its balanced accuracy under a threshold fitted on other summaries, with its
    interval; the share found of the unsupported and spared of the supported; and by how much the
    graded verifier is ahead of it in balanced accuracy, with that interval."""

    system: str
    auroc: float
    accuracy: float
    low: float
    high: float
    found: float
    spared: float
    behind: float
    behind_low: float
    behind_high: float


@dataclass(frozen=True, slots=True)
class _Read:
    """A source, read once."""

    verifier: Verifier
    whole: Source
    vectors: Vectors
    stems: frozenset[str]


def load_summaries(path: Path) -> list[Summary]:
    """The lines of a file. Raises `FaithBenchError`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Summary.model_validate_json(line) for line in lines]
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise FaithBenchError(f"{path}: cannot be read: {error}") from error


def labels(summary: Summary) -> dict[str, bool]:
    """Whether it is unsupported, by way of counting; left out where that does not count it."""
    unwanted, consistent = summary.worst == "Unwanted", summary.best == "Consistent"
    worst = {"worst": unwanted} if unwanted or summary.worst == "Consistent" else {}
    return worst | ({"undisputed": unwanted} if unwanted != consistent else {})


def score_summaries(
    summaries: Sequence[Summary], analyser: LanguageAnalyser, embedder: Embedder
) -> dict[str, Floats]:
    """The score of each summary by each system."""
    read: dict[str, _Read] = {}
    rows = []
    for summary in summaries:
        if summary.source not in read:
            read[summary.source] = _read(summary.source, analyser, embedder)
        rows.append(_scores(summary, read[summary.source], analyser, embedder))
    return {system: np.array([row[system] for row in rows]) for system in SYSTEMS}


def _read(text: str, analyser: LanguageAnalyser, embedder: Embedder) -> _Read:
    article = Article("source", text)
    chunks = enumerate(chunk_article(article), start=1)
    passages = tuple(Passage.of(rank, 0.5, chunk, article) for rank, chunk in chunks)
    sentences = _sentences(text)
    statements = _statements(sentences, analyser)
    return _Read(
        Verifier(Evidence(passages, {article.id: article}), analyser),
        Source(tuple(statements), text, ""),
        embedder.encode_documents(sentences),
        frozenset(content_stems(text)),
    )


def _sentences(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentence_spans(text)]


def _statements(sentences: Sequence[str], analyser: LanguageAnalyser) -> list[Statement]:
    analyses = analyser.analyse(sentences)
    return [read_statement(text, a) for text, a in zip(sentences, analyses, strict=True)]


def _scores(
    summary: Summary, source: _Read, analyser: LanguageAnalyser, embedder: Embedder
) -> dict[str, float]:
    sentences = _sentences(summary.claim)
    verifier = source.verifier
    shown = [verifier.verify(verifier.settle(Claim(s))).support is not None for s in sentences]
    stems = content_stems(summary.claim)
    missing = sum(word not in source.stems for word in stems)
    nearest = (embedder.encode_documents(sentences) @ source.vectors.T).max(axis=1)
    return {
        VERDICT: float(all(shown)),
        GRADED: -sum(_not_carried(s, source.whole) for s in _statements(sentences, analyser)),
        "lexical": 1 - missing / max(1, len(stems)),
        "lexical count": -float(missing),
        "cosine": float(nearest.mean()),
    }


def _not_carried(claim: Statement, whole: Source) -> float:
    """How many content words of a claim its source carries in no form; none of a sentence that is
    about something else, as "Here is a summary" is."""
    share = coverage(claim, whole)
    return (1 - share) * len(claim.content) if share >= MIN_SHARE else 0.0


def compare(scores: Mapping[str, Floats], unsupported: Flags) -> list[Detection]:
    """Each system under thresholds by cross-validation, and the graded verifier's lead over it."""
    called = {system: cross_validated(values, unsupported) for system, values in scores.items()}
    chance = np.random.default_rng(_SEED)
    count = len(unsupported)
    draws = [chance.integers(0, count, count) for _ in range(RESAMPLES)]
    draws = [rows for rows in draws if 0 < unsupported[rows].sum() < count]

    def resampled(system: str) -> Floats:
        found = [balanced_accuracy(called[system][rows], unsupported[rows]) for rows in draws]
        return np.array(found)

    ours = resampled(GRADED)
    detections = []
    for system, values in scores.items():
        auroc = float(statistic_of(values, ~unsupported, "auroc"))
        draws_of = resampled(system)
        detections.append(_detection(system, auroc, called, unsupported, (draws_of, ours)))
    return detections


def _detection(
    system: str,
    auroc: float,
    called: Mapping[str, Flags],
    unsupported: Flags,
    draws: tuple[Floats, Floats],
) -> Detection:
    theirs, ours = draws
    low, high = np.quantile(theirs, [0.025, 0.975])
    behind = np.quantile(ours - theirs, [0.025, 0.975])
    accuracy = balanced_accuracy(called[system], unsupported)
    return Detection(
        system,
        auroc,
        accuracy,
        float(low),
        float(high),
        float(called[system][unsupported].mean()),
        float((~called[system][~unsupported]).mean()),
        balanced_accuracy(called[GRADED], unsupported) - accuracy,
        float(behind[0]),
        float(behind[1]),
    )


def balanced_accuracy(called: Flags, unsupported: Flags) -> float:
    """The mean of the shares that are right among the unsupported and among the supported."""
    return float((called[unsupported].mean() + (~called[~unsupported]).mean()) / 2)


def cross_validated(scores: Floats, unsupported: Flags) -> Flags:
    """What is called unsupported: of each of five folds, what scores less than the threshold that
    serves the other four best. The folds are drawn by a seed, each with its share of both kinds."""
    order = np.random.default_rng(_SEED).permutation(len(scores))
    order = order[np.argsort(unsupported[order], kind="stable")]
    folds = np.empty(len(scores), dtype=int)
    folds[order] = np.arange(len(scores)) % FOLDS
    called = np.zeros(len(scores), dtype=bool)
    for fold in range(FOLDS):
        rest = folds != fold
        called[~rest] = scores[~rest] < _threshold(scores[rest], unsupported[rest])
    return called


def _threshold(scores: Floats, unsupported: Flags) -> float:
    """The middle of the two scores between which balanced accuracy is best."""
    levels = np.unique(scores)
    middles = [*((levels[1:] + levels[:-1]) / 2), levels[-1] + 1.0]
    return float(max(middles, key=lambda level: balanced_accuracy(scores < level, unsupported)))
