"""Putting verified sentences together: numbering, offsets, the answer's text and its length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rag.citations import make_citation
from rag.types import Article, Citation, Claim, Quote, Sentence, SentenceReady, Verdict

MAX_WORDS = 400
EXTRACTIVE_MAX_WORDS = 120


def marked(sentence: str, numbers: Iterable[int]) -> str:
    """A sentence as it stands in an answer's text, with the markers of its citations after it."""
    markers = "".join(f"[{number}]" for number in numbers)
    return f"{sentence} {markers}"


class Composer:
    """Collects verified claims into an answer's text, sentences and citations."""

    def __init__(self, articles: Mapping[str, Article], max_words: int = MAX_WORDS) -> None:
        self._articles = articles
        self._max_words = max_words
        self._words = 0
        self._numbers: dict[tuple[str, int, int], int] = {}
        self.text = ""
        self.sentences: list[Sentence] = []
        self.citations: list[Citation] = []

    def said(self, claim: Claim) -> Sentence | None:
        """The sentence of the answer that says a claim word for word."""
        text = " ".join(claim.text.split())
        return next((sentence for sentence in self.sentences if sentence.text == text), None)

    def has_room(self, *texts: str) -> bool:
        """Whether the answer may grow by these texts."""
        return self._words + sum(len(text.split()) for text in texts) <= self._max_words

    def add(self, claim: Claim, verdict: Verdict) -> SentenceReady | None:
        """Append a verified claim; None if it was said before or the answer would grow too long."""
        if verdict.support is None:
            raise ValueError(f"an unsupported claim cannot be shown: {claim.text!r}")
        text = " ".join(claim.text.split())
        length = len(text.split())
        if self.said(claim) or not self.has_room(text):
            return None
        self._words += length
        new = [self._cite(quote) for quote in verdict.quotes]
        numbers = tuple(dict.fromkeys(number for number, _ in new))
        start = len(self.text) + (1 if self.text else 0)
        sentence = Sentence(text, start, start + len(text), verdict.support, numbers)
        self.text += f"{' ' if self.text else ''}{marked(text, numbers)}"
        self.sentences.append(sentence)
        fresh = tuple(citation for _, citation in new if citation)
        return SentenceReady(len(self.sentences) - 1, sentence, fresh)

    def _cite(self, quote: Quote) -> tuple[int, Citation | None]:
        """The number of a quote's citation, and the citation if it is new."""
        key = (quote.passage.article_id, quote.span.start, quote.span.end)
        if key in self._numbers:
            return self._numbers[key], None
        number = len(self.citations) + 1
        citation = make_citation(number, quote, self._articles[quote.passage.article_id])
        self._numbers[key] = number
        self.citations.append(citation)
        return number, citation
