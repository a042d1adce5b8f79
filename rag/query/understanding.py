"""Reading a question by rules: when, by whom and about what, quoted words, names, its parts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date

from rag.query.capitals import names_in, read_words
from rag.query.outlets import NamedOutlets, OutletNames
from rag.query.periods import periods
from rag.query.subquestions import subquestions
from rag.types import Filters, Period, Question, Span, Understanding, Understood

_QUOTED = re.compile(
    r"“([^“”\"]+)[”\"]|„([^„“”]+)[“”]|«([^«»]+)»|»([^«»]+)«|‹([^‹›]+)›|「([^「」]+)」|"
    r"(?<!\w)\"([^\"]+)\"|``(.+?)''|(?<!\w)‘(.+?)’(?!\w)|(?<!\w)'(?=[^\W\d])(.+?)(?<=\S)'(?!\w)"
)
_LATEST = re.compile(
    r"(?<!at the )\b(?:latest|newest|most recent(?:ly)?)\b|\bup[- ]to[- ]date\b|"
    r"\bbreaking (?:news|story|stories)\b|\btoday['’]s\b|\bcurrently\b|"
    r"\b(?:right|just|as of|even) now\b|(?<!until )(?<!till )(?<!by )(?<!from )\bnow\b"
    r"(?!-| (?:that|and then|known|called|named|defunct|deceased|former)\b)|"
    r"\bso far\b(?!-| (?:as|from|away|apart|behind|ahead)\b)|\bat (?:the moment|present)\b|"
    r"\bthese days\b|\bas (?:it|things) stands?\b|\brecently\s*(?=[?.!]|$)|"
    r"\b(?:what|who|which|how)\b[^,.?!]{0,40}(?: the|['’]s?) current\b(?! (?:account|of|in)\b)|"
    r"\brecent (?:news|developments?|updates?|reports?|articles?|coverage|statements?|remarks)\b|"
    r"\b(?:any|what) (?:updates?|news) (?:on|about|of|from)\b|\bwhat(?:['’]s| is) (?:the )?new\b",
    re.IGNORECASE,
)


def understand(
    question: Question, outlets: Collection[str], today: date | None = None
) -> Understanding:
    """What a question says of when, by whom and about what.

    `outlets` are the library's; give `OutletNames`, which is a collection, to have many of them
    prepared once. Dates are counted from `as_of`, else from `today`. Filters bind: what they give
    stands in `understood`, and periods outside of them are left out.
    """
    text = question.text
    words = read_words(text)
    known = outlets if isinstance(outlets, OutletNames) else OutletNames(outlets)
    named = known.named(text, words)
    quoted = [span for span in _quoted(text) if not _is_outlet(text, span, named)]
    plain = _blanked(text, [*quoted, *named.spans])
    found = _within(periods(plain, _anchor(question.as_of, today)), question.filters)
    names = names_in(text, words, named.spans)
    first, last = _hull(found)
    filters = question.filters
    understood = Understood(
        as_of=question.as_of,
        published_from=filters.published_from or first,
        published_to=filters.published_to or last,
        outlets=filters.outlets or named.outlets,
        latest=_wants_latest(plain),
    )
    return Understanding(
        understood=understood,
        periods=found,
        phrases=tuple(dict.fromkeys(text[span.start : span.end] for span in quoted)),
        names=names,
        parts=subquestions(plain, text, [word.start for word in words if word.first], names),
    )


def _quoted(text: str) -> list[Span]:
    """The insides of quotation marks of any style, a comma or stop at their end left out."""
    spans: list[Span] = []
    for match in _QUOTED.finditer(text):
        start, end = match.span(match.lastindex or 0)
        inside = text[start:end]
        start += len(inside) - len(inside.lstrip())
        kept = inside.rstrip(" \t\n,.;")
        if sum(char.isalnum() for char in kept) > 1:
            spans.append(Span(start, end - len(inside) + len(kept)))
    return spans


def _is_outlet(text: str, quoted: Span, named: NamedOutlets) -> bool:
    """Whether nothing but an outlet's name is quoted, "the" and the like aside."""
    return any(
        quoted.start <= span.start
        and span.end <= quoted.end
        and (span.end - span.start) * 2 > quoted.end - quoted.start
        for span in named.spans
    )


def _blanked(text: str, spans: Iterable[Span]) -> str:
    """The text with these spans as filler of equal length, which is no word of any rule."""
    for span in spans:
        text = text[: span.start] + "_" * (span.end - span.start) + text[span.end :]
    return text


def _anchor(as_of: str | None, today: date | None) -> date:
    try:
        return date.fromisoformat((as_of or "")[:10])
    except ValueError:
        return today or date.today()


def _within(found: Iterable[Period], filters: Filters) -> tuple[Period, ...]:
    first, last = filters.published_from or "", filters.published_to or "9999"
    return tuple(
        period
        for period in found
        if (period.first or "") <= last and first <= (period.last or "9999")
    )


def _hull(found: tuple[Period, ...]) -> tuple[str | None, str | None]:
    """From the earliest to the latest day of the periods, open where one of them is."""
    if not found:
        return None, None
    firsts = [period.first for period in found if period.first]
    lasts = [period.last for period in found if period.last]
    return (
        min(firsts) if len(firsts) == len(found) else None,
        max(lasts) if len(lasts) == len(found) else None,
    )


def _wants_latest(text: str) -> bool:
    """Whether the newest is asked for; a capital inside a sentence is a name's: "Born Now"."""
    return any(
        not match.group()[:1].isupper()
        or text.isupper()
        or not re.search(r"\w\s*$", text[: match.start()])
        for match in _LATEST.finditer(text)
    )
