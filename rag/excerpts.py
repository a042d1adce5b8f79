"""What is shown of an article for a chosen sentence, so that it can be read on its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.candidates import Candidate
from rag.text.wording import content_stems
from rag.types import Claim, Span
from rag.verification.reading import Reading

INFORMATIVE_WORDS = 4
"""Content words around a quotation that make its whole sentence worth showing."""

_PRONOUN_START = re.compile(r"(?:(?:but|and) )?(he|she|they|it|this|these|those|that)\b", re.I)


def claims_of(chosen: Sequence[Candidate]) -> list[Claim]:
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


def claim_of(reading: Reading, index: int) -> Claim:
    """The claim of one sentence of a reading."""
    return _claim(_excerpt(reading, index))


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


def is_unattributed(reading: Reading, i: int) -> bool:
    """Whether a sentence is a piece of a quotation and cannot be shown with who said it."""
    speech, sentence = reading.speeches[i], reading.sentences[i]
    if speech.speaker or not speech.quoted:
        return False
    outside = (speech.quoted.start - sentence.start) + (sentence.end - speech.quoted.end)
    continues = i + 1 < len(reading.sentences) and _goes_on_from(reading, i + 1)
    return outside <= 3 or continues or _goes_on_from(reading, i)


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
