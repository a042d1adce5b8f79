"""Two systems on the same questions: is the one better, worse, or can't we tell?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from evals.metrics import Values, statistic_of
from evals.scoring import METRICS, Metric

Verdict = Literal["better", "worse", "can't tell"]
Scores = Mapping[str, Mapping[str, float]]  # by question id, then by the metric's key

RESAMPLES = 10_000
LEVEL = 0.05
_BATCH = 1_000  # resamples at a time, for the memory's sake
_SEED = 20250821


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of ours against theirs, over `n` questions.

    `low` to `high` is the 95 % interval of the difference ours - theirs; `p` its two-sided
    probability if there were none; `p_holm` the same, corrected for all metrics compared at once.
    `mcnemar` is there for yes/no metrics, and then decides; the verdict does not use `p_holm`.
    """

    metric: str
    n: int
    ours: float
    theirs: float
    difference: float
    low: float
    high: float
    p: float
    mcnemar: float | None
    p_holm: float
    verdict: Verdict


def compare(
    ours: Scores, theirs: Scores, answerable: Collection[str], metrics: Sequence[Metric] = METRICS
) -> list[Comparison]:
    """Every metric that both have, over the questions that both were asked.

    `answerable` holds the ids of the answerable ones. A question without a value on one side, as
    citation precision where nothing was cited, is left out of that side's mean only: what is
    compared are the means that both runs report.
    """
    ids = [id_ for id_ in ours if id_ in theirs]
    labels = np.array([id_ in answerable for id_ in ids], dtype=bool)
    rows = []
    for metric in metrics:
        one, other = _column(ours, ids, metric), _column(theirs, ids, metric)
        if metric.better is None or np.isnan(one).all() or np.isnan(other).all():
            continue
        asked = ~(np.isnan(one) & np.isnan(other))
        row = _compare(metric, one[asked], other[asked], labels[asked])
        if row:
            rows.append(row)
    return _with_holm(rows, metrics)


def mcnemar(gained: int, lost: int) -> float:
    """McNemar's exact test (1947): the two-sided probability that, of the questions on which two
    systems differ, so few or fewer go to one of them by chance."""
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def _column(scores: Scores, ids: Sequence[str], metric: Metric) -> Values:
    return np.array([scores[id_].get(metric.key, np.nan) for id_ in ids], dtype=np.float64)


def _compare(
    metric: Metric, ours: Values, theirs: Values, answerable: NDArray[np.bool_]
) -> Comparison | None:
    """None where the statistic has no value on a side, as of answerable questions alone."""
    values = [float(statistic_of(v, answerable, metric.statistic)) for v in (ours, theirs)]
    if np.isnan(values).any():
        return None
    low, high, p = _paired_bootstrap(metric, ours, theirs, answerable)
    exact = None
    if metric.scale == "yes/no" and not np.isnan(ours - theirs).any():
        exact = mcnemar(int((ours > theirs).sum()), int((ours < theirs).sum()))
    return Comparison(
        metric=metric.name,
        n=len(ours),
        ours=values[0],
        theirs=values[1],
        difference=values[0] - values[1],
        low=low,
        high=high,
        p=p,
        mcnemar=exact,
        p_holm=p,
        verdict="can't tell",
    )


def _paired_bootstrap(
    metric: Metric, ours: Values, theirs: Values, answerable: NDArray[np.bool_]
) -> tuple[float, float, float]:
    """The percentile interval of the difference over resampled questions, and its p: twice the
    share of resamples on the wrong side of zero, counted as by Davison and Hinkley (1997, 4.2).

    Resampling a few questions that all go one way finds no other way: p is at least what a sign
    test of as many questions as differ could find at best.
    """
    if np.array_equal(ours, theirs, equal_nan=True):
        return 0.0, 0.0, 1.0
    chance = np.random.default_rng(_SEED)
    found = []
    for _ in range(RESAMPLES // _BATCH):
        rows = chance.integers(0, len(ours), (_BATCH, len(ours)))
        one, other = (
            statistic_of(values[rows], answerable[rows], metric.statistic)
            for values in (ours, theirs)
        )
        found.append(one - other)
    differences = np.concatenate(found)
    differences = differences[~np.isnan(differences)]
    low, high = np.quantile(differences, [LEVEL / 2, 1 - LEVEL / 2])
    wrong_side = min((differences <= 0).sum(), (differences >= 0).sum())
    p = 2 * (int(wrong_side) + 1) / (len(differences) + 1)
    differing = int((~np.isclose(ours, theirs, equal_nan=True)).sum())
    return float(low), float(high), min(1.0, max(p, 2 * 0.5**differing))


def _with_holm(rows: Sequence[Comparison], metrics: Sequence[Metric]) -> list[Comparison]:
    """The rows with their verdicts and p values corrected by Holm (1979)."""
    lower = {metric.name for metric in metrics if metric.better == "lower"}
    corrected: dict[str, float] = {}
    highest = 0.0
    for rank, row in enumerate(sorted(rows, key=_deciding)):
        highest = max(highest, min(1.0, _deciding(row) * (len(rows) - rank)))
        corrected[row.metric] = highest
    return [
        replace(row, p_holm=corrected[row.metric], verdict=_verdict(row, row.metric in lower))
        for row in rows
    ]


def _deciding(row: Comparison) -> float:
    return row.p if row.mcnemar is None else row.mcnemar


def _verdict(row: Comparison, lower_is_better: bool) -> Verdict:
    if _deciding(row) >= LEVEL or row.difference == 0:
        return "can't tell"
    return "better" if (row.difference > 0) != lower_is_better else "worse"
