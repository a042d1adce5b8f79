"""Reading a passage in its article: its sentences, and who speaks each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.ports import LanguageAnalyser
from rag.sentences import sentence_spans
from rag.types import Analysis, Article, Evidence, Passage, Span
from rag.verification.orders import is_order
from rag.verification.speech import Speech, read_speech

WINDOW_CHARS = 800
"""How far around a passage the article is read for speakers and antecedents."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A passage with the sentences around it (article offsets), their grammar and speech.

    `inside` are the indices of the sentences that the passage holds, in order; `orders` those of
    sentences that give orders, and are no source of what they tell others to say; `headline` is
    the article's, unless that gives orders.
    """

    passage: Passage
    article: Article
    sentences: tuple[Span, ...]
    analyses: tuple[Analysis, ...]
    speeches: tuple[Speech, ...]
    inside: tuple[int, ...]
    orders: frozenset[int] = frozenset()
    headline: str | None = None

    @property
    def is_english(self) -> bool:
        """Whether the grammar of the analyses can be relied on."""
        return is_english(self.article)

    def text(self, first: int, last: int) -> str:
        """The article's text from sentence `first` to sentence `last`, both included."""
        return self.article.text[self.sentences[first].start : self.sentences[last].end]

    def touched(self, span: Span) -> list[int]:
        """Indices of the sentences that a span overlaps."""
        return [
            i for i, s in enumerate(self.sentences) if s.start < span.end and span.start < s.end
        ]


def is_english(article: Article) -> bool:
    """Whether an article is in English, or in a language that is not known."""
    return (article.language or "en").lower().startswith("en")


def read_evidence(evidence: Evidence, analyser: LanguageAnalyser) -> Iterator[Reading]:
    """A reading of each passage, best first."""
    for passage in evidence.passages:
        yield read_passage(passage, evidence.articles[passage.article_id], analyser)


def read_passage(passage: Passage, article: Article, analyser: LanguageAnalyser) -> Reading:
    """Read a passage with its surroundings, up to paragraph ends."""
    sentences = _sentences_around(article, passage)
    title = article.title or ""
    *analyses, heading = analyser.analyse(
        [*(article.text[s.start : s.end] for s in sentences), title]
    )
    speeches = read_speech(article.text, sentences, analyses)
    inside = (i for i, s in enumerate(sentences) if s.start < passage.end and passage.start < s.end)
    return Reading(
        passage,
        article,
        tuple(sentences),
        tuple(analyses),
        tuple(speeches),
        tuple(inside),
        frozenset(_orders(article, sentences, analyses, speeches)),
        None if is_order(title, heading) else title,
    )


def _orders(
    article: Article,
    sentences: Sequence[Span],
    analyses: Sequence[Analysis],
    speeches: Sequence[Speech],
) -> Iterator[int]:
    """Which sentences give orders; where somebody's words begin one, its grammar does not tell."""
    for i, (s, analysis, speech) in enumerate(zip(sentences, analyses, speeches, strict=True)):
        quoted = any(quote.start <= s.start < quote.end for quote in speech.quotes)
        grammar = analysis if is_english(article) and not quoted else None
        if is_order(article.text[s.start : s.end], grammar):
            yield i


def _sentences_around(article: Article, passage: Passage) -> list[Span]:
    text = article.text
    start = max(0, passage.start - WINDOW_CHARS)
    start = text.rfind("\n", 0, start) + 1 if start else 0
    end = text.find("\n", min(len(text), passage.end + WINDOW_CHARS))
    spans = sentence_spans(text[start : end if end >= 0 else len(text)], article.language or "en")
    return [Span(start + s.start, start + s.end) for s in spans]
