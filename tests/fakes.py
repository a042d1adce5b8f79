"""Hand-written fakes of our own ports and services, for tests that need no model and no network."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from rag.errors import DatelineError, EmbeddingError, NotFoundError, RerankingError
from rag.ports import Progress, Vectors
from rag.settings import Settings
from rag.storage.feedback import Feedback, Rating
from rag.storage.keyring import Keyring
from rag.types import (
    Analysis,
    Answer,
    AnswerEvent,
    Article,
    Citation,
    Evidence,
    Finished,
    IngestReport,
    Passage,
    Question,
    Sentence,
    Skipped,
    Started,
    Understood,
    Usage,
)


class ScriptedService:
    """A service of given answers over articles that `ingest` reads from .txt and .jsonl files.

    `search` returns whole articles in the order of their ids; a question without a scripted answer
    is abstained on, a scripted error is raised.
    """

    def __init__(self, script: Mapping[str, Answer | DatelineError] | None = None) -> None:
        self.script = dict(script or {})
        self.library: dict[str, Article] = {}
        self.asked: list[Question] = []
        self.embedded = 0

    async def ingest(
        self, paths: Sequence[Path], *, prune: bool = False, progress: Progress | None = None
    ) -> IngestReport:
        added = 0
        for article in (a for path in paths for a in _articles_in(path)):
            added += self.library.get(article.id) != article
            self.library[article.id] = article
        self.embedded += added
        return IngestReport(added=added, failed=(Skipped("odd.bin", "is not text"),))

    async def sources(self) -> dict[str, str]:
        return {article.id: article.source or "" for article in self.library.values()}

    async def article(self, article_id: str) -> Article:
        if article_id not in self.library:
            raise NotFoundError(f"no article {article_id!r}")
        return self.library[article_id]

    async def search(self, question: Question, limit: int) -> Evidence:
        found = [self.library[id_] for id_ in sorted(self.library)][:limit]
        passages = tuple(
            Passage(rank, 1 / rank, a.id, f"{a.id}:0", a.text, 0, len(a.text))
            for rank, a in enumerate(found, start=1)
        )
        return Evidence(passages, {a.id: a for a in found}, path="index")

    async def rankings(self, question: Question, limit: int) -> dict[str, tuple[Passage, ...]]:
        """BM25 as `search` ranks, dense the other way round."""
        found = (await self.search(question, limit)).passages
        turned = (replace(p, rank=rank) for rank, p in enumerate(reversed(found), start=1))
        return {"bm25": found, "dense": tuple(turned)}

    async def index_generation(self) -> str | None:
        return "0123456789ab"

    async def answer(self, question: Question, *, keep: bool = True) -> AsyncIterator[AnswerEvent]:
        self.asked.append(question)
        yield Started("ans_1", question.text)
        scripted = self.script.get(question.text)
        if isinstance(scripted, DatelineError):
            raise scripted
        yield Finished(scripted or abstention(question.text))


class ServiceHouse:
    """Opens one `ScriptedService` a data directory, the same one every time."""

    def __init__(self, script: Mapping[str, Answer | DatelineError] | None = None) -> None:
        self.script = script
        self.services: dict[Path, ScriptedService] = {}
        self.opened: list[Settings] = []

    @asynccontextmanager
    async def __call__(self, settings: Settings) -> AsyncIterator[ScriptedService]:
        self.opened.append(settings)
        yield self.services.setdefault(settings.data_dir, ScriptedService(self.script))


def abstention(question: str) -> Answer:
    """The answer that says that the articles don't say."""
    return Answer(
        id="ans_1",
        question=question,
        status="abstained",
        text="The articles don’t say.",
        sentences=(),
        citations=(),
        nearest=(),
        withheld=0,
        understood=Understood(),
        standalone_question=question,
        fallback=None,
        prompt=None,
        model="extractive",
    )


def quotation(question: str, article: Article, quote: str) -> Answer:
    """An answer of one verbatim sentence."""
    start = article.text.index(quote)
    end = start + len(quote)
    known = (article.title, article.outlet, article.author, article.published_at, article.url)
    cited = Citation(1, article.id, f"{article.id}:0", *known, quote, start, end, "", "")
    return replace(
        abstention(question),
        status="answered",
        text=f"{quote} [1]",
        sentences=(Sentence(quote, 0, len(quote), "exact", (1,)),),
        citations=(cited,),
    )


def _articles_in(path: Path) -> Iterator[Article]:
    if path.is_dir():
        for file in sorted(path.glob("*.txt")):
            yield Article(file.stem, file.read_text(), source=str(file))
    else:
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            fields = json.loads(line)
            yield Article(fields["id"], fields["text"], source=f"{path}:{number}")


class NoKeys:
    """A keyring in which there never was a key; nothing else is asked of it then."""

    def exist(self) -> bool:
        return False

    def origins(self) -> set[str]:
        return set()


class FakeService:
    """The service as HTTP sees it: articles in a dict, one scripted answer to every question.

    `script` holds the answer's events in order; an exception in it is raised there, an
    `asyncio.Event` waited for. `asked` keeps the questions, `closed` counts the answers that ended.
    """

    def __init__(
        self,
        *articles: Article,
        script: Sequence[AnswerEvent | Exception | asyncio.Event] = (),
        answers: Sequence[Answer] = (),
        evidence: Evidence | None = None,
        parts: dict[str, str] | None = None,
        keys: Keyring | None = None,
        **settings: object,
    ) -> None:
        self.settings = Settings(_env_file=None, **settings)
        self.keys = keys or NoKeys()
        self.articles = {article.id: article for article in articles}
        self.script = script
        self.answers = {answer.id: answer for answer in answers}
        self.feedback: list[Feedback] = []
        self.evidence = evidence or Evidence((), {})
        self.parts = parts or {"library": "ok", "index": "ok"}
        self.asked: list[Question] = []
        self.closed = 0

    async def answer(self, question: Question) -> AsyncIterator[AnswerEvent]:
        self.asked.append(question)
        try:
            for step in self.script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    yield step
        finally:
            self.closed += 1

    async def search(self, question: Question, limit: int) -> Evidence:
        self.asked.append(question)
        return replace(self.evidence, passages=self.evidence.passages[:limit])

    async def article(self, article_id: str) -> Article:
        if article_id not in self.articles:
            raise NotFoundError(f"no article {article_id}")
        return self.articles[article_id]

    async def article_page(self, after: str | None, limit: int) -> tuple[list[Article], str | None]:
        ids = [id_ for id_ in sorted(self.articles) if after is None or id_ > after]
        page = ids[:limit]
        return [self.articles[id_] for id_ in page], page[-1] if len(ids) > limit else None

    async def put_article(self, article: Article) -> Literal["added", "replaced", "unchanged"]:
        before = self.articles.get(article.id)
        self.articles[article.id] = article
        if before is None:
            return "added"
        return "unchanged" if before == article else "replaced"

    async def delete_article(self, article_id: str) -> None:
        await self.article(article_id)
        del self.articles[article_id]

    async def stored_answer(self, answer_id: str) -> Answer:
        if answer_id not in self.answers:
            raise NotFoundError(f"no answer {answer_id}")
        return self.answers[answer_id]

    async def add_feedback(
        self, answer_id: str, rating: Rating, reason: str | None, note: str | None
    ) -> Feedback:
        answer = await self.stored_answer(answer_id)
        said = (rating, "2025-08-21T09:30:00+00:00", reason, note, answer.question, answer.status)
        self.feedback.append(Feedback(f"fb_{len(self.feedback)}", answer_id, *said))
        return self.feedback[-1]

    async def feedback_page(
        self, after: str | None, limit: int
    ) -> tuple[list[Feedback], str | None]:
        newest = self.feedback[: len(self.feedback) if after is None else int(after)][::-1]
        more = len(newest) > limit
        return newest[:limit], str(len(newest) - limit) if more else None

    async def counts(self) -> tuple[int, int]:
        return len(self.articles), 2 * len(self.articles)

    def warm_up(self) -> None:
        self.parts = {**self.parts, "models": "ok"}

    async def readiness(self) -> dict[str, str]:
        return self.parts


class FakeEmbedder:
    """Deterministic unit vectors of 16 dimensions: texts are near each other as words are shared.

    `encoded` keeps all document texts; a text that holds `refused` raises `EmbeddingError`.
    """

    def __init__(self, model: str = "fake", refused: str | None = None) -> None:
        self.model = model
        self.refused = refused
        self.encoded: list[str] = []

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        if self.refused and any(self.refused in text for text in texts):
            raise EmbeddingError(f"refused: {self.refused}")
        self.encoded += texts
        return np.stack([self.encode_query(text) for text in texts])

    def encode_query(self, text: str) -> Vectors:
        vector = np.full(16, 1e-6)
        for word in [self.model, *text.lower().split()]:
            digest = hashlib.sha256(word.encode()).digest()
            vector += np.frombuffer(digest, dtype=np.uint8)[:16] / 128.0 - 1.0
        return (vector / np.linalg.norm(vector)).astype(np.float32)


class NoGrammar:
    """No grammar and no names in any text."""

    def analyse(self, texts: Sequence[str]) -> list[Analysis]:
        return [Analysis((), ()) for _ in texts]


class FakeAnalyser(NoGrammar):
    """One whose `analysed` keeps the texts."""

    def __init__(self) -> None:
        self.analysed: list[str] = []

    def analyse(self, texts: Sequence[str]) -> list[Analysis]:
        self.analysed += texts
        return super().analyse(texts)


class FakeLanguageModel:
    """Streams the pieces of one scripted reply, whatever it is asked.

    An exception among them is raised there, an `asyncio.Event` waited for. `asked` keeps the
    messages, `said` counts the pieces that were taken, `closed` the streams that ended.
    """

    model = "fake-llm"
    state = "ok: fake-llm"

    def __init__(self, *reply: str | Usage | Exception | asyncio.Event) -> None:
        self.reply = reply
        self.asked: list[Sequence[tuple[str, str]]] = []
        self.said = 0
        self.closed = 0

    async def stream(
        self, messages: Sequence[tuple[str, str]], max_tokens: int
    ) -> AsyncGenerator[str | Usage]:
        self.asked.append(messages)
        try:
            for piece in self.reply:
                if isinstance(piece, Exception):
                    raise piece
                if isinstance(piece, asyncio.Event):
                    await piece.wait()
                    continue
                self.said += 1
                yield piece
        finally:
            self.closed += 1


class FakeReranker:
    """Finds a text as relevant as `relevance` says of the first of its keys that the text holds, 0
    if none; reads no more than the first `reach` texts.

    A text that holds `refused` raises `RerankingError`. `asked` keeps the questions and texts.
    """

    model = "fake-reranker"

    def __init__(
        self, relevance: Mapping[str, float], reach: int = 1000, refused: str | None = None
    ) -> None:
        self.relevance = relevance
        self.reach = reach
        self.refused = refused
        self.asked: list[tuple[str, list[str]]] = []

    def score(self, question: str, texts: Sequence[str]) -> list[float | None]:
        self.asked.append((question, list(texts)))
        if self.refused and any(self.refused in text for text in texts):
            raise RerankingError(f"refused: {self.refused}")
        read = texts[: self.reach]
        scores = [
            next((score for key, score in self.relevance.items() if key in text), 0.0)
            for text in read
        ]
        return [*scores, *[None] * (len(texts) - len(read))]
