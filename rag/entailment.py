"""Whether a quote entails a claim, by a CrossEncoder for natural language inference."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rag.crossencoder import AtFirstUse, load_cross_encoder
from rag.errors import CrossEncoderError, EntailmentError
from rag.processor import one_thread

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

logger = logging.getLogger(__name__)

_WAY_OUT = (
    "set DATELINE_NLI_MODEL to the name or folder of a sentence-transformers CrossEncoder for "
    "natural language inference, or unset it"
)


@dataclass(frozen=True, slots=True)
class _Loaded:
    encoder: CrossEncoder
    label: int  # the column of "entailment"


class CrossEncoderEntailment:
    """An `Entailment` over a CrossEncoder with a label called "entailment", by name or path, loaded
    at first use. It runs on one thread, so as not to be slowed down by whatever else is running."""

    def __init__(self, model: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = model
        self._load = AtFirstUse(partial(_load, model), EntailmentError, clock)
        self._lock = threading.Lock()  # tokenizers refuse concurrent use

    @property
    def model(self) -> str:
        """The name or path that it is loaded by."""
        return self._name

    def probability(self, text: str, claim: str) -> float:
        """How likely the text entails the claim: the softmax of the logits. Raises
        `EntailmentError`."""
        with self._lock, one_thread():
            loaded = self._load()
            try:
                scores = loaded.encoder.predict(
                    [(text, claim)], apply_softmax=True, show_progress_bar=False
                )
            except (OSError, ValueError, RuntimeError, LookupError) as error:
                raise EntailmentError(
                    f"the entailment model {self._name!r} failed: {error}"
                ) from error
        probability = float(scores[0][loaded.label])
        if not np.isfinite(probability):
            raise EntailmentError(f"the entailment model {self._name!r} gave no number")
        return probability


def _load(name: str) -> _Loaded:
    try:
        encoder = load_cross_encoder(name)
        return _Loaded(encoder, _entailment_label(encoder, name))
    except CrossEncoderError as error:
        reason = f"the entailment model {error}; {_WAY_OUT}"
        logger.error("%s; what is not verbatim is withheld", reason)
        raise EntailmentError(reason) from error


def _entailment_label(encoder: CrossEncoder, name: str) -> int:
    """The column of the label "entailment". Raises `CrossEncoderError`."""
    named = (encoder.config.id2label if encoder.config else None) or {}
    labels = {str(label).lower(): int(column) for column, label in named.items()}
    if "entailment" not in labels:
        raise CrossEncoderError(f"{name!r} has no label “entailment”, only {', '.join(labels)}")
    return labels["entailment"]
