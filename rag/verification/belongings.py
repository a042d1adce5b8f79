"""To which of a sentence's predicates its numbers and dates belong."""

from __future__ import annotations

import re

from rag.text.grammar import AGENT, Predicate
from rag.text.phrases import Filler
from rag.text.quantities import Quantity
from rag.text.statements import Statement

_SCORE = re.compile(r"[-–]\d|.?\d+[-–]\d")


def holds(there: Filler, filler: Filler) -> bool:
    """Whether a phrase of the source has all that the claim's names."""
    return all(head & there.words for head in filler.heads)


def number_objection(
    claim: Statement, predicate: Predicate, sentence: Statement, other: Predicate
) -> str | None:
    """A number or date that belongs to another predicate of the source."""
    ours = _owned(claim, predicate)
    theirs = _owned(sentence, other)
    for unit, values in ours.items():
        known = theirs.get(unit)
        if known and not values & known:
            return f"the source has another number for “{other.text}”"
    mine = [d for d in claim.dates if _owns(predicate, d.span.start, d.span.end)]
    dates = [d for d in sentence.dates if _owns(other, d.span.start, d.span.end)]
    if dates and any(not any(there.covers(date) for there in dates) for date in mine):
        return f"the source has another date for “{other.text}”"
    return _stray(claim, predicate, sentence, other)


def _stray(
    claim: Statement, predicate: Predicate, sentence: Statement, other: Predicate
) -> str | None:
    """A number or date that only others have in the source: in a clause like ", who came in May,",
    or of what somebody else does."""
    measured = [
        (q.span, [t.span for t in _same(q, sentence)])
        for q in claim.quantities
        if not _SCORE.match(claim.text, max(0, q.span.start - 1))
    ]
    measured += [(d.span, [t.span for t in sentence.dates if t.covers(d)]) for d in claim.dates]
    for span, places in measured:
        bearers = [p for p in sentence.predicates for s in places if _owns(p, s.start, s.end)]
        if not bearers or other in bearers or not _owns(predicate, span.start, span.end):
            continue
        if any(p.words & bearer.words for p in claim.predicates for bearer in bearers):
            continue
        if all(_is_apart(bearer, other) for bearer in bearers):
            return f"the source has {claim.text[span.start : span.end]} not for “{other.text}”"
    return None


def _same(quantity: Quantity, sentence: Statement) -> list[Quantity]:
    return [q for q in sentence.quantities if (q.value, q.unit) == (quantity.value, quantity.unit)]


def _is_apart(bearer: Predicate, other: Predicate) -> bool:
    """Whether two predicates of a sentence share nothing: the one with a number stands in a clause
    aside, or each has its own subject."""
    if bearer.aside and not other.aside:
        return True
    theirs, ours = bearer.roles.get(AGENT, ()), other.roles.get(AGENT, ())
    if not theirs or not ours or any(f.kind not in {"name", "noun"} for f in (*theirs, *ours)):
        return False
    taking_part = [f for fillers in other.roles.values() for f in fillers]
    return not any(holds(a, b) or holds(b, a) for a in taking_part for b in theirs)


def _owned(statement: Statement, predicate: Predicate) -> dict[str, set[float]]:
    found: dict[str, set[float]] = {}
    for quantity in statement.quantities:
        if _owns(predicate, quantity.span.start, quantity.span.end):
            found.setdefault(quantity.unit, set()).add(quantity.value)
    return found


def _owns(predicate: Predicate, start: int, end: int) -> bool:
    return any(start <= token < end for token in predicate.tokens)
