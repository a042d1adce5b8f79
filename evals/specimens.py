"""Sentences of articles, read for making falsehoods and paraphrases of them."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rag.chunking import chunk_article
from rag.citations import Verifier
from rag.ports import LanguageAnalyser
from rag.text.wording import FUNCTION_WORDS, quotations, stem, words
from rag.types import Analysis, Article, Evidence, Passage, Span, Token

SENTENCE_WORDS = (6, 45)
"""A sentence with fewer or more words is no specimen."""

OWN_PASSAGES, OTHER_PASSAGES = 8, 4
"""Of an article, and of others: together about as many as an answer's evidence has."""

_WHOLE = re.compile(r"^[\"“‘(]?[A-Z0-9].*[.!?][\"”’)]*$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Specimen:
    """A claim made of a true sentence, the `original`, and the passage that it says it rests on."""

    kind: str
    true: bool
    text: str
    cited: str
    original: str


@dataclass(frozen=True)
class Fact:
    """A sentence of an article with its grammar and its passages, by chunk id."""

    text: str
    span: Span
    analysis: Analysis
    chunk_ids: tuple[str, ...]

    @cached_property
    def quotes(self) -> list[Span]:
        """The insides of its quotation marks."""
        return quotations(self.text)

    @cached_property
    def stems(self) -> frozenset[str]:
        """Stems of all its words, numbers among them."""
        return stems_of(self.text)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Its words with their grammar."""
        return self.analysis.tokens

    @property
    def root(self) -> int:
        """The index of its main predicate."""
        return next((i for i, t in enumerate(self.tokens) if t.dep == "ROOT"), 0)

    def children(self, i: int, *deps: str) -> list[int]:
        """The words that hang on the word `i`, with one of these labels if any is given."""
        return [
            j
            for j, token in enumerate(self.tokens)
            if token.head == i and j != i and (not deps or token.dep in deps)
        ]

    def subtree(self, i: int) -> Span:
        """Where the word `i` stands with all that hangs on it."""
        inside, before = {i}, 0
        while len(inside) > before:
            before = len(inside)
            inside |= {j for j, token in enumerate(self.tokens) if token.head in inside}
        return Span(self.tokens[min(inside)].start, self.tokens[max(inside)].end)

    def is_quoted(self, start: int, end: int) -> bool:
        """Whether any of a range is in quotation marks."""
        return any(q.start - 1 < end and start < q.end + 1 for q in self.quotes)

    def replaced(self, start: int, end: int, new: str) -> str:
        """The sentence with something else in this place."""
        return self.text[:start] + new + self.text[end:]


@dataclass(frozen=True)
class Material:
    """An article's facts, the verifier of a question that found it, and all it can draw on."""

    article: Article
    verifier: Verifier
    facts: tuple[Fact, ...]
    reading_s: float

    @cached_property
    def evidence(self) -> list[frozenset[str]]:
        """The stems of every sentence of the evidence."""
        return [
            stems_of(reading.text(i, i))
            for reading in self.verifier.readings
            for i in range(len(reading.sentences))
        ]

    def entities(self, *labels: str) -> list[str]:
        """Names in the facts with one of these labels, each once."""
        found = (e.text for f in self.facts for e in f.analysis.entities if e.label in labels)
        return list(dict.fromkeys(re.sub(r"['’]s$", "", name) for name in found))

    def is_told_elsewhere(self, text: str, fact: Fact) -> bool:
        """Whether another sentence of the evidence has what a changed fact has and the fact has
        not, with half of the rest: the change may then be true by accident."""
        changed = stems_of(text)
        new, rest = changed - fact.stems, _content(changed & fact.stems)
        bound = 0.5 if new else 0.6
        return any(
            new <= other and len(rest & other) >= bound * len(rest)
            for other in self.evidence
            if other != fact.stems
        )


def stems_of(text: str) -> frozenset[str]:
    """The stems of a text's words."""
    return frozenset(stem(word) for word in words(text))


def _content(stems: frozenset[str]) -> frozenset[str]:
    return frozenset(s for s in stems if s not in FUNCTION_WORDS)


def read_material(
    article: Article, others: Sequence[Article], analyser: LanguageAnalyser, rng: random.Random
) -> Material:
    """An article as a question finds it: its first passages among some of other articles."""
    evidence = _evidence(article, others, rng)
    began = time.process_time()
    verifier = Verifier(evidence, analyser)
    reading_s = time.process_time() - began
    return Material(article, verifier, tuple(_facts(verifier, article)), reading_s)


def _evidence(article: Article, others: Sequence[Article], rng: random.Random) -> Evidence:
    chunks = [(article, chunk) for chunk in chunk_article(article)[:OWN_PASSAGES]]
    strange = [a for a in others if a.id != article.id]
    for other in rng.sample(strange, min(OTHER_PASSAGES, len(strange))):
        chunks.append((other, rng.choice(chunk_article(other))))
    passages = (Passage.of(i, 0.5, chunk, a) for i, (a, chunk) in enumerate(chunks, start=1))
    return Evidence(tuple(passages), {a.id: a for a, _ in chunks})


def _facts(verifier: Verifier, article: Article) -> Iterator[Fact]:
    """The article's sentences that can be shown alone, each once."""
    seen: dict[Span, tuple[Analysis, list[str]]] = {}
    for reading in verifier.readings:
        for i in reading.inside if reading.article.id == article.id else ():
            span = reading.sentences[i]
            if reading.passage.start <= span.start and span.end <= reading.passage.end:
                analysis, chunk_ids = seen.setdefault(span, (reading.analyses[i], []))
                chunk_ids.append(reading.passage.chunk_id)
    inside = quotations(article.text)
    for span, (analysis, chunk_ids) in seen.items():
        fact = Fact(article.text[span.start : span.end], span, analysis, tuple(chunk_ids))
        cut = any(q.start <= edge < q.end for q in inside for edge in (span.start, span.end - 1))
        if not cut and _is_specimen(fact):
            yield fact


def _is_specimen(fact: Fact) -> bool:
    """Whether it is a whole sentence of fair length that is not all somebody's words."""
    low, high = SENTENCE_WORDS
    quoted = sum(q.end - q.start for q in fact.quotes)
    return (
        bool(_WHOLE.match(fact.text))
        and "\n" not in fact.text
        and low <= len(words(fact.text)) <= high
        and len(fact.text) - quoted > 4
        and any(t.dep == "ROOT" and t.pos in {"VERB", "AUX"} for t in fact.tokens)
    )
