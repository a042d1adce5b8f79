"""Turns of phrase by which a predicate is denied, conditional, hearsay or yet to come."""

from __future__ import annotations

from rag.text.phrases import Tree
from rag.text.wording import fold
from rag.types import Token

_INVERTED = frozenset("had should were".split())
_AMOUNTS = frozenset("all every a an half".split())
_SAID_TO = frozenset("say report rumour rumor understand".split())
SUBJECTS = frozenset("nsubj csubj nsubjpass csubjpass".split())
"""Dependencies of what a predicate is said of."""


class Idioms(Tree):
    """A parsed text that is asked what its turns of phrase say."""

    def _is_set_off(self, i: int) -> bool:
        """Whether a clause is parted by a semicolon from what the parser hangs it on."""
        up = self.tokens[i].head
        first, last = sorted((i, up))
        return self.tokens[i].dep == "ccomp" and any(
            token.text == ";" for token in self.tokens[first:last]
        )

    def _is_infinitive(self, i: int) -> bool:
        return any(self.tokens[j].lemma == "to" for j in self.of(i, "aux"))

    def _is_to_be(self, i: int) -> bool:
        """ "was to resume in July" """
        token = self.tokens[i]
        plain = not self.of(token.head, "acomp", "attr")
        return token.dep == "xcomp" and self.tokens[token.head].lemma == "be" and plain

    def _is_hearsay(self, i: int) -> bool:
        """ "is said to own a villa" """
        token = self.tokens[i]
        return token.dep == "xcomp" and bool(self._senses(token.head) & _SAID_TO)

    def _is_yet(self, i: int) -> bool:
        """ "has yet to respond" """
        light = self.tokens[i].lemma in {"have", "be"}
        return light and any(self.tokens[j].lemma == "yet" for j in self.of(i, "advmod"))

    def _senses(self, i: int) -> frozenset[str]:
        """What the dictionary form of a word may be, also with its particle: "rule out"."""
        lemma = self.tokens[i].lemma
        particles = (self.tokens[j].lemma for j in self.of(i, "prt", "prep", "advmod"))
        return lemmas_of(self.tokens[i]).union(f"{lemma} {particle}" for particle in particles)

    def _is_of_a_number(self, i: int) -> bool:
        """Whether it limits how many there are: "nearly all", "almost 40"."""
        following = self.tokens[i + 1 : i + 2]
        return any(t.pos in {"NUM", "SYM"} or fold(t.text) in _AMOUNTS for t in following)

    def _is_not_but(self, i: int) -> bool:
        """Whether it denies but a reason, and another is given: "not because … but because"
        or "…, not because"."""
        up = self.tokens[i].head
        if self.tokens[up].dep == "prep" and i and self.tokens[i - 1].text == ",":
            return True
        return self.tokens[up].dep == "prep" and any(
            t.text == "but" and t.head == self.tokens[up].head for t in self.tokens[up:]
        )

    def _is_of_a_noun(self, i: int) -> bool:
        """Whether it denies but a noun that is set against another: "the mayor, not the king"."""
        noun = self.tokens[self.tokens[i].head].pos in {"NOUN", "PROPN"}
        return (
            noun
            and self.tokens[i - 1].text == ","
            and self.tokens[self.tokens[i].head].dep != "ROOT"
        )

    def _is_inverted(self, i: int) -> bool:
        """Whether a clause is a condition by its order: "had he known", "should the vote fail"."""
        subjects = self.of(i, *SUBJECTS)
        return any(
            fold(self.tokens[j].text) in _INVERTED
            and (j == 0 or self.tokens[j - 1].pos == "PUNCT")
            and any(j < k for k in subjects)
            for j in self.of(i, "aux", "auxpass")
        )

    def _is_over(self, i: int) -> bool:
        """Whether a state that is told as past is told of a time before now: not "has been"."""
        return not any(
            fold(self.tokens[j].text) in {"has", "have", "'ve"} for j in self.of(i, "aux")
        )

    def _shares_a_not(self, i: int) -> bool:
        """ "did not inspect the plant or train its staff" """
        head = self.tokens[i].head
        either = any(fold(self.tokens[k].text) == "or" for k in self.children[head])
        return either and bool(self.of(head, "neg"))


def lemmas_of(token: Token) -> frozenset[str]:
    """What a verb's dictionary form may be; the parser takes "hopes" for a form of "hop"."""
    form = token.text.lower()
    return frozenset({token.lemma, form, form.removesuffix("s"), form.removesuffix("d")})
