"""Asking a service the gold questions, and the `dateline eval` command behind its options."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from evals.cases import GoldError, GoldQuestion, split
from evals.datasets import DEFAULT, Dataset, Opened, Opener, find_dataset, hash_files, open_dataset
from evals.report import print_run
from evals.results import (
    CaseResult,
    Conditions,
    EvalRun,
    describe_code,
    describe_settings,
    save,
    summary,
)
from evals.scoring import answer_scores, promise_scores, retrieval_scores
from rag.bootstrap import open_service
from rag.errors import DatelineError, NotFoundError
from rag.ports import Progress
from rag.settings import Settings
from rag.types import Answer, Article, Evidence, Finished, Question

DEPTH = 10  # passages retrieved a question
_SAMPLE_SEED = 0


@dataclass(frozen=True, slots=True)
class EvalOptions:
    """What `dateline eval` may be told beside the data sets."""

    articles: Path | None = None
    limit: int | None = None
    retrieval_only: bool = False
    out: Path | None = None
    json: bool = False
    verbose: bool = False


async def evaluate(
    datasets: Sequence[str],
    options: EvalOptions,
    settings: Settings,
    progress: Progress | None = None,
    opener: Opener = open_service,
) -> int:
    """Runs the data sets (none named: the seed set), saves and prints each; the exit status.

    0: every question could be asked; 1: some could not. Raises `DatelineError` for a data set or
    library that cannot be used, before any question is asked.
    """
    found = [find_dataset(name, options.articles) for name in datasets or (DEFAULT,)]
    if options.limit is not None and options.limit < 1:
        raise GoldError(f"--limit {options.limit}: at least one question must be asked")
    if options.out and options.out.suffix == ".json" and len(found) > 1:
        raise GoldError(f"--out {options.out}: several data sets need a folder to be saved in")
    runs: list[dict[str, object]] = []
    failed = False
    for dataset in found:
        async with open_dataset(dataset, settings, opener, progress) as opened:
            for skipped in opened.skipped:
                print(f"not ingested: {skipped.source}: {skipped.reason}", file=sys.stderr)
            run = await run_eval(opened, dataset, settings, options, progress)
        path = _destination(run, options.out)
        save(run, path)
        failed = failed or any(result.error for result in run.results)
        runs.append(summary(run) | {"saved": str(path)})
        if not options.json:
            print_run(run, verbose=options.verbose)
        print(f"saved: {path}", file=sys.stderr)
    if options.json:
        print(json.dumps({"runs": runs}, ensure_ascii=False))
    return 1 if failed else 0


async def run_eval(
    opened: Opened,
    dataset: Dataset,
    settings: Settings,
    options: EvalOptions,
    progress: Progress | None = None,
) -> EvalRun:
    """Asks every question of the data set, one after the other, as a single user would.

    The first is asked once before, unmeasured, so that loading a model is nobody's latency.
    """
    started = datetime.now(UTC).isoformat(timespec="milliseconds")
    cases = sample(dataset.cases, options.limit)
    asker = _Asker(opened, with_answers=not options.retrieval_only)
    await asker.ask(cases[0])
    results = []
    for done, case in enumerate(cases):
        if progress:
            progress(done, len(cases), "questions")
        results.append(await asker.ask(case))
    if progress:
        progress(len(cases), len(cases), "questions")
    conditions = Conditions(
        started_at=started,
        settings=describe_settings(settings),
        options={"limit": options.limit, "retrieval_only": options.retrieval_only, "depth": DEPTH},
        data={"questions": hash_files(dataset.questions), "articles": opened.articles_hash},
        code=describe_code(),
    )
    return EvalRun(dataset.name, conditions, tuple(results))


def sample(cases: Sequence[GoldQuestion], limit: int | None) -> Sequence[GoldQuestion]:
    """At most `limit` of the questions, the same ones each time, in their order."""
    if limit is None or limit >= len(cases):
        return cases
    chosen = sorted(random.Random(_SAMPLE_SEED).sample(range(len(cases)), limit))
    return [cases[i] for i in chosen]


class _Asker:
    """Asks one question at a time and scores what comes back."""

    def __init__(self, opened: Opened, with_answers: bool) -> None:
        self._service = opened.service
        self._golds = opened.golds
        self._with_answers = with_answers
        self._articles: dict[str, Article] = {}

    async def ask(self, case: GoldQuestion) -> CaseResult:
        """The outcome of one question; what `DatelineError` says becomes its error."""
        scores: dict[str, float] = {}
        evidence = Evidence((), {})
        answer: Answer | None = None
        error: str | None = None
        try:
            question = Question(case.question, as_of=case.as_of)
            began = time.perf_counter()
            evidence = await self._service.search(question, DEPTH)
            scores["search_ms"] = _ms_since(began)
            if self._with_answers:
                began = time.perf_counter()
                answer = await self._answer(question)
                scores["answer_ms"] = _ms_since(began)
        except DatelineError as problem:
            error = f"{type(problem).__name__}: {problem}"
        golds = self._golds[case.id]
        scores |= retrieval_scores(case, golds, evidence.passages)
        if self._with_answers:
            scores |= answer_scores(case, golds, answer)
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
        )

    async def _answer(self, question: Question) -> Answer:
        answer: Answer | None = None
        async for event in self._service.answer(question):
            if isinstance(event, Finished):
                answer = event.answer
        if answer is None:
            raise DatelineError(f"{question.text!r}: the answer ended without its last event")
        return answer

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


def _destination(run: EvalRun, out: Path | None) -> Path:
    if out and out.suffix == ".json":
        return out
    stamp = run.conditions.started_at.replace(":", "").replace("+0000", "Z")
    return (out or Path("reports")) / f"{run.dataset}-{stamp}.json"
