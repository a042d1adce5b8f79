from dataclasses import replace

import pytest

from evals.abstention import Point, refusals, risk_coverage
from tests.eval_samples import failed, refused, right, run_of, unanswerable, wrong


def points(*pairs: tuple[float, float]) -> list[object]:
    return [pytest.approx((x, y)) for x, y in pairs]


def pairs(found: tuple[Point, ...]) -> list[tuple[float, float]]:
    return [(point.x, point.y) for point in found]


def test_without_answers_there_is_no_curve():
    searched = replace(right("q1"), answer=None)
    assert risk_coverage([searched]) == ()
    assert risk_coverage([refused("q1")]) == ()
    assert risk_coverage([]) == refusals([]) == ()


def test_without_confidence_there_is_the_run_alone():
    results = [right("q1"), wrong("q2"), right("q3", confidence=0.5), refused("q4")]
    assert pairs(risk_coverage(results)) == points((3 / 4, 1 / 3))
    assert refusals(results) == ()


def test_risk_is_what_is_wrong_among_the_surest_answers():
    results = [
        right("q1", confidence=0.9),
        unanswerable("q2", abstained=False, confidence=0.2),
        wrong("q3", confidence=0.4),
        right("q4", confidence=0.6),
        refused("q5", confidence=0.95),
    ]
    assert pairs(risk_coverage(results)) == points((0.2, 0), (0.4, 0), (0.6, 1 / 3), (0.8, 0.5))


def test_answers_of_one_confidence_come_together():
    results = [wrong("q1", confidence=0.5), right("q2", confidence=0.5)]
    assert pairs(risk_coverage(results)) == points((1, 0.5))


def test_refusals_run_from_everything_to_nothing():
    results = [
        right("q1", confidence=0.9),
        unanswerable("q2", confidence=0.5),
        refused("q3", confidence=0.3),
        unanswerable("q4", abstained=False, confidence=0.1),
    ]
    assert pairs(refusals(results)) == points((1, 1), (0.5, 1), (0.5, 0.5), (0, 0.5), (0, 0))


def test_refusals_need_both_kinds_of_question_and_every_confidence():
    sure = right("q1", confidence=0.9)
    assert refusals([sure]) == ()
    assert refusals([sure, unanswerable("q2")]) == ()
    assert refusals([unanswerable("q2", confidence=0.9)]) == ()


def test_what_failed_is_left_out_of_refusals():
    results = [right("q1", confidence=0.9), unanswerable("q2", confidence=0.5), failed("q3")]
    assert pairs(refusals(results)) == points((1, 1), (0, 1), (0, 0))
    assert run_of(*results).results[2].answer is None
