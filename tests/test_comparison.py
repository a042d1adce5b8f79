import random

import pytest

from evals.comparison import Comparison, compare, mcnemar
from evals.scoring import Metric

HIT = Metric("hits@4", "Hits@4", "retrieval", scale="yes/no")
F1 = Metric("f1", "F1", "answers")
WRONG = Metric("wrong_refusal", "wrong refusals", "abstention", scale="yes/no", better="lower")
PRECISION = Metric("citation_precision", "precision", "citations")
AUROC = Metric("confidence", "AUROC", "abstention", "auroc")
SPEED = Metric("search_ms", "search", "latency", "p50", "ms", None)


def column(key: str, *values: float | None) -> dict[str, dict[str, float]]:
    return {f"q{n}": {} if v is None else {key: v} for n, v in enumerate(values)}


def only(
    metric: Metric, ours: list[float | None], theirs: list[float | None], answerable: int = 0
) -> Comparison:
    ids = {f"q{n}" for n in range(answerable)}
    (row,) = compare(column(metric.key, *ours), column(metric.key, *theirs), ids, [metric])
    return row


def test_equal_systems_cannot_be_told_apart():
    row = only(F1, [0.5, 0.2, 1.0], [0.5, 0.2, 1.0])
    assert (row.difference, row.low, row.high, row.p) == (0, 0, 0, 1)
    assert row.verdict == "can't tell"


def test_a_few_questions_prove_nothing():
    row = only(HIT, [1.0] * 4 + [0.0] * 96, [0.0] * 100)
    assert row.difference == pytest.approx(0.04)
    assert row.mcnemar == pytest.approx(2 * 0.5**4)
    assert row.verdict == "can't tell"


def test_however_much_five_questions_change_they_prove_nothing():
    row = only(F1, [1.0] * 5 + [0.5] * 20, [0.0] * 5 + [0.5] * 20)
    assert row.low > 0
    assert row.p == pytest.approx(2 / 32)
    assert row.verdict == "can't tell"
    assert only(F1, [1.0] * 6, [0.0] * 6).verdict == "better"


def test_many_questions_all_one_way_decide():
    ours, theirs = [1.0] * 90 + [0.0] * 10, [1.0] * 75 + [0.0] * 25
    better, worse = only(HIT, ours, theirs), only(HIT, theirs, ours)

    assert (better.verdict, worse.verdict) == ("better", "worse")
    assert (better.ours, better.theirs, better.n) == (0.9, 0.75, 100)
    # the questions' differences are 15 ones and 85 zeros: ± 1.96 · sqrt(.15 · .85 / 100)
    assert better.low == pytest.approx(0.08, abs=0.011)
    assert better.high == pytest.approx(0.22, abs=0.011)
    assert (worse.low, worse.high) == (pytest.approx(-better.high), pytest.approx(-better.low))


def test_less_is_better_where_the_metric_says_so():
    assert only(WRONG, [0.0] * 30, [1.0] * 30).verdict == "better"
    assert only(WRONG, [1.0] * 30, [0.0] * 30).verdict == "worse"


def test_the_bootstrap_is_paired():
    chance = random.Random(0)
    theirs = [chance.random() for _ in range(60)]
    ours = [value + 0.01 for value in theirs]  # far less than the questions differ among themselves

    assert only(F1, ours, theirs).verdict == "better"
    chance.shuffle(theirs)
    assert only(F1, ours, theirs).verdict == "can't tell"


def test_its_intervals_are_wrong_as_often_as_they_say():
    chance = random.Random(1)
    rows = [
        only(F1, *([chance.gauss(0, 1) for _ in range(50)] for _ in range(2))) for _ in range(100)
    ]
    assert 1 <= sum(row.verdict != "can't tell" for row in rows) <= 11


def test_a_side_without_a_value_is_left_out_of_that_sides_mean_only():
    row = only(PRECISION, [1.0, 0.5, None, None], [0.0, None, 1.0, None])
    assert (row.ours, row.theirs, row.n) == (0.75, 0.5, 3)
    assert row.mcnemar is None


def test_only_what_both_have_is_compared():
    both = compare(column("f1", 1.0, 0.5), {"q1": {"f1": 0.5}, "q9": {"f1": 0.0}}, (), [F1])
    assert [(row.ours, row.theirs, row.n) for row in both] == [(0.5, 0.5, 1)]
    assert compare(column("f1", 1.0), column("hits@4", 1.0), (), [F1, HIT]) == []
    assert compare(column("f1", 1.0), {"other": {"f1": 1.0}}, (), [F1]) == []
    assert compare(column("search_ms", 1.0), column("search_ms", 9.0), (), [SPEED]) == []


def test_a_statistic_over_the_run_is_compared_too():
    good = [0.9 - n / 100 for n in range(20)] + [0.1 + n / 100 for n in range(20)]
    bad = [0.5, 0.6] * 20

    row = only(AUROC, good, bad, answerable=20)
    assert (row.ours, row.theirs, row.verdict) == (1.0, 0.5, "better")
    assert compare(column("confidence", *good), column("confidence", *bad), (), [AUROC]) == []


def test_mcnemar_is_exact():
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(1, 6) == pytest.approx(2 * (1 + 7) / 128)
    assert mcnemar(3, 3) == 1


def test_holm_corrects_for_all_that_was_compared_but_does_not_decide():
    ours = {f"q{n}": {"hits@4": float(n < 12), "wrong_refusal": 0.0} for n in range(60)}
    theirs = {f"q{n}": {"hits@4": float(n < 6), "wrong_refusal": float(n < 7)} for n in range(60)}

    hit, wrong = compare(ours, theirs, (), [HIT, WRONG])
    assert (hit.mcnemar, wrong.mcnemar) == (pytest.approx(2 / 64), pytest.approx(2 / 128))
    assert wrong.p_holm == pytest.approx(2 * 2 / 128)
    assert hit.p_holm == pytest.approx(2 / 64)  # its own, but not below the one before: 2/64
    assert (hit.verdict, wrong.verdict) == ("better", "better")
    assert only(HIT, [1.0], [0.0]).p_holm == 1
