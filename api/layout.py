"""Articles and answers laid out for reading: texts with a quotation marked, links, dates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote as percent_encoded

from rag.types import Citation, Passage, Span

_OFFSET = re.compile("[0-9]{1,9}")
_BLANK_LINES = re.compile(r"\n[ \t\r]*\n\s*")
_LINE_END = re.compile(r"[\r\n\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Run:
    """Some text of a paragraph; `anchor` on the first one that is marked."""

    text: str
    marked: bool = False
    anchor: bool = False


def quoted_span(text: str, start: str | None, end: str | None) -> Span | None:
    """The span that a link's `start` and `end` name, in code points; None if the text has none."""
    if not (start and end and _OFFSET.fullmatch(start) and _OFFSET.fullmatch(end)):
        return None
    span = Span(int(start), int(end))
    return span if span.start < span.end <= len(text) else None


def quote_address(quoted: Citation | Passage) -> str:
    """The address of the page that shows a quotation in its article, from our own root."""
    article_id = percent_encoded(quoted.article_id, safe=":")
    return f"/articles/{article_id}?start={quoted.start}&end={quoted.end}#quote"


def paragraphs(text: str, quote: Span | None) -> list[list[Run]]:
    """The text's paragraphs, each cut where the quote begins and ends.

    Blank lines part paragraphs; a text without any has one paragraph a line.
    """
    laid_out, anchored = [], False
    for paragraph in _paragraph_spans(text):
        runs = list(_runs(text, paragraph, quote, anchor=not anchored))
        anchored = anchored or any(run.anchor for run in runs)
        laid_out.append(runs)
    return laid_out


def readable_date(iso: str | None) -> str | None:
    """An ISO date as `21 August 2025`; what is no such date stays as it is."""
    try:
        day = date.fromisoformat((iso or "")[:10])
    except ValueError:
        return iso
    return f"{day.day} {day:%B} {day.year}"


def web_address(url: str | None) -> str | None:
    """The url, if it can be followed without harm: a `javascript:` one would run script."""
    return url if url and re.match("https?://", url, re.IGNORECASE) else None


def _paragraph_spans(text: str) -> Iterator[Span]:
    separator = _BLANK_LINES if _BLANK_LINES.search(text) else _LINE_END
    start = 0
    for found in separator.finditer(text):
        if text[start : found.start()].strip():
            yield Span(start, found.start())
        start = found.end()
    if text[start:].strip():
        yield Span(start, len(text))


def _runs(text: str, paragraph: Span, quote: Span | None, *, anchor: bool) -> Iterator[Run]:
    start, end = paragraph.start, paragraph.end
    if quote and max(start, quote.start) < min(end, quote.end):
        inside = Span(max(start, quote.start), min(end, quote.end))
        if start < inside.start:
            yield Run(text[start : inside.start])
        yield Run(text[inside.start : inside.end], marked=True, anchor=anchor)
        start = inside.end
    if start < end:
        yield Run(text[start:end])
