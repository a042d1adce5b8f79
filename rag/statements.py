"""What of a sentence is compared with another: words, quantities, dates, names, predicates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.dates import DateMention, date_mentions
from rag.grammar import Predicate, predicates
from rag.names import name_words
from rag.phrases import word_meanings
from rag.quantities import Quantity, quantities
from rag.types import Analysis, Span
from rag.wording import (
    FUNCTION_WORDS,
    claimed_quotations,
    fold,
    is_hedged,
    is_negated,
    normalise_quotes,
    stem,
    words,
)

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


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence's comparable parts, and who says it.

    `content` holds the meanings of each word that carries any; `stems` those of all words.
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
    negated: bool
    hedged: bool
    reported: bool = False  # all of it is told as what the speaker says


@dataclass(frozen=True, slots=True)
class Source:
    """One or two neighbouring sentences of an article, and what a reader knows besides: headline,
    outlet, date and the sentences before (`around`)."""

    sentences: tuple[Statement, ...]
    plain: str  # the text with its quotation marks straightened
    words: frozenset[str]  # all meanings of its content words, and of its speakers' names
    stems: frozenset[str]
    names: frozenset[str]  # `name_words` of it and of its speakers' names
    around_names: frozenset[str]  # `name_words` of what is around it
    around: str
    around_words: frozenset[str]
    outlet: str | None
    published: str | None


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
        negated=is_negated(text) or (analysis is None and _is_negated_abroad(folded)),
        hedged=is_hedged(text),
    )


def read_source(
    sentences: Sequence[Statement],
    text: str,
    around: str,
    lead: str = "",
    outlet: str | None = None,
    published: str | None = None,
) -> Source:
    """Sentences of an article as the source of a claim; `text` is theirs, with all between, and
    `lead` is how the article begins, which tells what it is about."""
    speakers = " ".join(s.speaker for s in sentences if s.speaker)
    spoken = frozenset(m for word in words(speakers) for m in word_meanings(word))
    return Source(
        sentences=tuple(sentences),
        plain=normalise_quotes(text),
        words=frozenset().union(spoken, *(m for s in sentences for m in s.content)),
        stems=frozenset().union(*(s.stems for s in sentences)),
        names=name_words(f"{text}\n{speakers}"),
        around_names=name_words(around),
        around=around,
        around_words=frozenset().union(*_content(around), *_content(lead)),
        outlet=outlet,
        published=published,
    )


def names_in(analysis: Analysis) -> tuple[str, ...]:
    """Names of people, places, organisations and the like, as written, in order."""
    names = [e.text for e in analysis.entities if e.label in _NAME_LABELS]
    covered = [(e.start, e.end) for e in analysis.entities]
    loose = [
        token.text
        for token in analysis.tokens
        if token.pos == "PROPN" and not any(s <= token.start < e for s, e in covered)
    ]
    return tuple(dict.fromkeys(re.sub(r"['’]s?$", "", name) for name in [*names, *loose]))


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
