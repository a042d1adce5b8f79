"""Relevance by a sentence-transformers CrossEncoder, within a budget of time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rag.crossencoder import AtFirstUse, load_cross_encoder
from rag.errors import CrossEncoderError, RerankingError
from rag.processor import one_thread

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

BATCH_SIZE = 4
"""Texts a forward pass, between which the time is looked at. More at once would overrun it further,
and are no faster on a CPU: tried with up to 32 passages on a model of all-MiniLM-L6-v2's size."""


class CrossEncoderReranker:
    """A `Reranker` over a CrossEncoder with one label, by name or path, loaded at first use.

    It runs on one thread, so as not to be slowed down by whatever else is running, and in bfloat16
    where the CPU has instructions for it: nearly twice as fast, with logits that correlate by .9998
    (all-MiniLM-L6-v2 under a random classifier, 24 passages).
    """

    def __init__(
        self, model: str, budget_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = model
        self._budget_s = budget_s
        self._clock = clock
        self._encoder = AtFirstUse(partial(_load, model), RerankingError, clock)
        self._scoring = threading.Lock()  # tokenizers refuse concurrent use

    @property
    def model(self) -> str:
        """The name or path that it is loaded by."""
        return self._name

    def score(self, question: str, texts: Sequence[str]) -> list[float | None]:
        """The relevance of each text, a sigmoid of its logit, None for those at the end that the
        time did not suffice for. Waiting for other questions counts, loading the model does not.

        A batch that was begun is finished. Raises `RerankingError`.
        """
        encoder = self._encoder()
        deadline = self._clock() + self._budget_s
        scores: list[float | None] = []
        with self._scoring, one_thread():
            while len(scores) < len(texts) and self._clock() < deadline:
                batch = texts[len(scores) : len(scores) + BATCH_SIZE]
                scores += self._relevance(encoder, [(question, text) for text in batch])
        return scores + [None] * (len(texts) - len(scores))

    def _relevance(self, encoder: CrossEncoder, pairs: list[tuple[str, str]]) -> list[float]:
        from torch.nn import Sigmoid

        try:
            scores = encoder.predict(
                pairs, batch_size=len(pairs), activation_fn=Sigmoid(), show_progress_bar=False
            )
        except (OSError, ValueError, RuntimeError, LookupError) as error:
            raise RerankingError(f"the reranker {self._name!r} failed: {error}") from error
        if not np.isfinite(scores).all():
            raise RerankingError(f"the reranker {self._name!r} gave a score that is no number")
        relevance: list[float] = scores.tolist()
        return relevance


def _load(name: str) -> CrossEncoder:
    try:
        encoder = load_cross_encoder(name)
    except CrossEncoderError as error:
        raise RerankingError(f"the reranker {error}; {_WAY_OUT}") from error
    if encoder.num_labels != 1:
        reason = f"gives {encoder.num_labels} labels a text, not one"
        raise RerankingError(f"the reranker {name!r} {reason}; {_WAY_OUT}")
    return encoder


_WAY_OUT = (
    "set DATELINE_RERANKER_MODEL to the name or folder of a sentence-transformers CrossEncoder "
    "for reranking, or unset it"
)
