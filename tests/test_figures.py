from dataclasses import replace

from evals.figures import (
    Figure,
    category_figures,
    rank_figure,
    refusal_figure,
    risk_figure,
)
from evals.results import EvalRun
from tests.eval_samples import refused, right, run_of, unanswerable, wrong

RUN = run_of(
    right("q1", "fact", confidence=0.9),
    wrong("q2", "who", confidence=0.6),
    unanswerable("q3", confidence=0.2),
    unanswerable("q4", abstained=False, confidence=0.5),
)


def by_title(run: EvalRun, before: EvalRun | None = None) -> dict[str, Figure]:
    return {figure.title: figure for figure in category_figures(run, before, "r")}


def test_a_search_without_answers_or_evidence_has_no_curves():
    empty = run_of(replace(right("q1"), answer=None, scores={}, golds=()))
    assert risk_figure(empty, None, "r") is None
    assert refusal_figure(empty, None, "r") is None
    assert rank_figure(empty, None, "r") is None
    assert category_figures(empty, None, "r") == []


def test_each_metric_that_several_categories_have_is_drawn_by_category():
    found = by_title(RUN)
    assert "all 0.500, fact 1.000, who 0.000" in found["answer contained"].svg
    assert found["answer contained"].first
    assert found["wrong refusals"].caption == "lower is better"
    assert "abstention recall" not in found  # only one category has it
    assert "MRR@10" in found
    assert not found["MRR@10"].first


def test_the_kind_is_named_where_a_category_has_both():
    run = run_of(right("q1", "missing"), right("q2"), unanswerable("q3"))
    found = by_title(run)["promises kept"].svg
    assert "missing (answerable) 1.000" in found
    assert "missing (unanswerable) 1.000" in found
    assert "missing 1.000" in by_title(run)["answer contained"].svg


def test_a_baseline_is_drawn_beside_each_category_that_it_has():
    before = run_of(wrong("q1", "fact"))
    assert "--before" in by_title(RUN, before)["answer contained"].svg
    assert "--before" not in by_title(RUN)["answer contained"].svg


def test_risk_tells_where_the_run_stood_and_says_when_there_is_no_curve():
    surer = risk_figure(RUN, RUN, "r")
    assert surer is not None
    assert "75\N{NO-BREAK SPACE}% of the questions answered" in surer.svg
    assert "67\N{NO-BREAK SPACE}% of the answers wrong" in surer.svg
    alone = risk_figure(run_of(right("q1"), refused("q2")), None, "r")
    assert alone is not None
    assert "no curve" in alone.caption


def test_a_curve_of_risk_begins_where_ten_questions_are_answered():
    def dots(answered: int) -> int:
        run = run_of(*(right(f"q{n}", confidence=n / 40) for n in range(answered)))
        figure = risk_figure(run, None, "r")
        assert figure is not None
        return figure.caption.count("Left of the dot")

    assert dots(11) == 1
    assert dots(10) == 0  # one point is no curve


def test_refusals_tell_where_the_run_stood_and_what_confidence_could_do():
    figure = refusal_figure(RUN, None, "r")
    assert figure is not None
    assert "0\N{NO-BREAK SPACE}% of the answerable questions refused" in figure.svg
    assert "100\N{NO-BREAK SPACE}% at 5\N{NO-BREAK SPACE}% wrong refusals" in figure.caption
    plain = refusal_figure(run_of(right("q1"), unanswerable("q2")), RUN, "r")
    assert plain is not None
    assert "confidence" not in plain.caption
    assert "--before" in plain.svg


def test_ranks_add_up():
    figure = rank_figure(RUN, RUN, "r")
    assert figure is not None
    assert "1: 50\N{NO-BREAK SPACE}%, 2: 100\N{NO-BREAK SPACE}%" in figure.svg
