"""Question → stream of answer events: retrieve, draft, verify each sentence, show it."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain

import anyio.to_thread

from rag.candidates import mentions_all
from rag.citations import Verifier
from rag.composing import EXTRACTIVE_MAX_WORDS, Composer
from rag.condensing import Condenser
from rag.drafts import Draft, DraftReader
from rag.errors import LanguageModelError
from rag.extractive import Extractor, read_asked
from rag.ports import LanguageAnalyser, LanguageModel
from rag.prompting import PromptTemplate, RenderedPrompt
from rag.retrieval import Retriever
from rag.types import (
    Answer,
    AnswerEvent,
    Article,
    Claim,
    Evidence,
    Fallback,
    Finished,
    Passage,
    PassagesFound,
    PromptVersion,
    Question,
    SentenceReady,
    Started,
    Timings,
    Usage,
    Verdict,
)

logger = logging.getLogger(__name__)

ABSTENTION = "The articles don't say."
EXTRACTIVE = "extractive"

PASSAGES = 30
PASSAGE_TOKENS = 2400
"""What an answer may rest on: so many passages, or as many as have so many tokens together."""

OFF_TOPIC = (-5.2, 0.575, -0.3)
"""(base, slope, most): the log-odds of retrieval's confidence below which no sentence is picked, as
the question is about something else: base + slope · ln(chunks of the library), at most `most`. The
more there is to search, the better the best passage fits by chance. The line was drawn through what
libraries of 3, 54, 398 and 4,982 chunks need; `evals.tune_answers` prints what it refuses."""

NEAREST = 3
"""Passages shown beside an abstention."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What the LLM path needs: the model, its prompt, and its budgets in tokens.

    `deadline_s` seconds after the question came, the LLM is stopped.
    """

    model: LanguageModel
    prompt: PromptTemplate
    prompt_tokens: int
    answer_tokens: int
    deadline_s: float = math.inf


@dataclass(slots=True)
class _Progress:
    """What is known of an answer while it is made."""

    id: str
    asked: str  # word for word
    question: Question  # as it stands alone
    evidence: Evidence
    composer: Composer
    began: float
    retrieved: float
    withheld: int = 0
    refused: bool = False
    model: str = EXTRACTIVE
    fallback: Fallback | None = None
    prompt: PromptVersion | None = None
    usage: Usage = field(default_factory=Usage)
    verifier: Verifier = field(init=False)  # once the passages are read


class Answerer:
    """Answers questions from the articles alone."""

    def __init__(
        self,
        retriever: Retriever,
        extractor: Extractor,
        analyser: LanguageAnalyser,
        condenser: Condenser,
        generation: Generation | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._retriever = retriever
        self._extractor = extractor
        self._analyser = analyser
        self._condenser = condenser
        self._generation = generation
        self._clock = clock

    @property
    def state(self) -> str:
        """For readiness: whether it writes with an LLM, and whether that answers."""
        return self._generation.model.state if self._generation else f"ok: {EXTRACTIVE}"

    async def search(
        self, question: Question, limit: int, budget_tokens: int | None = None
    ) -> Evidence:
        """The best `limit` passages for a question in its conversation, best first, within a
        budget if there is one."""
        condensed = await self._condenser.condense(question)
        return await self._retriever.retrieve(condensed.question, limit, budget_tokens)

    async def answer(self, question: Question) -> AsyncGenerator[AnswerEvent]:
        """The events of one answer: Started, PassagesFound, SentenceReady…, Finished."""
        began = self._clock()
        answer_id = f"ans_{secrets.token_hex(10)}"
        yield Started(answer_id, question.text)
        condensed = await self._condenser.condense(question)
        evidence = await self._retriever.retrieve(condensed.question, PASSAGES, PASSAGE_TOKENS)
        yield PassagesFound(evidence.passages)
        progress = _Progress(
            id=answer_id,
            asked=question.text,
            question=condensed.question,
            evidence=evidence,
            composer=Composer(evidence.articles),
            began=began,
            retrieved=self._clock(),
            usage=condensed.usage,
        )
        if self._generation and evidence.passages:
            async with aclosing(self._generate(progress, self._generation)) as sentences:
                async for ready in sentences:
                    yield ready
        else:
            await self._read(progress)
        if not progress.composer.sentences:
            async for ready in self._extract(progress):
                yield ready
        yield Finished(self._finish(progress))

    def warm_up(self) -> None:
        """Load what the first answer would wait for, but for the LLM. Raises `EmbeddingError`."""
        article = Article("none", "Rain fell on Tuesday, the minister said.")
        passage = Passage(1, 1.0, article.id, "none", article.text, 0, len(article.text))
        verifier = Verifier(Evidence((passage,), {article.id: article}), self._analyser)
        for claim in self._extractor.extract(Question("When did rain fall?"), verifier.readings):
            verifier.verify(claim)

    async def _generate(
        self, progress: _Progress, generation: Generation
    ) -> AsyncGenerator[SentenceReady]:
        """The LLM's sentences that the articles support; sets `fallback` if there are none.

        The passages are read while the LLM writes its first sentence.
        """
        prompt = await anyio.to_thread.run_sync(
            generation.prompt.render, progress.question, progress.evidence, generation.prompt_tokens
        )
        progress.model, progress.prompt = generation.model.model, generation.prompt.version
        try:
            async with _begun(self._claims(progress, generation, prompt)) as claims:
                await self._read(progress)
                on_topic = await anyio.to_thread.run_sync(self._is_on_topic, progress)
                async for claim in claims:
                    ready = await self._verified(progress, claim, on_topic)
                    if ready:
                        yield ready
        except LanguageModelError as error:
            logger.warning("%s", prompt.without_echo(str(error)))
            progress.fallback = "llm_unavailable"
        else:
            if not progress.composer.sentences:
                progress.fallback = "llm_refused" if progress.refused else "llm_unsupported"

    async def _read(self, progress: _Progress) -> None:
        """Read the passages, to verify sentences against them."""
        progress.verifier = await anyio.to_thread.run_sync(
            Verifier, progress.evidence, self._analyser
        )

    def _is_on_topic(self, progress: _Progress) -> bool:
        """Whether the passages have every name of the question: an LLM that answers "what did
        Pakistan say?" from articles without Pakistan says something true of somebody else."""
        readings = progress.verifier.readings
        return mentions_all(read_asked(progress.question, readings, self._analyser), readings)

    async def _claims(
        self, progress: _Progress, generation: Generation, prompt: RenderedPrompt
    ) -> AsyncGenerator[Claim]:
        """The LLM's sentences as it writes them, with the passages that it cites."""
        reader = DraftReader()
        stream = generation.model.stream(prompt.messages, generation.answer_tokens)
        left_s = progress.began + generation.deadline_s - self._clock()
        async with aclosing(_within(left_s, stream)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Usage):
                    progress.usage += piece
                    continue
                for claim in _claims_of(reader.feed(piece), prompt, progress):
                    yield claim
                if reader.looping:
                    break
        for claim in _claims_of(reader.close(), prompt, progress):
            yield claim
        progress.refused = reader.refused

    async def _extract(self, progress: _Progress) -> AsyncGenerator[SentenceReady]:
        """The sentences of the articles that answer, verbatim."""
        progress.composer = Composer(progress.evidence.articles, EXTRACTIVE_MAX_WORDS)
        readings = () if is_off_topic(progress.evidence) else progress.verifier.readings
        claims = await anyio.to_thread.run_sync(
            self._extractor.extract, progress.question, readings, progress.evidence.confidence
        )
        for claim in claims:
            ready = await self._verified(progress, claim)
            if ready:
                yield ready
        if progress.fallback == "llm_refused" and not progress.composer.sentences:
            progress.fallback = None  # the LLM was right
        else:
            progress.model, progress.prompt = EXTRACTIVE, None

    async def _verified(
        self, progress: _Progress, claim: Claim, on_topic: bool = True
    ) -> SentenceReady | None:
        """The claim as a sentence of the answer, if it is on topic and its sources support it."""

        def check() -> tuple[Claim, Verdict] | None:
            verifier = progress.verifier
            shown = verifier.settle(claim)
            verdict = verifier.verify(shown)
            if not verdict.support and (named := verifier.attributed(shown)) is not shown:
                shown, verdict = named, verifier.verify(named)
            return (shown, verdict) if verdict.support and on_topic else None

        checked = await anyio.to_thread.run_sync(check)
        if checked is None:
            progress.withheld += 1
            return None
        return progress.composer.add(*checked)

    def _finish(self, progress: _Progress) -> Answer:
        composer, now = progress.composer, self._clock()
        answered = bool(composer.sentences)
        return Answer(
            id=progress.id,
            question=progress.asked,
            status="answered" if answered else "abstained",
            text=composer.text if answered else ABSTENTION,
            sentences=tuple(composer.sentences),
            citations=tuple(composer.citations),
            nearest=() if answered else progress.evidence.passages[:NEAREST],
            withheld=progress.withheld,
            understood=progress.evidence.understood,
            standalone_question=progress.question.text,
            fallback=progress.fallback,
            prompt=progress.prompt,
            model=progress.model,
            usage=progress.usage,
            timings_ms=Timings(
                retrieve=round(1000 * (progress.retrieved - progress.began)),
                generate=round(1000 * (now - progress.retrieved)),
                total=round(1000 * (now - progress.began)),
            ),
        )


def is_off_topic(evidence: Evidence) -> bool:
    """Whether retrieval is too doubtful, for so large a library, that the articles answer."""
    if evidence.confidence is None:
        return False
    base, slope, most = OFF_TOPIC
    needed = min(most, base + slope * math.log(max(1, evidence.searched)))
    return evidence.confidence < 1 / (1 + math.exp(-needed))


@asynccontextmanager
async def _begun(claims: AsyncGenerator[Claim]) -> AsyncIterator[AsyncIterator[Claim]]:
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


def _claims_of(
    drafts: Iterable[Draft], prompt: RenderedPrompt, progress: _Progress
) -> Iterator[Claim]:
    """The drafts with what their labels stand for; those without an end are withheld."""
    for draft in drafts:
        if draft.complete:
            cited = (prompt.labels.get(label, ()) for label in draft.labels)
            yield Claim(draft.text, tuple(chain.from_iterable(cited)))
        else:
            progress.withheld += 1
