"""An LLM's sentences as it writes them: asked once, read no further than it may write."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from itertools import chain

from rag.drafts import Draft, DraftReader
from rag.errors import LanguageModelError
from rag.ports import LanguageModel
from rag.prompting import PromptTemplate, RenderedPrompt
from rag.types import Claim, Usage

MAX_TOKEN_CHARS = 16
"""A reply of more characters a token is longer than was allowed, and is read no further."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What writing takes: the model, its prompt, and its budgets in tokens.

    `deadline_s` seconds after the question came, the LLM is stopped.
    """

    model: LanguageModel
    prompt: PromptTemplate
    prompt_tokens: int
    answer_tokens: int
    deadline_s: float = math.inf


class Writing:
    """One reply of an LLM: whether it said that the articles don't say (`refused`), how many of
    its sentences had no end (`unfinished`), and what it took, all as far as it was read."""

    def __init__(self, generation: Generation, prompt: RenderedPrompt, left_s: float) -> None:
        self._generation = generation
        self._prompt = prompt
        self._left_s = left_s
        self.refused = False
        self.unfinished = 0
        self.usage = Usage()

    async def claims(self) -> AsyncGenerator[Claim]:
        """Its sentences, with the passages that it cites. Raises `LanguageModelError`, also when
        the time is over."""
        budget = self._generation.answer_tokens
        reader, left = DraftReader(), MAX_TOKEN_CHARS * budget
        stream = self._generation.model.stream(self._prompt.messages, budget)
        async with aclosing(_within(self._left_s, stream)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Usage):
                    self.usage += piece
                    continue
                for claim in self._read(reader.feed(piece)):
                    yield claim
                left -= len(piece)
                if reader.looping or left < 0:
                    break
        for claim in self._read(reader.close()):
            yield claim
        self.refused = reader.refused

    def _read(self, drafts: Iterable[Draft]) -> Iterator[Claim]:
        """The drafts with what their labels stand for, but for those without an end."""
        for draft in drafts:
            if draft.complete:
                cited = (self._prompt.labels.get(label, ()) for label in draft.labels)
                yield Claim(draft.text, tuple(chain.from_iterable(cited)))
            else:
                self.unfinished += 1


@asynccontextmanager
async def begun(claims: AsyncGenerator[Claim]) -> AsyncIterator[AsyncIterator[Claim]]:
    """The claims, of which the first is waited for from now on; closed at the end."""

    async def following() -> AsyncGenerator[Claim]:
        claim = await first
        while claim is not None:
            yield claim
            claim = await anext(claims, None)

    async def begin() -> Claim | None:
        return await anext(claims, None)

    first = asyncio.create_task(begin())
    try:
        async with aclosing(following()) as all_of_them:
            yield all_of_them
    finally:
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await claims.aclose()


async def _within(
    seconds: float, pieces: AsyncGenerator[str | Usage]
) -> AsyncGenerator[str | Usage]:
    """The pieces that come within so many seconds; then raises `LanguageModelError`."""
    deadline = asyncio.get_running_loop().time() + seconds
    async with aclosing(pieces):
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    piece = await anext(pieces, None)
            except TimeoutError:
                raise LanguageModelError("the LLM took longer than an answer may") from None
            if piece is None:
                return
            yield piece
