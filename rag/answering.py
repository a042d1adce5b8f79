"""Question → stream of answer events: retrieve, draft, verify each sentence, show it."""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

from rag.candidates import mentions_all
from rag.citations import Verifier
from rag.composing import EXTRACTIVE_MAX_WORDS, Composer
from rag.condensing import Condenser
from rag.cores import compute
from rag.counterparts import Sides
from rag.errors import LanguageModelError
from rag.extractive import Extractor, read_asked
from rag.ports import Entailment, LanguageAnalyser
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
from rag.writing import Generation, Writing, begun

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

LLM_MARGIN = 1.0
"""An LLM judges for itself whether the passages answer: its line lies so much lower, in log-odds.
Of the questions about news that the line was drawn with, 2 in 334 that the articles answer lie
below, and 95 in 164 that they don't."""

NEAREST = 3
"""Passages shown beside an abstention."""


@dataclass(slots=True)
class _Progress:
    """What is known of an answer while it is made."""

    id: str
    asked: str  # word for word
    question: Question  # as it stands alone
    evidence: Evidence
    began: float
    retrieved: float
    withheld: int = 0
    model: str = EXTRACTIVE
    fallback: Fallback | None = None
    prompt: PromptVersion | None = None
    usage: Usage = field(default_factory=Usage)
    verifier: Verifier = field(init=False)  # once the passages are read
    composer: Composer = field(init=False)
    sides: Sides = field(init=False)

    def compose(self, composer: Composer) -> None:
        """Begin an answer anew."""
        self.composer = composer
        self.sides = Sides(self.verifier, composer, self.evidence.understood.latest)


class Answerer:
    """Answers questions from the articles alone."""

    def __init__(
        self,
        retriever: Retriever,
        extractor: Extractor,
        analyser: LanguageAnalyser,
        condenser: Condenser,
        generation: Generation | None = None,
        entailment: Entailment | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._retriever = retriever
        self._extractor = extractor
        self._analyser = analyser
        self._condenser = condenser
        self._generation = generation
        self._entailment = entailment
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
            began=began,
            retrieved=self._clock(),
            usage=condensed.usage,
        )
        if self._generation and evidence.passages and not is_off_topic(evidence, LLM_MARGIN):
            async with aclosing(self._generate(progress, self._generation)) as sentences:
                async for ready in sentences:
                    yield ready
            for ready in await compute(progress.sides.complete):
                yield ready
        else:
            await self._read(progress)
        if not progress.composer.sentences:
            async for ready in self._extract(progress):
                yield ready
        yield Finished(self._finish(progress))

    def warm_up(self) -> None:
        """Load what the first answer would wait for, but for the LLM. Raises `EmbeddingError`,
        `EntailmentError`."""
        article = Article("none", "Rain fell on Tuesday, the minister said.")
        passage = Passage(1, 1.0, article.id, "none", article.text, 0, len(article.text))
        verifier = Verifier(Evidence((passage,), {article.id: article}), self._analyser)
        for claim in self._extractor.extract(Question("When did rain fall?"), verifier.readings):
            verifier.verify(claim)
        if self._entailment:
            self._entailment.probability(article.text, article.text)

    async def _generate(
        self, progress: _Progress, generation: Generation
    ) -> AsyncGenerator[SentenceReady]:
        """The LLM's sentences that the articles support; sets `fallback` if there are none.

        The passages are read while the LLM writes its first sentence.
        """
        asked, budget = (progress.question, progress.evidence), generation.prompt_tokens
        prompt = await compute(lambda: generation.prompt.render(*asked, budget))
        progress.model, progress.prompt = generation.model.model, generation.prompt.version
        left_s = progress.began + generation.deadline_s - self._clock()
        writing = Writing(generation, prompt, left_s)
        try:
            async with begun(writing.claims()) as claims:
                await self._read(progress)
                on_topic = await compute(lambda: self._is_on_topic(progress))
                async for claim in claims:
                    checked = await self._verified(progress, claim, on_topic)
                    ready = progress.composer.add(*checked) if checked else None
                    if ready:
                        yield ready
        except LanguageModelError as error:
            logger.warning("%s", prompt.without_echo(str(error)))
            progress.fallback = "llm_unavailable"
        else:
            if not progress.composer.sentences:
                progress.fallback = "llm_refused" if writing.refused else "llm_unsupported"
        progress.usage += writing.usage
        progress.withheld += writing.unfinished

    async def _read(self, progress: _Progress) -> None:
        """Read the passages, to verify sentences against them."""
        progress.verifier = await compute(
            lambda: Verifier(progress.evidence, self._analyser, self._entailment)
        )
        progress.compose(Composer(progress.evidence.articles))

    def _is_on_topic(self, progress: _Progress) -> bool:
        """Whether the passages have every name of the question: an LLM that answers "what did
        Pakistan say?" from articles without Pakistan says something true of somebody else."""
        readings = progress.verifier.readings
        return mentions_all(read_asked(progress.question, readings, self._analyser), readings)

    async def _extract(self, progress: _Progress) -> AsyncGenerator[SentenceReady]:
        """The sentences of the articles that answer, verbatim."""
        progress.compose(Composer(progress.evidence.articles, EXTRACTIVE_MAX_WORDS))
        readings = () if is_off_topic(progress.evidence) else progress.verifier.readings
        asked, confidence = progress.question, progress.evidence.confidence
        claims = await compute(lambda: self._extractor.extract(asked, readings, confidence))
        for claim in claims:
            checked = await self._verified(progress, claim)
            if checked:
                for ready in await compute(partial(progress.sides.add, *checked)):
                    yield ready
        if progress.fallback == "llm_refused" and not progress.composer.sentences:
            progress.fallback = None  # the LLM was right
        else:
            progress.model, progress.prompt = EXTRACTIVE, None

    async def _verified(
        self, progress: _Progress, claim: Claim, on_topic: bool = True
    ) -> tuple[Claim, Verdict] | None:
        """The claim as it can be shown, if it is on topic and its sources support it."""

        def check() -> tuple[Claim, Verdict] | None:
            verifier = progress.verifier
            shown = verifier.settle(claim)
            verdict = verifier.verify(shown)
            if not verdict.support and (named := verifier.attributed(shown)) is not shown:
                shown, verdict = named, verifier.verify(named)
            return (shown, verdict) if verdict.support and on_topic else None

        checked = await compute(check)
        if checked is None:
            progress.withheld += 1
        return checked

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
            conflicts=tuple(progress.sides.conflicts),
            usage=progress.usage,
            timings_ms=Timings(
                retrieve=round(1000 * (progress.retrieved - progress.began)),
                generate=round(1000 * (now - progress.retrieved)),
                total=round(1000 * (now - progress.began)),
            ),
        )


def is_off_topic(evidence: Evidence, margin: float = 0.0) -> bool:
    """Whether retrieval is too doubtful, for so large a library, that the articles answer; by
    `margin` more than the line, in log-odds."""
    if evidence.confidence is None:
        return False
    base, slope, most = OFF_TOPIC
    needed = min(most, base + slope * math.log(max(1, evidence.searched))) - margin
    return evidence.confidence < 1 / (1 + math.exp(-needed))
