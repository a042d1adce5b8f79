"""Who and what a sentence talks of: its noun phrases, in words that a question can take over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rag.text.names import TITLES, is_known_word, place_of
from rag.text.phrases import Tree
from rag.text.wording import fold, words
from rag.types import Analysis

Kind = Literal["person", "organisation", "place", "thing"]
Gender = Literal["he", "she"]

MAX_WORDS = 9
"""A longer phrase is no name for anything."""

SUBJECT, OBJECT, OTHER = 0, 1, 2

_ROLES = {"nsubj": SUBJECT, "nsubjpass": SUBJECT, "dobj": OBJECT, "attr": OBJECT, "ROOT": OBJECT}
_BEFORE = frozenset("det amod compound nmod nummod poss case quantmod advmod punct".split())
_TIMES_AND_SUMS = frozenset("DATE TIME MONEY PERCENT QUANTITY CARDINAL ORDINAL".split())
_KINDS: dict[str, Kind] = {
    "PERSON": "person",
    "ORG": "organisation",
    "NORP": "organisation",
    "GPE": "place",
    "LOC": "place",
    "FAC": "thing",
}
_ORGANISATIONS = frozenset(
    "agency alliance army association athletic authority bank board broker chamber club college "
    "commission committee company corporation council court department federation firm government "
    "group hospital institute league list maker ministry newspaper observatory office parliament "
    "party police producer rovers school service shipbuilder team union united university "
    "yards".split()
)
_PLACES = frozenset(
    "bay beach cape capital city coast country county district island kingdom lake mount mountain "
    "port province quarter region river sea state strand town valley village".split()
)
_THINGS = frozenset(
    "act arena barrage bill bridge castle cup deal dam festival ferry hall harbour lighthouse "
    "medal museum palace pass path plant refinery road station stadium street toll tower "
    "train treaty weir yard".split()
)
_PEOPLE = frozenset(
    "man woman girl boy official politician author actor actress artist writer scientist expert "
    "biologist zoologist astronomer farmer teacher player striker captain pharmacist midwife "
    "mother father pupil student researcher consultant chairwoman councillor engineer prosecutor "
    "pensioner spokesman spokeswoman hydrologist ecologist forecaster broker colleague predecessor "
    "successor warden keeper packer".split()
)
_WOMEN = frozenset(
    "mrs ms miss lady queen princess dame madam woman girl mother actress chairwoman spokeswoman "
    "congresswoman councilwoman businesswoman postwoman policewoman daughter sister wife".split()
)
_MEN = frozenset(
    "mr sir lord king prince pope father man boy chairman spokesman congressman councilman "
    "businessman postman policeman fisherman son brother husband".split()
)
_DETERMINER = re.compile(
    r"^(?:an?|the|this|that|these|those|no|some|any|every|each|both|all)\s+", re.IGNORECASE
)
_AGED = re.compile(r", \d{1,3}\b(?! [a-z])")
_EMPTY_HEADS = frozenset(
    "one ones thing things way lot kind sort part people somebody anyone someone nobody number "
    "time day year week month".split()
)
_FIELDS = frozenset(
    "foreign external internal affairs defence defense finance interior home energy health trade "
    "education state opposition general vice former acting ex deputy".split()
)
_ROLE_HEADS = TITLES - _ORGANISATIONS - _FIELDS


@dataclass(frozen=True, slots=True)
class Mention:
    """A phrase that names something.

    `heads` are the folded words that it may be called by ("the minister", "the bridge"); `role` is
    its place in the sentence; `start` and `end` are where the phrase stands, titles included.
    """

    text: str
    kind: Kind
    named: bool
    plural: bool
    gender: Gender | None
    heads: frozenset[str]
    role: int
    start: int
    end: int


def mentions(text: str, analysis: Analysis) -> list[Mention]:
    """What a sentence mentions, its subject first, then objects, then the rest, each in order."""
    reader = _Reader(text, analysis)
    found = [mention for i in range(len(analysis.tokens)) if (mention := reader.mention(i))]
    outer = [
        one
        for one in found
        if not any(_covers(two, one) and (two.named or not one.named) for two in found)
    ]
    return sorted(outer, key=lambda one: (one.role, one.start))


def gender_of(titles: frozenset[str]) -> Gender | None:
    """What a title or a noun like "spokeswoman" tells for certain."""
    return "she" if titles & _WOMEN else "he" if titles & _MEN else None


def kind_of_noun(noun: str) -> Kind:
    """What a folded common noun stands for, singular or plural."""
    forms = {noun, noun.removesuffix("s"), noun.removesuffix("es"), noun.removesuffix("ies") + "y"}
    if forms & (_PEOPLE | _ROLE_HEADS | _WOMEN | _MEN):
        return "person"
    return "organisation" if forms & _ORGANISATIONS else "place" if forms & _PLACES else "thing"


class _Reader(Tree):
    def __init__(self, text: str, analysis: Analysis) -> None:
        super().__init__(analysis)
        self._text = text
        self._labels = {
            i: entity.label
            for i, token in enumerate(analysis.tokens)
            for entity in analysis.entities
            if entity.start <= token.start < entity.end
        }

    def mention(self, i: int) -> Mention | None:
        """What the phrase with this head names, if it is one that a question can take over."""
        token = self.tokens[i]
        if token.pos not in {"NOUN", "PROPN"} or token.dep in {"compound", "amod", "nmod"}:
            return None
        if self._labels.get(i) in _TIMES_AND_SUMS or fold(token.text) in _EMPTY_HEADS:
            return None
        first = self._first(i)
        inside = self.tokens[first : i + 1]
        if any(t.pos == "PRON" or t.lemma in {"what", "which", "whose", "many"} for t in inside):
            return None
        written = token.text[:1].isupper() and i > 0
        named = written or (token.pos == "PROPN" and not is_known_word(token.text))
        named |= token.pos == "PROPN" and place_of(token.text) is not None
        last = self._last(i)
        if named and not self._is_office(i):
            last = self._last_of_name(i)
        start, end = self.tokens[first].start, self.tokens[last].end
        phrase = self._text[start:end]
        if len(words(phrase)) > MAX_WORDS or "\n" in phrase:
            return None
        role = _ROLES.get(token.dep, OTHER)
        if token.dep == "dep" and self._text[end : end + 1] == ":":
            role = SUBJECT  # "Mayor Ada Brandt: “…”"
        make = self._named if named else self._common
        return make(i, phrase, role, (start, end))

    def _last_of_name(self, i: int) -> int:
        while i + 1 < len(self.tokens) and self._is_name_part(i + 1):
            i += 1
        return i

    def _is_name_part(self, i: int) -> bool:
        token, before = self.tokens[i], self.tokens[i - 1]
        joined = self._text[before.end : token.start] == " "
        return joined and token.pos == "PROPN" and token.text[:1].isupper()

    def _is_office(self, i: int) -> bool:
        return bool(self.of(i, "prep")) and fold(self.tokens[i].text) in TITLES

    def _named(self, i: int, phrase: str, role: int, place: tuple[int, int]) -> Mention | None:
        name, titles = _without_titles(phrase)
        if not any(word[:1].isalpha() for word in words(name)):
            return None
        last = fold(words(name)[-1])
        aged = _AGED.match(self._text, place[1])  # "Lucan Dreyle, 58,"
        kind = "person" if aged else self._kind_of(i, name, titles, last)
        heads = frozenset({last, *titles}) if is_known_word(last) else titles
        if kind == "person":
            heads = titles | self._called(i)
        return Mention(name, kind, True, False, gender_of(titles), heads, role, *place)

    def _called(self, i: int) -> frozenset[str]:
        """What is said of a name in apposition: "Ada Brandt, a forecaster"."""
        beside = self.of(i, "appos")
        if self.tokens[i].dep == "appos":
            beside.append(self.tokens[i].head)
        nouns = (self.tokens[j] for j in beside)
        return frozenset(fold(t.text) for t in nouns if t.pos == "NOUN")

    def _kind_of(self, i: int, name: str, titles: frozenset[str], last: str) -> Kind:
        if titles:
            return "person"
        first, *_ = parts = [fold(word) for word in words(name)]
        tokens = {*parts}
        if last in _ORGANISATIONS or tokens & {"ministry", "university", "council"}:
            return "organisation"
        if last in _THINGS:
            return "thing"
        if place_of(name) or last in _PLACES or first in _PLACES:
            return "place"
        label = self._labels.get(i, "")
        unknown = len(parts) > 1 and not is_known_word(last) and first not in _THINGS
        if unknown and label not in {"GPE", "LOC"}:
            return "person"  # "Lucan Dreyle", whatever the analyser takes him for
        return _KINDS.get(label, "thing")

    def _common(self, i: int, phrase: str, role: int, place: tuple[int, int]) -> Mention:
        token = self.tokens[i]
        plural = token.text.lower() != token.lemma and fold(token.text).endswith("s")
        noun = fold(token.text)
        return Mention(
            text=_DETERMINER.sub("the ", phrase),
            kind=kind_of_noun(noun),
            named=False,
            plural=plural,
            gender=gender_of(frozenset({noun})),
            heads=frozenset({noun}),
            role=role,
            start=place[0],
            end=place[1],
        )

    def _first(self, i: int) -> int:
        """Where the phrase begins: with its determiner and what describes its head."""
        first = i
        for j in self.children[i]:
            if j < i and self.tokens[j].dep in _BEFORE:
                first = min(first, self._first(j))
        return first

    def _last(self, i: int) -> int:
        """Where it ends: with what "of", "at", "in" and the like narrow it to."""
        last = i
        for j in self.of(i, "prep"):
            if j == last + 1 and self.tokens[j].lemma in {"of", "at", "in", "between", "for", "on"}:
                last = max([last, *(self._end(k) for k in self.of(j, "pobj"))])
        return last

    def _end(self, i: int) -> int:
        within: Iterator[int] = (
            self._end(j) for j in self.children[i] if self.tokens[j].dep in {"conj", "prep", "pobj"}
        )
        return max([i, *within])


def _without_titles(phrase: str) -> tuple[str, frozenset[str]]:
    """A name, and the words of the office before it."""
    phrase = re.sub(r"^(?:the|a|an)\s+(?=\S+\s+\S)", "", phrase, flags=re.IGNORECASE)
    phrase = re.sub(r"[’']s?$", "", phrase)
    parts = phrase.split()
    at = max(
        (n for n, part in enumerate(parts[:-1]) if fold(part.rstrip(".")) in TITLES), default=-1
    )
    rest = parts[at + 1 :]
    if at < 0 or not rest[0][:1].isupper() or fold(rest[-1]) in _ORGANISATIONS | _THINGS:
        return phrase, frozenset()
    return " ".join(rest), frozenset(fold(part.rstrip(".")) for part in parts[: at + 1])


def _covers(outer: Mention, inner: Mention) -> bool:
    return outer is not inner and outer.start <= inner.start and inner.end <= outer.end
