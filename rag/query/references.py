"""What the pronouns and definite phrases of a question point back to in the conversation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rag.query.mentions import SUBJECT, Mention, gender_of, kind_of_noun, mentions
from rag.text.lexicon import SPEECH_VERBS
from rag.text.phrases import Tree
from rag.text.wording import fold, words
from rag.types import Analysis, Span

_HE = frozenset("he him his himself".split())
_SHE = frozenset("she her hers herself".split())
_THEY = frozenset("they them their theirs themselves".split())
_IT = frozenset("it its itself".split())
_THIS = frozenset("this that these those".split())
_OWNING = frozenset("his hers its their theirs".split())
_WEATHER = frozenset("rain snow hail thunder freeze".split())
_PLACED = frozenset("in at on from near into around".split())
_NARROWING = frozenset("amod compound prep relcl poss nmod nummod acl appos".split())
_GENERIC = {
    "person": frozenset(
        "man woman person official politician author expert minister mayor president leader "
        "spokesman spokeswoman scientist researcher".split()
    ),
    "organisation": frozenset(
        "company firm group organisation organization union club team party agency".split()
    ),
    "place": frozenset("city town village island country valley region state".split()),
}
_SAID_WORDS = 30
"""Of a statement that "that" stands for, so many words are taken over."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of a question, and what stands there instead."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a conversation has mentioned, the most present first, and its last statement.

    `recent` is the part of `all` that the last question and its answer mention; `asked_for` comes
    before it where it fits: whom, what or where the last question asked for. `day` is a time that
    the last answer gives, with its preposition, `places` where that says that something is.
    """

    recent: Sequence[Mention] = ()
    all: Sequence[Mention] = ()
    asked_for: Sequence[Mention] = ()
    statement: str = ""
    day: str = ""
    places: Sequence[Mention] = ()

    def fullest(self, mention: Mention) -> str:
        """A name as it was first given: "Orla Meskin" for "Meskin", if there is but one."""
        if not mention.named:
            return mention.text
        last = words(mention.text)[-1:]
        longer = {
            m.text
            for m in self.all
            if m.named and words(m.text)[-1:] == last and len(words(m.text)) > 1
        }
        return longer.pop() if len(words(mention.text)) == 1 and len(longer) == 1 else mention.text

    def first(self, fits: Callable[[Mention], bool]) -> Mention | None:
        """The most present mention that fits."""
        return next((m for m in (*self.asked_for, *self.recent, *self.all) if fits(m)), None)


def points_back(text: str, analysis: Analysis) -> bool:
    """Whether a question has a pronoun that stands for something outside of it."""
    return any(True for _ in _Resolver(text, analysis, Recalled()).dangling())


def resolved(text: str, analysis: Analysis, recalled: Recalled) -> list[Edit]:
    """How to say in full what a question only points at; nothing for what is not recalled."""
    return list(_Resolver(text, analysis, recalled).edits())


class _Resolver(Tree):
    def __init__(self, text: str, analysis: Analysis, recalled: Recalled) -> None:
        super().__init__(analysis)
        self._text = text
        self._recalled = recalled
        self._own = mentions(text, analysis)
        self._named = {fold(word) for m in self._own if m.named for word in words(m.text)}

    def dangling(self) -> Iterator[int]:
        """The pronouns without an antecedent in the question itself."""
        for i, token in enumerate(self.tokens):
            word = fold(token.text)
            if word in _HE | _SHE | _THEY | _IT:
                if not self._is_empty(i) and not self._has_antecedent(i):
                    yield i
            elif word in _THIS:
                if self._is_demonstrative(i):
                    yield i
            elif (word == "there" and self._is_place(i)) or (word == "then" and i > 0):
                yield i

    def edits(self) -> Iterator[Edit]:
        """One edit for each pronoun and definite phrase that can be told in full."""
        said: set[str] = set()
        for i in self.dangling():
            told = self._told(i)
            if told and re.sub(r"[’']s?$", "", told) not in said:  # then the pronoun is understood
                said.add(re.sub(r"[’']s?$", "", told))
                yield Edit(Span(self.tokens[i].start, self.tokens[i].end), told)
        for i, token in enumerate(self.tokens):
            if token.pos in {"NOUN", "PROPN"} and (the := self._bare_determiner(i)) is not None:
                meant = self._meant(i)
                if meant:
                    yield Edit(Span(self.tokens[the].start, token.end), meant)

    # Pronouns

    def _told(self, i: int) -> str | None:
        word = fold(self.tokens[i].text)
        if word == "then":
            return self._recalled.day or None
        if word == "there":
            place = self._recalled.first(lambda m: m.kind == "place" and self._is_other(m))
            place = next(iter(self._recalled.places), place)
            return f"{'in' if place.kind == 'place' else 'at'} {place.text}" if place else None
        if word in _THIS and self._is_statement(i):
            return self._statement()
        fits = self._fitting(word)
        found = None
        if word in _IT | _THIS and not self._acts(i):  # what is done to it: a matter, mostly
            found = self._recalled.first(lambda m: m.kind == "thing" and fits(m))
        found = found or self._recalled.first(lambda m: fits(m) and self._is_other(m))
        if found is None:
            return None
        full = self._recalled.fullest(found)
        owning = word in _OWNING - {"his", "hers"} or self.tokens[i].dep == "poss"
        return _possessive(full) if owning else full

    def _fitting(self, word: str) -> Callable[[Mention], bool]:
        if word in _HE:
            return lambda m: m.kind == "person" and not m.plural and m.gender != "she"
        if word in _SHE:
            return lambda m: m.kind == "person" and not m.plural and m.gender != "he"
        if word in _THEY | {"these", "those"}:
            return lambda m: m.plural or (m.kind == "organisation" and not m.plural)
        return lambda m: m.kind != "person" and not m.plural

    def _is_place(self, i: int) -> bool:
        """Whether "there" is a place, not the one of "how many are there?"."""
        token = self.tokens[i]
        return token.dep == "advmod" and self.tokens[token.head].lemma != "be"

    def _acts(self, i: int) -> bool:
        return self.tokens[i].dep in {"nsubj", "nsubjpass", "poss"}

    def _is_empty(self, i: int) -> bool:
        """Whether "it" stands for nothing: "how long does it take to …", "is it true that …"."""
        token = self.tokens[i]
        if fold(token.text) != "it" or token.dep not in {"nsubj", "nsubjpass", "expl"}:
            return False
        verb = token.head
        clauses = self.of(verb, "xcomp", "ccomp", "csubj", "advcl")
        clauses += [k for j in self.of(verb, "acomp", "attr") for k in self.of(j, "xcomp", "ccomp")]
        return bool(clauses) or self.tokens[verb].lemma in _WEATHER

    def _has_antecedent(self, i: int) -> bool:
        """Whether the question itself names what a pronoun may stand for, before it and not as the
        subject that acts on it: "What did Ann say of her own book?", but not "Whom did Ann ask
        about her?"."""
        token = self.tokens[i]
        word = fold(token.text)
        fits = self._fitting(word)
        if word in _THEY:
            fits = _anything
        for mention in self._own:
            before = mention.end <= token.start and (mention.named or not self._is_bare(mention))
            acts = mention.role == SUBJECT and token.dep != "poss"
            if before and fits(mention) and not (acts and self._same_clause(mention, i)):
                return True
        return any(
            token.dep == "poss" and m.end <= token.start and m.kind == "person" and fits(m)
            for m in self._own
        )

    def _is_bare(self, mention: Mention) -> bool:
        """Whether a phrase is but an article and a noun, which points back itself."""
        return len(words(mention.text)) <= 2 and mention.kind != "person"

    def _same_clause(self, mention: Mention, i: int) -> bool:
        inside = (j for j, t in enumerate(self.tokens) if mention.start <= t.start < mention.end)
        return any(self._verb(j) == self._verb(i) for j in inside)

    def _verb(self, i: int) -> int:
        while self.tokens[i].pos not in {"VERB", "AUX"} and self.tokens[i].head != i:
            i = self.tokens[i].head
        return i

    def _is_demonstrative(self, i: int) -> bool:
        """Whether "that" and the like stand for something, and join no clause or noun."""
        token = self.tokens[i]
        if token.dep not in {"nsubj", "nsubjpass", "dobj", "pobj", "attr"}:
            return False
        head = self.tokens[token.head]
        return head.dep != "relcl" and token.pos in {"PRON", "DET"}

    def _is_statement(self, i: int) -> bool:
        """Whether "that" is what somebody said: "who said that?"."""
        token = self.tokens[i]
        return token.dep == "dobj" and self.tokens[token.head].lemma in SPEECH_VERBS

    def _statement(self) -> str | None:
        said = " ".join(self._recalled.statement.split()[:_SAID_WORDS]).strip(' .!?;:,“”"„«»')
        return f"“{said}”" if said else None

    # Definite phrases

    def _bare_determiner(self, i: int) -> int | None:
        """Its article, where a noun has nothing else that says which one is meant."""
        if any(self.tokens[j].dep in _NARROWING for j in self.children[i]):
            return None
        found = self.of(i, "det")
        usable = [j for j in found if fold(self.tokens[j].text) in _THIS | {"the"} and j == i - 1]
        return usable[0] if usable and self.tokens[i].dep not in {"compound", "nmod"} else None

    def _meant(self, i: int) -> str | None:
        """What a noun with its article calls by a shorter name, if the conversation has it."""
        noun = fold(self.tokens[i].text)
        called = self._recalled.first(
            lambda m: m.named and noun in m.heads and self._is_other(m)
        ) or self._recalled.first(lambda m: noun in m.heads and len(words(m.text)) > 2)
        if called:
            return self._recalled.fullest(called)
        kind = kind_of_noun(noun)
        if noun not in _GENERIC.get(kind, ()):
            return None
        gender = gender_of(frozenset({noun}))
        found = {
            self._recalled.fullest(m)
            for m in self._recalled.recent
            if m.named and m.kind == kind and not m.heads - {fold(words(m.text)[-1])}
            if gender is None or m.gender in (None, gender)
            if self._is_other(m)
        }
        return found.pop() if len(found) == 1 else None

    def _is_other(self, mention: Mention) -> bool:
        """Whether the question does not name it already."""
        return not (mention.named and {fold(word) for word in words(mention.text)} & self._named)


def _anything(_: Mention) -> bool:
    return True


def _possessive(name: str) -> str:
    return f"{name}’" if re.search(r"[^s]s$", name) and " " not in name else f"{name}’s"
