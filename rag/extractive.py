"""The keyless answerer: picks the sentences of the articles that answer, or none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.candidates import Candidate, score_sentences
from rag.excerpts import claims_of, is_unattributed
from rag.ports import Embedder, LanguageAnalyser
from rag.query.questions import Asked, read_question
from rag.selection import select
from rag.text.markup import has_markup
from rag.text.wording import content_stems
from rag.types import Claim, Question
from rag.verification.reading import Reading

THRESHOLD = -2.4
"""Log-odds below which the best sentence is no answer."""

CERTAIN, SURE = 0.8, 0.9
"""From a confidence of retrieval of `CERTAIN` on, an article need not have every name that the
question has, and from `SURE` on nothing but its form rules a sentence out: the articles do answer,
in other words than the question's. Chosen, as `THRESHOLD`, with `evals.tune_answers`."""

MIN_WORDS = 4
ABOUT_IT = 0.5
"""Somebody's words that share none with the topic must be at least this similar to the question."""

_BOILERPLATE = re.compile(
    r"(also read|read (more|also|next)|advertisement|subscribe|sign up|click here|related:|watch:"
    r"|photo:|image:|follow us|copyright)",
    re.IGNORECASE,
)
_EXACT_WANTS = frozenset({"TIME", "DATE", "MONEY", "PERCENT", "CARDINAL", "QUANTITY"})


class Extractor:
    """Picks answering sentences from the passages that were found."""

    def __init__(self, embedder: Embedder, analyser: LanguageAnalyser) -> None:
        self._embedder = embedder
        self._analyser = analyser

    def extract(
        self, question: Question, readings: Sequence[Reading], confidence: float | None = None
    ) -> list[Claim]:
        """The answering sentences as claims, in reading order; empty when none answers.

        `confidence` is how likely retrieval thinks that the articles answer, None if not estimated.
        """
        asked = read_asked(question, readings, self._analyser)
        if not asked.stems:  # it asks for nothing
            return []
        candidates = score_sentences(asked, readings, self._embedder)
        return claims_of(pick(asked, candidates, confidence))


def read_asked(
    question: Question, readings: Sequence[Reading], analyser: LanguageAnalyser
) -> Asked:
    """The question, read against the words of the passages."""
    evidence = "\n".join(f"{r.article.title or ''}\n{r.passage.text}" for r in readings)
    return read_question(question.text, evidence, analyser)


def pick(
    asked: Asked, candidates: Sequence[Candidate], confidence: float | None
) -> list[Candidate]:
    """The candidates that answer, the likeliest first; empty when none does."""
    certainty = confidence or 0.0
    fitting = [c for c in candidates if is_presentable(c)]
    if certainty < CERTAIN:
        fitting = [c for c in fitting if c.features.names_around == 1]
    if certainty < SURE:
        fitting = [c for c in fitting if _fits(asked, c)]
    if max((c.score for c in fitting), default=THRESHOLD) <= THRESHOLD:
        return []
    return select(fitting)


def is_presentable(candidate: Candidate) -> bool:
    """Whether a sentence is one, of the article's own, no order and without markup, and can be
    shown with who said it."""
    text, reading = candidate.text, candidate.reading
    if candidate.index in reading.orders or has_markup(text):
        return False
    is_sentence = not _BOILERPLATE.match(text) and len(text.split()) >= MIN_WORDS
    return is_sentence and not is_unattributed(reading, candidate.index)


def _fits(asked: Asked, candidate: Candidate) -> bool:
    """Whether nothing rules a sentence out: another speaker or topic, no number where one is asked
    for, another deed than the one whose reason is asked for."""
    features, text = candidate.features, candidate.text
    if features.speaker < 1:
        return False
    if asked.speaker and not features.around and features.similarity < ABOUT_IT:
        return False
    if asked.wants & _EXACT_WANTS and not features.wanted:
        return False
    if asked.counted and asked.counted not in content_stems(text):
        return False
    return not (asked.reason and asked.verb and asked.verb not in content_stems(text))
