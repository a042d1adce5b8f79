import json
from dataclasses import replace
from pathlib import Path

import pytest

from evals.cases import GoldEvidence, GoldQuestion
from evals.metrics import Gold
from evals.results import CaseResult, Conditions, EvalRun, RunError, load, save
from rag.types import Article, Copy, Passage, Span
from tests.fakes import abstention, quotation

MILL = Article("fire", "The mill burned down. Nobody was hurt.", outlet="Daily", title="Fire")
SAID = "The mill burned down."
CASE = GoldQuestion(
    "q1", "what burned?", ("the mill",), (GoldEvidence("fire", SAID),), True, "fact"
)
PASSAGE = Passage(
    1, 0.5, "fire", "fire:0", MILL.text, 0, len(MILL.text), copies=(Copy("echo", None),)
)
RESULT = CaseResult(
    CASE,
    "tune",
    (PASSAGE,),
    "index",
    quotation(CASE.question, MILL, SAID),
    {"hits@4": 1.0, "search_ms": 12.5},
    breaches=("sentence 0: no citation",),
    golds=(Gold("fire", SAID, Span(0, len(SAID))),),
)
FAILED = CaseResult(
    replace(CASE, id="q2", as_of="2030-01-02"),
    "report",
    (),
    None,
    None,
    {},
    error="LanguageModelError: timed out",
)
UNASKED = CaseResult(replace(CASE, id="q3"), "report", (PASSAGE,), "exact", None, {})
ABSTAINED = replace(UNASKED, case=replace(CASE, id="q4"), answer=abstention("“what” burned?"))
CONDITIONS = Conditions("2030-01-01T10:00:00+00:00", {"a": [1]}, {}, {"questions": None}, {})
RUN = EvalRun("weather", CONDITIONS, (RESULT, FAILED, UNASKED, ABSTAINED))


def saved(path: Path, **changes: object) -> Path:
    save(RUN, path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")
    return path


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(RunError, match=r"none\.json: cannot be read: No such file"):
        load(tmp_path / "none.json")
    with pytest.raises(RunError, match="cannot be read: Is a directory"):
        load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"{",
        b"[]",
        b"null",
        b'{"id": "q1", "question": "?"}\n{"id": "q2"}\n',
        b'{"runs": [{"dataset": "weather"}]}',
    ],
)
def test_a_file_that_is_no_saved_run_is_refused(tmp_path, content):
    (tmp_path / "other.json").write_bytes(content)
    with pytest.raises(RunError, match=r"other\.json: not a saved run of `dateline eval`: ."):
        load(tmp_path / "other.json")


def test_what_is_wrong_with_a_run_is_said_where_it_stands(tmp_path):
    results = json.loads(saved(tmp_path / "run.json").read_text("utf-8"))["results"]
    del results[0]["case"]["question"]
    results[2]["half"] = "both"

    with pytest.raises(RunError, match=r"results\.0\.case\.question: Field required; results\.2"):
        load(saved(tmp_path / "run.json", results=results))


def test_a_long_list_of_faults_is_cut(tmp_path):
    with pytest.raises(RunError, match=r"; and \d+ more$"):
        load(saved(tmp_path / "run.json", results=[{}, {}, {}]))


def test_a_run_without_questions_or_with_one_twice_is_refused(tmp_path):
    with pytest.raises(RunError, match="without a single question"):
        load(saved(tmp_path / "run.json", results=[]))
    results = json.loads(saved(tmp_path / "run.json").read_text("utf-8"))["results"]
    with pytest.raises(RunError, match="the question 'q1' more than once"):
        load(saved(tmp_path / "run.json", results=[results[0], results[0]]))


def test_what_was_saved_is_loaded(tmp_path):
    save(RUN, tmp_path / "deep" / "run.json")
    assert load(tmp_path / "deep" / "run.json") == RUN


def test_a_later_version_s_keys_are_passed_over(tmp_path):
    results = json.loads(saved(tmp_path / "run.json").read_text("utf-8"))["results"]
    results[0]["mood"] = {"kind": "calm"}
    assert load(saved(tmp_path / "run.json", results=results, mood="calm")) == RUN
