"""`dateline chat`: a conversation, question by question, on a terminal or from lines on stdin."""

from __future__ import annotations

import asyncio
import io
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import anyio.to_thread
import typer

from rag.commands.running import hint_if_empty, print_json, sources_of, warn
from rag.errors import DatelineError
from rag.types import Answer, Finished, Question, SentenceReady, Turn

if TYPE_CHECKING:
    from rich.console import Console

    from rag.commands.running import Reached

PROMPT = "> "
HELP = """\
Ask in any words; what you asked before is remembered.
/new   begin a new conversation
/help  show this
/quit  end, as Ctrl-D does; Ctrl-C stops an answer"""

MAX_TURNS = 100
"""Kept of a conversation."""

ReadLine = Callable[[], str | None]


def reader(as_json: bool) -> ReadLine:
    """Reads a line, None at the end of input: behind a prompt, with editing and the lines before,
    on a terminal."""
    if sys.stdin.isatty() and sys.stdout.isatty() and not as_json:
        import readline  # noqa: F401 (input() then edits; what was typed stays in memory)

        return _typed
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    return lambda: sys.stdin.readline() or None


def _typed() -> str | None:
    try:
        return input(PROMPT)
    except EOFError:
        print()  # off the prompt
        return None


@dataclass
class Conversation:
    """What was said, and how it is shown: as JSON lines on stdout, or written for people.

    `asked` makes a question of a line; it raises `typer.BadParameter` with what is wrong with it.
    `failed` tells that a question could not be answered.
    """

    service: Reached
    asked: Callable[[str], Question]
    out: Console
    as_json: bool = False
    history: list[Turn] = field(default_factory=list)
    failed: bool = False

    async def run(self, read: ReadLine) -> None:
        """Answer line after line, to the end of input or `/quit`."""
        await hint_if_empty(self.service)
        with _interruptible() as under_way:
            while True:
                line = await anyio.to_thread.run_sync(read)
                if line is None or line.strip() == "/quit":
                    return
                if line.strip():
                    await self._take(line.strip(), under_way)

    async def _take(self, line: str, under_way: list[asyncio.Task[Answer]]) -> None:
        if line == "/new":
            self.history.clear()
            warn("A new conversation.")
        elif line == "/help":
            warn(HELP)
        elif line.startswith("/"):
            warn(f"{line}: there is no such command\n{HELP}")
        else:
            try:
                await self._ask(line, under_way)
            except (typer.BadParameter, DatelineError) as error:
                self.failed = True
                warn(f"error: {error}")

    async def _ask(self, line: str, under_way: list[asyncio.Task[Answer]]) -> None:
        question = replace(self.asked(line), history=tuple(self.history))
        task = asyncio.create_task(self._answer(question))
        under_way.append(task)
        try:
            answer = await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise  # it is the conversation that is to end
            warn("stopped")
            return
        finally:
            under_way.clear()
        said = " ".join(sentence.text for sentence in answer.sentences) or answer.text
        turns = Turn("user", answer.standalone_question), Turn("assistant", said)
        self.history = [*self.history, *turns][-MAX_TURNS:]

    async def _answer(self, question: Question) -> Answer:
        """Each sentence as it is verified, then the footnotes; or all of it as a line of JSON."""
        from api.encoders import answer_json
        from rag.terminal import print_answer, print_sentence, stderr, working

        shown = False
        with working("Reading the articles …", stderr()) as ready:
            async with aclosing(self.service.answer(question)) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        answer = event.answer
                    elif isinstance(event, SentenceReady) and not self.as_json:
                        ready()
                        if not shown and self.out.is_terminal:
                            self.out.print()
                        print_sentence(event.sentence, self.out)
                        shown = True
        if self.as_json:
            print_json(answer_json(answer), indent=None)
        else:
            print_answer(answer, await sources_of(self.service, answer), self.out, shown=shown)
            self.out.print()
            self.out.file.flush()
        return answer


@contextmanager
def _interruptible() -> Iterator[list[asyncio.Task[Answer]]]:
    """While it lasts, Ctrl-C stops what is in the list, and ends nothing else."""
    under_way: list[asyncio.Task[Answer]] = []

    def stop() -> None:
        for task in under_way:
            task.cancel()
        if not under_way:
            warn("\n/quit or Ctrl-D ends the conversation")

    before = signal.getsignal(signal.SIGINT)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop)
    try:
        yield under_way
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
