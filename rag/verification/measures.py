"""What stands around the numbers and dates of a claim and of its source: "at least", "by" for "to",
"a day", "in China", "until"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rag.text.dates import DateMention
from rag.text.lexicon import CHANGES
from rag.text.quantities import Quantity
from rag.text.statements import Source, Statement
from rag.text.wording import stem, words
from rag.types import Span

_BOUNDS = {
    "max": r"up to|as (?:many|much) as|at most|no more than|not more than|a maximum of",
    "min": r"at least|no (?:fewer|less) than|not less than|a minimum of",
    "near": r"nearly|almost|close to|just (?:under|below)|just short of",
    "over": r"(?:well |far |just )?(?:more than|over|above)|in excess of|upwards of"
    r"|exceed(?:s|ed|ing)?",
    "under": r"(?:well |far )?(?:(?:less|fewer) than|under|below)",
    "about": r"about|around|roughly|approximately|an estimated",
    "exact": r"exactly|precisely",
}
_BOUND = re.compile(
    r"\b(?:" + "|".join(f"(?P<{name}>{words})" for name, words in _BOUNDS.items()) + r")\s+$",
    re.IGNORECASE,
)
# What a claim may say of a number of which the source says one of these.
CARRIED_BY: dict[str | None, set[str | None]] = {
    None: {None, "exact"},
    "exact": {None, "exact"},
    "min": {None, "exact", "min", "over"},
    "over": {"over"},
    "max": {"max", "under"},
    "under": {"under", "near"},
    "near": {"near"},
    "more": {"more"},
    "less": {"less"},
    "range": {"range"},
    "about": {None, "exact", "about", "near"},
}
_GREATER = frozenset("more higher greater longer later older".split())
_GAP = re.compile(
    r"\s+(?:[a-z]+\s+)?(more|higher|greater|longer|later|older|less|fewer|lower|shorter|earlier|younger)"
    r"\s+than\b"
)
_RANGE = re.compile(r"\bbetween\s+(?:[$€£₹]?[\d.,]+\s*(?:%|[a-z]+)?\s+and\s+[$€£₹]?)?$")
_TIMES = frozenset("second minute hour day week month year decade".split())
_COURSE = re.compile(r"(\S+)\s+(by|to|from)\s+$")
_AVERAGE = re.compile(r"(?:an?|the)\s+(?:\w+\s+){1,2}of\s+$")
_RATE = re.compile(
    r"(?:[\s-](?!(?:in|after|for|within|once|half|than|from|of|on|and|or)\b)[a-z-]+){0,3}?\s+(?:"
    r"(?:an?|each|every)\s+(?P<time>second|minute|hour|day|night|week|month|quarter|year|season)\b"
    r"(?!\s+(?:after|before|earlier|later|ago|since|when|of|and)\b)"
    r"|per\s+(?P<each>[a-z]+)|(?P<often>hourly|daily|weekly|monthly|yearly|annually)\b)"
)
_OFTEN = {"dai": "day", "annual": "year", "annum": "year"}
_OFTEN_SAID = re.compile(
    r"\b(?:(?:an?|each|every|per|the)\s+(\w+)|(hourly|daily|weekly|monthly|yearly|annually|annual))\b"
)
_AFTER = re.compile(r"(?:\s+[a-z-]+)?\s+(in|on|at|from|for|against)\s+(?:the\s+)?([^\W_]+)")
_BEFORE = re.compile(r"([A-Za-z]+)\s+(in|on|at|by|to|from|for|of|until|till|since)\s+$")
_LISTED = re.compile(
    r"[\s,]*(?:(?:and|or|to|through)\b[\s,]*)?(?:(?:in|on|of|to|at|by|from)\b)?\s*"
)
_LIMIT = re.compile(
    r"\b(?P<limit>(?:than|on) (?:in|on|at|for)|until|till|through|by|before|since|from|after|on|in"
    r"|at)\s+(?:the\s+)?"
    r"(?:(?P<part>early|mid|late|end of|close of|beginning of|start of|middle of)[\s-]+)?$",
    re.IGNORECASE,
)
_SPAN = re.compile(r"\bbetween\s+(?:[\w ]{3,20}\s+and\s+)?$|\bfrom\s+[\w ]{3,20}\s+to\s+$")
_LIMITS = {
    "until": "end", "till": "end", "through": "end", "by": "end", "before": "end",
    "since": "start", "from": "start", "after": "after", "on": "at", "in": "at", "at": "at",
}  # fmt: skip
_PARTS = {"end": "late", "close": "late", "late": "late", "mid": "mid", "middle": "mid"}

Reason = str | None


def _same(ours: Quantity, source: Source) -> list[tuple[Statement, Quantity]]:
    return [
        (sentence, quantity)
        for sentence in source.sentences
        for quantity in sentence.quantities
        if quantity.value == ours.value and (not ours.unit or quantity.unit == ours.unit)
    ]


def _at(statement: Statement, quantity: Quantity) -> str:
    return statement.text[quantity.whole.start : quantity.whole.end].strip()


def _things(claim: Statement, source: Source) -> Reason:
    """ "300 people, some of them children" are not 300 children."""
    for ours in claim.quantities:
        noun = dict(claim.counted).get(ours.span.start, frozenset())
        theirs = [dict(s.counted).get(q.span.start) for s, q in _same(ours, source)]
        known = [other for other in theirs if other]
        if noun & source.words and known and not any(noun & other for other in known):
            return f"the source has {_at(claim, ours)} of something else"
    return None


def _bounds(claim: Statement, source: Source) -> Reason:
    """ "At least 40" is neither "40" nor "up to 40"."""
    for ours in claim.quantities:
        theirs = {_bound(sentence, q) for sentence, q in _same(ours, source)}
        if theirs and not theirs & CARRIED_BY[_bound(claim, ours)]:
            return f"the source says more or less than “{_at(claim, ours)}”"
    return None


def _bound(statement: Statement, quantity: Quantity) -> str | None:
    before = statement.text[: quantity.whole.start]
    gap = _GAP.match(statement.text, quantity.whole.end)
    if gap:
        return "more" if gap[1] in _GREATER else "less"
    if _RANGE.search(before):
        return "range"
    kind = bound(before)
    return None if kind == "over" and quantity.unit in _TIMES else kind


def bound(before: str) -> str | None:
    """What kind of bound ends a text that stands before a number: "at least" is a "min"."""
    found = _BOUND.search(before)
    return found.lastgroup if found else None


def _unbounded(statement: Statement, start: int) -> str:
    """What stands before a number, but for "at least" and the like."""
    return _BOUND.sub("", statement.text[:start])


def _courses(claim: Statement, source: Source) -> Reason:
    """ "Rose to 4 percent" is not "rose by 4 percent"."""
    for ours in claim.quantities:
        course = _course(claim, ours)
        theirs = {_course(sentence, q) for sentence, q in _same(ours, source)}
        if course and theirs and None not in theirs and course not in theirs:
            return f"the source has “{min(map(str, theirs))} {_at(claim, ours)}”, not “{course}”"
    return None


def _course(statement: Statement, quantity: Quantity) -> str | None:
    before = _AVERAGE.sub("", _unbounded(statement, quantity.whole.start))
    found = _COURSE.search(before)
    if found:
        is_range = found[2] == "to" and found[1][-1:].isdecimal()
        return None if is_range else found[2]
    last = words(before[-30:])
    return "by" if last and before.endswith(" ") and stem(last[-1]) in CHANGES else None


def _rates(claim: Statement, source: Source) -> Reason:
    """ "Three a day" is neither "three" nor "three a week"."""
    for ours in claim.quantities:
        same = _same(ours, source)
        rate, theirs = _rate(claim, ours), {_rate(sentence, q) for sentence, q in same}
        if not same or rate in theirs:
            continue
        told = _said_rates(claim.text if rate is None else source.text)
        if rate is None:
            wrong = not any(other in told for other in theirs if other)
        else:
            wrong = theirs != {None} or rate not in told or bool(_any_rate(source))
        if wrong:
            return f"the source does not have “{_at(claim, ours)}” for as long or as many"
    return None


def _rate(statement: Statement, quantity: Quantity) -> str | None:
    found = _RATE.match(statement.text, quantity.whole.end)
    return _rated(next(part for part in found.groups() if part)) if found else None


def _rated(word: str) -> str:
    bare = word.lower().removesuffix("ly")
    return stem(_OFTEN.get(bare, bare))


def _said_rates(text: str) -> set[str]:
    return {_rated(word) for pair in _OFTEN_SAID.findall(text.lower()) for word in pair if word}


def _any_rate(source: Source) -> bool:
    return any(_rate(s, q) for s in source.sentences for q in s.quantities)


def _neighbours(claim: Statement, source: Source) -> Reason:
    """What follows a number must not follow another in the source: "3 in China and 2 in Europe"."""
    for ours in claim.quantities:
        after = _follower(claim, ours)
        same = {_follower(sentence, q) for sentence, q in _same(ours, source)}
        others = {
            _follower(sentence, q)
            for sentence in source.sentences
            for q in sentence.quantities
            if q.value != ours.value and q.unit in ("", ours.unit)
        }
        if after and after not in same and same - {None} and after in others:
            return f"the source has another number than {_at(claim, ours)} there"
    return None


def _follower(statement: Statement, quantity: Quantity) -> tuple[str, str] | None:
    found = _AFTER.match(statement.text, quantity.whole.end)
    return (found[1], stem(found[2])) if found else None


def _places(claim: Statement, source: Source) -> Reason:
    """ "Opened on 1 June" is not "opened on 2 June", whatever was on that."""
    for key, ours in _led(claim):
        known = [
            (sentence, span, same)
            for sentence in source.sentences
            for key2, theirs in _led(sentence)
            for span, same in [_compared(ours, theirs)]
            if key == key2 and same is not None
        ]
        listed = (same or _is_listed(sentence, span, ours) for sentence, span, same in known)
        if known and not any(listed):
            return f"the source has another number or date for “{' '.join(key)}”"
    return None


def _led(statement: Statement) -> Iterator[tuple[tuple[str, str], Quantity | DateMention]]:
    """The numbers and dates of a text with the word and preposition right before them."""
    for quantity in statement.quantities:
        found = _BEFORE.search(_unbounded(statement, quantity.whole.start))
        if found:
            yield (stem(found[1]), found[2]), quantity
    for date in statement.dates:
        found = _BEFORE.search(statement.text[: date.span.start])
        if found:
            yield (stem(found[1]), found[2]), date


def _compared(
    ours: Quantity | DateMention, theirs: Quantity | DateMention
) -> tuple[Span, bool | None]:
    """Where theirs ends, and whether it is ours; None where the two cannot be compared."""
    if isinstance(ours, Quantity) and isinstance(theirs, Quantity):
        alike = ours.unit == theirs.unit
        return theirs.whole, ours.value == theirs.value if alike else None
    if isinstance(ours, DateMention) and isinstance(theirs, DateMention):
        return theirs.span, theirs.covers(ours) if _grain(ours) == _grain(theirs) else None
    return Span(0, 0), None


def _grain(date: DateMention) -> tuple[bool, bool]:
    first = date.meant[0]
    return first.month is not None, first.day is not None


def _is_listed(sentence: Statement, span: Span, ours: Quantity | DateMention) -> bool:
    """Whether ours stands in one list with what stands at the span."""
    rest = _LISTED.match(sentence.text, span.end)
    place = rest.end() if rest else span.end
    if isinstance(ours, DateMention):
        return any(d.span.start == place and d.covers(ours) for d in sentence.dates)
    return any(q.whole.start == place and q.value == ours.value for q in sentence.quantities)


def _limits(claim: Statement, source: Source) -> Reason:
    """ "By the end of May" is neither "in May", "from May" nor "by May"."""
    for ours in claim.dates:
        limit, part = _limit(claim, ours)
        theirs = {
            _limit(sentence, date)
            for sentence in source.sentences
            for date in sentence.dates
            if date.covers(ours)
        }
        if theirs and not any(_is_within(limit, part, *other) for other in theirs):
            return f"the source has another limit than “{claim.text[: ours.span.end][-30:]}”"
    return None


def _limit(statement: Statement, date: DateMention) -> tuple[str, str]:
    before = statement.text[: date.span.start]
    if _SPAN.search(before):
        return "range", ""
    found = _LIMIT.search(before)
    if not found:
        return "at", ""
    part = (found["part"] or "").lower().split(" ")[0]
    limit = found["limit"].lower()
    return "than" if " " in limit else _LIMITS[limit], _PARTS.get(part, "early") if part else ""


def _is_within(limit: str, part: str, their_limit: str, their_part: str) -> bool:
    if part and part != their_part:
        return False
    if limit != their_limit and their_limit != "at":
        return False
    return not (their_part and not part and limit in {"end", "after"})


CHECKS: tuple[Callable[[Statement, Source], Reason], ...] = (
    _things,
    _bounds,
    _courses,
    _rates,
    _neighbours,
    _places,
    _limits,
)
"""What a claim may say of its numbers and dates that the source does not."""
