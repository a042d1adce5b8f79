"""What the numbers of a sentence measure, and whether two of them may both be true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.text.grammar import AGENT, PATIENT, Predicate
from rag.text.quantities import Quantity
from rag.text.statements import Statement
from rag.text.wording import stem

ROUNDED = 0.05
"""A round number may be so far from an exact one: "12,000" and "12,400"."""

ABOUT = 0.1
"""A number that is said to be about right may be so far off."""

_REACH = 32  # characters before a number in which its qualifier stands
_ABOUT = re.compile(
    r"\b(?:about|around|some|roughly|approximately|nearly|almost|close to|estimated|circa|"
    r"just (?:over|under|above|below))\W*$",
    re.IGNORECASE,
)
_LEAST = re.compile(
    r"\b(?:more than|over|above|at least|no (?:fewer|less) than|upwards? of|exceed\w*)\W*$",
    re.IGNORECASE,
)
_MOST = re.compile(
    r"\b(?:less than|fewer than|under|below|up to|at most|as (?:many|much) as|no more than)\W*$",
    re.IGNORECASE,
)
_FORMER = re.compile(r"\b(?:instead of|rather than|from|than|not|compared (?:with|to))\W*$", re.I)
_PART_BEFORE = re.compile(
    r"\b(?:including|among (?:them|whom)|another|further|additional|of whom|other|between)\W*$",
    re.IGNORECASE,
)
_PART_AFTER = re.compile(
    r"\W*(?:(?:percent|per cent|%)\W*)?(?:more|fewer|less|additional|extra|others?|further|"
    r"of (?:the|those|them|these|its|his|her|their|whom|which))\b|"
    r"(?: [\w-]+){1,3} (?:more|fewer|less|longer|later|earlier|higher|lower)\b",
    re.IGNORECASE,
)
_LIGHT = frozenset(
    "be have stand reach total amount number include come see remain put set".split()
)
_CHANGING = frozenset(
    "rise raise increase grow climb jump soar fall drop decline cut reduce lower revise correct "
    "update keep leave hold bring push move change hike lift trim estimate put set double".split()
)
_DEATH = frozenset(stem(w) for w in "die dead death kill killed toll fatality".split())


@dataclass(frozen=True, slots=True)
class Count:
    """A number with what it measures: `things` it counts (none where it only has a unit), the
    words of the `deed` or matter that it belongs to, and the predicate that owns it.

    `former` says that it is told as what no longer holds: "instead of 3".
    """

    quantity: Quantity
    things: frozenset[str]
    deed: frozenset[str]
    predicate: Predicate
    before: str
    former: bool

    def measures_as(self, other: Count) -> bool:
        """Whether both measure the same of something, in the same unit."""
        if self.quantity.unit != other.quantity.unit:
            return False
        ours, theirs = self.things, other.things
        if ours and theirs and not ours & theirs:
            return False
        if bool(ours) != bool(theirs) and not (ours or theirs) & (self.deed | other.deed):
            return False
        return bool(self.deed & other.deed)

    def agrees(self, other: Count) -> bool:
        """Whether both numbers may be true: equal, rounded, or within what they leave open."""
        a, b = self.quantity.value, other.quantity.value
        if a == b or _bounds(self, b) or _bounds(other, a):
            return True
        about = _ABOUT.search(self.before) or _ABOUT.search(other.before)
        off = abs(a - b) / max(abs(a), abs(b))
        return bool(off <= ABOUT if about else (off <= ROUNDED and (_is_round(a) or _is_round(b))))


def counts(statement: Statement) -> Iterator[Count]:
    """The numbers that measure the whole of something; those of parts and differences, like
    "two of them" and "300 more", are left out."""
    counted = dict(statement.counted)
    text = statement.text
    for quantity in statement.quantities:
        start, end = quantity.span.start, quantity.whole.end
        before = text[max(0, start - _REACH) : quantity.whole.start]
        owner = next((p for p in statement.predicates if start in p.tokens), None)
        if owner is None or _PART_BEFORE.search(before) or _PART_AFTER.match(text, end):
            continue
        things = counted.get(start, frozenset()) if not quantity.unit else frozenset()
        deed = _deed(owner) - things
        former = bool(_FORMER.search(before)) and not _LEAST.search(before)
        yield Count(quantity, things, deed, owner, before, former)


def _deed(owner: Predicate) -> frozenset[str]:
    """The words of a predicate, or of whom it is told where it says little by itself."""
    words = owner.words
    if is_changing(owner) or owner.lemma in _LIGHT:
        told = (f for role in (AGENT, PATIENT) for f in owner.roles.get(role, ()))
        words = words.union(*(f.words for f in told if f.kind != "number"))
    return words | {"~death"} if words & _DEATH else words


def is_changing(predicate: Predicate) -> bool:
    """Whether a predicate tells that a number moves or stays, as "rose to" does."""
    return predicate.lemma in _CHANGING


def _bounds(count: Count, value: float) -> bool:
    """Whether a number is told as a limit that another one keeps."""
    if _LEAST.search(count.before):
        return value >= count.quantity.value
    return bool(_MOST.search(count.before)) and value <= count.quantity.value


def _is_round(value: float) -> bool:
    """Whether a number of three digits or more has but two that are not zero, or a number with
    decimals has but one of these."""
    if not value.is_integer():
        return round(value, 1) == value
    digits = str(int(abs(value)))
    return len(digits) > 2 and not digits[2:].strip("0")
