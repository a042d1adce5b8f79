"""Fitting the keyless answerer's weights: `python -m evals.tune_answers DATASET…`,
`make tune-answers DATA="…"`.

Prints what answers each choice of features would give, cross-validated by question on the tuning
half of every data set, the weights fitted on these halves, to be copied into `rag/candidates.py`,
and what answers they would give on the other halves.
"""

from __future__ import annotations

import argparse
import asyncio
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from evals.cases import GoldQuestion, split
from evals.datasets import GOLD, Dataset, find_dataset, open_dataset
from evals.metrics import Gold, contains, overlaps
from evals.scoring import text_scores
from rag.answering import PASSAGE_TOKENS, PASSAGES, is_off_topic
from rag.bootstrap import open_service
from rag.candidates import Candidate, Features, score_sentences
from rag.embedding import SentenceTransformerEmbedder
from rag.excerpts import claims_of
from rag.extractive import is_presentable, pick, read_asked
from rag.language import SpacyAnalyser
from rag.ports import Embedder, LanguageAnalyser
from rag.query.questions import Asked
from rag.settings import Settings, load_settings
from rag.types import Evidence, Question
from rag.verification.reading import read_evidence

Matrix = NDArray[np.float64]
Outcome = dict[str, float]

NAMES = tuple(field.name for field in fields(Features))
RIDGE = 3.0
"""Strength of the penalty on the squared weights of features in units of their deviation."""

BUILT_IN_WEIGHT = 2.0
"""How much more a built-in data set weighs than another: its articles are news with quotations, as
readers of the service ask of."""

SHOWN = ("containment", "evidence_f1", "words", "wrong_refusal", "abstention_recall")


@dataclass(frozen=True, slots=True)
class Example:
    """A question with the sentences considered for it: `values` are their features, of shape
    (sentences, len(NAMES)), `right` those that answer, None for an unanswerable question; `weight`
    is that of its data set."""

    dataset: str
    case: GoldQuestion
    golds: tuple[Gold, ...]
    evidence: Evidence
    asked: Asked
    candidates: tuple[Candidate, ...]
    values: Matrix
    right: NDArray[np.bool_] | None
    weight: float = 1.0


def main() -> None:
    """Fit, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+", help="gold files or folders")
    parser.add_argument("--folds", type=int, default=5, help="of the cross-validation")
    options = parser.parse_args()
    datasets = [find_dataset(name) for name in options.datasets]
    tune(asyncio.run(_collect(datasets, load_settings())), options.folds)


async def _collect(datasets: Sequence[Dataset], settings: Settings) -> list[Example]:
    embedder, analyser = SentenceTransformerEmbedder(settings.embedding_model), SpacyAnalyser()
    examples = []
    for dataset in datasets:
        built_in = dataset.questions.is_relative_to(GOLD)
        weight = BUILT_IN_WEIGHT if built_in else 1.0
        async with open_dataset(dataset, settings, open_service) as opened:
            for case in dataset.cases:
                question = Question(case.question, as_of=case.as_of)
                evidence = await opened.service.search(question, PASSAGES, PASSAGE_TOKENS)
                example = example_of(case, opened.golds[case.id], evidence, embedder, analyser)
                examples.append(replace(example, dataset=dataset.name, weight=weight))
    return examples


def example_of(
    case: GoldQuestion,
    golds: tuple[Gold, ...],
    evidence: Evidence,
    embedder: Embedder,
    analyser: LanguageAnalyser,
) -> Example:
    """The sentences of what was found for a question, with their features."""
    readings = tuple(read_evidence(evidence, analyser))
    asked = read_asked(Question(case.question), readings, analyser)
    found = tuple(score_sentences(asked, readings, embedder))
    values = [[getattr(c.features, name) for name in NAMES] for c in found]
    right = None
    if case.answerable:
        right = np.array([_answers(c, case, golds) for c in found], dtype=bool)
    table = np.array(values, dtype=np.float64).reshape(len(found), len(NAMES))
    return Example("", case, golds, evidence, asked, found, table, right)


def _answers(candidate: Candidate, case: GoldQuestion, golds: Sequence[Gold]) -> bool:
    """Whether a sentence is among the evidence: overlaps a quotation or, where there is none, holds
    an accepted answer in an evidence article."""
    article, span = candidate.reading.article, candidate.reading.sentences[candidate.index]
    same = [gold for gold in golds if gold.article_id == article.id]
    return any(
        overlaps(span, gold.span) if gold.span else contains(candidate.text, case.answers)
        for gold in same
    )


def tune(everyone: Sequence[Example], folds: int) -> None:
    """Print what the answers would be, cross-validated, the weights, and what they come to."""
    examples = [example for example in everyone if split(example.case.id) == "tune"]
    reported = [example for example in everyone if split(example.case.id) == "report"]
    names = list(dict.fromkeys(example.dataset for example in examples))
    width = 11 * len(SHOWN)
    print(f"{'cross-validated':22}" + "".join(f"{name:{width}}" for name in names))
    print(" " * 22 + "".join(f"{key[:10]:11}" for key in SHOWN) * len(names))
    everything = tuple(range(len(NAMES)))
    rows = {"all features": everything}
    for n in everything:
        rows[f"without {NAMES[n]}"] = tuple(i for i in everything if i != n)
    for title, columns in rows.items():
        _print_row(title, names, examples, _cross_validated(examples, columns, folds))
    weights, bias = fit(examples, everything)
    given = [outcome(example, example.values @ weights + bias) for example in reported]
    _print_row("reporting halves", names, reported, given)
    print("\nWEIGHTS:", dict(zip(NAMES, weights.round(2).tolist(), strict=True)))
    print("BIAS:", round(bias, 2))


def _print_row(
    title: str,
    names: Sequence[str],
    examples: Sequence[Example],
    outcomes: Sequence[Outcome],
) -> None:
    cells = (_mean(outcomes, examples, name, key) for name in names for key in SHOWN)
    print(f"{title:22}" + "".join(f"{value:<11.3f}" for value in cells))


def fit(examples: Sequence[Example], columns: Sequence[int]) -> tuple[Matrix, float]:
    """Weights, shape (len(columns),), and bias of a logistic regression of "answers" over the
    sentences that can be shown of answerable questions with a right one among them; each data set
    weighs as its examples say, whatever its size, and each question in it the same."""
    taught = [e for e in examples if e.right is not None and _shown(e)[e.right].any()]
    counts = Counter(example.dataset for example in taught)
    values = np.concatenate([e.values[_shown(e)][:, columns] for e in taught])
    right = np.concatenate([e.right[_shown(e)] for e in taught if e.right is not None])
    shares = [np.full(int(_shown(e).sum()), e.weight / counts[e.dataset]) for e in taught]
    share = np.concatenate(shares)
    share /= share.mean()
    middle, spread = values.mean(axis=0), values.std(axis=0) + 1e-9
    table = np.column_stack([(values - middle) / spread, np.ones(len(values))])
    sign = np.where(right, 1.0, -1.0)
    penalty = np.append(np.full(len(columns), RIDGE), 0.0)

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        margin = sign * (table @ weights)
        slope = -sign * share * np.exp(-np.logaddexp(0, margin))
        value = share @ np.logaddexp(0, -margin) + (penalty * weights) @ weights / 2
        return float(value), slope @ table + penalty * weights

    solved = minimize(loss, np.zeros(table.shape[1]), jac=True, method="L-BFGS-B")
    weights: Matrix = solved.x[:-1] / spread
    return weights, float(solved.x[-1] - weights @ middle)


def _shown(example: Example) -> NDArray[np.bool_]:
    return np.array([is_presentable(c) for c in example.candidates], dtype=bool)


def _cross_validated(
    examples: Sequence[Example], columns: Sequence[int], folds: int
) -> list[Outcome]:
    """What each question's answer would be under weights fitted on the other folds."""
    fold = [zlib.crc32(example.case.id.encode()) % folds for example in examples]
    fitted = {
        n: fit([e for e, own in zip(examples, fold, strict=True) if own != n], columns)
        for n in set(fold)
    }
    return [
        outcome(example, example.values[:, columns] @ fitted[n][0] + fitted[n][1])
        for example, n in zip(examples, fold, strict=True)
    ]


def outcome(example: Example, scores: Matrix) -> Outcome:
    """The scores of the answer that these log-odds of the sentences would give, unverified."""
    scored = zip(example.candidates, scores.tolist(), strict=True)
    candidates = [replace(candidate, score=score) for candidate, score in scored]
    chosen: list[Candidate] = []
    if not is_off_topic(example.evidence):
        chosen = pick(example.asked, candidates, example.evidence.confidence)
    if not example.case.answerable:
        return {"abstention_recall": float(not chosen)}
    text = " ".join(claim.text for claim in claims_of(chosen))
    found = {"wrong_refusal": float(not chosen), "words": float(len(text.split()))}
    return found | text_scores(example.case, example.golds, text)


def _mean(
    outcomes: Sequence[Mapping[str, float]], examples: Sequence[Example], dataset: str, key: str
) -> float:
    """The mean over a data set's questions that have it, not a number without any."""
    pairs = zip(outcomes, examples, strict=True)
    values = [found[key] for found, e in pairs if e.dataset == dataset and key in found]
    return float(np.mean(values)) if values else float("nan")


if __name__ == "__main__":
    main()
