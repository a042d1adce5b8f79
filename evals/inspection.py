"""One question of a run laid out for reading: gold, retrieved, answered and cited side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from evals.metrics import Gold, citation_precision, citation_recall, holds
from evals.report import fault_of
from evals.results import CaseResult
from rag.types import Answer, Citation, Passage, Span

PASSAGES = 4  # shown of each question
# Characters shown of a passage, so that a page on 500 questions stays below 3 MB.
_EXCERPT_WITH_EVIDENCE, _EXCERPT = 640, 360

_BLANK = re.compile(r"\s*\n\s*")  # blank lines between paragraphs take room and say nothing

Change = Literal["lost", "won"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text of a passage; `marked` where it is gold evidence."""

    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where some words stand: what is known of the article."""

    article: str
    title: str | None = None
    outlet: str | None = None
    published_at: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A piece of gold evidence: the best rank that holds it, None if none does, and if cited."""

    number: int
    origin: Origin
    quote: str | None
    rank: int | None
    cited: bool


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A passage with the numbers of the evidence that it holds, cut to what is worth reading."""

    rank: int
    holds: tuple[int, ...]
    origin: Origin
    copies: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation of the answer; `right` is None where nothing is known to hold it against."""

    number: int
    right: bool | None
    origin: Origin
    quote: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """A question with all that is needed to see why it went as it did."""

    result: CaseResult
    fault: str | None
    change: Change | None
    before: Answer | None
    wanted: tuple[Wanted, ...]
    retrieved: tuple[Retrieved, ...]
    cited: tuple[Cited, ...]


def inspect(result: CaseResult, before: CaseResult | None = None) -> Inspection:
    """The question as it went, and what became of it since the baseline, if that was asked it."""
    changed = change_of(result, before)
    return Inspection(
        result=result,
        fault=fault_of(result),
        change=changed,
        before=before.answer if before and changed else None,
        wanted=tuple(_wanted(result)),
        retrieved=tuple(_retrieved(result, p) for p in result.passages[:PASSAGES]),
        cited=tuple(_cited(result, c) for c in _citations(result)),
    )


def change_of(result: CaseResult, before: CaseResult | None) -> Change | None:
    """Whether a question that was right is wrong now ("lost"), or the other way round ("won")."""
    if before is None or (fault_of(result) is None) == (fault_of(before) is None):
        return None
    return "won" if fault_of(result) is None else "lost"


def excerpt(text: str, marks: Sequence[Span], limit: int) -> tuple[Piece, ...]:
    """At most about `limit` characters of a text around its first mark, all marks in it marked."""
    first = min(marks, key=lambda mark: mark.start, default=Span(0, 0))
    length = min(first.end - first.start, limit)
    start = _word_start(text, max(0, min(first.start - (limit - length) // 2, len(text) - limit)))
    end = _word_end(text, min(len(text), start + limit))
    pieces = [Piece("… ")] if start else []
    place = start
    for mark in _merged(marks, Span(start, end)):
        pieces += [Piece(text[place : mark.start]), Piece(text[mark.start : mark.end], marked=True)]
        place = mark.end
    pieces += [Piece(text[place:end]), *([Piece(" …")] if end < len(text) else [])]
    return tuple(Piece(_BLANK.sub("\n", p.text), p.marked) for p in pieces if p.text)


def _word_start(text: str, at: int) -> int:
    space = text.find(" ", at, at + 24) if at else -1
    return at if space < 0 else space + 1


def _word_end(text: str, at: int) -> int:
    space = text.rfind(" ", at - 24, at) if at < len(text) else -1
    return at if space < 0 else space


def _merged(marks: Sequence[Span], window: Span) -> Iterator[Span]:
    """The marks inside the window in order, overlapping ones as one."""
    open_: Span | None = None
    for mark in sorted(marks, key=lambda mark: mark.start):
        start, end = max(mark.start, window.start), min(mark.end, window.end)
        if start >= end:
            continue
        if open_ and start <= open_.end:
            open_ = Span(open_.start, max(open_.end, end))
            continue
        if open_:
            yield open_
        open_ = Span(start, end)
    if open_:
        yield open_


def _citations(result: CaseResult) -> Sequence[Citation]:
    return result.answer.citations if result.answer else ()


def _wanted(result: CaseResult) -> Iterator[Wanted]:
    shown: list[Passage | Citation] = [*_citations(result), *result.passages]
    known = {one.article_id: _origin(one) for one in shown}
    held = [holds(passage, result.golds, result.case.answers) for passage in result.passages]
    for number, gold in enumerate(result.golds):
        ranks = [
            p.rank for p, pieces in zip(result.passages, held, strict=True) if number in pieces
        ]
        yield Wanted(
            number=number + 1,
            origin=known.get(gold.article_id, Origin(gold.article_id)),
            quote=gold.quote,
            rank=min(ranks, default=None),
            cited=citation_recall(_citations(result), [gold]) == 1,
        )


def _retrieved(result: CaseResult, passage: Passage) -> Retrieved:
    held = sorted(holds(passage, result.golds, result.case.answers))
    marks = [mark for n in held for mark in _marks(passage, result.golds[n], result.case.answers)]
    return Retrieved(
        rank=passage.rank,
        holds=tuple(n + 1 for n in held),
        origin=_origin(passage),
        copies=len(passage.copies),
        pieces=excerpt(passage.text, marks, _EXCERPT_WITH_EVIDENCE if held else _EXCERPT),
    )


def _marks(passage: Passage, gold: Gold, answers: Sequence[str]) -> Iterator[Span]:
    """Where a piece of evidence stands in a passage: its quote, without one the answers."""
    if gold.span and gold.article_id == passage.article_id:
        yield Span(gold.span.start - passage.start, gold.span.end - passage.start)
        return
    for words in [gold.quote] if gold.quote else answers:
        for found in re.finditer(re.escape(words), passage.text, re.IGNORECASE):
            yield Span(*found.span())


def _cited(result: CaseResult, citation: Citation) -> Cited:
    right = None
    if result.golds:
        right = citation_precision([citation], result.golds, result.case.answers) == 1
    return Cited(citation.number, right, _origin(citation), citation.quote)


def _origin(of: Passage | Citation) -> Origin:
    return Origin(of.article_id, of.title, of.outlet, of.published_at)
