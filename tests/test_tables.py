from dataclasses import replace

import pytest

from evals import tables
from evals.results import EvalRun, compare_runs
from evals.scoring import METRICS
from tests.eval_samples import failed, refused, right, run_of, unanswerable, wrong

MIXED = run_of(
    right("q1"),
    wrong("q2"),
    refused("q3"),
    unanswerable("q4"),
    unanswerable("q5", abstained=False),
    failed("q6"),
)
METRIC = {metric.name: metric for metric in METRICS}


def rows(run: EvalRun, before: EvalRun | None = None) -> dict[str, tables.MetricRow]:
    groups = tables.metric_rows(run, compare_runs(run, before) if before else [])
    return {row.metric.name: row for _, found in groups for row in found}


def test_each_question_counts_as_one_outcome():
    assert {one.slug: one.n for one in tables.outcomes(MIXED)} == {
        "right": 1,
        "held-back": 1,
        "refused": 1,
        "wrong": 1,
        "invented": 1,
        "failed": 1,
    }
    assert sum(one.share for one in tables.outcomes(MIXED)) == pytest.approx(100)


def test_a_search_without_answers_has_outcomes_of_its_own():
    found, missed, unknown = (
        replace(right(f"q{n}"), answer=None, scores=scores)
        for n, scores in enumerate(({"hits@10": 1.0}, {"hits@10": 0.0}, {}))
    )
    slugs = [one.slug for one in tables.outcomes(run_of(found, missed, unknown))]
    assert slugs == ["found", "unjudged", "missed"]


def test_a_metric_has_its_interval_count_and_bar_for_each_half_that_has_it():
    row = rows(MIXED)["containment"]
    everything, tuning, reporting = row.cells
    assert everything is not None
    assert (everything.value, everything.n) == ("0.250", 4)
    assert everything.interval == "0.000–0.750"
    assert everything.bar == (0.0, 25.0, 75.0)
    assert tuning == everything
    assert reporting is None
    assert row.meaning


def test_milliseconds_have_no_bar_between_nought_and_one():
    cell = rows(MIXED)["search_ms_p50"].cells[0]
    assert cell is not None
    assert cell.value == "12"
    assert cell.bar is None


def test_a_difference_has_a_sign_only_where_it_shows():
    metric = METRIC["containment"]
    assert tables.signed(0.0321, metric) == "+0.032"
    assert tables.signed(-0.5, metric) == "−0.500"
    assert tables.signed(-0.0001, metric) == tables.signed(0.0, metric) == "0.000"
    assert tables.signed(-12.0, METRIC["search_ms_p50"]) == "−12"


def test_the_baseline_s_value_stands_beside_the_difference_and_the_verdict():
    now = run_of(*(wrong(f"q{n}") for n in range(20)))
    before = run_of(*(right(f"q{n}") for n in range(20)))

    found = rows(now, before)["containment"].difference
    assert found == tables.Difference("1.000", "−1.000", "−1.000 to −1.000", "worse")
    assert rows(before, now)["containment"].difference.verdict == "better"
    assert rows(now, now)["containment"].difference.verdict == "can't tell"
    assert rows(now)["containment"].difference is None


def test_systems_compared_in_the_run_have_a_table_each():
    run = run_of(*(replace(right(f"q{n}"), baselines={"bm25": {"hits@4": 0.0}}) for n in range(20)))
    (table,) = tables.system_tables(run)
    assert table.name == "bm25"
    assert [(row.metric.name, row.ours, row.p) for row in table.rows] == [
        ("hits@4", "1.000", "< .001")
    ]
    assert table.verdicts == {"better": 1, "worse": 0, "can't tell": 0}
    assert tables.system_tables(MIXED) == []


def test_the_headline_has_at_most_six_figures_that_apply():
    names = [row.metric.name for row in tables.headline(tables.metric_rows(MIXED))]
    assert names[0] == "containment"
    assert len(names) <= 6
    searched = run_of(replace(right("q1"), answer=None, scores={"mrr@10": 1.0, "hits@4": 1.0}))
    found = tables.headline(tables.metric_rows(searched))
    assert [row.metric.name for row in found] == ["hits@4", "mrr@10"]


def test_the_conditions_name_what_a_reader_must_know():
    told = tables.headline_conditions(
        replace_conditions(code={"commit": "a" * 40, "changed": True})
    )
    assert told["questions"] == "6: 4 answerable, 2 unanswerable"
    assert told["asked"] == "2 May 2030, 10:30 UTC"
    assert told["model"] == "extractive"
    assert told["commit"] == "a" * 12 + ", with changes on top"
    assert told["searched by"] == "index (4), exact (2)"
    assert told["index generation"] == "g-7"
    assert "fallback" not in told


def replace_conditions(**conditions: object) -> EvalRun:
    return run_of(*MIXED.results, index="g-7", **conditions)


def test_what_is_not_known_of_a_run_is_said():
    searched = run_of(replace(right("q1"), answer=None), code={}, started_at="some day")
    told = tables.headline_conditions(searched)
    assert told["commit"] == "not known"
    assert told["model"] == "none: retrieval only"
    assert told["asked"] == "some day"
    assert "index generation" not in told


def test_conditions_that_differ_are_marked():
    now = run_of(right("q1"), settings={"llm_model": "m", "deep": {"a": 1}}, data={"articles": "x"})
    before = run_of(right("q1"), settings={"llm_model": None}, data={"articles": "x"})

    told = {c.name: c for c in tables.conditions_table(now, before)}
    assert told["settings · llm_model"].differs
    assert told["settings · llm_model"].before == "–"
    assert told["settings · deep · a"].differs
    assert not told["data · articles"].differs
    assert not any(c.differs for c in tables.conditions_table(now, None))


def test_categories_are_parted_by_kind():
    run = run_of(unanswerable("q1"), right("q2", "missing"), right("q3"), right("q4"))
    assert [(key, len(found)) for key, found in tables.by_category(run).items()] == [
        (("answerable", "fact"), 2),
        (("answerable", "missing"), 1),
        (("unanswerable", "missing"), 1),
    ]
