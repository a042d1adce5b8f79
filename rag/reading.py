"""Reading a passage in its article: its sentences, and who speaks each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rag.orders import is_order
from rag.ports import LanguageAnalyser
from rag.sentences import sentence_spans
from rag.speech import Speech, read_speech
from rag.types import Analysis, Article, Evidence, Passage, Span

WINDOW_CHARS = 800
"""How far around a passage the article is read for speakers and antecedents."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A passage with the sentences around it (article offsets), their grammar and speech.

    `inside` are the indices of the sentences that the passage holds, in order; `headline` is the
    article's, unless that gives orders.
    """

    passage: Passage
    article: Article
    sentences: tuple[Span, ...]
    analyses: tuple[Analysis, ...]
    speeches: tuple[Speech, ...]
    inside: tuple[int, ...]
    headline: str | None = None

    @property
    def is_english(self) -> bool:
        """Whether the grammar of the analyses can be relied on."""
        return (self.article.language or "en").lower().startswith("en")

    def text(self, first: int, last: int) -> str:
        """The article's text from sentence `first` to sentence `last`, both included."""
        return self.article.text[self.sentences[first].start : self.sentences[last].end]

    def is_order(self, i: int) -> bool:
        """Whether sentence `i` gives orders: it is no source of what it tells others to say."""
        start = self.sentences[i].start
        quoted = any(quote.start <= start < quote.end for quote in self.speeches[i].quotes)
        grammar = self.is_english and not quoted
        return is_order(self.text(i, i), self.analyses[i] if grammar else None)

    def touched(self, span: Span) -> list[int]:
        """Indices of the sentences that a span overlaps."""
        return [
            i for i, s in enumerate(self.sentences) if s.start < span.end and span.start < s.end
        ]


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
        None if is_order(title, heading) else title,
    )


def _sentences_around(article: Article, passage: Passage) -> list[Span]:
    text = article.text
    start = max(0, passage.start - WINDOW_CHARS)
    start = text.rfind("\n", 0, start) + 1 if start else 0
    end = text.find("\n", min(len(text), passage.end + WINDOW_CHARS))
    spans = sentence_spans(text[start : end if end >= 0 else len(text)], article.language or "en")
    return [Span(start + s.start, start + s.end) for s in spans]
