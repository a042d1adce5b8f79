"""Settings → a wired service: the one place that builds things. Importing it opens nothing."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import (
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    closing,
    contextmanager,
)
from dataclasses import dataclass, field

from rag.answering import Answerer
from rag.backup import INDEX, LIBRARY, refuse_loss, sweep
from rag.blending import Blender
from rag.condensing import DEADLINE_S, Condenser, Rewriting
from rag.embedding import SentenceTransformerEmbedder
from rag.entailment import CrossEncoderEntailment
from rag.errors import (
    LibraryInUseError,
)
from rag.exact import ExactIndex
from rag.extractive import Extractor
from rag.index import ChromaIndex
from rag.ingest import Ingester
from rag.language import SpacyAnalyser
from rag.library import SqliteLibrary
from rag.llm import OpenAIModel
from rag.ports import (
    Embedder,
    Entailment,
    LanguageAnalyser,
    LanguageModel,
    Reranker,
)
from rag.prompting import load_prompt
from rag.ranking import WEIGHTS
from rag.rankings import Rankings
from rag.reranking import CrossEncoderReranker
from rag.retrieval import Retriever
from rag.service import Service
from rag.settings import Settings
from rag.storage.database import Database
from rag.storage.holder import hold
from rag.storage.keyring import Keyring
from rag.tracing import TracedModel
from rag.writing import Generation

logger = logging.getLogger(__name__)

LLM_SHARE = 0.8
"""Of an answer's deadline; the rest is for the articles' own sentences, should the LLM fail."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that tests replace by fakes; None means the real one that the settings name.

    `weights` are those of `rag.ranking`, which tuning replaces.
    """

    embedder: Embedder | None = None
    analyser: LanguageAnalyser | None = None
    model: LanguageModel | None = None
    reranker: Reranker | None = None
    entailment: Entailment | None = None
    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)


@dataclass(frozen=True, slots=True)
class Stores:
    """The library, its index and what writes both, over one data directory that is held."""

    library: SqliteLibrary
    index: ChromaIndex
    embedder: Embedder
    ingester: Ingester


@contextmanager
def open_stores(settings: Settings, embedder: Embedder | None = None) -> Iterator[Stores]:
    """The stores alone, in a directory that is held. Raises `LibraryError`, `SettingsError`."""
    directory = settings.data_dir
    refuse_loss(directory)
    sweep(directory)
    with ExitStack() as opened:
        library = opened.enter_context(closing(SqliteLibrary(directory / LIBRARY)))
        embedder = embedder or SentenceTransformerEmbedder(settings.embedding_model)
        index = ChromaIndex(library, embedder.model, directory / INDEX, settings.chroma_url)
        opened.callback(index.close)
        ingester = Ingester(
            library,
            index,
            embedder,
            max_file_bytes=settings.max_file_mb * 1_000_000,
            max_article_chars=settings.max_article_chars,
        )
        opened.callback(ingester.scrubber.close)
        ingester.scrubber.catch_up()
        yield Stores(library, index, embedder, ingester)


@asynccontextmanager
async def open_service(settings: Settings, parts: Parts = Parts()) -> AsyncIterator[Service]:
    """Open the data directory and wire the service over it; one process at a time may.

    Raises `LibraryInUseError`, `LibraryError`, `PromptError` or `SettingsError`.
    """
    with hold(settings.data_dir):
        async with open_held(settings, parts) as service:
            yield service


@asynccontextmanager
async def open_held(settings: Settings, parts: Parts = Parts()) -> AsyncIterator[Service]:
    """The same over a data directory that the caller holds."""
    async with AsyncExitStack() as opened:
        stores = opened.enter_context(open_stores(settings, parts.embedder))
        model = parts.model or _language_model(settings)
        if isinstance(model, OpenAIModel):
            opened.push_async_callback(model.aclose)
        service = _wire(settings, stores, parts, model)
        await service.forget_old_answers()
        yield service


@contextmanager
def open_keyring(settings: Settings) -> Iterator[Keyring]:
    """The keys alone, also while another process holds the data directory.

    Only the table of keys is written, in short transactions, which SQLite keeps apart from those of
    the holder; the schema is the holder's to change. Raises `LibraryError`.
    """
    directory = settings.data_dir
    with ExitStack() as opened:
        beside = False
        try:
            opened.enter_context(hold(directory))
        except LibraryInUseError:
            beside = True
        refuse_loss(directory)
        database = opened.enter_context(closing(Database(directory / LIBRARY, beside=beside)))
        yield Keyring(database)


def _wire(settings: Settings, stores: Stores, parts: Parts, model: LanguageModel | None) -> Service:
    library, index, embedder = stores.library, stores.index, stores.embedder
    analyser = parts.analyser or SpacyAnalyser()
    exact = ExactIndex(library, embedder.model)
    reranker = parts.reranker or _reranker(settings)
    blender = Blender(reranker) if reranker else None
    retriever = Retriever(library, index, exact, embedder, parts.weights, blender)
    generation, rewriting = None, None
    if model:
        name, _, version = settings.prompt.partition(".")
        prompt = load_prompt(name, version or None)
        traced = TracedModel(model, settings.llm_base_url)
        budgets = settings.prompt_tokens, settings.answer_tokens
        deadline_s = LLM_SHARE * settings.answer_deadline_s
        generation = Generation(traced, prompt, *budgets, deadline_s)
        condensing_s = min(DEADLINE_S, deadline_s / 4)
        rewriting = Rewriting(traced, load_prompt("condense"), condensing_s)
    condenser = Condenser(analyser, rewriting)
    answerer = Answerer(
        retriever,
        Extractor(embedder, analyser),
        analyser,
        condenser,
        generation,
        parts.entailment or _entailment(settings),
    )
    rankings = Rankings(library, exact, embedder)
    return Service(settings, library, index, stores.ingester, retriever, answerer, rankings)


def _reranker(settings: Settings) -> CrossEncoderReranker | None:
    if not settings.reranker_model:
        return None
    return CrossEncoderReranker(settings.reranker_model, settings.reranker_budget_ms / 1000)


def _entailment(settings: Settings) -> CrossEncoderEntailment | None:
    return CrossEncoderEntailment(settings.nli_model) if settings.nli_model else None


def _language_model(settings: Settings) -> OpenAIModel | None:
    if not settings.llm_model:
        return None
    key = settings.llm_api_key
    return OpenAIModel(
        settings.llm_model,
        settings.llm_base_url,
        key.get_secret_value() if key else None,
        settings.llm_timeout_s,
    )
