"""What of a sentence is compared with another: words, quantities, dates, names, predicates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rag.text.dates import DateMention, date_mentions, is_relative
from rag.text.grammar import Predicate, predicates
from rag.text.lexicon import PLAIN_SPEECH, plain_speech
from rag.text.names import name_words
from rag.text.phrases import Kinship, Tree, word_meanings
from rag.text.qualifiers import Qualifiers, qualifiers
from rag.text.quantities import Quantity, quantities
from rag.text.wording import (
    FUNCTION_WORDS,
    claimed_quotations,
    fold,
    is_hedged,
    is_negated,
    normalise_quotes,
    stem,
    words,
)
from rag.types import Analysis, Span

MAX_TOKENS = 300
"""A longer text is no sentence; its grammar is guesswork."""

_NAME_LABELS = frozenset(
    "PERSON ORG GPE NORP LOC FAC EVENT PRODUCT WORK_OF_ART LAW LANGUAGE".split()
)

_FOREIGN_NEGATIONS = frozenset(
    "nicht kein keine keinen keinem keiner nie niemals ne pas jamais aucun aucune nunca jamas "
    "tampoco non mai nessuno nem nao niet geen nooit inte ikke aldrig nikdy не нет ни "
    "никогда".split()
)


SAID = "~said"
"""The key of every plain verb of saying, and of "according to"."""

_CONTRACTED = {"m": "am", "re": "are", "ve": "have", "ll": "will"}
_UNTOLD = frozenset("that the a an".split())


@dataclass(frozen=True, slots=True)
class Form:
    """A word, number or date of a text as it is written, and the `key` that all its forms share,
    but for dates."""

    key: str
    text: str
    date: DateMention | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence's comparable parts, and who says it.

    `content` holds the meanings of each word that carries any; `stems` those of all words;
    `forms` all in order, but for articles.
    `quotes` are the places in quotation marks. Without grammar there are no names or predicates.
    """

    text: str
    speaker: str | None
    content: tuple[frozenset[str], ...]
    stems: frozenset[str]
    quantities: tuple[Quantity, ...]
    dates: tuple[DateMention, ...]
    names: tuple[str, ...]
    quotations: tuple[str, ...]
    quotes: tuple[Span, ...]
    predicates: tuple[Predicate, ...]
    counted: tuple[tuple[int, frozenset[str]], ...]  # start of a number, meanings of what it counts
    qualities: tuple[tuple[str, frozenset[str]], ...]  # its adjectives
    forms: tuple[Form, ...]
    qualifiers: Qualifiers
    kinships: tuple[Kinship, ...]
    negated: bool
    hedged: bool
    reported: bool = False  # all of it is told as what the speaker says


@dataclass(frozen=True)
class Source:
    """One or two neighbouring sentences of an article, and what a reader knows besides: headline,
    outlet, date and the sentences before (`around`), and how the article begins (`lead`), which
    tells what it is about. What is compared is found when it is first asked for."""

    sentences: tuple[Statement, ...]
    text: str  # theirs, with all between
    around: str
    lead: str = ""
    outlet: str | None = None
    published: str | None = None

    @cached_property
    def plain(self) -> str:
        """The text with its quotation marks straightened."""
        return normalise_quotes(self.text)

    @cached_property
    def words(self) -> frozenset[str]:
        """All meanings of its content words, and of its speakers' names."""
        spoken = (m for word in words(self._speakers) for m in word_meanings(word))
        return frozenset(spoken).union(*(m for s in self.sentences for m in s.content))

    @cached_property
    def stems(self) -> frozenset[str]:
        """Those of all words."""
        return frozenset().union(*(s.stems for s in self.sentences))

    @cached_property
    def names(self) -> frozenset[str]:
        """`name_words` of it and of its speakers' names."""
        return name_words(f"{self.text}\n{self._speakers}")

    @cached_property
    def around_names(self) -> frozenset[str]:
        """`name_words` of what is around it."""
        return name_words(self.around)

    @cached_property
    def around_words(self) -> frozenset[str]:
        """All meanings of the content words around it and of the lead."""
        return frozenset().union(*_content(self.around), *_content(self.lead))

    @property
    def _speakers(self) -> str:
        return " ".join(s.speaker for s in self.sentences if s.speaker)


def read_statement(
    text: str,
    analysis: Analysis | None = None,
    speaker: str | None = None,
    quotes: Sequence[Span] = (),
    published: str | None = None,
) -> Statement:
    """The comparable parts of a sentence; its names and predicates only with its grammar.

    `published` is the day from which "Monday" and "yesterday" are counted.
    """
    if analysis and len(analysis.tokens) > MAX_TOKENS:
        analysis = None
    tree = Tree(analysis) if analysis else None
    dates = date_mentions(text, published)
    counted = [
        quantity
        for quantity in quantities(text)
        if not any(d.span.start <= quantity.span.start < d.span.end for d in dates)
    ]
    measured = [*(d.span for d in dates), *(quantity.whole for quantity in counted)]
    folded = [fold(part) for word in words(text) for part in re.split(r"[-‑]", word)]
    return Statement(
        text=text,
        speaker=speaker,
        content=_content(_without(text, measured)),
        stems=frozenset(stem(word) for word in folded),
        quantities=tuple(counted),
        dates=tuple(dates),
        names=names_in(analysis) if analysis else (),
        quotations=tuple(map(normalise_quotes, claimed_quotations(text))),
        quotes=tuple(quotes),
        predicates=predicates(analysis) if analysis else (),
        counted=tuple(_counted(analysis)) if analysis else (),
        qualities=tuple(_qualities(analysis)) if analysis else (),
        forms=tuple(_forms(text, counted, dates)),
        qualifiers=qualifiers(text, tree) if tree else Qualifiers(),
        kinships=tuple(tree.kinships()) if tree else (),
        negated=is_negated(text) or (analysis is None and _is_negated_abroad(folded)),
        hedged=is_hedged(text),
    )


def names_in(analysis: Analysis) -> tuple[str, ...]:
    """Names of people, places, organisations and the like, as written, in order."""
    names = [e.text for e in analysis.entities if e.label in _NAME_LABELS]
    covered = [(e.start, e.end) for e in analysis.entities]
    loose = [
        token.text
        for token in analysis.tokens
        if token.pos == "PROPN"
        and any(c.isalnum() for c in token.text)
        and not any(s <= token.start < e for s, e in covered)
    ]
    return tuple(dict.fromkeys(re.sub(r"['’]s?$", "", name) for name in [*names, *loose]))


def _forms(text: str, counted: Sequence[Quantity], dates: Sequence[DateMention]) -> Iterator[Form]:
    """The words of a text in order, its numbers with their units and its dates as one each."""
    whole = [(q.whole, Form(f"#{q.value:g} {q.unit}", _at(text, q.whole))) for q in counted]
    fixed = [d for d in dates if not is_relative(_at(text, d.span))]
    whole += [(d.span, Form(f"@{d.span.start}", _at(text, d.span), d)) for d in fixed]
    place = 0
    for span, form in sorted(whole, key=lambda found: found[0].start):
        yield from _words(text[place : span.start])
        yield form
        place = max(place, span.end)
    yield from _words(text[place:])


def _at(text: str, span: Span) -> str:
    return text[span.start : span.end].strip()


def _words(text: str) -> Iterator[Form]:
    """The words of a text; contractions as the words that they stand for."""
    for word in re.sub(r"\b[Aa]ccording to\b", "said", text).split():
        for part in words(re.sub(r"[-‑]", " ", word)):
            for plain in _expanded(fold(part)):
                if plain in _UNTOLD:
                    continue
                told = plain in {"said", "told", "wrote"} or (
                    part.islower() and plain not in PLAIN_SPEECH and stem(plain) in plain_speech()
                )
                yield Form(SAID if told else plain, part if plain == fold(part) else plain)


def _expanded(word: str) -> list[str]:
    if word == "cannot" or word.endswith("n't"):
        stems = {"cannot": "can", "can't": "can", "won't": "will", "shan't": "shall"}
        return [stems.get(word, word[:-3]), "not"]
    head, _, tail = word.rpartition("'")
    return [head, _CONTRACTED[tail]] if head and tail in _CONTRACTED else [word]


def _without(text: str, spans: Sequence[Span]) -> str:
    for span in spans:
        text = text[: span.start] + " " * (span.end - span.start) + text[span.end :]
    return text


@lru_cache(maxsize=256)  # the lead of an article goes with each of its sentences
def _content(text: str) -> tuple[frozenset[str], ...]:
    parts = (part for word in words(text) for part in re.split(r"[-‑]", word))
    return tuple(
        word_meanings(part)
        for part in dict.fromkeys(parts)
        if fold(part) not in FUNCTION_WORDS and len(part) > 1
    )


def _counted(analysis: Analysis) -> list[tuple[int, frozenset[str]]]:
    tokens = analysis.tokens
    return [
        (token.start, word_meanings(tokens[token.head].text, tokens[token.head].lemma))
        for token in tokens
        if token.dep == "nummod" and tokens[token.head].pos in {"NOUN", "PROPN"}
    ]


def _qualities(analysis: Analysis) -> list[tuple[str, frozenset[str]]]:
    return [
        (token.text, word_meanings(token.text, token.lemma))
        for token in analysis.tokens
        if token.pos == "ADJ" and token.text.isalpha() and fold(token.text) not in FUNCTION_WORDS
    ]


def _is_negated_abroad(folded: Sequence[str]) -> bool:
    return any(word in _FOREIGN_NEGATIONS for word in folded)
