"""Who does what in a sentence: its predicates with their roles, denials and certainty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rag.text.lexicon import (
    LIMITERS,
    NEGATIVE_HEADS,
    OPEN_HEADS,
    OPINION_HEADS,
    SETTLED_HEADS,
    SPEECH_VERBS,
    TELLING,
)
from rag.text.phrases import Filler, Tree, meanings_of
from rag.text.wording import HEDGES, NEGATIONS, fold, numbers
from rag.types import Analysis, Token

FACT, TO_COME, OPEN = 0, 1, 2
"""How certain a predicate is: told as a fact, as yet to happen, as possible, wished or asked."""

AGENT, PATIENT = "agent", "patient"

GRAMMATICAL_SUBJECTS = frozenset("nsubj nsubjpass csubj expl".split())
"""Dependencies of what makes a verb that of a whole clause, "there" and "it" included."""

_SUBJECTS = frozenset("nsubj csubj nsubjpass csubjpass".split())
_OBJECTS = frozenset("dobj attr dative oprd acomp".split())
_LINKS = frozenset("ccomp xcomp acl pcomp csubj csubjpass".split())
_NOUN_LINKS = frozenset("dobj pobj attr nsubjpass prep oprd acomp".split())
_LINKING_PREPOSITIONS = frozenset("of from to about on against for in into without than as".split())
_LIGHT_VERBS = frozenset("be have make take give get do hold".split())
_OPEN_MODALS = frozenset("may might could should must can ought".split())
_TOLD_TO = frozenset("tell warn advise order".split())
_NOT = frozenset("not n't never".split())
_FUTURE = frozenset("will shall would 'll wo".split())
_PAST_AUXILIARIES = frozenset("has have had was were did 've 'd been".split())


@dataclass(frozen=True, slots=True)
class Predicate:
    """A verb, or what "be" and other light verbs are said with: `words` are its meanings.

    `roles` maps agent, patient and each preposition to what fills it. `denials` counts what
    negates it. `certainty` is FACT, TO_COME or OPEN, `modal` that of its auxiliary alone. `past`
    says that it is told as done, `infinitive` that it is told of no time, `reported` that somebody
    says it, `opinion` that it is but one side's word. `tokens` are the places of the words that
    belong to it more closely than to any other predicate; `limits` are those of them that narrow
    what is said, as "largely" does. `tellers` are those who say it, the nearest first;
    `aside` says that it is in a relative clause between commas.
    """

    text: str
    start: int
    lemma: str
    words: frozenset[str]
    roles: Mapping[str, tuple[Filler, ...]] = field(hash=False)
    denials: int
    certainty: int
    modal: int
    past: bool
    infinitive: bool
    reported: bool
    opinion: bool
    limits: frozenset[str]
    tokens: frozenset[int]
    tellers: tuple[tuple[Filler, ...], ...] = field(hash=False)
    aside: bool


def predicates(analysis: Analysis) -> tuple[Predicate, ...]:
    """The predicates of a text, in order."""
    reader = _Reader(analysis)
    return tuple(reader.predicate(i) for i in range(len(analysis.tokens)) if reader.rules(i))


class _Reader(Tree):
    """Reads the predicates of a parsed text."""

    def __init__(self, analysis: Analysis) -> None:
        super().__init__(analysis)
        self._domains: dict[int, set[int]] = {}
        for i, token in enumerate(self.tokens):
            self._domains.setdefault(self._ruler(i), set()).add(token.start)

    def rules(self, i: int) -> bool:
        """Whether a token is a predicate."""
        token = self.tokens[i]
        if token.pos in {"VERB", "AUX"}:
            return token.dep not in {"aux", "auxpass", "amod", "compound"}
        return token.dep == "ROOT" and bool(self.of(i, "nsubj", "nsubjpass"))

    def predicate(self, i: int) -> Predicate:
        """What is known of the predicate at a token."""
        token = self.tokens[i]
        governors = list(self._governors(i))
        lemmas = {lemma for j in governors for lemma in _lemmas(self.tokens[j])}
        certainty = self._certainty(i)
        doubted = any(self._certainty(j) == OPEN for j in governors)
        if doubted or lemmas & OPEN_HEADS or (token.dep == "xcomp" and lemmas & _TOLD_TO):
            certainty = OPEN
        elif lemmas & SETTLED_HEADS:
            certainty = max(certainty, TO_COME)
        domain = frozenset(self._domains.get(i, ()))
        denied = sum(bool(_lemmas(self.tokens[j]) & NEGATIVE_HEADS) for j in governors)
        return Predicate(
            text=token.text,
            start=token.start,
            lemma=token.lemma,
            words=self._said(i),
            roles=self._roles(i),
            denials=denied + sum(self._negations(j) for j in (i, *governors)),
            certainty=certainty,
            modal=self._modal(i),
            past=certainty == FACT and self._is_past(i),
            infinitive=any(self.tokens[j].lemma == "to" for j in self.of(i, "aux")),
            reported=bool(lemmas & SPEECH_VERBS),
            opinion=bool(lemmas & OPINION_HEADS)
            or (bool(lemmas & SPEECH_VERBS) and self._is_judged(i)),
            limits=frozenset(
                t.lemma
                for j, t in enumerate(self.tokens)
                if t.start in domain and t.lemma in LIMITERS and not self._is_of_number(j)
            ),
            tokens=domain,
            aside=self._is_aside(i),
            tellers=tuple(self._tellers(j) for j in governors if _lemmas(self.tokens[j]) & TELLING),
        )

    def _tellers(self, i: int) -> tuple[Filler, ...]:
        """Who says what a verb of saying governs."""
        return self._roles(i).get(AGENT, ())

    def _is_of_number(self, i: int) -> bool:
        """Whether a word stands before a number, which it is compared with: "nearly 2,000"."""
        following = [t.text.lower() for t in self.tokens[i + 1 : i + 3]]
        return bool(following) and (
            bool(numbers(following[0]))
            or following[0] in {"twice", "half", "double"}
            or (following[0] == "a" and following[-1] in {"third", "quarter", "fifth", "tenth"})
        )

    def _ruler(self, i: int) -> int:
        while not self.rules(i) and self.tokens[i].head != i:
            i = self.tokens[i].head
        return i

    def _said(self, i: int) -> frozenset[str]:
        """The meanings of a predicate; of a light verb's object instead of its own."""
        token = self.tokens[i]
        objects = self.of(i, *_OBJECTS) if token.lemma in _LIGHT_VERBS else []
        if token.lemma == "be":  # "Karis was the first" is "the first was Karis"
            objects = objects or [k for j in self.of(i, "prep") for k in self.of(j, "pobj")]
            objects = objects or self.of(i, "advmod")
            named = (j for j in self.of(i, "nsubj") if self.tokens[j].pos != "PRON")
            objects = [*objects, *named] if objects else []
        if not objects:
            return meanings_of(token)
        return frozenset().union(*(meanings_of(self.tokens[j]) for j in objects))

    def _governors(self, i: int) -> Iterator[int]:
        """What a predicate depends on as its content, upwards: "denied" for "denied that …"."""
        climbed = False
        while self.tokens[i].head != i:
            token = self.tokens[i]
            named = self.of(i, *_SUBJECTS)
            if token.dep == "conj" and (not named or self._has_that(i)):
                i = token.head  # "refused to stop and leave", "said that … and that …"
                continue
            if token.dep == "prep" and token.lemma not in _LINKING_PREPOSITIONS:
                return
            if token.dep not in _LINKS and not (climbed and token.dep in _NOUN_LINKS):
                return
            i, climbed = token.head, True
            yield i

    def _has_that(self, i: int) -> bool:
        return any(self.tokens[j].lemma == "that" for j in self.of(i, "mark"))

    def _negations(self, i: int) -> int:
        """How often words at a predicate itself deny it: "not", "never", "no one", "neither"."""
        direct, nothing = False, False
        domain = self._domains.get(i, ())
        for j, token in enumerate(self.tokens):
            if token.start in domain and (token.dep == "neg" or fold(token.text) in _NOT):
                direct |= not self._is_not_only(j) and fold(token.text) != "no"
        for j in self.children[i]:
            token = self.tokens[j]
            denies = _denies(token) and fold(token.text) not in _NOT
            direct |= denies and token.dep not in {"conj", "cc", "neg"}
            direct |= token.dep == "cc" and fold(token.text) == "neither"
            longer = token.dep == "advmod" and token.lemma in {"long", "longer", "more", "anymore"}
            if longer or token.dep in _SUBJECTS | _OBJECTS:
                nothing |= any(
                    _denies(self.tokens[k]) and fold(self.tokens[k].text) not in _NOT
                    for k in self.children[j]
                    if self.tokens[k].dep not in {"prep", "cc", "conj"}
                )
        if self.tokens[i].dep == "conj" and not self.of(i, *_SUBJECTS):
            siblings = self.children[self.tokens[i].head]
            direct |= any(fold(self.tokens[k].text) in {"neither", "nor"} for k in siblings)
            nothing |= self._is_nobodys(self.tokens[i].head)
        return direct + nothing

    def _is_nobodys(self, i: int) -> bool:
        """Whether a predicate's subject, which those joined to it share, is nobody: "no one came
        and won"."""
        subjects = self.of(i, *_SUBJECTS)
        if not subjects and self.tokens[i].dep == "conj":
            return self._is_nobodys(self.tokens[i].head)
        return any(_denies(self.tokens[k]) for j in subjects for k in (j, *self.of(j, "det")))

    def _is_not_only(self, i: int) -> bool:
        return i + 1 < len(self.tokens) and self.tokens[i + 1].lemma in {"only", "just", "merely"}

    def _certainty(self, i: int) -> int:
        """How certain the words at a predicate itself make it."""
        if self._is_asked(i):
            return OPEN
        for j in self.children[i]:
            token = self.tokens[j]
            condition = token.dep == "advcl" and any(
                self.tokens[k].lemma in {"if", "unless"} for k in self.of(j, "mark")
            )
            hedge = token.dep in {"mark", "advmod", "acomp"} and (
                token.lemma in OPEN_HEADS or token.lemma in HEDGES
            )
            if condition or hedge:
                return OPEN
        return self._modal(i)

    def _modal(self, i: int) -> int:
        lemmas = {self.tokens[j].lemma for j in self.of(i, "aux")}
        return OPEN if lemmas & _OPEN_MODALS else TO_COME if lemmas & _FUTURE else FACT

    def _is_judged(self, i: int) -> bool:
        """Whether somebody gives a judgement: what should be, or how something is."""
        advice = any(self.tokens[j].lemma in {"should", "ought"} for j in self.of(i, "aux"))
        adjectives = self.of(i, "acomp") if self.tokens[i].lemma == "be" else []
        return advice or any(self.tokens[j].pos == "ADJ" for j in adjectives)

    def _is_aside(self, i: int) -> bool:
        """Whether it is in a clause like ", who came in May,"."""
        while self.tokens[i].head != i and self.tokens[i].dep not in {"relcl", "acl"}:
            i = self.tokens[i].head
        first = min(self._subtree(i))
        in_clause = self.tokens[i].dep in {"relcl", "acl"}
        return in_clause and first > 0 and self.tokens[first - 1].text == ","

    def _subtree(self, i: int) -> Iterator[int]:
        yield i
        for j in self.children[i]:
            yield from self._subtree(j)

    def _is_asked(self, i: int) -> bool:
        while self.tokens[i].head != i:
            i = self.tokens[i].head
        return any(self.tokens[k].text == "?" for k in self.children[i])

    def _is_past(self, i: int) -> bool:
        token = self.tokens[i]
        auxiliaries = {fold(self.tokens[j].text) for j in self.of(i, "aux", "auxpass")}
        if auxiliaries:
            return bool(auxiliaries & _PAST_AUXILIARIES)
        form = token.text.lower()
        return form != token.lemma and not form.endswith(("ing", "s"))

    def _roles(self, i: int) -> dict[str, tuple[Filler, ...]]:
        roles: dict[str, list[int]] = {}
        passive, here = self._is_passive(i), self.tokens[i]
        for j in self.children[i]:
            token = self.tokens[j]
            if token.dep in _SUBJECTS:
                roles.setdefault(PATIENT if passive else AGENT, []).append(j)
            elif token.dep in _OBJECTS and token.pos != "ADP":
                roles.setdefault(PATIENT, []).append(j)
            elif token.dep in {"prep", "agent", "dative"}:
                name = AGENT if token.dep == "agent" else token.lemma
                roles.setdefault(name, []).extend(self.of(j, "pobj"))
        if here.dep == "relcl" and any(self.tokens[j].lemma == "where" for j in self.children[i]):
            roles.setdefault("in", []).append(here.head)
        if not self.of(i, *_SUBJECTS):
            for role, shared in self._shared_subject(i, PATIENT if passive else AGENT).items():
                roles[role] = [*roles.get(role, ()), *shared]
        return {
            role: tuple(self.filler(self.antecedent(j)) for j in fillers)
            for role, fillers in roles.items()
            if fillers
        }

    def _is_passive(self, i: int) -> bool:
        """Also of a participle that follows a passive: "was cleared but found guilty"."""
        if self.of(i, "auxpass", "nsubjpass"):
            return True
        token = self.tokens[i]
        joined = token.dep == "conj" and not self.of(i, "aux", *_SUBJECTS)
        is_participle = token.text.lower() != token.lemma and not token.text.endswith(("ing", "s"))
        return joined and is_participle and self._is_passive(token.head)

    def _shared_subject(self, i: int, role: str) -> dict[str, list[int]]:
        """The subject that a predicate without one shares with the word that it hangs on."""
        token = self.tokens[i]
        up = token.head
        if token.dep == "acl":
            done_to = not token.text.lower().endswith("ing")
            return {} if self.of(i, "aux") else {PATIENT if done_to else role: [up]}
        if token.dep == "pcomp":
            up = self.tokens[up].head
        if token.dep not in {"conj", "xcomp", "advcl", "pcomp"} or up == i or not self.rules(up):
            return {}
        objects = self.of(up, "dobj") if token.dep == "xcomp" else []
        shared = objects or self.of(up, "nsubj", "nsubjpass")
        if token.dep == "conj" and self.tokens[up].dep == "ccomp":  # who says it may do it as well
            shared = shared + self.of(self.tokens[up].head, "nsubj")
        return {role: shared} if shared else self._shared_subject(up, role)


def _denies(token: Token) -> bool:
    return fold(token.text) in NEGATIONS and token.lemma not in NEGATIVE_HEADS


def _lemmas(token: Token) -> frozenset[str]:
    """What a verb's dictionary form may be; the parser takes "hopes" for a form of "hop"."""
    form = token.text.lower()
    return frozenset({token.lemma, form, form.removesuffix("s"), form.removesuffix("d")})
