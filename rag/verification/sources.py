"""The sentences of passages as sources of claims, each read once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rag.sentences import sentence_spans
from rag.text.statements import Source, Statement, read_statement
from rag.types import Article, Span
from rag.verification.orders import is_order
from rag.verification.reading import Reading

_BEFORE = 2
"""Sentences before a source that its reader remembers."""

_FULL_NAME = re.compile(r"[A-Z][\w’'-]*(?:(?:(?<=\b\w)\.)?[ \u00a0]+[A-Z][\w’'-]*){1,5}")
_LEAD_CHARS = 400
_NAMES_CHARS = 100_000


class Sources:
    """Windows of one or two sentences of passages, each read when it is first looked through."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, str]] = {}
        self._leads: dict[str, str] = {}
        self._statements: dict[tuple[str, int], Statement] = {}
        self._windows: dict[tuple[str, int, int], Source] = {}

    def windows(self, readings: Sequence[Reading]) -> Iterator[tuple[Reading, Span, Source]]:
        """Each sentence of each passage, and each pair of neighbours; each once."""
        seen: set[tuple[str, int, int]] = set()
        for reading in readings:
            for first, last in _pairs(reading):
                key = _key(reading, first, last)
                if key not in seen:
                    seen.add(key)
                    yield reading, Span(*key[1:]), self._window(reading, first, last)

    def sentences(
        self, readings: Sequence[Reading], fits: Callable[[Reading, Span], bool]
    ) -> Iterator[tuple[Reading, Span, Source]]:
        """Each sentence of the passages at a place that fits; each once, no other is read."""
        seen: set[tuple[str, int, int]] = set()
        for reading in readings:
            for i in _stating(reading):
                key = _key(reading, i, i)
                if key not in seen and fits(reading, reading.sentences[i]):
                    yield reading, reading.sentences[i], self._window(reading, i, i)
                seen.add(key)

    def _window(self, reading: Reading, first: int, last: int) -> Source:
        key = _key(reading, first, last)
        if key not in self._windows:
            self._windows[key] = self._source(reading, first, last)
        return self._windows[key]

    def _statement(self, reading: Reading, i: int) -> Statement:
        span, speech = reading.sentences[i], reading.speeches[i]
        key = (reading.article.id, span.start)
        if key not in self._statements:
            self._statements[key] = read_statement(
                reading.text(i, i),
                reading.analyses[i] if reading.is_english else None,
                speech.speaker,
                [Span(q.start - span.start, q.end - span.start) for q in speech.quotes],
                reading.article.published_at,
            )
        return self._statements[key]

    def _source(self, reading: Reading, first: int, last: int) -> Source:
        article, text = reading.article, reading.text(first, last)
        if article.id not in self._names:
            self._names[article.id] = _full_names(article)
            self._leads[article.id] = _lead(reading)
        earlier = range(max(0, first - _BEFORE), first)
        before = [reading.text(i, i) for i in earlier if i not in reading.orders]
        known = self._names[article.id]
        names = [known[word] for word in re.findall(r"[A-Z][\w-]*", text) if word in known]
        known_of_it = (reading.headline, article.outlet, article.published_at)
        header = [part for part in known_of_it if part and not is_order(part)]
        return Source(
            tuple(self._statement(reading, i) for i in range(first, last + 1)),
            text,
            "\n".join([*header, *names, *before]),
            self._leads[article.id],
            article.outlet,
            article.published_at,
        )


def _stating(reading: Reading) -> list[int]:
    return [i for i in reading.inside if i not in reading.orders]


def _pairs(reading: Reading) -> Iterator[tuple[int, int]]:
    """First and last of each sentence that states something, and of each two neighbours."""
    stating = _stating(reading)
    for i in stating:
        yield i, i
        if i + 1 in stating:
            yield i, i + 1


def _key(reading: Reading, first: int, last: int) -> tuple[str, int, int]:
    return reading.article.id, reading.sentences[first].start, reading.sentences[last].end


def _lead(reading: Reading) -> str:
    """How an article begins, without orders."""
    text = reading.article.text[:_LEAD_CHARS]
    orders = {reading.sentences[i].start for i in reading.orders}
    spans = sentence_spans(text, reading.article.language or "en")
    sentences = (text[span.start : span.end] for span in spans if span.start not in orders)
    return " ".join(sentence for sentence in sentences if not is_order(sentence))


def _full_names(article: Article) -> dict[str, str]:
    """Last word of a name → all the names in the article that end with it."""
    found: dict[str, set[str]] = {}
    for match in _FULL_NAME.finditer(article.text[:_NAMES_CHARS]):
        name = re.sub(r"['’]s\b", "", match.group())
        found.setdefault(re.split(r"[\s]", name)[-1].rstrip(".’'"), set()).add(name)
    return {last: "\n".join(sorted(names)) for last, names in found.items()}
