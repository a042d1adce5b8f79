"""What fills the roles of a sentence: noun phrases with their titles, names and counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from rag.text.lexicon import PEOPLE, RELATIVES, meanings
from rag.text.names import name_words
from rag.text.wording import FUNCTION_WORDS, fold, numbers, stem
from rag.types import Analysis, Token

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
    `count` how many it is said to be. `marks` are the words before its head, `called` those of them
    and of the head that are names, `owners` whose son, lawyer or rival it is, `is_person` whether
    that, or another person."""

    text: str
    kind: str  # name, noun, number, time, first person, third person
    heads: tuple[frozenset[str], ...]
    core: frozenset[str]
    words: frozenset[str]
    names: tuple[frozenset[str], ...]
    count: frozenset[str]
    marks: tuple[frozenset[str], ...]
    called: tuple[frozenset[str], ...]
    owners: tuple[frozenset[str], ...]
    is_person: bool


@dataclass(frozen=True, slots=True)
class Kinship:
    """Who (`bearers`) is a son, lawyer or rival (`kind`) of whom (`owners`)."""

    kind: str
    bearers: tuple[Filler, ...]
    owners: tuple[Filler, ...]


@lru_cache(maxsize=50_000)
def word_meanings(text: str, lemma: str = "") -> frozenset[str]:
    """What a word can be matched by: its stem and its lemma's, their synonyms, its country."""
    countries = frozenset(name for name in name_words(text, metonyms=False) if name[0] == "@")
    return countries | meanings(stem(text)) | (meanings(stem(lemma)) if lemma else frozenset())


class Tree:
    """A parsed text as a tree that can be walked both ways."""

    def __init__(self, analysis: Analysis) -> None:
        self.tokens = analysis.tokens
        self.children: list[list[int]] = [[] for _ in self.tokens]
        for i, token in enumerate(self.tokens):
            if token.head != i:
                self.children[token.head].append(i)
        self._times = [(e.start, e.end) for e in analysis.entities if e.label in {"DATE", "TIME"}]

    def of(self, i: int, *deps: str) -> list[int]:
        """The children of a token with one of these dependency labels."""
        return [j for j in self.children[i] if self.tokens[j].dep in deps]

    def antecedent(self, i: int) -> int:
        """The noun that a relative pronoun stands for."""
        if self.tokens[i].lemma not in _RELATIVES:
            return i
        clause = i
        while self.tokens[clause].head != clause and self.tokens[clause].dep != "relcl":
            clause = self.tokens[clause].head
        return self.tokens[clause].head if self.tokens[clause].dep == "relcl" else i

    def filler(self, i: int) -> Filler:
        """The phrase whose head is a token."""
        inside = [self.tokens[j] for j in self._phrase(i)]
        content = [t for t in inside if t.pos in _CONTENT and fold(t.text) not in FUNCTION_WORDS]
        parted = self._parted(i)
        heads = [*parted, *self._conjuncts(i)]
        own = tuple(meanings_of(self.tokens[j]) for j in heads)
        close = [self.tokens[k] for j in heads for k in self._title(j)]
        return Filler(
            text=self.tokens[i].text,
            kind=self._kind(parted[0]),
            heads=own,
            core=frozenset().union(*own, *map(_reach, [*(self.tokens[j] for j in heads), *close])),
            words=frozenset().union(*own, *map(_reach, content)),
            names=tuple(word_meanings(t.text) for t in content if t.pos == "PROPN"),
            count=frozenset(numbers(" ".join(self.tokens[j].text for j in self._counts(i)))),
            marks=tuple(meanings_of(self.tokens[j]) for j in self._marks(i)),
            called=tuple(
                meanings_of(self.tokens[j])
                for j in (*self._marks(i), i)
                if self.tokens[j].pos == "PROPN"
            ),
            owners=tuple(meanings_of(self.tokens[j]) for j in self.owners(i)),
            is_person=self._kind(i) == "name" or self.tokens[i].lemma in PEOPLE,
        )

    def owners(self, i: int) -> list[int]:
        """Whose son, lawyer or rival a noun is: its possessor, or what "of" or "for" takes."""
        if self.tokens[i].lemma not in RELATIVES:
            return []
        after = [j for j in self.of(i, "prep") if self.tokens[j].lemma in {"of", "for", "to"}]
        found = [*self.of(i, "poss"), *(k for j in after for k in self.of(j, "pobj"))]
        return [j for j in found if self._kind(j) in {"name", "noun"}]

    def kinships(self) -> Iterator[Kinship]:
        """Who is whose son, lawyer or rival."""
        for i, token in enumerate(self.tokens):
            if token.lemma not in RELATIVES or token.pos not in {"NOUN", "PROPN", "ADJ"}:
                continue
            bearers, owners = self.of(i, "appos"), self.owners(i)
            up = self.tokens[token.head]
            if token.dep in {"appos", "compound", "amod", "nmod"}:  # "X's rival Y", "Y, X's rival"
                bearers = [token.head]
                possessors = self.of(token.head, "poss") if token.dep != "appos" else []
                owners = owners or [j for j in possessors if self._kind(j) in {"name", "noun"}]
            elif token.dep == "attr" and up.lemma in {"be", "become"}:
                bearers = self.of(token.head, "nsubj")
            yield Kinship(
                token.lemma, tuple(map(self.filler, bearers)), tuple(map(self.filler, owners))
            )

    def _marks(self, i: int) -> list[int]:
        """The words before a noun that tell it from others: "tea exports", "Spanish minister"."""
        return [j for j in self.of(i, "compound", "amod", "nmod") if j < i]

    def _title(self, i: int) -> Iterator[int]:
        """What stands for the same as a noun: its title, its apposition, what "some of" takes."""
        for j in self.children[i]:
            token = self.tokens[j]
            if token.dep in {"compound", "appos", "nmod", "amod", "flat"}:
                yield j
                yield from self._title(j)
            elif token.lemma == "of" and self.tokens[i].lemma in _PARTS:
                for k in self.of(j, "pobj"):
                    yield k
                    yield from self._title(k)

    def _parted(self, i: int) -> list[int]:
        """What "some of" and the like take, else the token itself."""
        if self.tokens[i].lemma not in _PARTS or self._kind(i) == "number":
            return [i]
        wholes = [k for j in self.of(i, "prep") for k in self.of(j, "pobj")]
        return wholes[:1] or [i]

    def _counts(self, i: int) -> list[int]:
        """The first number that says how many there are: "three of the nine villages" are three."""
        if self._kind(i) == "number":
            return [i]
        found = [k for j in self.of(i, "nummod") for k in self._phrase(j)]
        first = min((j for j in found if self.tokens[j].pos == "NUM"), default=len(self.tokens))
        rest = takewhile(lambda j: self.tokens[j].pos == "NUM", range(first, len(self.tokens)))
        return list(rest)  # "48 million" is one number

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
        for j in self.of(i, "conj"):
            yield j
            yield from self._conjuncts(j)

    def _phrase(self, i: int) -> Iterator[int]:
        yield i
        for j in self.children[i]:
            if self.tokens[j].dep not in {"relcl", "advcl", "ccomp", "parataxis"}:
                yield from self._phrase(j)


def meanings_of(token: Token) -> frozenset[str]:
    """What a token can be matched by."""
    return word_meanings(token.text, token.lemma)


def _reach(token: Token) -> frozenset[str]:
    """All that a word of a source may be called: also the country whose capital it is."""
    return meanings_of(token) | {name for name in name_words(token.text) if name[0] == "@"}
