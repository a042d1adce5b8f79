"""Fitting the weights of the ranking: `python -m evals.tune DATASET…`, `make tune DATA="…"`.

Prints how well each feature serves, by cross-validation, and the weights fitted on everything,
to be copied into `rag/ranking.py`. Of the built-in data sets only the tuning half is used.
"""

from __future__ import annotations

import argparse
import asyncio
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from evals.cases import GoldQuestion, split
from evals.datasets import GOLD, Dataset, Opened, find_dataset, open_dataset
from evals.metrics import Gold, holds
from evals.scoring import retrieval_scores
from rag.bootstrap import Parts, open_service
from rag.ranking import BY_HAND, FEATURES, WEIGHTS, likelihood_signals
from rag.service import Service
from rag.settings import Settings, load_settings
from rag.types import Passage, Question

Matrix = NDArray[np.float64]

RIDGE = 1.0
"""Strength of the penalty on the squared weights, over all questions of a data set."""

SHOWN = ("hits@4", "hits@10", "mrr@10", "hits_1024_tokens", "all_evidence@10")
DEPTH = 400  # all that the searches bring

COMPETING = 100
"""Passages of a question that weights are fitted on: the first by the sum of all features."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question with all passages considered for it: `values` are their features, of shape
    (passages, len(FEATURES)), `pieces` the pieces of gold evidence that each of them holds."""

    dataset: str
    case: GoldQuestion
    golds: tuple[Gold, ...]
    passages: tuple[Passage, ...]
    values: Matrix
    pieces: tuple[frozenset[int], ...]
    variant: bool  # asked without its `as_of`: tuned on, but not reported

    @property
    def wanted(self) -> list[list[bool]]:
        """Which passages hold each piece that any of them holds. Pieces without a quotation are
        where an answer may stand, not what is needed: one of these will do."""
        found = sorted(frozenset[int]().union(*self.pieces))
        if any(gold.span is None for gold in self.golds):
            return [[bool(held) for held in self.pieces]] if found else []
        return [[piece in held for held in self.pieces] for piece in found]


def main() -> None:
    """Fit, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+", help="gold files or folders")
    parser.add_argument("--folds", type=int, default=5, help="of the cross-validation")
    options = parser.parse_args()
    datasets = [find_dataset(name) for name in options.datasets]
    settings = load_settings().model_copy(update={"reranker_model": None})
    examples = asyncio.run(_collect(datasets, settings))
    folds = {e.case.id: zlib.crc32(e.case.id.encode()) % options.folds for e in examples}
    hit = {folds[e.case.id] for e in examples if any(e.pieces)}
    if len(hit) < 2:
        parser.exit(1, "too few questions whose evidence is found: name more data sets\n")
    weights = tune_ranking([e for e in examples if e.golds], folds)
    tune_likelihood(examples, folds, weights)


# Collecting


async def _collect(datasets: Sequence[Dataset], settings: Settings) -> list[Example]:
    """Every question's passages and features; one with `as_of` is asked also without it."""
    opener = partial(open_service, parts=Parts(weights=dict.fromkeys(FEATURES, 1.0)))
    examples = []
    for dataset in datasets:
        built_in = dataset.questions.is_relative_to(GOLD)
        cases = [c for c in dataset.cases if not built_in or split(c.id) == "tune"]
        async with open_dataset(dataset, settings, opener) as opened:
            for case in cases:
                examples.append(await _example(dataset.name, case, opened))
                if case.as_of:
                    undated = await _example(dataset.name, replace(case, as_of=None), opened)
                    examples.append(replace(undated, variant=True))
    return examples


async def _example(name: str, case: GoldQuestion, opened: Opened) -> Example:
    passages, values = await _considered(opened.service, case)
    golds = opened.golds[case.id]
    pieces = tuple(holds(passage, golds, case.answers) for passage in passages)
    return Example(name, case, golds, passages, values, pieces, variant=False)


async def _considered(service: Service, case: GoldQuestion) -> tuple[tuple[Passage, ...], Matrix]:
    evidence = await service.search(Question(case.question, as_of=case.as_of), DEPTH)
    known = tuple(p for p in evidence.passages if p.chunk_id in evidence.explained)[:COMPETING]
    values = [[evidence.explained[p.chunk_id][name] for name in FEATURES] for p in known]
    return known, np.array(values, dtype=np.float64).reshape(len(known), len(FEATURES))


# Ranking


def tune_ranking(examples: Sequence[Example], folds: Mapping[str, int]) -> Matrix:
    """Print each feature's worth and the weights; the weights, in the order of `FEATURES`."""
    fitted = tuple(n for n, name in enumerate(FEATURES) if name not in BY_HAND)
    rows = {"all features": fitted}
    for n in fitted:
        rows[f"without {FEATURES[n]}"] = tuple(i for i in fitted if i != n)
    rows["lexical and dense"] = (FEATURES.index("lexical"), FEATURES.index("dense"))
    rows["lexical"], rows["dense"] = rows["lexical and dense"][:1], rows["lexical and dense"][1:]
    names = list(dict.fromkeys(e.dataset for e in examples))
    width = 9 * len(SHOWN)
    print(f"{'cross-validated':22}" + "".join(f"{name:{width}}" for name in names))
    print(" " * 22 + "".join(f"{key[:8]:9}" for key in SHOWN) * len(names))
    for title, columns in rows.items():
        ranked = _cross_validated(examples, columns, folds)
        cells = (_means(examples, ranked, name) for name in names)
        print(f"{title:22}" + "".join(f"{value:<9.3f}" for row in cells for value in row))
    weights = np.array([WEIGHTS[name] for name in FEATURES])
    found = fit_ranking(examples, fitted)
    weights[list(fitted)] = found / found.sum() * (1 - sum(WEIGHTS[name] for name in BY_HAND))
    print("\nWEIGHTS:", dict(zip(FEATURES, weights.round(3).tolist(), strict=True)))
    return weights


def fit_ranking(examples: Sequence[Example], columns: Sequence[int]) -> Matrix:
    """Weights ≥ 0 that maximise the likelihood of drawing, for each piece of evidence, a passage
    that holds it rather than one that holds none (a list-wise loss as ListNet's, Cao et al. 2007);
    each data set counts the same. Shape (len(columns),). Questions without a hit are left out."""
    examples = [e for e in examples if any(e.pieces)]
    longest = max(len(e.pieces) for e in examples)
    values = np.zeros((len(examples), longest, len(columns)))
    rows, right, rivals, shares = [], [], [], []
    for n, example in enumerate(examples):
        values[n, : len(example.pieces)] = example.values[:, columns]
        wanted = example.wanted
        none = [not held for held in example.pieces]
        for holding in wanted:
            rows.append(n)
            right.append(_open(holding, longest))
            rivals.append(_open([a or b for a, b in zip(holding, none, strict=True)], longest))
            shares.append(1 / len(wanted) / sum(e.dataset == example.dataset for e in examples))
    held, rival, share = np.stack(right), np.stack(rivals), np.array(shares)

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        scores = (values @ weights)[rows]
        total, drawn = _log_sum(scores + rival)
        part, aimed = _log_sum(scores + held)
        slope = np.einsum("nl,nlf->f", share[:, None] * (drawn - aimed), values[rows])
        penalty = RIDGE / len(examples) * weights
        value = share @ (total - part) + penalty @ weights / 2
        return float(value), slope + penalty

    start, bounds = np.ones(len(columns)), [(0.0, None)] * len(columns)
    solved = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B")
    weights: Matrix = solved.x
    return weights


def _open(kept: Sequence[bool], length: int) -> Matrix:
    """0 for the passages that are kept, minus infinity for all others, of so many."""
    mask = np.full(length, -np.inf)
    mask[np.flatnonzero(kept)] = 0
    return mask


def _log_sum(scores: Matrix) -> tuple[Matrix, Matrix]:
    """The logarithm of each row's sum of exponentials, and the row's softmax."""
    highest = scores.max(axis=1, keepdims=True)
    grown = np.exp(scores - highest)
    sums = grown.sum(axis=1, keepdims=True)
    return (highest + np.log(sums))[:, 0], grown / sums


def _cross_validated(
    examples: Sequence[Example], columns: Sequence[int], folds: Mapping[str, int]
) -> list[Matrix]:
    """Each question's scores under weights that were fitted on the other folds."""
    fitted = {
        fold: fit_ranking([e for e in examples if folds[e.case.id] != fold], columns)
        for fold in set(folds.values())
    }
    return [e.values[:, columns] @ fitted[folds[e.case.id]] for e in examples]


def _means(examples: Sequence[Example], ranked: Sequence[Matrix], dataset: str) -> Iterator[float]:
    """The metrics of `SHOWN` over a data set's questions as they were asked."""
    scores = [
        retrieval_scores(e.case, e.golds, [e.passages[i] for i in np.argsort(-s, kind="stable")])
        for e, s in zip(examples, ranked, strict=True)
        if e.dataset == dataset and not e.variant
    ]
    return (float(np.mean([one[key] for one in scores])) for key in SHOWN)


# Answerability


def tune_likelihood(examples: Sequence[Example], folds: Mapping[str, int], weights: Matrix) -> None:
    """Print how well the best passages tell whether a question is answerable, and the fit."""
    signals = []
    for example in examples:
        scores = example.values @ weights
        best = np.argsort(-scores, kind="stable")
        dated = bool(example.case.as_of)
        signals.append(likelihood_signals(example.values[best], scores.max(initial=0.0), dated))
    names = list(signals[0])
    table = np.array([[one[name] for name in names] for one in signals])
    answerable = np.array([e.case.answerable for e in examples])
    fold = np.array([folds[e.case.id] for e in examples])
    share = _shares(examples)
    judged = np.empty(len(examples))
    for n in set(fold.tolist()):
        held = fold == n
        fitted = fit_likelihood(table[~held], answerable[~held], share[~held])
        judged[held] = table[held] @ fitted
    print("\ncross-validated: unanswerable questions refused at 5 % and 10 % wrong refusals, AUROC")
    for dataset in dict.fromkeys(e.dataset for e in examples):
        among = np.array([e.dataset == dataset and not e.variant for e in examples])
        right, wrong = judged[among & answerable], judged[among & ~answerable]
        if len(right) and len(wrong):
            refused = [float((wrong < np.quantile(right, level)).mean()) for level in (0.05, 0.1)]
            area = float((right[:, None] > wrong[None, :]).mean())
            print(f"{dataset:22}{refused[0]:.3f} {refused[1]:.3f} {area:.3f}")
    fitted = fit_likelihood(table, answerable, share)
    print("\nLIKELIHOOD:", dict(zip(names, fitted.round(2).tolist(), strict=True)))


def fit_likelihood(signals: Matrix, answerable: NDArray[np.bool_], share: Matrix) -> Matrix:
    """Logistic regression, shape (signals,), of questions that weigh `share` each."""
    sign = np.where(answerable, 1.0, -1.0)

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        margin = sign * (signals @ weights)
        penalty = RIDGE / len(sign) * weights
        slope = -sign * share / (1 + np.exp(margin))
        value = share @ np.logaddexp(0, -margin) + penalty @ weights / 2
        return float(value), slope @ signals + penalty

    solved = minimize(loss, np.zeros(signals.shape[1]), jac=True, method="L-BFGS-B")
    weights: Matrix = solved.x
    return weights


def _shares(examples: Sequence[Example]) -> Matrix:
    """What each question weighs: data sets, and the answerable and other questions in each, the
    same, as far as they have both."""
    groups = Counter((e.dataset, e.case.answerable) for e in examples)
    both = {name for name, kind in groups if (name, not kind) in groups}
    weighed = [
        1 / groups[e.dataset, e.case.answerable] if e.dataset in both else 0.0 for e in examples
    ]
    return np.array(weighed) / max(1, len(both))


if __name__ == "__main__":
    main()
