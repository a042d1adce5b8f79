"""Whether two sentences of different articles speak of one matter and differ on it.

They must share what they speak of, and differ in a number of the same things, in the date or the
denial of the same deed, or in the name of who alone can have done it. Where anything else could
explain the difference (rounding, another unit, place, period, part or speaker), there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Literal

from rag.text.dates import DateMention, day_of
from rag.text.grammar import AGENT, FACT, OPEN, PATIENT, Predicate
from rag.text.lexicon import SPEECH_VERBS
from rag.text.names import same_person
from rag.text.phrases import Filler, word_meanings
from rag.text.statements import Source, Statement
from rag.text.wording import stem, words
from rag.verification.counts import Count, counts, is_changing
from rag.verification.matters import (
    date_clash,
    dates_of,
    is_told_of_other,
    may_be_same,
    other_period,
    same_context,
    same_roles,
    share,
)

MIN_SHARE = 0.6
"""So much of one sentence the other must say too; tuned on the tuning half of
`evals/gold/conflicts` with `dateline eval conflicts`."""

LONG = 6
"""Of a sentence of so many content words, another on the same matter has two at least."""

SAME_NEWS_DAYS = 7
"""Articles of so many days report the same event."""


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())


_CHANGE = _stems(
    "now since revised revise updated update rise rose risen climbed latest corrected correct "
    "instead longer delayed delay postponed postpone initially previously reversed abandoned "
    "scrapped raised raise lowered lower changed change increased already"
)
"""Words of an article that knows of an earlier state."""

_SINCE = re.compile(
    r"\b(?:after all|no longer|than (?:first )?(?:planned|thought|expected|reported)|"
    r"(?:more|fewer|less|higher|lower) than (?:on|last|a (?:day|week) (?:ago|earlier)))\b",
    re.IGNORECASE,
)
"""The same, in several words."""

_ONCE = _stems(
    "open close begin start end finish complete found build launch die born sign elect appoint "
    "resign arrive discover invent marry leave office inaugurate unveil publish release"
)
"""Deeds with one date; meetings and arrests have many."""

_ALONE = _stems("win won appoint elect become succeed design found invent build discover buy")
"""Deeds that only one can have done."""

_AGAINST = (
    (_stems("approve accept adopt back endorse"), _stems("reject refuse veto oppose block")),
    (_stems("convict convicted guilty"), _stems("acquit acquitted innocent")),
    (_stems("survive survived"), _stems("die died dead")),
    (_stems("confirm"), _stems("deny")),
)
"""Deeds of which the one denies the other."""

_INCEPTIVE = frozenset("begin start launch stage".split())
_FROM_TO = ({"until", "till", "by", "before"}, {"since", "from", "after"})


@dataclass(frozen=True, slots=True)
class Difference:
    """What of a sentence another one contradicts: its words, whether the matter has `changed` in
    the meantime, and how much the two otherwise share, in [0, 1]."""

    kind: Literal["changed", "disagree"]
    said: str
    share: float


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two sentences, a predicate of each, and whether the second was published later."""

    one: Source
    other: Source
    p: Predicate
    q: Predicate

    @property
    def statements(self) -> tuple[Statement, Statement]:
        return self.one.sentences[0], self.other.sentences[0]

    @property
    def dates(self) -> tuple[list[DateMention], list[DateMention]]:
        """Those that belong to the predicates."""
        a, b = self.statements
        return dates_of(a, self.p), dates_of(b, self.q)


@dataclass(frozen=True, slots=True)
class _Found:
    """A difference on one matter: the words of either side that make it, and what it is in."""

    said: str
    besides: frozenset[str]
    about: Literal["number", "date", "denial", "name"]
    growing: bool | None = None  # whether the second number is the larger one


def is_near(one: Source, text: str) -> bool:
    """Whether a text has words enough of a sentence that `difference` may find one: what has fewer
    has no `MIN_SHARE` of it, whatever stands around."""
    content = one.sentences[0].content
    known = frozenset[str]().union(*map(word_meanings, words(text)))
    return sum(not known.isdisjoint(meant) for meant in content) >= 1 + (len(content) >= LONG)


def difference(one: Source, other: Source) -> Difference | None:
    """On what two sentences, each the source of one, differ; None where they need not."""
    a, b = one.sentences[0], other.sentences[0]
    if not a.predicates or not b.predicates or not same_context(one, other):
        return None
    for p, q in product(a.predicates, b.predicates):
        pair = _Pair(one, other, p, q)
        for find in _FINDERS:
            found = find(pair)
            if found and (made := _judged(pair, found)):
                return made
    return None


def _judged(pair: _Pair, found: _Found) -> Difference | None:
    """The difference if both sentences are about the same matter otherwise, with its kind."""
    if is_told_of_other(pair.one, pair.other, found.besides | _CHANGE):
        return None
    shared = share(pair.one, pair.other, found.besides | _CHANGE)
    if shared < MIN_SHARE:
        return None
    kind: Literal["changed", "disagree"] = "changed" if _has_changed(pair, found) else "disagree"
    if kind == "disagree" and (_are_views_of_two(pair, found) or _may_recur(pair, found)):
        return None
    return Difference(kind, found.said, shared)


def _are_views_of_two(pair: _Pair, found: _Found) -> bool:
    """Whether two speakers see it differently; how many were hurt is no view."""
    a, b = pair.statements
    if not a.speaker or not b.speaker or same_person(a.speaker, b.speaker):
        return False
    return found.about != "number" or not all(r.past and r.lemma != "be" for r in (pair.p, pair.q))


def _may_recur(pair: _Pair, found: _Found) -> bool:
    """Whether two votes, matches or measurements may be meant, not one told in two ways: articles
    of different weeks, whose sentences name no common day."""
    ours, theirs = (day_of(source.published) for source in (pair.one, pair.other))
    if found.about not in {"number", "name"} or not ours or not theirs:
        return False
    days = [date(d.year or 1, d.month or 1, d.day or 1) for d in (ours.meant[0], theirs.meant[0])]
    named = any(may_be_same(a, b) for a, b in product(*pair.dates))
    return not named and abs((days[0] - days[1]).days) > SAME_NEWS_DAYS


# What two sentences can differ in.


def _numbers(pair: _Pair) -> _Found | None:
    a, b = pair.statements
    if not _is_certain(pair) or other_period(*pair.dates):
        return None
    ours = [c for c in counts(a) if c.predicate is pair.p and not c.former]
    theirs = list(counts(b)) if ours else []
    for count in ours:
        alike = [c for c in theirs if not c.former and count.measures_as(c)]
        told = [c for c in alike if c.predicate is pair.q]
        if not told or any(count.agrees(c) for c in alike):
            continue
        if not _same_occasion(pair, count, told[0]):
            continue
        span = count.quantity.whole
        growing = told[0].quantity.value > count.quantity.value
        return _Found(a.text[span.start : span.end], frozenset(), "number", growing)
    return None


def _same_occasion(pair: _Pair, ours: Count, theirs: Count) -> bool:
    """Whether the two numbers are of one day and of the same doers."""
    if is_changing(pair.p) or is_changing(pair.q):
        return True
    return not date_clash(*pair.dates) and same_roles(
        pair.one, pair.other, pair.p, pair.q, ours.things & theirs.things
    )


def _dates(pair: _Pair) -> _Found | None:
    a, b = pair.statements
    p, q = pair.p, pair.q
    if not p.words & q.words or p.denials != q.denials or _is_view(pair):
        return None
    planned = p.certainty != FACT or q.certainty != FACT
    if not planned and not p.words & q.words & _ONCE:
        return None
    ours, theirs = pair.dates
    if not date_clash(ours, theirs) or not same_roles(pair.one, pair.other, p, q):
        return None
    if _limit(a.text, ours[0].span.start) != _limit(b.text, theirs[0].span.start):
        return None
    return _Found(a.text[ours[0].span.start : ours[0].span.end], frozenset(), "date")


def _limit(text: str, start: int) -> int:
    """Whether a date is told as an end (0), as a beginning (1) or as the day itself."""
    before = text[:start].split()[-1:]
    return next((i for i, words in enumerate(_FROM_TO) if words.intersection(before)), 2)


def _denials(pair: _Pair) -> _Found | None:
    p, q = pair.p, pair.q
    if _is_view(pair) or not _is_certain(pair) or {p.lemma, q.lemma} & SPEECH_VERBS:
        return None
    same = bool(_deeds(p) & _deeds(q)) and p.denials % 2 != q.denials % 2
    against = (
        any((p.words & x and q.words & y) or (p.words & y and q.words & x) for x, y in _AGAINST)
        and p.denials % 2 == q.denials % 2
    )
    if not same and not against:
        return None
    if date_clash(*pair.dates) or other_period(*pair.dates):
        return None
    if not p.roles or not same_roles(pair.one, pair.other, p, q):
        return None
    return _Found(p.text, p.words | q.words if against else frozenset(), "denial")


def _deeds(predicate: Predicate) -> frozenset[str]:
    """What is done: "begin a strike" is to strike."""
    if predicate.lemma == "be":  # not of what it is said, but what is said of it
        told = (head for f in predicate.roles.get(AGENT, ()) for head in f.heads)
        return predicate.words.difference(*told)
    if predicate.lemma not in _INCEPTIVE:
        return predicate.words
    begun = (head for f in predicate.roles.get(PATIENT, ()) for head in f.heads)
    return predicate.words.union(*begun)


def _names(pair: _Pair) -> _Found | None:
    p, q = pair.p, pair.q
    if not p.words & q.words & _ALONE or p.denials != q.denials or _is_view(pair):
        return None
    if not _is_certain(pair):
        return None
    if date_clash(*pair.dates) or other_period(*pair.dates):
        return None
    for ours, theirs in _renamed(p, q):
        besides = frozenset().union(*ours.names, *theirs.names)
        others = p.roles.keys() & q.roles.keys()
        if others and same_roles(pair.one, pair.other, p, q, besides):
            return _Found(ours.text, besides, "name")
    return None


def _renamed(p: Predicate, q: Predicate) -> Iterator[tuple[Filler, Filler]]:
    """Names in the same role that have nothing in common."""
    for role in (AGENT, PATIENT):
        ours = [f for f in p.roles.get(role, ()) if f.kind == "name"]
        theirs = [f for f in q.roles.get(role, ()) if f.kind == "name"]
        for f, g in product(ours, theirs):
            if not any(name & g.words for name in f.names):
                yield f, g


def _is_certain(pair: _Pair) -> bool:
    """Whether neither tells it only as possible or as one side's word."""
    return not any(r.certainty == OPEN or r.opinion for r in (pair.p, pair.q))


def _is_view(pair: _Pair) -> bool:
    """Whether one of the two is somebody's opinion, or stands in their quotation."""
    return any(
        predicate.opinion or any(s.start <= predicate.start < s.end for s in statement.quotes)
        for predicate, statement in zip((pair.p, pair.q), pair.statements, strict=True)
    )


_FINDERS: tuple[Callable[[_Pair], _Found | None], ...] = (_numbers, _dates, _denials, _names)


# What speaks for change.


def _has_changed(pair: _Pair, found: _Found) -> bool:
    """Whether the later article knows more: it speaks of change, names the older state, is the
    same outlet's, tells as done what was yet to come, or counts more of what only grows."""
    ours, theirs = pair.one.published or "", pair.other.published or ""
    if not ours or not theirs or ours[:10] == theirs[:10]:
        return bool(ours and theirs) and ours != theirs and pair.one.outlet == pair.other.outlet
    turned = ours > theirs
    earlier, later = pair.statements[::-1] if turned else pair.statements
    before, after = (pair.q, pair.p) if turned else (pair.p, pair.q)
    if pair.one.outlet and pair.one.outlet == pair.other.outlet:
        return True
    if later.stems & _CHANGE - earlier.stems or _SINCE.search(later.text):
        return True
    if before.certainty > after.certainty == FACT:
        return True
    values = {c.quantity.value for c in counts(earlier)}
    if any(c.former and c.quantity.value in values for c in counts(later)):
        return True
    grows = found.growing is not None and found.growing != turned
    return grows and "~death" in frozenset().union(*(c.deed for c in counts(earlier)))
