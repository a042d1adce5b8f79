"""Loading a sentence-transformers CrossEncoder by name or path, at first use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from rag.errors import CrossEncoderError
from rag.processor import fast_dtype

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

T = TypeVar("T")

RETRY_S = 60.0
"""So long a failure to load is kept: a model hub that is out of reach takes long to say so."""


class AtFirstUse(Generic[T]):
    """What `load` returns, loaded when it is first asked for; `failure` is what that may raise."""

    def __init__(
        self, load: Callable[[], T], failure: type[Exception], clock: Callable[[], float]
    ) -> None:
        self._load = load
        self._failure = failure
        self._clock = clock
        self._lock = threading.Lock()
        self._loaded: T | None = None
        self._failed: tuple[float, str] | None = None  # when to try again, what went wrong

    def __call__(self) -> T:
        """The one that is loaded; raises the last failure anew until it is time to try again."""
        with self._lock:
            if self._loaded is None:
                if self._failed and self._clock() < self._failed[0]:
                    raise self._failure(self._failed[1])
                try:
                    self._loaded = self._load()
                except self._failure as error:
                    self._failed = (self._clock() + RETRY_S, str(error))
                    raise
            return self._loaded


def load_cross_encoder(name: str) -> CrossEncoder:
    """The model, in bfloat16 where the CPU has instructions for it.

    Raises `CrossEncoderError`, also for a model without a classifier, as embedding models are: it
    would get one of random weights.
    """
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        encoder: CrossEncoder = CrossEncoder(name, model_kwargs={"dtype": fast_dtype()})
    except (OSError, ValueError, RuntimeError) as error:
        raise CrossEncoderError(f"{name!r} cannot be loaded: {error}") from error
    if _is_headless(encoder):
        raise CrossEncoderError(f"{name!r} is no CrossEncoder, it cannot score")
    return encoder


def _is_headless(encoder: CrossEncoder) -> bool:
    """Whether the model was saved without a classifier."""
    model = encoder.model
    suffix = "ForSequenceClassification"
    saved = (model.config.architectures if model else None) or [suffix]
    return type(model).__name__.endswith(suffix) and not any(s.endswith(suffix) for s in saved)
