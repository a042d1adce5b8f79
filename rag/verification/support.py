"""Whether a stretch of an article supports a statement: all that can speak against it."""

from __future__ import annotations

import re
from collections.abc import Callable

from rag.text.dates import day_of
from rag.text.grammar import AGENT, PATIENT
from rag.text.lexicon import PLAIN_SPEECH, SPEECH_VERBS, backing, opposites, plain_speech
from rag.text.names import is_known_word, is_mentioned, surname
from rag.text.phrases import word_meanings
from rag.text.statements import Source, Statement
from rag.text.wording import HEDGES, fold, stem, words
from rag.verification import comparisons, limits, measures
from rag.verification.relations import quotation_objection, relation_objection
from rag.verification.rewording import change_objection, is_reworded
from rag.verification.speech import is_same_speaker
from rag.verification.tellers import speaks

MIN_COVERAGE = 0.75
"""Share of a statement's content words that its source must carry."""

_BOUNDING = frozenset(map(stem, "more over above less fewer under below".split()))

Check = Callable[[Statement, Source], str | None]


def coverage(claim: Statement, source: Source) -> float:
    """Share of the claim's content words that the source has; what only stands around it counts
    half, and that somebody says it does not count."""
    if is_reworded(claim, source):
        return 1.0
    counted = [
        m for m in claim.content if m & source.words or not (claim.speaker and m & plain_speech())
    ]
    points = sum(
        1.0 if m & source.words else 0.5 if m & source.around_words else 0.0 for m in counted
    )
    return points / len(counted) if counted else 0.0


def objection(claim: Statement, source: Source) -> str | None:
    """Why the source does not support the claim, in words; None when nothing speaks against it."""
    reason = _quotations(claim, source) or quotation_objection(claim, source)
    if reason or is_reworded(claim, source):
        return reason
    for check in _CHECKS:
        reason = check(claim, source)
        if reason:
            return reason
    return None


def _quotations(claim: Statement, source: Source) -> str | None:
    for quotation in claim.quotations:
        if quotation not in source.plain:
            return f"the quotation “{quotation}” is not in the source"
    return None


def _numbers(claim: Statement, source: Source) -> str | None:
    """Each number with its unit must be in the source, of what it counts there."""
    theirs = [(sentence, q) for sentence in source.sentences for q in sentence.quantities]
    years = {date.year for s in source.sentences for d in s.dates for date in d.meant}
    for ours in claim.quantities:
        same = [(s, q) for s, q in theirs if q.value == ours.value]
        if not same and ours.value not in years:
            return (
                f"the source does not have the number {claim.text[ours.span.start : ours.span.end]}"
            )
        if ours.unit and same and all(q.unit != ours.unit for _, q in same):
            return f"the source has {same[0][1].value:g} of another unit than {ours.unit}"
        noun = dict(claim.counted).get(ours.span.start)
        if noun and not ours.unit and _counts_otherwise(noun, ours.value, source):
            return f"the source has another number than {ours.value:g} of these"
    return None


def _counts_otherwise(noun: frozenset[str], value: float, source: Source) -> bool:
    """Whether the source counts such things, but never as many."""
    counts, bare = [], []
    for sentence in source.sentences:
        nouns = dict(sentence.counted)
        for quantity in sentence.quantities:
            counted = nouns.get(quantity.span.start)
            if counted is None and not quantity.unit:
                bare.append(quantity.value)  # "40 people were hurt and 12 killed"
            elif counted and noun & counted:
                counts.append(quantity.value)
    return bool(counts) and value not in counts and value not in bare


def _dates(claim: Statement, source: Source) -> str | None:
    """Each date must be one of the source's, or its day where it names none."""
    theirs = [date for sentence in source.sentences for date in sentence.dates]
    published = day_of(source.published)
    if not theirs and published:
        theirs = [published]
    values = {q.value for sentence in source.sentences for q in sentence.quantities}
    for date in claim.dates:
        if not any(there.covers(date) for there in theirs) and date.meant[0].year not in values:
            return (
                f"the source does not have the date {claim.text[date.span.start : date.span.end]}"
            )
    return None


def _names(claim: Statement, source: Source) -> str | None:
    """A name that only stands around the source may be who does it, or who it is done to, where
    the source has a pronoun; nothing else."""
    fillers = [
        filler
        for predicate in claim.predicates
        for role in (AGENT, PATIENT)
        for filler in predicate.roles.get(role, ())
    ]
    for name in claim.names:
        if is_mentioned(name, source.names, metonyms=False) or _is_part(name, source):
            continue
        known = is_mentioned(name, source.around_names, metonyms=False)
        if not known:
            return f"the source does not mention {name}"
        if not any(word_meanings(surname(name)) & filler.core for filler in fillers):
            return f"the source does not say this of {name}"
    return None


def _is_part(name: str, source: Source) -> bool:
    """Whether the source has the surname, and the article the whole name."""
    mentioned = source.names | source.around_names
    return is_mentioned(surname(name), source.names, metonyms=False) and is_mentioned(
        name, mentioned, metonyms=False
    )


def _speaker(claim: Statement, source: Source) -> str | None:
    """Whoever the claim says speaks must be who speaks in the source."""
    if claim.speaker is None or not speaks(claim, source):
        return None
    spoken = [sentence for sentence in source.sentences if sentence.speaker]
    for sentence in spoken:
        if not is_same_speaker(claim.speaker, sentence.speaker or "", sentence.text):
            return f"the source gives this to {sentence.speaker}, not to {claim.speaker}"
    theirs = frozenset(m for s in source.sentences for q in s.predicates for m in q.words)
    acts = any(p.lemma in SPEECH_VERBS and p.words & theirs for p in claim.predicates)
    if spoken or (acts and not claim.reported):
        return None
    return f"the source does not say that {claim.speaker} said it"


def _scope(claim: Statement, source: Source) -> str | None:
    """Words like "all", "only" and "because" must stand in the source, in some form."""
    for word in sorted(claim.stems):
        backed = backing(word)
        if word == "least" and "at least" in claim.text.lower():
            continue  # a bound, of which the number is asked
        if backed and not backed & source.stems:
            return f"the source does not say “{word}”"
    return None


def _qualities(claim: Statement, source: Source) -> str | None:
    """An adjective that nobody used is something added."""
    reach = source.words | source.around_words | source.stems
    for text, meanings in claim.qualities:
        if not meanings & reach and fold(text) not in HEDGES:
            return f"the source does not say “{text}”"
    return None


def _coinages(claim: Statement, source: Source) -> str | None:
    """A word that no dictionary has is a name or a code, whatever the grammar takes it for: the
    article must have it, too."""
    if not claim.predicates:
        return None  # without grammar it may be a word of another language
    mentioned, meant = source.names | source.around_names, source.words | source.around_words
    for word in (part for whole in words(claim.text) for part in re.split("[-‑]", whole)):
        if len(word) < 3 or word[0].isdigit() or is_known_word(word) or stem(word) in source.stems:
            continue
        if not is_mentioned(word, mentioned) and not word_meanings(word) & meant:
            return f"the source does not say “{word}”"
    return None


def _states_something(claim: Statement, source: Source) -> str | None:
    """A claim about an article whose grammar we know must say more than that somebody spoke."""
    known = any(sentence.predicates for sentence in source.sentences)
    says = any(
        p.lemma not in PLAIN_SPEECH or PATIENT in p.roles or len(p.roles) > 1 or p.denials
        for p in claim.predicates
    )
    return "it states nothing by itself" if known and not says else None


def _opposites(claim: Statement, source: Source) -> str | None:
    bounds = {measures.bound(claim.text[: quantity.whole.start]) for quantity in claim.quantities}
    told = _BOUNDING if bounds & {"over", "under"} else frozenset()  # judged where they stand
    for word in sorted(claim.stems - source.stems - told):
        against = opposites(word) & source.stems - claim.stems
        if against:
            return f"the source says “{min(against)}”, the claim “{word}”"
    return None


def _polarity(claim: Statement, source: Source) -> str | None:
    """The whole is compared where no predicate can be."""
    if claim.predicates and any(
        p.words & q.words for p in claim.predicates for s in source.sentences for q in s.predicates
    ):
        return None
    if claim.negated != any(sentence.negated for sentence in source.sentences):
        return "the one denies what the other states"
    if any(sentence.hedged for sentence in source.sentences) and not claim.hedged:
        return "the source says it only as possible or expected"
    return None


def _covered(claim: Statement, source: Source) -> str | None:
    share = coverage(claim, source)
    return f"only {share:.0%} of its content is in the source" if share < MIN_COVERAGE else None


_CHECKS: tuple[Check, ...] = (
    _numbers,
    _dates,
    *measures.CHECKS,
    *comparisons.CHECKS,
    _names,
    _speaker,
    _opposites,
    _scope,
    _qualities,
    _coinages,
    _states_something,
    relation_objection,
    *limits.CHECKS,
    change_objection,
    _polarity,
    _covered,
)
