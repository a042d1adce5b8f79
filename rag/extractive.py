"""The keyless answerer: picks the sentences of the articles that answer, or none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.candidates import Candidate, score_sentences
from rag.excerpts import claims_of, is_unattributed
from rag.markup import has_markup
from rag.ports import Embedder, LanguageAnalyser
from rag.questions import Asked, read_question
from rag.reading import Reading
from rag.types import Claim, Question
from rag.wording import content_stems

THRESHOLD = -3.0
"""Log-odds below which the best sentence is no answer."""

MARGIN = 2.0
"""A further sentence may be this much less likely than the best."""

MAX_SENTENCES = 3
MIN_WORDS = 4
SAME_SHARE = 0.7
"""Two sentences that share this much of their words say the same."""

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

    def extract(self, question: Question, readings: Sequence[Reading]) -> list[Claim]:
        """The answering sentences as claims, in reading order; empty when none answers."""
        asked = read_asked(question, readings, self._analyser)
        candidates = score_sentences(asked, readings, self._embedder)
        fitting = sorted((c for c in candidates if _fits(asked, c)), key=lambda c: -c.score)
        if not fitting or fitting[0].score < THRESHOLD:
            return []
        chosen: list[Candidate] = []
        for candidate in fitting:
            too_weak = candidate.score < max(THRESHOLD, fitting[0].score - MARGIN)
            if too_weak or len(chosen) == MAX_SENTENCES:
                break
            if not any(_says_the_same(candidate, other) for other in chosen):
                chosen.append(candidate)
        return claims_of(chosen)


def read_asked(
    question: Question, readings: Sequence[Reading], analyser: LanguageAnalyser
) -> Asked:
    """The question, read against the words of the passages."""
    evidence = "\n".join(f"{r.article.title or ''}\n{r.passage.text}" for r in readings)
    return read_question(question.text, evidence, analyser)


def _fits(asked: Asked, candidate: Candidate) -> bool:
    """Whether nothing rules a sentence out: an order, markup, a name that its article lacks,
    another speaker or topic, a quotation without its speaker, no number where one is asked for,
    another deed than the one whose reason is asked for."""
    features, reading = candidate.features, candidate.reading
    text = reading.text(candidate.index, candidate.index)
    if candidate.index in reading.orders or has_markup(text):
        return False
    if _BOILERPLATE.match(text) or len(text.split()) < MIN_WORDS:
        return False
    if is_unattributed(reading, candidate.index):
        return False
    if features.names_around < 1 or features.speaker < 1:
        return False
    if asked.speaker and not features.around and features.similarity < ABOUT_IT:
        return False
    if asked.wants & _EXACT_WANTS and not features.wanted:
        return False
    if asked.counted and asked.counted not in content_stems(text):
        return False
    return not (asked.reason and asked.verb and asked.verb not in content_stems(text))


def _says_the_same(one: Candidate, other: Candidate) -> bool:
    a, b = (frozenset(content_stems(c.reading.text(c.index, c.index))) for c in (one, other))
    return len(a & b) >= SAME_SHARE * min(len(a), len(b))
