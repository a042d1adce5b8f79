"""How much caution would cost and save: the curves of refusing below a level of confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from evals.report import fault_of
from evals.results import CaseResult


@dataclass(frozen=True, slots=True)
class Point:
    """One level of caution, both values in [0, 1]."""

    x: float
    y: float


def risk_coverage(results: Sequence[CaseResult]) -> tuple[Point, ...]:
    """Coverage (x) and risk (y) of giving only the most confident of the run's answers.

    Coverage is the share of all questions that get one of the run's answers, risk the share of
    these that are wrong or should have been refused (El-Yaniv and Wiener 2010). The last point is
    the run as it was; it is the only one where an answered question has no confidence. Empty
    without answers.
    """
    asked = [r for r in results if r.answer is not None]
    given = [(_confidence(r), _is_wrong(r)) for r in asked if _answered(r)]
    if not given:
        return ()
    points: list[Point] = []
    covered = wrong = 0
    for group in _falling(given):
        covered += len(group)
        wrong += sum(group)
        points.append(Point(covered / len(asked), wrong / covered))
    return tuple(points)


def refusals(results: Sequence[CaseResult]) -> tuple[Point, ...]:
    """Answerable (x) and unanswerable (y) questions refused, by falling confidence asked for.

    Each point refuses what retrieval is less confident of than some level, whatever was answered;
    from refusing all (1, 1) to refusing none (0, 0). Empty where a confidence, or a question of
    one of the two kinds, is missing.
    """
    known = [(_confidence(r), r.case.answerable) for r in results if not r.error]
    answerable = sum(kind for _, kind in known)
    unanswerable = len(known) - answerable
    if not answerable or not unanswerable or any(level is None for level, _ in known):
        return ()
    points = [Point(1.0, 1.0)]
    left_answerable, left_unanswerable = answerable, unanswerable
    for group in _falling(known):
        left_answerable -= sum(group)
        left_unanswerable -= len(group) - sum(group)
        points.append(Point(left_answerable / answerable, left_unanswerable / unanswerable))
    return tuple(points)


def _confidence(result: CaseResult) -> float | None:
    return result.scores.get("confidence")


def _answered(result: CaseResult) -> bool:
    return result.answer is not None and result.answer.status == "answered"


def _is_wrong(result: CaseResult) -> bool:
    return fault_of(result) is not None


def _falling(values: Sequence[tuple[float | None, bool]]) -> list[list[bool]]:
    """The flags by falling confidence, equal ones together; one group if any is unknown."""
    known = [(level, flag) for level, flag in values if level is not None]
    if len(known) < len(values):
        return [[flag for _, flag in values]]
    known.sort(key=lambda value: -value[0])
    return [[flag for _, flag in group] for _, group in groupby(known, key=lambda value: value[0])]
