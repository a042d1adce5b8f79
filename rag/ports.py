"""The roles that adapters fill. Each is small enough for a hand-written fake (`tests/fakes.py`)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.types import Analysis, Article, Chunk, Copy, Filters, Usage

Vectors = NDArray[np.float32]

Rows = NDArray[np.int64]
"""Chunks by the numbers that the library gave them, rising; none is ever given twice."""


class Embedder(Protocol):
    """Turns text into vectors."""

    @property
    def model(self) -> str:
        """Name of the model; vectors of two names never mix."""

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (len(texts), dimension)."""

    def encode_query(self, text: str) -> Vectors:
        """One unit vector of shape (dimension,)."""


class VectorIndex(Protocol):
    """A projection of the library's vectors; it can always be rebuilt from them."""

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """The nearest chunks as (chunk id, cosine similarity), best first."""

    def update(self, add: tuple[Sequence[str], Vectors], remove: Collection[str]) -> None:
        """Add vectors under their chunk ids (replacing equal ids), and remove others.

        To be called after each write to the library, in the order of the writes.
        """

    def rebuild(self, progress: Progress | None = None) -> None:
        """Build it anew from the library's vectors. Like all here: `IndexUnavailableError`."""

    def scrub(self) -> None:
        """Have no file keep a vector that was deleted."""


class VectorStore(Protocol):
    """What a vector index is a projection of, and where it keeps its books."""

    def revision(self) -> int:
        """A number that grows with every change of the chunks or their vectors."""

    def counts(self) -> tuple[int, int]:
        """How many articles and how many chunks are stored."""

    def vectors(self, model: str) -> tuple[list[str], Vectors]:
        """All chunk ids and their vectors of that model, shape (n, dimension)."""

    def vectors_of(self, ids: Collection[str], model: str) -> tuple[list[str], Vectors]:
        """The same of the chunks among `ids`."""

    def rows(self) -> Rows:
        """All chunks by their numbers."""

    def vectors_at(self, rows: Rows | None, model: str) -> tuple[Rows, list[str], Vectors]:
        """Numbers, ids and vectors of the chunks among `rows`, or of all: these in an order in
        which those that a filter lets through mostly stand together."""

    def meta(self, key: str) -> str | None:
        """What `set_meta` stored under `key`; `library` is the library's own id."""

    def set_meta(self, key: str, value: str) -> None:
        """Keep a fact beside the vectors, durably."""


class Library(Protocol):
    """The truth: articles, their chunks and vectors, and lexical search over them."""

    def revision(self) -> int:
        """A number that grows with every change of articles, chunks or vectors."""

    def counts(self) -> tuple[int, int]:
        """How many articles and how many chunks are stored."""

    def outlets(self) -> list[str]:
        """The outlets of the stored articles, each as it is written, in alphabetical order."""

    def days(self) -> tuple[str, str] | None:
        """The first and the last day of publication, None where none is known."""

    def check_model(self, model: str) -> None:
        """Raises `ModelMismatchError` unless the vectors, if there are any, are of that model."""

    def articles(self, ids: Collection[str]) -> dict[str, Article]:
        """The stored articles among `ids`, by id."""

    def chunks(self, ids: Collection[str]) -> dict[str, Chunk]:
        """The stored chunks among `ids`, by id."""

    def chunks_of(self, article_ids: Collection[str]) -> dict[str, list[Chunk]]:
        """All chunks of the stored articles among `article_ids`, in order, by article id."""

    def copies_of(
        self, article_ids: Collection[str], filters: Filters, as_of: str | None
    ) -> dict[str, tuple[Copy, ...]]:
        """The near-duplicates of each article, itself among them, that the filters let through:
        the earliest published first. Articles without any are left out."""

    def candidates(self, filters: Filters, as_of: str | None) -> Rows | None:
        """The chunks that the filters let through; None when nothing is filtered."""

    def lexical(
        self, terms: Sequence[str], limit: int, within: Rows | None = None
    ) -> list[tuple[str, float]]:
        """The best chunks by BM25 as (chunk id, score ≥ 0), best first; of those in `within`, if
        given."""

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many chunks each of the words stands; counted up to some thousands only."""

    def lexical_scores(self, terms: Sequence[str], ids: Collection[str]) -> dict[str, float]:
        """The same scores of the chunks among `ids` that hold any of the terms."""

    def vectors(self, model: str) -> tuple[list[str], Vectors]:
        """All chunk ids and their vectors of that model, shape (n, dimension)."""


class Reranker(Protocol):
    """Reads a question and a text together, and says how well the text answers."""

    @property
    def model(self) -> str:
        """The name or path that it is loaded by."""

    def score(self, question: str, texts: Sequence[str]) -> list[float | None]:
        """The relevance of each text in [0, 1], None for those that the time did not suffice for:
        always the last ones, so give the most promising first. Raises `RerankingError`."""


class Entailment(Protocol):
    """Judges whether a text says what a claim says."""

    @property
    def model(self) -> str:
        """The name or path that it is loaded by."""

    def probability(self, text: str, claim: str) -> float:
        """How likely the text entails the claim, in [0, 1]. Raises `EntailmentError`."""


class LanguageAnalyser(Protocol):
    """Grammar and names of a text."""

    def analyse(self, texts: Sequence[str]) -> list[Analysis]:
        """One analysis a text; offsets count within that text."""


class LanguageModel(Protocol):
    """A chat model."""

    @property
    def model(self) -> str:
        """The name it is asked by."""

    @property
    def state(self) -> str:
        """For readiness: "ok: " and its name, or "degraded: …" while it does not answer."""

    def stream(
        self, messages: Sequence[tuple[str, str]], max_tokens: int
    ) -> AsyncGenerator[str | Usage]:
        """Pieces of the reply as they come, for (role, content) messages; the usage at its end.

        Raises `LanguageModelError`.
        """


class Progress(Protocol):
    """Told how far a long job is."""

    def __call__(self, done: int, total: int | None, unit: str) -> None: ...
