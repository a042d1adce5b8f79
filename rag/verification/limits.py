"""Whether a claim keeps the limits within which its source says something: bounds of numbers and
dates, shares, qualifiers of nouns, what is set aside, and what hangs on what."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rag.text.qualifiers import Link, Noun
from rag.text.statements import Source, Statement

_BOUNDS = (
    ("except", r"\b(?:but|except(?: for)?|all but)"),
    ("exact", r"\b(?:exactly|precisely)"),
    ("most", r"\b(?:up to|as many as|as much as|at most|(?:no|not) more than|a maximum of)"),
    ("least", r"\b(?:at least|(?:no|not) (?:less|fewer) than|a minimum of)"),
    ("less", r"\b(?:less than|fewer than|under|below|lower than)"),
    ("near", r"\b(?:nearly|almost|close to|just short of)"),
    ("more", r"\b(?:more than|over|above|upwards of|in excess of|exceed(?:s|ed|ing)?)"),
    ("about", r"\b(?:about|around|roughly|approximately|an estimated|estimated|some)"),
)
_BOUND = tuple(
    (kind, re.compile(rf"{words}\s+(?:(?:a|an|the)\s+)?[$€£₹¥]?$", re.IGNORECASE))
    for kind, words in _BOUNDS
)
_BOUND_BY = {
    "": {"", "least", "more", "about"},
    "about": {"", "about", "near", "most", "least", "more", "less"},
    "least": {"least", "more", ""},
    "more": {"more"},
    "near": {"near", "less"},
    "less": {"less", "near"},
    "most": {"most"},
    "exact": {"exact"},
    "except": {"except"},
}
"""What a source must say of a number where a claim says this of it."""

_DATED = (
    ("until", re.compile(r"\b(?:until|till|through|up to)\s+(?:\w+\s+)?$", re.IGNORECASE)),
    ("since", re.compile(r"\bsince\s+(?:\w+\s+)?$", re.IGNORECASE)),
    ("before", re.compile(r"\b(?:before|by|prior to|ahead of)\s+(?:\w+\s+)?$", re.IGNORECASE)),
    ("after", re.compile(r"\bafter\s+(?:\w+\s+)?$", re.IGNORECASE)),
)
_SHARED_BY = {
    "few": {"few"},
    "some": {"some", "many", "most", "half", "third", "quarter", "all", None},
    "many": {"many", "most", "all", None},
    "most": {"most", "all", "except", None},
    "except": {"except"},
    "half": {"half", None},
    "third": {"third", None},
    "quarter": {"quarter", None},
    "all": {"all", None},
}
"""The shares in a source that bear one in a claim; None: a word of the claim that speaks of the
thing without share is left to the other checks."""

_CONFLICTS = (
    {"before", "after"},
    {"before", "since"},
    {"until", "since"},
    {"until", "after"},
    {"because", "despite"},
    {"if", "unless"},
)
_UNIVERSAL = re.compile(
    r"\b(?P<narrowed>(?:not|n't|nearly|almost|virtually|practically)\s+)?"
    r"(?P<word>all|every|everyone|everybody|everything|always)\b"
    r"(?P<less>(?:\s+\w+)?\s+(?:but|except|save)\b)?",
    re.IGNORECASE,
)


def limit_objection(claim: Statement, source: Source) -> str | None:
    """Which limit of the source the claim has left, in words; None if none."""
    return (
        _bound(claim, source)
        or _date_bound(claim, source)
        or _universal(claim, source)
        or _noun(claim, source)
        or _aside(claim, source)
        or _linked(claim, source)
    )


def _bound(claim: Statement, source: Source) -> str | None:
    """Whether a number is told as more, less or more exact than the source has it."""
    for ours in claim.quantities:
        theirs = {
            bound_of(sentence.text, q.whole.start)
            for sentence in source.sentences
            for q in sentence.quantities
            if q.value == ours.value and (q.unit == ours.unit or not q.unit or not ours.unit)
        }
        if theirs and not theirs & _BOUND_BY[bound_of(claim.text, ours.whole.start)]:
            number = claim.text[ours.whole.start : ours.whole.end].strip()
            return f"the source does not say so many as {number}, but “{min(theirs)}”"
    return None


def bound_of(text: str, start: int) -> str:
    """What stands before a number that makes it a bound: "least", "most", "near" …"""
    before = text[max(0, start - 30) : start]
    return next((kind for kind, pattern in _BOUND if pattern.search(before)), "")


def _date_bound(claim: Statement, source: Source) -> str | None:
    """Whether "until June" stands for "since June", or for "in June"."""
    for ours in claim.dates:
        theirs = {
            _dated(sentence.text, date.span.start)
            for sentence in source.sentences
            for date in sentence.dates
            if date.covers(ours)
        }
        here = _dated(claim.text, ours.span.start)
        if theirs and here not in theirs and (here or "" not in theirs):
            date = claim.text[ours.span.start : ours.span.end]
            return f"the source does not say it of this side of {date}"
    return None


def _dated(text: str, start: int) -> str:
    before = text[max(0, start - 24) : start]
    return next((kind for kind, pattern in _DATED if pattern.search(before)), "")


def _universal(claim: Statement, source: Source) -> str | None:
    """Whether "all" stands for "not all" or "all but one", and "none" for "not all"."""
    ours, theirs = _universals([claim.text]), _universals(s.text for s in source.sentences)
    words = {word for word, _, _ in theirs}
    for word, narrowed, less in ours:
        if word in words and (word, narrowed, less) not in theirs:
            return f"the source does not say it of “{word}”"
    if claim.negated and not ours and any(narrowed == "not" for _, narrowed, _ in theirs):
        return "the source denies it not of all"
    return None


def _universals(texts: Iterable[str]) -> set[tuple[str, str, bool]]:
    return {
        (found["word"].lower(), (found["narrowed"] or "").strip().lower(), bool(found["less"]))
        for text in texts
        for found in _UNIVERSAL.finditer(text)
    }


def _noun(claim: Statement, source: Source) -> str | None:
    """Whether something is told of more, or of other things than the source tells it of."""
    known = [noun for sentence in source.sentences for noun in sentence.qualifiers.nouns]
    for noun in claim.qualifiers.nouns:
        theirs = [there for there in known if there.words & noun.words]
        if theirs and all(_lacks(noun, there, claim) for there in theirs):
            there = theirs[0]
            return f"the source says “{there.text}” only of some, or of what is none"
    return None


def _lacks(noun: Noun, there: Noun, claim: Statement) -> bool:
    """Whether a claim's noun says more than this one of the source."""
    if any(not stems & claim.stems for stems in there.privatives):
        return True
    if noun.share:
        return there.share not in _SHARED_BY[noun.share]
    if noun.parted:
        return False
    same = noun.count == there.count != ""
    whole = there.parted and there.definite and noun.definite
    return there.share == "few" or whole or (there.parted and same)


def _aside(claim: Statement, source: Source) -> str | None:
    """Whether what the one sets aside, as "instead of" does, is what the other has."""
    theirs = [s.qualifiers for s in source.sentences]
    apart = frozenset().union(*(m for q in theirs for _, m in q.aside))
    kept = frozenset().union(*(m for q in theirs for _, m in q.kept))
    if not claim.negated:
        for text, meanings in claim.qualifiers.kept:
            if meanings & apart and not meanings & kept:
                return f"the source sets “{text}” aside"
    if not any(sentence.negated for sentence in source.sentences):
        for text, meanings in claim.qualifiers.aside:
            if meanings & kept and not meanings & apart:
                return f"the source does not set “{text}” aside"
    return None


def _linked(claim: Statement, source: Source) -> str | None:
    """Whether one thing is told as the cause, condition or time of another, otherwise than so."""
    theirs = [link for sentence in source.sentences for link in sentence.qualifiers.links]
    for ours in claim.qualifiers.links:
        same = [t for t in theirs if ours.what & t.what and ours.by & t.by]
        swapped = [t for t in theirs if ours.what & t.by and ours.by & t.what]
        if any(t.kind == ours.kind for t in same):
            continue
        if any({t.kind, ours.kind} in _CONFLICTS for t in same) or any(
            t.kind == ours.kind for t in swapped
        ):
            return f"the source does not say “{ours.kind}” of this"
        if ours.kind in {"because", "despite"} and _is_another(ours, theirs):
            return f"the source says “{ours.kind}” of something else"
    return None


def _is_another(ours: Link, theirs: list[Link]) -> bool:
    """Whether the source has such a link, but to nothing that the claim has."""
    alike = [t for t in theirs if t.kind == ours.kind]
    near = [t for t in alike if ours.by & t.by]
    crossed = near and not any(ours.what & t.what for t in near)
    return bool(alike) and (not near or (crossed and any(ours.what & t.what for t in theirs)))
