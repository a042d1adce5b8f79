"""The keyless answerer: picks the sentences of the articles that answer, or none."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from rag.names import is_mentioned, name_words, place_of, same_person, surname
from rag.ports import Embedder, LanguageAnalyser
from rag.questions import Asked, read_question
from rag.reading import Reading
from rag.types import Claim, Question, Span
from rag.wording import content_stems, numbers

WEIGHTS = (4.4, 2.26, 0.77, 0.0, 2.58, 1.63, 1.71, 0.68)
BIAS = -10.68
"""Logistic regression of "holds the answer" on `Features`, in their order."""

THRESHOLD = -2.5
"""Log-odds below which the best sentence is no answer."""

MARGIN = 2.0
"""A further sentence may be this much less likely than the best."""

MAX_SENTENCES = 3
MIN_WORDS = 4
SAME_SHARE = 0.7
"""Two sentences that share this much of their words say the same."""

INFORMATIVE_WORDS = 4
"""Content words around a quotation that make its whole sentence worth showing."""

_BOILERPLATE = re.compile(
    r"(also read|read (more|also|next)|advertisement|subscribe|sign up|click here|related:|watch:"
    r"|photo:|image:|follow us|copyright)",
    re.IGNORECASE,
)
_EXACT_WANTS = frozenset({"TIME", "DATE", "MONEY", "PERCENT", "CARDINAL", "QUANTITY"})
_PRONOUN_START = re.compile(r"(?:(?:but|and) )?(he|she|they|it|this|these|those|that)\b", re.I)


@dataclass(frozen=True, slots=True)
class Features:
    """What speaks for a sentence as an answer; each in [0, 1] or nearly so."""

    similarity: float  # cosine of sentence and question
    coverage: float  # idf-weighted share of the question's words in the sentence
    around: float  # the same, in the sentence, the two before it, and the headline
    names: float  # share of the question's names in the sentence
    names_around: float  # … in its passage and headline
    wanted: float  # holds an entity of the kind asked for that the question does not name
    speaker: float  # is the words of the one asked for
    passage: float  # the passage's retrieval score


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that might answer: sentence `index` of a reading."""

    reading: Reading
    index: int
    features: Features

    @property
    def span(self) -> Span:
        """Where the sentence stands in its article."""
        return self.reading.sentences[self.index]

    @property
    def score(self) -> float:
        """Log-odds that the sentence answers."""
        return BIAS + float(np.dot(WEIGHTS, astuple(self.features)))


class Extractor:
    """Picks answering sentences from the passages that were found."""

    def __init__(self, embedder: Embedder, analyser: LanguageAnalyser) -> None:
        self._embedder = embedder
        self._analyser = analyser

    def extract(self, question: Question, readings: Sequence[Reading]) -> list[Claim]:
        """The answering sentences as claims, in reading order; empty when none answers."""
        asked, candidates = self.candidates(question, readings)
        fitting = [c for c in candidates if _fits(asked, c)]
        fitting.sort(key=lambda c: -c.score)
        if not fitting or fitting[0].score < THRESHOLD:
            return []
        chosen: list[Candidate] = []
        for candidate in fitting:
            too_weak = candidate.score < max(THRESHOLD, fitting[0].score - MARGIN)
            if too_weak or len(chosen) == MAX_SENTENCES:
                break
            if not any(_says_the_same(candidate, other) for other in chosen):
                chosen.append(candidate)
        return _claims(chosen)

    def candidates(
        self, question: Question, readings: Sequence[Reading]
    ) -> tuple[Asked, list[Candidate]]:
        """Every sentence of the passages with its features."""
        evidence = "\n".join(
            _header(r) + r.article.text[r.passage.start : r.passage.end] for r in readings
        )
        asked = read_question(question.text, evidence, self._analyser)
        places: dict[tuple[str, int], tuple[Reading, int]] = {}
        for reading in readings:
            for i in reading.inside:
                places.setdefault((reading.article.id, reading.sentences[i].start), (reading, i))
        units = list(places.values())
        if not units:
            return asked, []
        texts = [reading.text(i, i) for reading, i in units]
        vectors = self._embedder.encode_documents(texts)
        similarity = vectors @ self._embedder.encode_query(asked.text)
        stems = [frozenset(content_stems(text)) for text in texts]
        idf = _idf(asked.stems, stems)
        return asked, [
            Candidate(r, i, _features(asked, r, i, float(similarity[n]), stems[n], idf))
            for n, (r, i) in enumerate(units)
        ]


def _header(reading: Reading) -> str:
    a = reading.article
    return " ".join(part for part in (a.title, a.outlet, a.published_at) if part) + "\n"


def _idf(stems: frozenset[str], documents: Sequence[frozenset[str]]) -> dict[str, float]:
    n = len(documents)
    return {s: math.log(1 + (n + 0.5) / (sum(s in d for d in documents) + 0.5)) for s in stems}


def _features(
    asked: Asked,
    reading: Reading,
    i: int,
    similarity: float,
    stems: frozenset[str],
    idf: dict[str, float],
) -> Features:
    total = sum(idf.values()) or 1.0
    before = reading.text(max(0, i - 2), i) + "\n" + (reading.article.title or "")
    around = frozenset(content_stems(before))
    here = name_words(reading.text(i, i) + "\n" + (reading.speeches[i].speaker or ""))
    passage = name_words(_header(reading) + reading.passage.text)
    return Features(
        similarity=similarity,
        coverage=sum(w for s, w in idf.items() if s in stems) / total,
        around=sum(w for s, w in idf.items() if s in around) / total,
        names=_share(asked.names, here),
        names_around=_share(asked.names, passage),
        wanted=float(_has_wanted(asked, reading, i)),
        speaker=float(_is_speaker(asked, reading, i)),
        passage=reading.passage.score,
    )


def _share(names: Sequence[str], mentioned: frozenset[str]) -> float:
    if not names:
        return 1.0
    return sum(
        is_mentioned(n, mentioned) or is_mentioned(surname(n), mentioned) for n in names
    ) / len(names)


def _has_wanted(asked: Asked, reading: Reading, i: int) -> bool:
    if not asked.wants:
        return True
    known = name_words(asked.text) | numbers(asked.text)
    return any(
        e.label in asked.wants and not is_mentioned(e.text, known)
        for e in reading.analyses[i].entities
    )


def _is_speaker(asked: Asked, reading: Reading, i: int) -> bool:
    """Whether a sentence holds the words or deeds of the one asked for: a person by name, a
    country also where the sentence names it."""
    if asked.speaker is None:
        return True
    speaker = reading.speeches[i].speaker
    if speaker and same_person(asked.speaker, speaker):
        return True
    if place_of(asked.speaker):
        return is_mentioned(asked.speaker, name_words(f"{reading.text(i, i)} {speaker or ''}"))
    return not speaker and any(
        token.dep == "nsubj" and same_person(asked.speaker, token.text)
        for token in reading.analyses[i].tokens
    )


def _fits(asked: Asked, candidate: Candidate) -> bool:
    """Whether nothing rules a sentence out: a name that its article lacks, another speaker, no
    number where one is asked for, another deed than the one whose reason is asked for."""
    features, reading = candidate.features, candidate.reading
    text = reading.text(candidate.index, candidate.index)
    if _BOILERPLATE.match(text) or len(text.split()) < MIN_WORDS:
        return False
    if features.names_around < 1 or features.speaker < 1:
        return False
    if asked.wants & _EXACT_WANTS and not features.wanted:
        return False
    return not (asked.reason and asked.verb and asked.verb not in content_stems(text))


def _says_the_same(one: Candidate, other: Candidate) -> bool:
    a, b = (frozenset(content_stems(c.reading.text(c.index, c.index))) for c in (one, other))
    return len(a & b) >= SAME_SHARE * min(len(a), len(b))


@dataclass(frozen=True, slots=True)
class _Excerpt:
    """What is shown of an article: sentences `first` to `last`, or what they have in quotes."""

    reading: Reading
    first: int
    last: int
    quoted: bool

    @property
    def order(self) -> int:
        return self.reading.sentences[self.first].start


def _claims(chosen: Sequence[Candidate]) -> list[Claim]:
    """Claims of the chosen sentences: article by article, in reading order, neighbours joined."""
    articles = list(dict.fromkeys(c.reading.article.id for c in chosen))
    excerpts = sorted(
        (_excerpt(c.reading, c.index) for c in chosen),
        key=lambda e: (articles.index(e.reading.article.id), e.order),
    )
    joined: list[_Excerpt] = []
    for excerpt in excerpts:
        both = _joined(joined[-1], excerpt) if joined else None
        if both:
            joined[-1] = both
        else:
            joined.append(excerpt)
    return [_claim(excerpt) for excerpt in joined]


def _excerpt(reading: Reading, i: int) -> _Excerpt:
    """How much of a sentence's surroundings a reader needs: the rest of a quotation that it
    opens, the sentence that tells who "he" is, or nothing but the words in quotation marks."""
    speech, sentence = reading.speeches[i], reading.sentences[i]
    quoted = speech.quoted
    if speech.speaker and quoted:
        outside = content_stems(
            reading.article.text[sentence.start : quoted.start]
            + " "
            + reading.article.text[quoted.end : sentence.end]
        )
        told = set(content_stems(speech.speaker))
        informative = len([s for s in outside if s not in told]) >= INFORMATIVE_WORDS
        if not informative or _goes_on_from(reading, i):
            return _Excerpt(reading, i, i, quoted=True)
        if i + 1 < len(reading.sentences) and _goes_on_from(reading, i + 1):
            return _Excerpt(reading, i, i + 1, quoted=False)
    if _PRONOUN_START.match(reading.text(i, i)) and i and _same_paragraph(reading, i - 1, i):
        return _Excerpt(reading, i - 1, i, quoted=False)
    return _Excerpt(reading, i, i, quoted=False)


def _goes_on_from(reading: Reading, i: int) -> bool:
    """Whether sentence `i` begins inside a quotation that the sentence before it opened."""
    quoted, sentence = reading.speeches[i].quoted, reading.sentences[i]
    return (
        i > 0
        and bool(quoted and quoted.start == sentence.start)
        and _same_paragraph(reading, i - 1, i)
    )


def _same_paragraph(reading: Reading, i: int, j: int) -> bool:
    text = reading.article.text[reading.sentences[i].end : reading.sentences[j].start]
    return "\n" not in text


def _joined(one: _Excerpt, other: _Excerpt) -> _Excerpt | None:
    """Two excerpts as one, if the second lies in the first, or both are one speaker's quotation."""
    if one.reading.article.id != other.reading.article.id:
        return None
    sentences = one.reading.sentences
    end, start = sentences[one.last].end, other.order
    if other.reading.sentences[other.last].end <= end:
        return one
    both_quoted = (
        one.quoted and other.quoted and one.first == one.last and other.first == other.last
    )
    neighbours = one.last + 1 < len(sentences) and sentences[one.last + 1].start == start
    if both_quoted and neighbours and _goes_on_from(other.reading, other.first):
        return _Excerpt(one.reading, one.first, one.last + 1, quoted=True)
    return None


def _claim(excerpt: _Excerpt) -> Claim:
    reading = excerpt.reading
    speeches = reading.speeches[excerpt.first : excerpt.last + 1]
    chunk_ids = (reading.passage.chunk_id,)
    if not excerpt.quoted:
        span = Span(reading.sentences[excerpt.first].start, reading.sentences[excerpt.last].end)
        text = reading.article.text[span.start : span.end]
        return Claim(" ".join(text.split()), chunk_ids, (reading.article.id, span))
    quotes = [speech.quoted for speech in speeches if speech.quoted]
    start, end = quotes[0].start, quotes[-1].end
    inner = reading.article.text[start:end].rstrip(" \n,;")
    span = Span(start, start + len(inner))
    text = f"{speeches[0].speaker}: “{' '.join(inner.split())}”"
    return Claim(text, chunk_ids, (reading.article.id, span))
