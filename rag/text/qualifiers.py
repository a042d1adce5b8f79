"""What narrows the words of a sentence: quantifiers and qualifiers of its nouns, what it sets aside
("instead of …"), and the words by which one clause hangs on another ("because", "before")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.text.lexicon import DENYING_HEADS, OPEN_HEADS, privatives
from rag.text.names import TITLES
from rag.text.phrases import Tree, meanings_of
from rag.text.wording import FUNCTION_WORDS, fold
from rag.types import Token

_SHARES = {
    "few": "few",
    "little": "few",
    "hardly": "few",
    "scarcely": "few",
    "barely": "few",
    "minority": "few",
    "some": "some",
    "several": "some",
    "certain": "some",
    "number": "some",
    "part": "some",
    "one": "some",
    "many": "many",
    "dozen": "many",
    "hundred": "many",
    "thousand": "many",
    "lot": "many",
    "most": "most",
    "majority": "most",
    "bulk": "most",
    "half": "half",
    "third": "third",
    "quarter": "quarter",
    "all": "all",
    "each": "all",
    "every": "all",
    "both": "all",
}
"""Words for how many of something, by what they come to."""

_CONNECTIVES = {
    "before": "before",
    "after": "after",
    "following": "after",
    "follow": "after",
    "until": "until",
    "till": "until",
    "since": "since",
    "because": "because",
    "due": "because",
    "although": "despite",
    "though": "despite",
    "despite": "despite",
    "notwithstanding": "despite",
    "regardless": "despite",
    "if": "if",
    "unless": "unless",
}
_SET_ASIDE = re.compile(
    r"\b(?:instead of|rather than|as opposed to|except(?: for)?|apart from|other than|unlike|"
    r"excluding|without|far from|anything but|"
    r"(?<=, )not(?= (?:because|the|a|an|its|his|her|their) ))\b",
    re.IGNORECASE,
)
_UNREAL = (
    OPEN_HEADS | DENYING_HEADS | {"danger", "prospect", "possibility", "rumour", "rumor"}
) - {"order", "set", "need", "call", "offer", "effort", "demand", "bid"}
_NOUN_LIKE = frozenset("NOUN PROPN ADJ ADV PUNCT NUM".split())
_CONTENT = frozenset("NOUN PROPN VERB ADJ".split())
_DEFINITE = frozenset("the these those this that its their his her our my".split())
_MODIFYING = frozenset("amod compound nmod advmod".split())


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun with its meanings, `privatives` (the stems that say that it is none), the `share` of
    such things that is meant, if a word tells it, and whether that is told as a part (`parted`:
    "most of the crew"); `count` is how many there are."""

    text: str
    words: frozenset[str]
    privatives: tuple[frozenset[str], ...]
    share: str | None
    parted: bool
    definite: bool
    count: str


@dataclass(frozen=True, slots=True)
class Link:
    """What hangs on what by a connective: meanings of the verb, of what explains or dates it."""

    kind: str
    what: frozenset[str]
    by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Qualifiers:
    """All that narrows a sentence; `aside` are the meanings of the words that it sets aside, `kept`
    those of its other words."""

    nouns: tuple[Noun, ...] = ()
    links: tuple[Link, ...] = ()
    aside: tuple[tuple[str, frozenset[str]], ...] = ()
    kept: tuple[tuple[str, frozenset[str]], ...] = ()


def qualifiers(text: str, tree: Tree) -> Qualifiers:
    """What narrows the words of a text, which the tree is of."""
    aside = set(_aside(text, tree))
    content = [
        (i, token)
        for i, token in enumerate(tree.tokens)
        if token.pos in _CONTENT and fold(token.text) not in FUNCTION_WORDS and len(token.text) > 1
    ]
    return Qualifiers(
        nouns=tuple(_nouns(tree)),
        links=tuple(_links(tree)),
        aside=tuple((t.text, meanings_of(t)) for i, t in content if i in aside),
        kept=tuple((t.text, meanings_of(t)) for i, t in content if i not in aside),
    )


def _nouns(tree: Tree) -> Iterator[Noun]:
    marks = _privative_places(tree.tokens)
    for i, token in enumerate(tree.tokens):
        if token.pos != "NOUN" and fold(token.text) not in TITLES:
            continue
        share, parted = _share(tree, i)
        up = tree.tokens[tree.tokens[i].head]
        over = tree.tokens[up.head]
        if token.dep == "pobj" and up.lemma in {"of", "for"} and over.lemma in _UNREAL:
            marks.setdefault(i, []).append(meanings_of(over))
        yield Noun(
            token.text,
            meanings_of(token),
            tuple(marks.get(i, ())),
            share,
            parted,
            any(fold(tree.tokens[j].text) in _DEFINITE for j in tree.of(i, "det", "poss")),
            " ".join(fold(tree.tokens[j].text) for j in tree.of(i, "nummod")),
        )


def _privative_places(tokens: Sequence[Token]) -> dict[int, list[frozenset[str]]]:
    """The nouns that stand after "former", "alleged" and the like in one phrase."""
    known = privatives()
    found: dict[int, list[frozenset[str]]] = {}
    for i, token in enumerate(tokens):
        word, last = fold(token.text), i
        for j in range(i + 1, min(i + 4, len(tokens))):  # "so-called", cut into its parts
            joined = fold("".join(t.text for t in tokens[i : j + 1]))
            if tokens[j].start == tokens[j - 1].end and joined in known:
                word, last = joined, j
        if word in known:
            for j in _qualified(tokens, i, last):
                found.setdefault(j, []).append(known[word])
    return found


def _qualified(tokens: Sequence[Token], i: int, last: int) -> Iterator[int]:
    """The phrase that a qualifier from token `i` to `last` belongs to."""
    token = tokens[i]
    if last == i and token.dep not in _MODIFYING:
        if i > 1 and fold(token.text) in {"elect", "designate"} and tokens[i - 1].text == "-":
            yield i - 2
        return
    once = fold(token.text) == "once"
    if once and tokens[token.head].pos != "NOUN":
        return
    first = last + 1 + (once and tokens[last + 1].pos == "DET")
    for j in range(first, min(first + 5, len(tokens))):
        if tokens[j].pos not in _NOUN_LIKE or tokens[j].text in {",", "(", ";"}:
            return
        yield j


def _share(tree: Tree, i: int) -> tuple[str | None, bool]:
    """How many of a noun's things are meant, and whether of definite ones."""
    for j in tree.of(i, "det", "amod", "advmod", "predet", "nummod"):
        token = tree.tokens[j]
        share = _SHARES.get(fold(token.text))
        if fold(token.text) in {"few", "little"} and tree.of(i, "det"):
            share = "some" if fold(token.text) == "few" else None  # "a few", "the little girl"
        if share and token.lemma != "one":
            return share, False
        hardly = [_SHARES.get(fold(tree.tokens[k].text)) for k in tree.of(j, "advmod")]
        if "few" in hardly:
            return "few", False
    up = tree.tokens[i].head
    if tree.tokens[i].dep != "pobj" or tree.tokens[up].lemma != "of":
        counts = tree.of(i, "nummod")  # "three of nine villages"
        return None, any(tree.tokens[k].lemma == "of" for j in counts for k in tree.children[j])
    whole = tree.tokens[tree.tokens[up].head]
    share = _SHARES.get(fold(whole.text)) or _SHARES.get(whole.lemma)
    if not share and whole.pos != "NUM":
        return None, False
    if tree.tokens[whole.head].lemma in {"but", "except"}:
        share = "except"  # "all but one of the jurors"
    return share, share != "all"


def _links(tree: Tree) -> Iterator[Link]:
    for i, token in enumerate(tree.tokens):
        kind = _CONNECTIVES.get(token.lemma) or _CONNECTIVES.get(fold(token.text))
        if not kind:
            continue
        if token.dep == "mark":
            clause = token.head
            up = tree.tokens[clause].head
            while tree.tokens[clause].dep == "conj" and tree.of(up, "mark"):
                clause, up = up, tree.tokens[up].head
            if tree.tokens[clause].dep != "advcl":
                continue
            yield Link(kind, _verb(tree, up), _verb(tree, token.head))
        elif token.dep == "prep":
            if "neg" in {tree.tokens[j].dep for j in tree.children[i]}:
                continue
            below = [*tree.of(i, "pobj", "pcomp")]
            below += [k for j in tree.of(i, "pcomp", "prep") for k in tree.of(j, "pobj", "pcomp")]
            words = [meanings_of(tree.tokens[j]) for j in below if tree.tokens[j].pos in _CONTENT]
            if words:
                yield Link(kind, _verb(tree, token.head), frozenset().union(*words))


def _verb(tree: Tree, i: int) -> frozenset[str]:
    """The meanings of a verb; with "be" and the like also of what it is said with."""
    objects = tree.of(i, "attr", "acomp", "xcomp")
    said = objects if objects and tree.tokens[i].lemma == "be" else (i, *objects)
    return frozenset().union(*(meanings_of(tree.tokens[j]) for j in said))


def _aside(text: str, tree: Tree) -> Iterator[int]:
    """The tokens that a text sets aside: "diesel ones" in "instead of diesel ones"."""
    for marker in _SET_ASIDE.finditer(text):
        after = [i for i, token in enumerate(tree.tokens) if token.start >= marker.end()]
        limit = next(
            (i for i in after if tree.tokens[i].text in {",", ";", ".", "—", ":"}), len(tree.tokens)
        )
        if not after or after[0] >= limit:
            continue
        top = after[0]
        while after[0] <= tree.tokens[top].head < limit and tree.tokens[top].head != top:
            top = tree.tokens[top].head
        if tree.tokens[top].pos == "VERB":
            yield top  # what it is done to, need not be
            continue
        yield from (i for i in range(after[0], limit) if top in _path(tree, i))


def _path(tree: Tree, i: int) -> Iterator[int]:
    yield i
    while tree.tokens[i].head != i:
        i = tree.tokens[i].head
        yield i
