"""Sentences that tell their reader to do something: what they dictate is not what they state."""

from __future__ import annotations

import re

from rag.text.grammar import GRAMMATICAL_SUBJECTS
from rag.text.markup import has_commands
from rag.types import Analysis

_TO_MODELS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\s+(?:\w+\s+){0,3}"
    r"(?:instructions?|rules?|prompts?|guidelines?|directions?)\b"
    r"|^\W*(?:system|assistant|user|human)\s*:|\bsystem prompt\b|\bprevious instructions\b|<\||<!--"
    r"|[A-Za-z][\u0400-\u04ff]|[\u0400-\u04ff][A-Za-z]"  # letters that pose as others
    r"|\b(?:you are|act as|dear) (?:now )?(?:an? |the )?(?:ai|language model|chatbot|assistant)\b"
    r"|(?:\band|,)\s+(?:write|answer|reply|output|print)\s*(?:that\b|only\b|exactly\b|[:“\"])"
    r"|\b(?:ai|assistant|language model|chatbot) (?:must|should|shall|has to|is to)\b",
    re.IGNORECASE,
)
_BEFORE = frozenset("please now then just also so , :".split())
_HEADS = frozenset("ROOT ccomp csubj parataxis".split())


def is_order(text: str, analysis: Analysis | None = None) -> bool:
    """Whether a sentence of an article gives orders, to whoever reads it or to a language model,
    or hides what it says from people. By its grammar only where that is given."""
    if _TO_MODELS.search(text) or has_commands(text):
        return True
    return analysis is not None and _is_imperative(text, analysis)


def _is_imperative(text: str, analysis: Analysis) -> bool:
    """Whether a sentence begins with a verb in its base form that has no subject; what stands in
    quotation marks is somebody's words, which may be reported."""
    tokens = analysis.tokens
    words = (i for i, token in enumerate(tokens) if token.text.lower() not in _BEFORE)
    first = next(words, None)
    if first is None or not text[:1].isalpha():
        return False
    token = tokens[first]
    is_base = token.pos == "VERB" and token.text.lower() == token.lemma and token.dep in _HEADS
    return is_base and not any(
        other.head == first and other.dep in GRAMMATICAL_SUBJECTS for other in tokens
    )
