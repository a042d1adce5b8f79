import asyncio
import io
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import typer
from rich.console import Console

from rag.commands.chat import Conversation, reader
from rag.errors import LibraryError
from rag.types import Answer, AnswerEvent, Article, Finished, Question, SentenceReady, Started, Turn
from tests.fakes import abstention, quotation

ARTICLE = Article("a1", "The bridge cost 84 crowns. It opened on Monday.", title="Bridge")
COST = quotation("What did it cost?", ARTICLE, "The bridge cost 84 crowns.")


class Talker:
    """A service that answers from a script; `asked` keeps the questions. A question that is not in
    it waits for ever, which `started` tells."""

    def __init__(self, script: dict[str, Answer | LibraryError]) -> None:
        self.script = script
        self.asked: list[Question] = []
        self.started = asyncio.Event()

    async def article_page(self, after: str | None, limit: int) -> tuple[list[Article], None]:
        return [ARTICLE], None

    async def article(self, article_id: str) -> Article:
        return ARTICLE

    async def answer(self, question: Question) -> AsyncIterator[AnswerEvent]:
        self.asked.append(question)
        yield Started("ans_1", question.text)
        answer = self.script.get(question.text)
        if isinstance(answer, LibraryError):
            raise answer
        if answer is None:
            self.started.set()
            await asyncio.Event().wait()
        for n, sentence in enumerate(answer.sentences):
            yield SentenceReady(n, sentence, answer.citations)
        yield Finished(answer)


def ask(line: str) -> Question:
    if len(line) > 100:
        raise typer.BadParameter("question: too long")
    return Question(line)


def talk(talker: Talker, as_json: bool = False) -> Conversation:
    return Conversation(talker, ask, Console(file=io.StringIO(), width=80), as_json)  # type: ignore[arg-type]


def lines(*typed: str) -> Iterator[str]:
    return iter(typed)


async def said(conversation: Conversation, *typed: str) -> str:
    left = lines(*typed)
    await conversation.run(lambda: next(left, None))
    return conversation.out.file.getvalue()  # type: ignore[attr-defined, no-any-return]


async def test_a_failure_is_told_and_the_conversation_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    talker = Talker({"bad": LibraryError("the disk is full"), "What did it cost?": COST})
    conversation = talk(talker)
    shown = await said(conversation, "bad", "x" * 101, "/nope", "What did it cost?")
    assert "84 crowns" in shown
    assert conversation.failed
    told = capsys.readouterr().err
    assert "error: the disk is full\n" in told
    assert "error: question: too long\n" in told
    assert "/nope: there is no such command\n" in told
    assert talker.asked[-1].history == (), "what failed is not remembered"


async def test_ctrl_c_stops_the_answer_under_way_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    talker = Talker({"What did it cost?": COST})
    conversation = talk(talker)
    before = signal.getsignal(signal.SIGINT)

    async def interrupt() -> None:
        await talker.started.wait()
        os.kill(os.getpid(), signal.SIGINT)

    interrupting = asyncio.create_task(interrupt())
    shown = await said(conversation, "endless", "What did it cost?")
    await interrupting
    assert "84 crowns" in shown
    assert capsys.readouterr().err == "stopped\n"
    assert not conversation.failed
    assert signal.getsignal(signal.SIGINT) is before


async def test_a_question_comes_with_what_was_said_before_it() -> None:
    follow_up = replace(abstention("and who?"), standalone_question="Who built the bridge?")
    talker = Talker({"What did it cost?": COST, "and who?": follow_up, "When?": COST})
    await said(talk(talker), "What did it cost?", "", "and who?", "When?")
    first = (Turn("user", "What did it cost?"), Turn("assistant", "The bridge cost 84 crowns."))
    second = (Turn("user", "Who built the bridge?"), Turn("assistant", follow_up.text))
    assert [q.history for q in talker.asked] == [(), first, first + second]


async def test_a_new_conversation_remembers_nothing_and_quit_ends_it() -> None:
    talker = Talker({"What did it cost?": COST})
    await said(talk(talker), "What did it cost?", "/new", "What did it cost?", "/quit", "never")
    assert [q.history for q in talker.asked] == [(), ()]


async def test_sentences_are_shown_once_before_their_footnotes() -> None:
    shown = await said(talk(Talker({"What did it cost?": COST})), "What did it cost?\n")
    assert shown.splitlines() == [
        "The bridge cost 84 crowns. [1]",
        "",
        "[1] Bridge",
        "    “The bridge cost 84 crowns.”",
        "    a1, characters 0–26",
        "",
        "extractive · 0.0 s",
        "",
    ]


async def test_as_json_each_answer_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    talker = Talker({"What did it cost?": COST, "Who?": abstention("Who?")})
    assert await said(talk(talker, as_json=True), "What did it cost?", "/help", "Who?") == ""
    out = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["status"] for line in out] == ["answered", "abstained"]


def test_without_a_terminal_lines_are_read_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("One?\n\nTwo?"))
    read = reader(as_json=False)
    assert [read(), read(), read(), read()] == ["One?\n", "\n", "Two?", None]
