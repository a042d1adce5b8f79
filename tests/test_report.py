import io

import pytest

from evals.cases import GoldQuestion
from evals.report import fault_of, print_run, worst_questions
from evals.results import CaseResult, Conditions, EvalRun
from tests.fakes import abstention


def result(case_id: str, answerable: bool = True, error: str | None = None, **scores: float):
    answers = ("the [bold] mill",) if answerable else ()
    case = GoldQuestion(case_id, f"question {case_id}?", answers, (), answerable, "fact")
    answer = None if error else abstention(case.question)
    return CaseResult(case, "tune", (), "index", answer, scores, error=error)


def run_of(*results: CaseResult) -> EvalRun:
    return EvalRun("weather", Conditions("2030-01-01", {}, {}, {}, {}), results)


WRONG = result("q1", containment=0, wrong_refusal=0, **{"mrr@10": 0.25})
REFUSED = result("q2", containment=0, wrong_refusal=1, **{"mrr@10": 0})
INVENTED = result("q3", answerable=False, abstention_recall=0)
FAILED = result("q4", error="LanguageModelError: timed out", containment=0)
RIGHT = result("q5", containment=1, wrong_refusal=0, search_ms=12.3)
HELD_BACK = result("q6", answerable=False, abstention_recall=1)


def printed(run: EvalRun, verbose: bool = False) -> str:
    out = io.StringIO()
    print_run(run, verbose, out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("case", "fault"),
    [
        (WRONG, "wrong"),
        (REFUSED, "wrongly refused"),
        (INVENTED, "answered although unanswerable"),
        (FAILED, "failed"),
        (RIGHT, None),
        (HELD_BACK, None),
    ],
)
def test_each_fault_has_its_name(case, fault):
    assert fault_of(case) == fault


def test_a_passage_not_found_is_a_fault_only_where_no_answer_was_asked():
    missed = {"hits@10": 0.0}
    asked = result("q7", containment=1, wrong_refusal=0, **missed)
    searched = CaseResult(asked.case, "tune", (), "index", None, missed)

    assert fault_of(asked) is None
    assert fault_of(searched) == "not retrieved"


def test_the_worst_questions_show_gold_and_answer_the_gravest_first():
    lines = worst_questions(run_of(RIGHT, FAILED, REFUSED, WRONG, INVENTED))

    text = "\n".join(lines)
    order = [text.index(f" q{n} [fact]") for n in (3, 1, 2, 4)]
    assert order == sorted(order)
    assert "q5" not in text
    assert "gold: the [bold] mill" in text
    assert "first hit: rank 4" in text
    assert "first hit: not among the first ten" in text
    assert "error: LanguageModelError: timed out" in text


def test_a_piped_report_is_plain_and_has_value_interval_and_count():
    out = printed(run_of(WRONG, RIGHT, HELD_BACK))

    assert "\x1b" not in out
    assert not set("─│━┃") & set(out)
    row = next(line for line in out.splitlines() if line.startswith("answer contained"))
    assert row.split() == ["answer", "contained", *["0.500", "0.000–1.000", "2"] * 2]
    assert "search p50" in out
    assert next(x for x in out.splitlines() if x.startswith("search p50")).split()[3] == "12"


def test_categories_are_split_by_answerability():
    out = printed(run_of(WRONG, RIGHT, HELD_BACK))
    rows = {
        line.rsplit(maxsplit=4)[0].strip(): line.split()[-4:]
        for line in out.splitlines()
        if line.startswith("fact (")
    }

    assert rows["fact (answerable)"] == ["2", "0.500", "–", "0.000"]
    assert rows["fact (unanswerable)"] == ["1", "–", "1.000", "–"]


def test_questions_are_listed_only_when_asked_for_and_markup_in_them_is_text():
    assert "question q1?" not in printed(run_of(WRONG))
    assert "the [bold] mill" in printed(run_of(WRONG), verbose=True)
    assert "failed: q4: LanguageModelError: timed out" in printed(run_of(FAILED))
