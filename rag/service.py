"""Everything that users can do, over one data directory."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Literal

import anyio.to_thread

from rag.answering import Answerer
from rag.articles import ArticleFields
from rag.documents import DocumentReader
from rag.errors import (
    EmbeddingError,
    EntailmentError,
    LibraryError,
    NotFoundError,
)
from rag.index import ChromaIndex
from rag.ingest import Ingester
from rag.library import SqliteLibrary
from rag.ports import Progress, Vectors
from rag.rankings import Rankings
from rag.reconciling import keep_up
from rag.retrieval import Retriever
from rag.settings import Settings
from rag.storage.archive import Archive
from rag.storage.feedback import Feedback, Rating
from rag.storage.keyring import Keyring
from rag.storage.receipts import Receipts, Repeatable
from rag.types import (
    Answer,
    AnswerEvent,
    Article,
    Evidence,
    Finished,
    IngestReport,
    Passage,
    Question,
)

logger = logging.getLogger(__name__)


class Service:
    """Made by `rag.bootstrap.open_service`; what it raises is said at each method."""

    def __init__(
        self,
        settings: Settings,
        library: SqliteLibrary,
        index: ChromaIndex,
        ingester: Ingester,
        retriever: Retriever,
        answerer: Answerer,
        rankings: Rankings,
    ) -> None:
        self.settings = settings
        self.keys = Keyring(library.database)
        self._library = library
        self._archive = Archive(library.database, settings.answer_retention_days)
        self._receipts = Receipts(library.database)
        self._documents = DocumentReader(settings.max_article_chars)
        self._index = index
        self._ingester = ingester
        self._retriever = retriever
        self._answerer = answerer
        self._embedding_model = rankings.model
        self._rankings = rankings
        self._models = "ok: loaded when first used"

    async def answer(self, question: Question, *, keep: bool = True) -> AsyncGenerator[AnswerEvent]:
        """The events of one answer: Started, PassagesFound, SentenceReady…, Finished.

        Once it is finished, `stored_answer` has it, unless `keep` or the settings say otherwise.
        """
        async with aclosing(self._answerer.answer(question)) as events:
            async for event in events:
                if keep and isinstance(event, Finished):
                    await anyio.to_thread.run_sync(self._keep, event.answer)
                yield event

    def _keep(self, answer: Answer) -> None:
        """Store an answer; it goes out all the same where that fails."""
        try:
            self._archive.keep(answer)
        except LibraryError as error:
            logger.error("the answer %s is not stored: %s", answer.id, error)

    async def stored_answer(self, answer_id: str) -> Answer:
        """An answer as it was given; raises `NotFoundError` once it is gone."""
        return await anyio.to_thread.run_sync(self._archive.answer, answer_id)

    async def add_feedback(
        self, answer_id: str, rating: Rating, reason: str | None, note: str | None
    ) -> Feedback:
        """Store what a reader says of a stored answer; raises `NotFoundError`."""
        return await anyio.to_thread.run_sync(
            self._archive.add_feedback, answer_id, rating, reason, note
        )

    async def feedback_page(
        self, after: str | None, limit: int
    ) -> tuple[list[Feedback], str | None]:
        """Up to `limit` pieces of feedback, the newest first, and the cursor for those after."""
        return await anyio.to_thread.run_sync(self._archive.feedback_page, after, limit)

    async def forget_old_answers(self) -> None:
        """Delete the answers that are older than the settings' retention."""
        await anyio.to_thread.run_sync(self._archive.prune)

    async def search(
        self, question: Question, limit: int, budget_tokens: int | None = None
    ) -> Evidence:
        """The best `limit` passages, best first, within a budget if there is one."""
        return await self._answerer.search(question, limit, budget_tokens)

    async def rankings(self, question: Question, limit: int) -> Mapping[str, tuple[Passage, ...]]:
        """Each search alone, `limit` passages best first: what evals compare `search` with."""
        return await self._rankings.rank(question, limit)

    async def similarities(self, question: str, texts: Sequence[str]) -> Vectors:
        """The cosine similarity of each text and the question, for the evals' yardsticks."""
        return await self._rankings.similarities(question, texts)

    async def index_generation(self) -> str | None:
        """Which build of the vector index serves; None while there is none."""
        return await anyio.to_thread.run_sync(self._index.generation)

    async def ingest(
        self, paths: Sequence[Path], *, prune: bool = False, progress: Progress | None = None
    ) -> IngestReport:
        """Take in files and folders; `prune` removes articles whose files are gone from there."""

        def run() -> IngestReport:
            return self._ingester.ingest(paths, prune=prune, progress=progress)

        return await anyio.to_thread.run_sync(run)

    async def put_article(self, article: Article) -> Literal["added", "replaced", "unchanged"]:
        """Store one article under its id, whole."""
        return await anyio.to_thread.run_sync(self._ingester.put, article)

    async def add_article(self, article: Article, request: Repeatable) -> tuple[Article, bool]:
        """Store the article of a request, once however often that comes: the article as it was
        stored the first time, and whether that was before.

        Raises `RepeatDiffersError`, `UnderWayError`.
        """

        def run() -> tuple[Article, bool]:
            with self._receipts.claim(request, article.id) as receipt:
                first = replace(article, id=receipt.article_id)
                if not receipt.done:
                    self._ingester.put(first)
            return first, receipt.done

        return await anyio.to_thread.run_sync(run)

    async def read_document(self, data: bytes, suffix: str, charset: str | None) -> ArticleFields:
        """The fields of a document that is read as a file with that suffix is, within bounds.

        Raises `ArticleError`, `BusyError`.
        """
        return await self._documents.read(data, suffix, charset)

    async def delete_article(self, article_id: str) -> None:
        """Forget an article; raises `NotFoundError`."""
        if not await anyio.to_thread.run_sync(self._ingester.delete, [article_id]):
            raise _unknown(article_id)

    async def article(self, article_id: str) -> Article:
        """The stored article; raises `NotFoundError`."""
        found = await anyio.to_thread.run_sync(self._library.articles, [article_id])
        if article_id not in found:
            raise _unknown(article_id)
        return found[article_id]

    async def article_page(self, after: str | None, limit: int) -> tuple[list[Article], str | None]:
        """Up to `limit` articles by id, and the cursor for those after them."""
        return await anyio.to_thread.run_sync(self._library.article_page, after, limit)

    async def sources(self) -> dict[str, str]:
        """The file that each article was read from, by article id."""
        return await anyio.to_thread.run_sync(self._library.sources)

    async def reindex(self, progress: Progress | None = None) -> None:
        """Encode the library anew under the settings' model and rebuild the index."""
        await anyio.to_thread.run_sync(self._ingester.reindex, progress)

    def warm_up(self) -> None:
        """Load the models, so that no question waits for them, and then repair the index, at once
        and whenever it needs it.

        `readiness` tells how far that is. The process may end before it is done.
        """
        self._models = "degraded: being loaded, the first answers wait for it"
        threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()

    def _warm_up(self) -> None:
        try:
            self._answerer.warm_up()
            self._models = "ok"
        except (EmbeddingError, EntailmentError) as error:
            logger.error("%s", error)
            self._models = f"down: {error}"
        if self._retriever.blender:
            self._retriever.blender.warm_up()
        _collect_seldom()
        threading.Thread(target=keep_up, args=[self._index], name="keep-up", daemon=True).start()

    async def counts(self) -> tuple[int, int]:
        """How many articles and chunks are stored; raises `LibraryError`."""
        return await anyio.to_thread.run_sync(self._library.counts)

    async def readiness(self) -> dict[str, str]:
        """Each part's state: "ok", "degraded: …" or "down: …"; `reranker` only if there is one."""
        blender = self._retriever.blender
        return {
            "library": await anyio.to_thread.run_sync(self._library_state),
            "index": self._index.state(),
            "models": self._models,
            "answerer": self._answerer.state,
            **({"reranker": blender.state} if blender else {}),
        }

    def _library_state(self) -> str:
        try:
            self._library.check_model(self._embedding_model)
            articles, chunks = self._library.counts()
        except LibraryError as error:
            return f"down: {error}"
        return f"ok: {articles} articles, {chunks} chunks"


def _collect_seldom() -> None:
    """Spare streams the collections of all objects, which stop them for half a second at a time:
    those that are loaded by now stay, and the others hold no cycles but a few."""
    gc.freeze()
    gc.set_threshold(700, 10, 100)


def _unknown(article_id: str) -> NotFoundError:
    return NotFoundError(
        f"no article has the id {article_id!r}; `dateline articles list` shows those that exist"
    )
