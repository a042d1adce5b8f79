"""The gate over the true stack: it opens for the committed run, and closes for planted defects."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from evals.datasets import GOLD
from evals.gate import ACCEPTED, BASELINE, SETS, Findings, default_settings, gate
from evals.record import load_record
from rag.bootstrap import open_service
from rag.sentences import sentence_spans
from rag.service import Service
from rag.settings import Settings
from rag.types import Answer, AnswerEvent, Finished, IngestReport, Question
from tests.fakes import abstention, quotation

pytestmark = pytest.mark.slow

ASKED = {"who_said": 12, "single_fact": 8, "off_topic": 3}  # so many questions of each category

Change = Callable[[Service, Answer], Awaitable[Answer]]


class Planted:
    """The true service, its answers changed on their way out; `known` are answers given before."""

    def __init__(self, service: Service, known: dict[str, Answer], change: Change) -> None:
        self._service = service
        self._known = known
        self._change = change

    def __getattr__(self, name: str) -> object:
        return getattr(self._service, name)

    async def answer(self, question: Question, *, keep: bool = True) -> AsyncIterator[AnswerEvent]:
        if question.text not in self._known:
            async for event in self._service.answer(question, keep=keep):
                if isinstance(event, Finished):
                    self._known[question.text] = event.answer
        yield Finished(await self._change(self._service, self._known[question.text]))


class WithoutWords:
    """The true service over a library whose lexical side is emptied as soon as it is filled."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def __getattr__(self, name: str) -> object:
        return getattr(self._service, name)

    async def ingest(self, *given: object, **more: object) -> IngestReport:
        report = await self._service.ingest(*given, **more)
        database = sqlite3.connect(self._service.settings.data_dir / "library.db")
        with database:
            database.execute("DELETE FROM words")
        database.close()
        return report


class Silent:
    """The true service, which searches, but has no answer to anything."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def __getattr__(self, name: str) -> object:
        return getattr(self._service, name)

    async def answer(self, question: Question, *, keep: bool = True) -> AsyncIterator[AnswerEvent]:
        yield Finished(abstention(question.text))


class Trial:
    """Some of the gold questions, a service's record on them, and the gate before it."""

    def __init__(self, folder: Path, asked: Mapping[str, int] | None) -> None:
        self.gold = folder / "trial"
        self.gold.mkdir()
        self.data = folder / "data"
        self._record = folder / "record.json"
        self._answers: dict[str, Answer] = {}
        shutil.copy(GOLD / "news" / "articles.jsonl", self.gold)
        lines = (GOLD / "news" / "questions.jsonl").read_text("utf-8").splitlines()
        by_category: dict[str, list[str]] = {}
        for line in lines:
            by_category.setdefault(json.loads(line)["category"], []).append(line)
        chosen = lines
        if asked:
            chosen = [line for name, n in asked.items() for line in by_category[name][:n]]
        (self.gold / "questions.jsonl").write_text("\n".join(chosen), "utf-8")

    def run(
        self,
        change: Change,
        *,
        write: bool = False,
        data: Path | None = None,
        below: Callable[[Service], Service] = lambda service: service,
    ) -> Findings:
        """What the gate says of the service with that change, and with what is put below it."""

        @asynccontextmanager
        async def opener(settings: Settings) -> AsyncIterator[Planted]:
            async with open_service(settings) as service:
                yield Planted(below(service), self._answers, change)

        settings, nothing = default_settings(data or self.data), self.gold / "accepted.txt"
        names = [str(self.gold)]
        return asyncio.run(gate(names, settings, self._record, nothing, opener, write=write))

    def refused_rightly(self) -> int:
        """How many unanswerable questions the service refused when it was recorded."""
        questions = load_record(self._record).sets["trial"].questions.values()
        return sum(q.right and not q.answerable for q in questions)

    def speakers(self) -> list[str]:
        """The names before quotations in the answers given."""
        sentences = [s.text for answer in self._answers.values() for s in answer.sentences]
        return list(dict.fromkeys(text.split(":")[0] for text in sentences if ": “" in text))


async def as_it_is(service: Service, answer: Answer) -> Answer:
    return answer


async def shifted(service: Service, answer: Answer) -> Answer:
    moved = (replace(c, start=c.start + 1, end=c.end + 1) for c in answer.citations)
    return replace(answer, citations=tuple(moved))


async def always_answered(service: Service, answer: Answer) -> Answer:
    if answer.status == "answered":
        return answer
    article = await service.article(answer.nearest[0].article_id)
    first = sentence_spans(article.text)[0]
    return quotation(answer.question, article, article.text[first.start : first.end])


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    trial = Trial(tmp_path_factory.mktemp("gate"), ASKED)
    assert trial.run(as_it_is, write=True).failures == ()
    return trial


def test_it_opens_for_the_service_as_it_was(trial):
    assert trial.run(as_it_is) == Findings((), ())


def test_a_shifted_offset_closes_it(trial):
    failures = trial.run(shifted).failures
    assert any("breaks a promise: citation 1: its offsets don't give" in line for line in failures)


def test_a_swapped_speaker_closes_it(trial):
    speakers = trial.speakers()
    assert len(speakers) > 2
    other = dict(zip(speakers, [*speakers[1:], speakers[0]], strict=True))

    async def swapped(service: Service, answer: Answer) -> Answer:
        """Other names before the same words, with offsets that are right again."""
        text, sentences = "", []
        for sentence in answer.sentences:
            name, colon, said = sentence.text.partition(": “")
            shown = other[name] + colon + said if colon else sentence.text
            markers = "".join(f"[{n}]" for n in sentence.citations)
            sentences.append(
                replace(sentence, text=shown, start=len(text), end=len(text) + len(shown))
            )
            text += f"{shown} {markers} "
        return replace(answer, text=text or answer.text, sentences=tuple(sentences))

    failures = trial.run(swapped).failures
    assert any("was right, now answered wrongly: 'Who" in line for line in failures)


def test_an_answer_to_an_unanswerable_question_closes_it(trial):
    failures = trial.run(always_answered).failures
    lost = [line for line in failures if "was right, now answered wrongly" in line]
    assert 0 < len(lost) == trial.refused_rightly()
    assert not any("promise" in line for line in failures)


def test_a_dropped_lexical_side_closes_it(tmp_path):
    trial = Trial(tmp_path, None)
    assert trial.run(as_it_is, write=True, below=Silent).failures == ()
    failures = trial.run(
        as_it_is, data=tmp_path / "other", below=lambda service: WithoutWords(Silent(service))
    ).failures
    assert any("evidence was among the first four" in line for line in failures)


def test_the_committed_run_holds(tmp_path):
    """If it does not: see what `make eval-gate` says, and mend it, or own up to it."""
    findings = asyncio.run(gate(SETS, default_settings(tmp_path), BASELINE, ACCEPTED))
    assert findings.failures == ()
