"""Whether a stretch of an article supports a statement, by what can be checked word for word."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.names import is_mentioned, name_words, surname
from rag.types import Analysis
from rag.wording import (
    content_stems,
    is_hedged,
    is_negated,
    normalise_quotes,
    numbers,
    quotations,
)

MIN_COVERAGE = 0.6
"""Share of a statement's content words that its source must carry."""

_NAME_LABELS = frozenset(
    "PERSON ORG GPE NORP LOC FAC EVENT PRODUCT WORK_OF_ART LAW LANGUAGE".split()
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What of a text is compared: stems of its content words, numbers, names, quotations."""

    text: str
    stems: frozenset[str]
    numbers: frozenset[str]
    names: tuple[str, ...]
    quotations: tuple[str, ...]
    negated: bool
    hedged: bool


def read_statement(text: str, analysis: Analysis | None = None) -> Statement:
    """The comparable parts of a sentence or two; its names only where its grammar is given."""
    quoted = (text[span.start : span.end].strip(" ,;") for span in quotations(text))
    return Statement(
        text=text,
        stems=frozenset(content_stems(text)),
        numbers=frozenset(numbers(text)),
        names=names_in(analysis) if analysis else (),
        quotations=tuple(normalise_quotes(quote).rstrip(".") for quote in quoted),
        negated=is_negated(text),
        hedged=is_hedged(text),
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


def coverage(claim: Statement, source: Statement, context: str) -> float:
    """Share of the claim's content words that the source has; those of `context` count half."""
    if not claim.stems:
        return 0.0
    around = frozenset(content_stems(context))
    points = sum(
        1.0 if stem in source.stems else 0.5 if stem in around else 0.0 for stem in claim.stems
    )
    return points / len(claim.stems)


def objection(claim: Statement, source: Statement, context: str) -> str | None:
    """Why the source does not support the claim, in words; None when nothing speaks against it.

    `context` is what a reader of the source knows besides: the article's headline, outlet, date,
    and the sentences before.
    """
    plain = normalise_quotes(source.text)
    for quotation in claim.quotations:
        if quotation not in plain:
            return f"the quotation “{quotation}” is not in the source"
    strange = claim.numbers - source.numbers - numbers(context)
    if strange:
        return f"the source does not have the number {', '.join(sorted(strange))}"
    mentioned = name_words(source.text + "\n" + context, metonyms=False)
    for name in claim.names:
        if not (
            is_mentioned(name, mentioned, False) or is_mentioned(surname(name), mentioned, False)
        ):
            return f"the source does not mention {name}"
    if claim.negated != source.negated:
        return "the one denies what the other states"
    if source.hedged and not claim.hedged:
        return "the source says it only as possible or expected"
    share = coverage(claim, source, context)
    if share < MIN_COVERAGE:
        return f"only {share:.0%} of its content is in the source"
    return None
