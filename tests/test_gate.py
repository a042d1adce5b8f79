import json
from dataclasses import replace
from pathlib import Path

import pytest

from evals.gate import Findings, default_settings, gate, judge
from evals.record import Judged, Record, RecordError, SetRecord, load_accepted, load_record
from rag.errors import LanguageModelError
from rag.types import Answer, Article
from tests.fakes import ServiceHouse, quotation

MILL = Article("fire", "The mill burned down. Nobody was hurt.")
BURNED, WON = "what burned down?", "who won?"
QUESTIONS = [
    {
        "id": "q1",
        "question": BURNED,
        "answers": ["the mill"],
        "evidence": [{"article": "fire", "quote": "The mill burned down."}],
        "answerable": True,
        "category": "fact",
    },
    {
        "id": "q2",
        "question": WON,
        "answers": [],
        "evidence": [],
        "answerable": False,
        "category": "off_topic",
    },
]
GOOD = quotation(BURNED, MILL, "The mill burned down.")
INVENTED = quotation(WON, MILL, "Nobody was hurt.")


class Gate:
    """The gate over a data set of two questions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = folder / "baseline.json"
        self.accepted = folder / "accepted.txt"
        self.gold = folder / "weather"
        self.gold.mkdir()
        self.ask(QUESTIONS)
        (self.gold / "articles.jsonl").write_text(json.dumps({"id": "fire", "text": MILL.text}))

    def ask(self, questions: list[dict]) -> None:
        (self.gold / "questions.jsonl").write_text("\n".join(map(json.dumps, questions)))

    async def __call__(self, *answers: Answer, write: bool = False, **script: object) -> Findings:
        house = ServiceHouse({answer.question: answer for answer in answers} | script)
        settings = default_settings(self.folder / "data")
        names = [str(self.gold)]
        return await gate(names, settings, self.record, self.accepted, house, write=write)


@pytest.fixture
def at(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


async def test_without_a_committed_run_it_says_how_to_make_one(at):
    with pytest.raises(RecordError, match=r"baseline\.json: cannot be read: .*ACCEPT=1"):
        await at(GOOD)
    at.record.write_text("{}")
    with pytest.raises(RecordError, match=r"baseline\.json: not a run of the gate: code: "):
        await at(GOOD)


async def test_a_run_that_fails_or_breaks_a_promise_is_never_committed(at):
    forged = replace(GOOD, citations=(replace(GOOD.citations[0], start=4),))

    broken = await at(forged, write=True)
    failed = await at(**{BURNED: LanguageModelError("timed out")}, write=True)

    assert any("q1 breaks a promise: citation 1" in line for line in broken.failures)
    assert failed.failures == ("weather: q1 could not be asked: LanguageModelError: timed out",)
    assert not at.record.exists()


async def test_it_opens_for_the_same_again(at):
    assert (await at(GOOD, write=True)).failures == ()
    assert await at(GOOD) == Findings((), ())


async def test_a_question_that_was_right_and_is_wrong_closes_it(at):
    await at(GOOD, write=True)

    refused, invented = await at(), await at(GOOD, INVENTED)

    assert "weather: q1 was right, now abstained wrongly: 'what burned down?'" in refused.failures
    assert "weather: q2 was right, now answered wrongly: 'who won?'" in invented.failures


async def test_a_broken_promise_closes_it_though_it_was_wrong_before(at):
    await at(INVENTED, write=True)
    forged = replace(INVENTED, citations=(replace(INVENTED.citations[0], end=2),))

    failures = (await at(forged)).failures
    assert failures
    assert all("q2 breaks a promise" in line for line in failures)


async def test_a_loss_that_the_commit_owns_up_to_passes_with_its_reason(at):
    await at(GOOD, write=True)
    at.accepted.write_text("# since May\n\nq1 the mill is rebuilt\n")

    assert await at() == Findings((), ("accepted loss q1: the mill is rebuilt",))

    stale = await at(GOOD)
    assert stale == Findings((), ("accepted, but no loss: q1; take it out",))


async def test_a_loss_needs_a_reason(at):
    await at(GOOD, write=True)
    at.accepted.write_text("q1\n")
    with pytest.raises(RecordError, match=r"accepted\.txt:1: q1: says no reason"):
        await at(GOOD)
    assert load_accepted(at.folder / "none.txt") == {}


async def test_questions_cannot_be_taken_away_unnoticed_but_added(at):
    await at(GOOD, write=True)
    at.ask(QUESTIONS[1:])
    assert (await at()).failures == ("weather: q1 is asked no more; rewrite the committed run",)

    at.ask([*QUESTIONS, QUESTIONS[1] | {"id": "q3"}])
    assert await at(GOOD) == Findings((), ("weather: q3 is not in the committed run",))


async def test_the_committed_run_has_a_line_for_each_question(at):
    await at(GOOD, write=True)

    record = load_record(at.record)
    question = record.sets["weather"].questions["q1"]
    assert (question.status, question.right, question.breaches) == ("answered", True, 0)
    assert question.scores["mrr@10"] == record.sets["weather"].metrics["mrr@10"] == 1
    assert not {"search_ms", "answer_ms"} & set(question.scores)
    assert sum(line.startswith('"q') for line in at.record.read_text().splitlines()) == 3
    assert str(at.folder) not in at.record.read_text()


def record(*scores: float, right: bool = True, **more: object) -> Record:
    questions = {
        f"q{n}": Judged("?", True, "answered", right, 0, {"mrr@10": score})
        for n, score in enumerate(scores)
    }
    return Record({}, {}, {"news": SetRecord({}, {}, questions)} | more)


def test_a_mean_that_falls_by_more_than_chance_closes_it():
    before = record(*[1.0] * 40)

    (told,) = judge(before, record(*[0.5] * 20, *[1.0] * 20), {}).failures
    assert told.startswith("news: MRR@10 is 0.750, was 1.000 (difference -0.3")
    assert judge(before, record(0.5, *[1.0] * 39), {}) == Findings((), ())
    assert judge(record(*[0.5] * 40), before, {}).failures == ()


def test_evidence_that_is_found_no_more_closes_it_unless_accepted():
    def found(*hits: float) -> Record:
        questions = {
            f"q{n}": Judged("?", True, "answered", True, 0, {"hits@4": hit})
            for n, hit in enumerate(hits)
        }
        return Record({}, {}, {"news": SetRecord({}, {}, questions)})

    before = found(1.0, 1.0, 0.0)
    (told,) = judge(before, found(1.0, 0.0, 1.0), {}).failures
    assert told.startswith("news: q1: its evidence was among the first four passages")
    assert judge(before, found(1.0, 0.0, 1.0), {"q1": "it had to be"}).failures == ()
    assert judge(before, before, {}) == Findings((), ())


def test_what_became_right_is_told_and_a_data_set_that_is_gone_fails():
    before = record(1.0, right=False)
    assert judge(before, record(1.0), {}).notes == ("news: wrong before, right now: q0",)

    both = record(1.0, seed=SetRecord({}, {}, {}))
    assert judge(both, record(1.0), {}).failures == (
        "seed: the committed run has this data set, this run has not",
    )


def test_default_settings_hear_nothing_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("DATELINE_LLM_MODEL", "gpt-9")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("DATELINE_EMBEDDING_MODEL=other\n")

    settings = default_settings(tmp_path)

    assert (settings.llm_model, settings.embedding_model) == (None, None)
    assert settings.data_dir == tmp_path
