"""Whether a claim keeps the limits within which its source says something: numbers that are
excepted, shares, qualifiers of nouns, what is set aside, and what hangs on what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from rag.text.grammar import FACT, PATIENT, Predicate
from rag.text.lexicon import DENYING_HEADS, OPEN_HEADS
from rag.text.qualifiers import Link, Noun
from rag.text.statements import Source, Statement

_EXCEPT = re.compile(r"\b(?:but|except(?: for)?)\s+$", re.IGNORECASE)
_EVER_SINCE = re.compile(r"\bsince\s+$", re.IGNORECASE)
_SINCE = re.compile(r"\b(?:since|from|starting)\s+(?:(?:in|on)\s+)?$", re.IGNORECASE)
_SHARED_BY: dict[str, set[str | None]] = {
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

_CONFLICTS: tuple[set[str], ...] = (
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


def unreal_objection(claim: Statement, predicate: Predicate, source: Source) -> str | None:
    """Whether the source names what a predicate of the claim tells only as what may never be: "on
    the verge of collapse"."""
    if predicate.certainty == FACT and _is_but_planned(predicate, source):
        return f"the source does not say that “{predicate.text}” happened"
    nouns = [n for s in source.sentences for n in s.qualifiers.nouns if n.words & predicate.words]
    if nouns and all(any(not p & claim.stems for p in n.privatives) for n in nouns):
        return f"the source does not say that “{nouns[0].text}” came about"
    return None


def _is_but_planned(predicate: Predicate, source: Source) -> bool:
    """Whether the source has what a predicate says only as planned, sought or called off, as what
    "they held a concert" says is in "they cancelled a concert"."""
    holders = [
        other
        for sentence in source.sentences
        for other in sentence.predicates
        if any(predicate.words & h for f in other.roles.get(PATIENT, ()) for h in f.heads)
    ]
    return bool(holders) and all(
        other.lemma in OPEN_HEADS | DENYING_HEADS or other.denials for other in holders
    )


def _excepted(claim: Statement, source: Source) -> str | None:
    """Whether a number that the source excepts, as "all but three" does, is told of the rest."""
    for ours in claim.quantities:
        theirs = {
            _is_excepted(sentence.text, q.whole.start)
            for sentence in source.sentences
            for q in sentence.quantities
            if q.value == ours.value
        }
        if theirs and _is_excepted(claim.text, ours.whole.start) not in theirs:
            number = claim.text[ours.whole.start : ours.whole.end].strip()
            return f"the source says it not of {number}, but of all others"
    return None


def _is_excepted(text: str, start: int) -> bool:
    return bool(_EXCEPT.search(text[:start]))


def _since(claim: Statement, source: Source) -> str | None:
    """Whether what was so at a date, or for a time from it on, is told as so ever since."""
    for ours in claim.dates:
        if not _EVER_SINCE.search(claim.text[: ours.span.start]):
            continue
        theirs = [
            sentence.text[: date.span.start]
            for sentence in source.sentences
            for date in sentence.dates
            if date.covers(ours)
        ]
        if theirs and not any(map(_SINCE.search, theirs)):
            date = claim.text[ours.span.start : ours.span.end]
            return f"the source does not say it of all time since {date}"
    return None


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
    crossed = bool(near) and not any(ours.what & t.what for t in near)
    return bool(alike) and (not near or (crossed and any(ours.what & t.what for t in theirs)))


CHECKS: tuple[Callable[[Statement, Source], str | None], ...] = (
    _excepted,
    _since,
    _universal,
    _noun,
    _aside,
    _linked,
)
"""Which limit of the source a claim may have left."""
