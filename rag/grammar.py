"""Who does what in a sentence: its predicates with their roles, denials and certainty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from rag.lexicon import (
    LIMITERS,
    NEGATIVE_HEADS,
    OPEN_HEADS,
    OPINION_HEADS,
    SETTLED_HEADS,
    SPEECH_VERBS,
    meanings,
)
from rag.names import name_words
from rag.types import Analysis, Token
from rag.wording import FUNCTION_WORDS, HEDGES, NEGATIONS, fold, numbers, stem

FACT, TO_COME, OPEN = 0, 1, 2
"""How certain a predicate is: told as a fact, as yet to happen, as possible, wished or asked."""

AGENT, PATIENT = "agent", "patient"

_SUBJECTS = frozenset("nsubj csubj nsubjpass csubjpass".split())
_OBJECTS = frozenset("dobj attr dative oprd acomp".split())
_LINKS = frozenset("ccomp xcomp acl pcomp csubj csubjpass".split())
_NOUN_LINKS = frozenset("dobj pobj attr nsubjpass prep oprd acomp".split())
_LINKING_PREPOSITIONS = frozenset("of from to about on against for in into without than as".split())
_LIGHT_VERBS = frozenset("be have make take give get do hold".split())
_OPEN_MODALS = frozenset("may might could should must can ought".split())
_TOLD_TO = frozenset("tell warn advise order".split())
_FUTURE = frozenset("will shall would 'll wo".split())
_PAST_AUXILIARIES = frozenset("has have had was were did 've 'd been".split())
_RELATIVES = frozenset("who which that whom".split())
_FIRST_PERSON = frozenset("i we us me".split())
_THIRD_PERSON = frozenset("he she they it him her them this these those both".split())
_PARTS = frozenset(
    "some many most several all both each half none one two three number group majority minority "
    "part member lot dozen hundred thousand million percent % few third quarter rest series "
    "couple pair".split()
)
_CONTENT = frozenset("NOUN PROPN VERB ADJ NUM ADV".split())


@dataclass(frozen=True, slots=True)
class Filler:
    """What fills a role: the meanings of its head and of what is joined to that by "and"; `core`
    holds also its title and apposition, `words` all of its phrase, `names` the names in that, and
    `count` how many it is said to be."""

    text: str
    kind: str  # name, noun, number, time, first person, third person
    heads: tuple[frozenset[str], ...]
    core: frozenset[str]
    words: frozenset[str]
    names: tuple[frozenset[str], ...]
    count: frozenset[str]


@dataclass(frozen=True, slots=True)
class Predicate:
    """A verb, or what "be" and other light verbs are said with: `words` are its meanings.

    `roles` maps agent, patient and each preposition to what fills it. `denials` counts what
    negates it; `certainty` is FACT, TO_COME or OPEN; `past` says that it is told as done,
    `infinitive` that it is not told of any time,
    `reported` that somebody says it, `opinion` that it is but one side's word. `tokens` are the
    places of the words that belong to it more closely than to any other predicate; `limits` are
    those of them that narrow what is said, as "largely" does.
    """

    text: str
    start: int
    lemma: str
    words: frozenset[str]
    roles: Mapping[str, tuple[Filler, ...]] = field(hash=False)
    denials: int
    certainty: int
    past: bool
    infinitive: bool
    reported: bool
    opinion: bool
    limits: frozenset[str]
    tokens: frozenset[int]


@lru_cache(maxsize=50_000)
def word_meanings(text: str, lemma: str = "") -> frozenset[str]:
    """What a word can be matched by: its stem and its lemma's, their synonyms, its country."""
    countries = frozenset(name for name in name_words(text, metonyms=False) if name[0] == "@")
    return countries | meanings(stem(text)) | (meanings(stem(lemma)) if lemma else frozenset())


def predicates(analysis: Analysis) -> tuple[Predicate, ...]:
    """The predicates of a text, in order."""
    tree = _Tree(analysis)
    return tuple(tree.predicate(i) for i in range(len(analysis.tokens)) if tree.rules(i))


class _Tree:
    """A parsed text as a tree that can be walked both ways."""

    def __init__(self, analysis: Analysis) -> None:
        self.tokens = analysis.tokens
        self._children: list[list[int]] = [[] for _ in self.tokens]
        for i, token in enumerate(self.tokens):
            if token.head != i:
                self._children[token.head].append(i)
        self._times = [(e.start, e.end) for e in analysis.entities if e.label in {"DATE", "TIME"}]
        self._domains: dict[int, set[int]] = {}
        for i, token in enumerate(self.tokens):
            self._domains.setdefault(self._ruler(i), set()).add(token.start)

    def rules(self, i: int) -> bool:
        """Whether a token is a predicate."""
        token = self.tokens[i]
        if token.pos in {"VERB", "AUX"}:
            return token.dep not in {"aux", "auxpass", "amod", "compound"}
        return token.dep == "ROOT" and bool(self._of(i, "nsubj", "nsubjpass"))

    def predicate(self, i: int) -> Predicate:
        """What is known of the predicate at a token."""
        token = self.tokens[i]
        governors = list(self._governors(i))
        lemmas = {lemma for j in governors for lemma in _lemmas(self.tokens[j])}
        certainty = self._certainty(i)
        if lemmas & OPEN_HEADS or (token.dep == "xcomp" and lemmas & _TOLD_TO):
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
            past=certainty == FACT and self._is_past(i),
            infinitive=any(self.tokens[j].lemma == "to" for j in self._of(i, "aux")),
            reported=bool(lemmas & SPEECH_VERBS),
            opinion=bool(lemmas & OPINION_HEADS),
            limits=frozenset(
                t.lemma for t in self.tokens if t.start in domain and t.lemma in LIMITERS
            ),
            tokens=domain,
        )

    def _of(self, i: int, *deps: str) -> list[int]:
        return [j for j in self._children[i] if self.tokens[j].dep in deps]

    def _ruler(self, i: int) -> int:
        while not self.rules(i) and self.tokens[i].head != i:
            i = self.tokens[i].head
        return i

    def _said(self, i: int) -> frozenset[str]:
        """The meanings of a predicate; of a light verb's object instead of its own."""
        token = self.tokens[i]
        objects = self._of(i, *_OBJECTS) if token.lemma in _LIGHT_VERBS else []
        if token.lemma == "be":  # "Karis was the first" is "the first was Karis"
            objects = objects or [k for j in self._of(i, "prep") for k in self._of(j, "pobj")]
            named = (j for j in self._of(i, "nsubj") if self.tokens[j].pos != "PRON")
            objects = [*objects, *named] if objects else []
        if not objects:
            return frozenset() if token.pos == "AUX" else _meanings(token)
        return frozenset().union(*(_meanings(self.tokens[j]) for j in objects))

    def _governors(self, i: int) -> Iterator[int]:
        """What a predicate depends on as its content, upwards: "denied" for "denied that …"."""
        climbed = False
        while self.tokens[i].head != i:
            token = self.tokens[i]
            if token.dep == "conj" and not self._of(i, *_SUBJECTS):
                i = token.head  # "refused to stop and leave": both are refused
                continue
            if token.dep == "prep" and token.lemma not in _LINKING_PREPOSITIONS:
                return
            if token.dep not in _LINKS and not (climbed and token.dep in _NOUN_LINKS):
                return
            i, climbed = token.head, True
            yield i

    def _negations(self, i: int) -> int:
        """How often words at a predicate itself deny it: "not", "never", "no one", "neither"."""
        direct, nothing = False, False
        for j in self._children[i]:
            token = self.tokens[j]
            if token.dep == "neg" or (token.dep not in {"conj", "cc"} and _denies(token)):
                direct |= not self._is_not_only(j)
            direct |= token.dep == "cc" and fold(token.text) == "neither"
            longer = token.dep == "advmod" and token.lemma in {"long", "longer", "more", "anymore"}
            if longer or token.dep in _SUBJECTS | _OBJECTS:
                nothing |= any(
                    _denies(self.tokens[k])
                    for k in self._children[j]
                    if self.tokens[k].dep not in {"prep", "cc", "conj"}
                )
        if self.tokens[i].dep == "conj" and not self._of(i, *_SUBJECTS):
            siblings = self._children[self.tokens[i].head]
            direct |= any(fold(self.tokens[k].text) in {"neither", "nor"} for k in siblings)
        return direct + nothing

    def _is_not_only(self, i: int) -> bool:
        return i + 1 < len(self.tokens) and self.tokens[i + 1].lemma in {"only", "just", "merely"}

    def _certainty(self, i: int) -> int:
        """How certain the words at a predicate itself make it."""
        if self._is_asked(i):
            return OPEN
        level = FACT
        for j in self._children[i]:
            token = self.tokens[j]
            condition = token.dep == "advcl" and any(
                self.tokens[k].lemma in {"if", "unless"} for k in self._of(j, "mark")
            )
            hedge = token.dep in {"mark", "advmod", "acomp"} and (
                token.lemma in OPEN_HEADS or token.lemma in HEDGES
            )
            if condition or hedge or (token.dep == "aux" and token.lemma in _OPEN_MODALS):
                return OPEN
            if token.dep == "aux" and token.lemma in _FUTURE:
                level = TO_COME
        return level

    def _is_asked(self, i: int) -> bool:
        while self.tokens[i].head != i:
            i = self.tokens[i].head
        return any(self.tokens[k].text == "?" for k in self._children[i])

    def _is_past(self, i: int) -> bool:
        token = self.tokens[i]
        auxiliaries = {fold(self.tokens[j].text) for j in self._of(i, "aux", "auxpass")}
        if auxiliaries:
            return bool(auxiliaries & _PAST_AUXILIARIES)
        form = token.text.lower()
        return form != token.lemma and not form.endswith(("ing", "s"))

    def _roles(self, i: int) -> dict[str, tuple[Filler, ...]]:
        roles: dict[str, list[int]] = {}
        passive = self._is_passive(i)
        for j in self._children[i]:
            token = self.tokens[j]
            if token.dep in _SUBJECTS:
                roles.setdefault(PATIENT if passive else AGENT, []).append(j)
            elif token.dep in _OBJECTS and token.pos != "ADP":
                roles.setdefault(PATIENT, []).append(j)
            elif token.dep in {"prep", "agent", "dative"}:
                name = AGENT if token.dep == "agent" else token.lemma
                roles.setdefault(name, []).extend(self._of(j, "pobj"))
        own = PATIENT if passive else AGENT
        if own not in roles:
            roles |= self._shared_subject(i, own)
        return {
            role: tuple(self._filler(self._antecedent(j)) for j in fillers)
            for role, fillers in roles.items()
            if fillers
        }

    def _is_passive(self, i: int) -> bool:
        """Also of a participle that follows a passive: "was cleared but found guilty"."""
        if self._of(i, "auxpass", "nsubjpass"):
            return True
        token = self.tokens[i]
        joined = token.dep == "conj" and not self._of(i, "aux", *_SUBJECTS)
        is_participle = token.text.lower() != token.lemma and not token.text.endswith(("ing", "s"))
        return joined and is_participle and self._is_passive(token.head)

    def _shared_subject(self, i: int, role: str) -> dict[str, list[int]]:
        """The subject that a predicate without one shares with the word that it hangs on."""
        token = self.tokens[i]
        up = token.head
        if token.dep == "acl":
            done_to = not token.text.lower().endswith("ing")
            return {} if self._of(i, "aux") else {PATIENT if done_to else role: [up]}
        if token.dep == "pcomp":
            up = self.tokens[up].head
        if token.dep not in {"conj", "xcomp", "advcl", "pcomp"} or up == i or not self.rules(up):
            return {}
        objects = self._of(up, "dobj") if token.dep == "xcomp" else []
        shared = objects or self._of(up, "nsubj", "nsubjpass")
        if token.dep == "conj" and self.tokens[up].dep == "ccomp":  # who says it may do it as well
            shared = shared + self._of(self.tokens[up].head, "nsubj")
        return {role: shared} if shared else self._shared_subject(up, role)

    def _antecedent(self, i: int) -> int:
        """The noun that a relative pronoun stands for."""
        if self.tokens[i].lemma not in _RELATIVES:
            return i
        clause = i
        while self.tokens[clause].head != clause and self.tokens[clause].dep != "relcl":
            clause = self.tokens[clause].head
        return self.tokens[clause].head if self.tokens[clause].dep == "relcl" else i

    def _filler(self, i: int) -> Filler:
        inside = [self.tokens[j] for j in self._phrase(i)]
        content = [t for t in inside if t.pos in _CONTENT and fold(t.text) not in FUNCTION_WORDS]
        heads = [i, *self._conjuncts(i)]
        own = tuple(_meanings(self.tokens[j]) for j in heads)
        close = [self.tokens[k] for j in heads for k in self._title(j)]
        return Filler(
            text=self.tokens[i].text,
            kind=self._kind(i),
            heads=own,
            core=frozenset().union(*own, *map(_reach, [*(self.tokens[j] for j in heads), *close])),
            words=frozenset().union(*own, *map(_reach, content)),
            names=tuple(word_meanings(t.text) for t in content if t.pos == "PROPN"),
            count=frozenset(numbers(" ".join(self.tokens[j].text for j in self._counts(i)))),
        )

    def _title(self, i: int) -> Iterator[int]:
        """What stands for the same as a noun: its title, its apposition, what "some of" takes."""
        for j in self._children[i]:
            token = self.tokens[j]
            if token.dep in {"compound", "appos", "nmod", "amod", "flat"}:
                yield j
                yield from self._title(j)
            elif token.lemma == "of" and self.tokens[i].lemma in _PARTS:
                for k in self._of(j, "pobj"):
                    yield k
                    yield from self._title(k)

    def _counts(self, i: int) -> list[int]:
        """The first number that says how many there are: "three of the nine villages" are three."""
        if self._kind(i) == "number":
            return [i]
        found = [k for j in self._of(i, "nummod") for k in self._phrase(j)]
        return [j for j in sorted(found) if self.tokens[j].pos == "NUM"][:1]

    def _kind(self, i: int) -> str:
        token = self.tokens[i]
        word = fold(token.text)
        if word in _FIRST_PERSON:
            return "first person"
        if token.pos == "NUM" or numbers(token.text):
            return "number"
        if token.pos == "PRON" or word in _THIRD_PERSON:
            return "third person"
        if any(start <= token.start < end for start, end in self._times):
            return "time"
        return "name" if token.pos == "PROPN" else "noun"

    def _conjuncts(self, i: int) -> Iterator[int]:
        for j in self._of(i, "conj"):
            yield j
            yield from self._conjuncts(j)

    def _phrase(self, i: int) -> Iterator[int]:
        yield i
        for j in self._children[i]:
            if self.tokens[j].dep not in {"relcl", "advcl", "ccomp", "parataxis"}:
                yield from self._phrase(j)


def _denies(token: Token) -> bool:
    return fold(token.text) in NEGATIONS and token.lemma not in NEGATIVE_HEADS


def _meanings(token: Token) -> frozenset[str]:
    return word_meanings(token.text, token.lemma)


def _reach(token: Token) -> frozenset[str]:
    """All that a word of a source may be called: also the country whose capital it is."""
    return _meanings(token) | {name for name in name_words(token.text) if name[0] == "@"}


def _lemmas(token: Token) -> frozenset[str]:
    """What a verb's dictionary form may be; the parser takes "hopes" for a form of "hop"."""
    form = token.text.lower()
    return frozenset({token.lemma, form, form.removesuffix("s"), form.removesuffix("d")})
