"""Asking a service the gold questions, one after the other, and scoring what comes back."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from evals.baselines import Peers, baseline_scores
from evals.cases import GoldQuestion, split
from evals.datasets import Opened
from evals.picking import PICKERS, picked_scores
from evals.results import CaseResult
from evals.scoring import (
    answer_scores,
    conflict_scores,
    cost_scores,
    llm_scores,
    promise_scores,
    retrieval_scores,
    standalone_score,
)
from rag.errors import DatelineError, NotFoundError
from rag.settings import Settings
from rag.types import (
    Answer,
    Article,
    Evidence,
    Finished,
    Passage,
    PassagesFound,
    Question,
    SentenceReady,
)

DEPTH = 10  # passages retrieved a question
_SAMPLE_SEED = 0

ALONE, GOLD_STANDALONE = "the follow-up alone", "the gold standalone question"
"""What a follow-up in its conversation is compared with."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for of each question: an answer or only passages, and what to compare with."""

    with_answers: bool = True
    baselines: Collection[str] = ()
    peers: Peers = field(default_factory=dict)


def sample(cases: Sequence[GoldQuestion], limit: int | None) -> Sequence[GoldQuestion]:
    """At most `limit` of the questions, the same ones each time, in their order."""
    if limit is None or limit >= len(cases):
        return cases
    chosen = sorted(random.Random(_SAMPLE_SEED).sample(range(len(cases)), limit))
    return [cases[i] for i in chosen]


class Asker:
    """Asks one question at a time; `cases` are all those of the data set."""

    def __init__(
        self, opened: Opened, settings: Settings, plan: Plan, cases: Sequence[GoldQuestion]
    ) -> None:
        self._service = opened.service
        self._golds = opened.golds
        self._settings = settings
        self._plan = plan
        differing = (case for case in cases if case.conflict in {"changed", "disagree"})
        self._disputes = [opened.golds[case.id] for case in differing]
        self._articles: dict[str, Article] = {}

    async def ask(self, case: GoldQuestion) -> CaseResult:
        """The outcome of one question; what `DatelineError` says becomes its error."""
        scores: dict[str, float] = {}
        baselines: dict[str, dict[str, float]] = {}
        evidence = Evidence((), {})
        answer: Answer | None = None
        sources: Sequence[Passage] = ()
        error: str | None = None
        golds = self._golds[case.id]
        question = Question(case.question, case.history, as_of=case.as_of)
        try:
            began = time.perf_counter()
            evidence = await self._service.search(question, DEPTH)
            scores["search_ms"] = _ms_since(began)
            if evidence.confidence is not None:
                scores["confidence"] = evidence.confidence
            if self._plan.with_answers:
                answer, sources, took = await self._answer(question)
                scores |= took
            names = self._plan.baselines
            baselines = await baseline_scores(self._service, case, golds, names, DEPTH)
            if self._plan.with_answers:
                pickers = [name for name in names if name in PICKERS]
                baselines |= await picked_scores(self._service, case, golds, pickers, sources)
            baselines |= await self._without_history(case)
        except DatelineError as problem:
            error = f"{type(problem).__name__}: {problem}"
        scores |= retrieval_scores(case, golds, evidence.passages)
        if self._plan.with_answers:
            scores |= answer_scores(case, golds, answer)
            scores |= conflict_scores(case, golds, answer, self._disputes)
        if answer:
            scores |= standalone_score(case, answer)
            scores |= llm_scores(answer)
            scores |= cost_scores(answer, self._settings.llm_model, self._settings.llm_base_url)
        kept, breaches = promise_scores(answer, await self._shown(answer)) if answer else ({}, [])
        return CaseResult(
            case=case,
            half=split(case.id),
            passages=evidence.passages,
            path=evidence.path if "search_ms" in scores else None,
            answer=answer,
            scores=scores | kept,
            breaches=tuple(breaches),
            error=error,
            golds=golds,
            baselines=baselines | self._of_peers(case.id),
        )

    async def _without_history(self, case: GoldQuestion) -> dict[str, dict[str, float]]:
        """The scores of a follow-up asked alone, and of what it should be condensed into."""
        if not case.standalone:
            return {}
        asked = {ALONE: case.question, GOLD_STANDALONE: case.standalone}
        golds = self._golds[case.id]
        scores: dict[str, dict[str, float]] = {}
        for name, text in asked.items():
            question = Question(text, as_of=case.as_of)
            evidence = await self._service.search(question, DEPTH)
            scores[name] = retrieval_scores(case, golds, evidence.passages)
            if self._plan.with_answers:
                answer, *_ = await self._answer(question)
                scores[name] |= answer_scores(case, golds, answer)
        return scores

    async def _answer(
        self, question: Question
    ) -> tuple[Answer, Sequence[Passage], dict[str, float]]:
        """The answer, the passages that it was made of, and how long it and its first sentence
        took."""
        answer: Answer | None = None
        passages: Sequence[Passage] = ()
        took: dict[str, float] = {}
        began = time.perf_counter()
        async for event in self._service.answer(question, keep=False):
            if isinstance(event, PassagesFound):
                passages = event.passages
            elif isinstance(event, SentenceReady):
                took.setdefault("first_sentence_ms", _ms_since(began))
            elif isinstance(event, Finished):
                answer = event.answer
        if answer is None:
            raise DatelineError(f"{question.text!r}: the answer ended without its last event")
        return answer, passages, took | {"answer_ms": _ms_since(began)}

    def _of_peers(self, case_id: str) -> dict[str, dict[str, float]]:
        peers = self._plan.peers.items()
        return {name: asked[case_id] for name, asked in peers if case_id in asked}

    async def _shown(self, answer: Answer) -> dict[str, Article]:
        ids = {c.article_id for c in answer.citations} | {p.article_id for p in answer.nearest}
        found = [await self._article(id_) for id_ in sorted(ids)]
        return {article.id: article for article in found if article}

    async def _article(self, article_id: str) -> Article | None:
        if article_id not in self._articles:
            try:
                self._articles[article_id] = await self._service.article(article_id)
            except NotFoundError:
                return None
        return self._articles[article_id]


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
