"""Whose words they are, where several speak, one says what another said, or one contests it."""

from __future__ import annotations

from rag.text.grammar import AGENT, Predicate
from rag.text.lexicon import DISPUTES, SPEECH_VERBS, TELLING
from rag.text.names import same_person
from rag.text.phrases import Filler
from rag.text.statements import Source, Statement
from rag.text.wording import fold
from rag.verification.speech import is_same_speaker


def speaks(claim: Statement, source: Source) -> bool:
    """Whether the claim names a speaker, not only the paper that quotes one."""
    return bool(claim.speaker) and not (
        source.outlet and same_person(claim.speaker or "", source.outlet)
    )


def pronouns(statement: Statement) -> frozenset[str]:
    """The pronouns of those who say something in it: "he", "she"."""
    return frozenset(
        fold(filler.text)
        for predicate in statement.predicates
        if predicate.lemma in SPEECH_VERBS
        for filler in predicate.roles.get(AGENT, ())
        if filler.kind == "third person"
    )


def teller_objection(
    claim: Statement, predicate: Predicate, sentence: Statement, other: Predicate
) -> str | None:
    """What somebody says that another said is not said by the former; of several who speak in a
    sentence, each says their own; what one contests is not so because another says it."""
    if not other.tellers:
        return None
    told = bool(predicate.tellers) or claim.reported
    if not told and not claim.speaker and DISPUTES & sentence.stems - claim.stems:
        return f"the source has “{other.text}” only as what one side says"
    if _is_second_hand(claim, predicate, sentence, other):
        return f"the source has “{other.text}” only as what somebody says that another said"
    named = {p.start for p in sentence.predicates if p.lemma in TELLING}
    if len(named) < 2 or not told:
        return None
    return _another(claim, predicate, sentence, other)


def _another(
    claim: Statement, predicate: Predicate, sentence: Statement, other: Predicate
) -> str | None:
    """Who else says it; a sentence of several who speak, one of them unknown, is too hard."""
    nearest = other.tellers[0]
    if not nearest:
        return f"it is not certain who says “{other.text}”"
    if not predicate.tellers:
        fits = any(is_same_speaker(claim.speaker or "", t.text, sentence.text) for t in nearest)
        return None if fits else f"the source does not give “{other.text}” to {claim.speaker}"
    for teller in predicate.tellers[0]:
        if not any(_may_tell(teller, their) for their in nearest):
            return f"the source does not give “{other.text}” to {teller.text}"
    return None


def _is_second_hand(
    claim: Statement, predicate: Predicate, sentence: Statement, other: Predicate
) -> bool:
    """Whether somebody says that another says it, and the claim has neither both nor the latter."""
    ours = len(predicate.tellers) + _by_phrase(claim)
    theirs = len(other.tellers) + _by_phrase(sentence)
    if theirs < 2 or ours >= theirs:
        return False
    nearest, outer = other.tellers[0], [t for teller in other.tellers[1:] for t in teller]
    if not predicate.tellers or any(_may_tell(near, far) for near in nearest for far in outer):
        return True
    return not any(_may_tell(t, near) for t in predicate.tellers[0] for near in nearest)


def _by_phrase(statement: Statement) -> int:
    return int("according to" in statement.text.lower())


def _may_tell(ours: Filler, theirs: Filler) -> bool:
    pronoun = {ours.kind, theirs.kind} & {"first person", "third person"}
    return bool(pronoun) or all(head & theirs.words for head in ours.heads)
