"""Loading a sentence-transformers CrossEncoder by name or path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import CrossEncoderError
from rag.processor import fast_dtype

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder


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
