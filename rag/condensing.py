"""A question in its conversation → the question that stands alone: by an LLM where there is one and
its wording can be trusted, by rules where not.

The conversation is what a client sent, so nothing of it is believed: the condensed question is only
searched for, and answered as any other.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from rag.cores import compute
from rag.errors import LanguageModelError
from rag.ports import LanguageAnalyser, LanguageModel
from rag.prompting import PromptTemplate, RenderedPrompt, as_data
from rag.query.followups import MAX_QUESTION_CHARS, MAX_TURNS, depends, stand_alone, without_marks
from rag.text.names import is_known_word
from rag.text.statements import names_in
from rag.text.wording import FUNCTION_WORDS, content_stems, fold, is_negated, numbers, stem, words
from rag.types import Question, Turn, Usage

logger = logging.getLogger(__name__)

MAX_TOKENS = 120
"""Of a condensed question, as the LLM counts them."""

DEADLINE_S = 10.0
"""The LLM gets no longer; the answer is still to come."""

MAX_NEW_WORDS = 2
"""An LLM may put in so many words of its own, as verbs for what was left out; no names."""

_LABEL = re.compile(
    r"^(?:the )?(?:same question|standalone question|question|rewritten|complete)[^:]{0,20}:\s*",
    re.IGNORECASE,
)
_FOREIGN = re.compile(r"https?:|www\.|[<>{}\[\]|`*]")


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What the LLM's half needs."""

    model: LanguageModel
    prompt: PromptTemplate
    deadline_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True)
class Condensed:
    """The question as it stands alone, without its history, and what an LLM took for that."""

    question: Question
    usage: Usage = field(default_factory=Usage)


class Condenser:
    """Makes questions stand alone."""

    def __init__(self, analyser: LanguageAnalyser, rewriting: Rewriting | None = None) -> None:
        self._analyser = analyser
        self._rewriting = rewriting

    async def condense(self, question: Question) -> Condensed:
        """The question that is to be answered; word for word as asked where it stands alone."""
        if not any(turn.role == "user" and turn.content.strip() for turn in question.history):
            return Condensed(replace(question, history=()))
        text = await compute(lambda: stand_alone(question.text, question.history, self._analyser))
        usage = Usage()
        rewriting = self._rewriting
        may_depend = await compute(lambda: self._may_depend(question.text))
        if rewriting and may_depend:
            written, usage = await self._rewritten(question, rewriting)
            text = written or text
        return Condensed(replace(question, text=text, history=()), usage)

    def _may_depend(self, text: str) -> bool:
        """Whether it is worth asking an LLM: a question with a name and nothing that points back
        is complete."""
        return depends(text, self._analyser) or not names_in(self._analyser.analyse([text])[0])

    async def _rewritten(
        self, question: Question, rewriting: Rewriting
    ) -> tuple[str | None, Usage]:
        """The LLM's wording, None if it has none that is acceptable."""
        turns = [
            Turn(turn.role, as_data(" ".join(without_marks(turn.content).split())))
            for turn in question.history[-MAX_TURNS:]
        ]
        values = {"turns": turns, "question": as_data(question.text)}
        prompt = RenderedPrompt(rewriting.prompt.fill(values), {})
        written, usage = "", Usage()
        try:
            async with (
                asyncio.timeout(rewriting.deadline_s),
                aclosing(rewriting.model.stream(prompt.messages, MAX_TOKENS)) as pieces,
            ):
                async for piece in pieces:
                    if isinstance(piece, Usage):
                        usage = piece
                    elif len(written) <= MAX_QUESTION_CHARS:
                        written += piece
                    else:
                        break
        except TimeoutError:
            logger.warning("the LLM did not condense the question in %s s", rewriting.deadline_s)
            return None, usage
        except LanguageModelError as error:
            logger.warning("%s", prompt.without_echo(str(error)))
            return None, usage
        return acceptable(written, question.text, turns, self._analyser), usage


def acceptable(
    written: str, question: str, history: Sequence[Turn], analyser: LanguageAnalyser
) -> str | None:
    """What an LLM wrote as the question's complete form, if it is one: a single question, with no
    name and no number that neither the question nor the history has, and with all that the question
    itself asks. None if it is not, or only repeats the question."""
    text = _line(written)
    if not 2 < len(text) <= MAX_QUESTION_CHARS or _FOREIGN.search(text):
        return None
    if text.count("?") > 1 or (question.rstrip().endswith("?") and not text.endswith("?")):
        return None
    if words(text.casefold()) == words(question.casefold()):
        return None
    said = "\n".join([question, *(turn.content for turn in history)])
    if not _keeps(text, question, analyser) or _adds(text, said):
        return None
    return text


def _line(written: str) -> str:
    lines = [line.strip() for line in written.strip().splitlines() if line.strip()]
    text = _LABEL.sub("", lines[0]) if len(lines) == 1 else ""
    return text.strip().strip("\"“”'‘’ ")


def _keeps(text: str, question: str, analyser: LanguageAnalyser) -> bool:
    """Whether what the question itself names and asks is still there."""
    has = {fold(word) for word in words(text)}
    named = names_in(analyser.analyse([question])[0])
    if any(fold(word) not in has for name in named for word in words(name)):
        return False
    if not numbers(question) <= numbers(text):
        return False
    asked, left = set(content_stems(question)), set(content_stems(text))
    return len(asked - left) <= len(asked) // 3


def _adds(text: str, said: str) -> bool:
    """Whether it says what nobody said: a number, a name, a denial, or more than a few words."""
    if not numbers(text) <= numbers(said) or (is_negated(text) and not is_negated(said)):
        return True
    known = {fold(word) for word in words(said)}
    stems = {stem(word) for word in known}
    new = [word for word in words(text) if not _is_said(word, known, stems)]
    strange = any(not is_known_word(word) for word in new)
    capital = any(word[:1].isupper() for word in new if not text.startswith(word))
    return strange or capital or len(new) > MAX_NEW_WORDS


def _is_said(word: str, known: Collection[str], stems: Collection[str]) -> bool:
    key = fold(word)
    return key in known or stem(key) in stems or key in FUNCTION_WORDS
