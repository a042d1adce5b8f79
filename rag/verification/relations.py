"""Whether what a claim says of whom is what its source says: predicate by predicate."""

from __future__ import annotations

from rag.text.grammar import AGENT, FACT, OPEN, PATIENT, TO_COME, Predicate
from rag.text.lexicon import (
    COLLECTIVES,
    GENERIC_NOUNS,
    PLAIN_SPEECH,
    SYMMETRIC,
    opposites,
)
from rag.text.names import TITLES, countries_of
from rag.text.phrases import Filler, Kinship, word_meanings
from rag.text.statements import Source, Statement
from rag.text.wording import FUNCTION_WORDS, WORD, fold, normalise_quotes, stem, words
from rag.verification.belongings import holds, number_objection
from rag.verification.limits import unreal_objection
from rag.verification.tellers import pronouns, speaks, teller_objection

_SUPPLETIVE = frozenset("be have do make take get become include involve hold give".split())
"""Verbs that say little by themselves, so that a source may lack them."""

_TITLES = frozenset(map(stem, TITLES))


def relation_objection(claim: Statement, source: Source) -> str | None:
    """Why the source does not say what the claim says of whom; None when nothing speaks against.

    Each predicate of the claim must be one of the source's, with the same denials, no more
    certainty, and nobody else in its roles.
    """
    if len(source.sentences) > 1 and claim.predicates:
        told = [any(_alike(p, s) for p in claim.predicates) for s in source.sentences]
        if any(told) and not all(told):
            return "one of the two sentences says nothing of it"
    if reason := _kinship_objection(claim, source):
        return reason
    for predicate in claim.predicates:
        reasons = []
        alike = [(s, other) for s in source.sentences for other in _alike(predicate, s)]
        for sentence, other in alike:
            reason = _difference(claim, predicate, sentence, other, source)
            if reason is None:
                break
            reasons.append(reason)
        else:
            reason = reasons[0] if reasons else _unfounded(claim, predicate, source)
            if reason:
                return reason
    return None


def _kinship_objection(claim: Statement, source: Source) -> str | None:
    """Whose son, lawyer or rival the source says another to be, or another's."""
    theirs = [kinship for sentence in source.sentences for kinship in sentence.kinships]
    for ours in claim.kinships:
        same = [there for there in theirs if there.kind == ours.kind]
        if ours.bearers and same and not any(_is_kinship(there, ours, source) for there in same):
            return f"the source does not say whose {ours.kind} that is"
    return None


def _is_kinship(there: Kinship, ours: Kinship, source: Source) -> bool:
    def fits(theirs: tuple[Filler, ...], mine: tuple[Filler, ...]) -> bool:
        known = [f for f in theirs if f.kind in {"name", "noun"}]
        asked = [f for f in mine if f.kind in {"name", "noun"}]
        return not (known and asked) or any(
            all(head & t.core for head in f.heads) and _is_it(t, f, source)
            for f in asked
            for t in known
        )

    if fits(there.bearers, ours.bearers) and fits(there.owners, ours.owners):
        return True
    both = fits(there.owners, ours.bearers) and fits(there.bearers, ours.owners)
    return ours.kind in SYMMETRIC and both


def _alike(predicate: Predicate, sentence: Statement) -> list[Predicate]:
    return [other for other in sentence.predicates if predicate.words & other.words]


def _unfounded(claim: Statement, predicate: Predicate, source: Source) -> str | None:
    """What is wrong with a predicate that the source has not, or only as a noun."""
    if claim.speaker and predicate.lemma in PLAIN_SPEECH and not predicate.denials:
        return None
    if predicate.denials and not any(s.negated for s in source.sentences):
        return f"the source does not deny “{predicate.text}”"
    if predicate.lemma == "be" and not _is_called(predicate, source):
        return f"the source does not say that it “{predicate.text}” that"
    if unreal := unreal_objection(claim, predicate, source):
        return unreal
    if predicate.lemma in {"be", "become", "remain"} and _is_done_to(predicate, source):
        return f"the source does not say that of {predicate.roles[AGENT][0].text}"
    said = predicate.words & source.words or predicate.lemma in _SUPPLETIVE
    return None if said else f"the source does not say “{predicate.text}”"


def _is_done_to(predicate: Predicate, source: Source) -> bool:
    """Whether whom a claim says something to be is only acted upon in the source, as the one is
    whom another replaces or succeeds."""
    subjects = [f for f in predicate.roles.get(AGENT, ()) if f.kind == "name"]
    others = [p for s in source.sentences for p in s.predicates]
    found = [
        (role, other)
        for subject in subjects
        for other in others
        for role in (AGENT, PATIENT)
        if any(_is_in(f, subject, AGENT) for f in other.roles.get(role, ()))
    ]
    return bool(found) and all(role == PATIENT and AGENT in other.roles for role, other in found)


def _is_called(predicate: Predicate, source: Source) -> bool:
    """Whether one phrase of the source holds both what is and what it is said to be, as "her
    lawyer, Tom Birch" does."""
    phrases = [
        filler.words
        for sentence in source.sentences
        for other in sentence.predicates
        for fillers in other.roles.values()
        for filler in fillers
    ]
    subjects = predicate.roles.get(AGENT, ())
    said = predicate.words.difference(*(head for subject in subjects for head in subject.heads))
    return any(
        (not said or said & phrase)
        and all(head & phrase for subject in subjects for head in subject.heads)
        for phrase in phrases
    )


def _difference(
    claim: Statement, predicate: Predicate, sentence: Statement, other: Predicate, source: Source
) -> str | None:
    """Why a predicate of the claim is not this one of the source's."""
    if predicate.denials != other.denials:
        return f"the one denies, the other states “{other.text}”"
    if _is_surer(predicate, other):
        return f"the source says “{other.text}” only as possible or to come"
    if other.limits and not predicate.limits:
        return f"the source says it only “{min(other.limits)}”"
    if other.past and predicate.certainty == TO_COME:
        return f"the source tells “{other.text}” as done"
    if other.over and _is_present(predicate):
        return f"the source tells “{other.text}” of a time that is gone"
    return (
        _opposed(claim, predicate, sentence, other)
        or _unattributed(claim, predicate, sentence, other, source)
        or teller_objection(claim, predicate, sentence, other)
        or _other_roles(predicate, sentence, other, source)
        or number_objection(claim, predicate, sentence, other)
    )


def _opposed(
    claim: Statement, predicate: Predicate, sentence: Statement, other: Predicate
) -> str | None:
    """A word of the one where the other has its opposite: "south" for "north"."""
    ours, theirs = _stems(claim, predicate), _stems(sentence, other)
    for word in sorted(ours - theirs):
        if against := opposites(word) & theirs - ours:
            return f"the source has “{min(against)}” with “{other.text}”, the claim “{word}”"
    return None


def _stems(statement: Statement, predicate: Predicate) -> frozenset[str]:
    found = (WORD.match(statement.text, start) for start in predicate.tokens)
    return frozenset(stem(word.group()) for word in found if word)


def _is_surer(predicate: Predicate, other: Predicate) -> bool:
    if predicate.infinitive:
        return False
    if other.certainty == TO_COME and predicate.certainty == FACT:
        return predicate.past  # "hosts the summit in May" is as good as "will host"
    if other.modal == OPEN and predicate.modal == TO_COME:  # "will" for "may", whatever governs it
        return True
    return predicate.certainty < other.certainty


def _is_present(predicate: Predicate) -> bool:
    """Whether it is told as so now."""
    timeless = predicate.past or predicate.infinitive or predicate.text.endswith("ing")
    return not timeless and predicate.certainty == FACT and not predicate.reported


def _unattributed(
    claim: Statement, predicate: Predicate, sentence: Statement, other: Predicate, source: Source
) -> str | None:
    """What one side says must not be told as a fact, nor be given to a speaker without words."""
    if claim.speaker and (predicate.reported or claim.reported) and not sentence.speaker:
        return f"the source does not say that {claim.speaker} said it"
    quoted = _is_quoted(other, sentence) and not _is_set_as(claim, predicate, sentence)
    if not quoted and not other.opinion:
        return None
    if speaks(claim, source) or (other.opinion and (predicate.opinion or claim.hedged)):
        return None
    if sentence.speaker and _mentions_speaker(claim, predicate, sentence.speaker):
        return None
    return f"these are the words of {sentence.speaker or 'somebody'}, not a fact"


def _is_quoted(predicate: Predicate, statement: Statement) -> bool:
    return any(span.start <= predicate.start < span.end for span in statement.quotes)


def _is_set_as(claim: Statement, predicate: Predicate, sentence: Statement) -> bool:
    """Whether the claim has it in quotation marks, too, after words of the source's own that lead
    to it: "She asked whether they “had ever been there”."."""
    return _is_quoted(predicate, claim) and any(
        not _is_quoted(ours, claim)
        and any(not _is_quoted(theirs, sentence) for theirs in _alike(ours, sentence))
        for ours in claim.predicates
    )


def quotation_objection(claim: Statement, source: Source) -> str | None:
    """Whose words the claim quotes without saying so; None where it says so, if only by the same
    pronoun as the source, or quotes a title."""
    if speaks(claim, source):
        return None
    for sentence in source.sentences:
        if not sentence.speaker or _names(claim, sentence.speaker):
            continue
        if pronouns(claim) & pronouns(sentence):
            continue  # "he said" of both
        said = [normalise_quotes(sentence.text[s.start : s.end]) for s in sentence.quotes]
        for quotation in claim.quotations:
            if any(quotation in part for part in said) and not _is_title(quotation):
                return f"these are the words of {sentence.speaker}, whom it does not name"
    return None


def _is_title(quotation: str) -> bool:
    """Whether it is written as the titles of books and songs are."""
    found = words(quotation)
    return all(not word[0].islower() or fold(word) in FUNCTION_WORDS for word in found) and any(
        word[0].isupper() for word in found
    )


def _names(claim: Statement, speaker: str) -> bool:
    return any(_mentions_speaker(claim, predicate, speaker) for predicate in claim.predicates)


def _mentions_speaker(claim: Statement, predicate: Predicate, speaker: str) -> bool:
    """Whether the claim names the speaker, or has the country that they speak for do it."""
    told = frozenset().union(*claim.content)
    doers = frozenset().union(*(h for f in predicate.roles.get(AGENT, ()) for h in f.heads))
    return bool(told & (_speaker_words(speaker) - countries_of(speaker))) or bool(
        doers & countries_of(speaker)
    )


def _speaker_words(speaker: str) -> frozenset[str]:
    """The meanings of a speaker's names and title, and the countries that these stand for."""
    return countries_of(speaker) | {m for word in words(speaker) for m in word_meanings(word)}


def _other_roles(
    predicate: Predicate, sentence: Statement, other: Predicate, source: Source
) -> str | None:
    for role, fillers in predicate.roles.items():
        for filler in fillers:
            if not _fits(filler, role, sentence, predicate, other, source):
                named = ", ".join(f.text for f in other.roles.get(role, ())) or "another"
                return f"the source has {named}, not {filler.text}, as {role} of “{other.text}”"
    return None


def _fits(
    filler: Filler,
    role: str,
    sentence: Statement,
    predicate: Predicate,
    other: Predicate,
    source: Source,
) -> bool:
    """Whether what fills a role in the claim may fill it in the source."""
    if filler.kind in {"first person", "third person", "time"}:
        return True
    theirs = other.roles.get(role, ())
    counts = frozenset().union(*(there.count for there in theirs))
    if counts and filler.count and not counts & filler.count:
        return False
    if filler.kind == "number":
        return True
    if role not in {AGENT, PATIENT}:
        here = frozenset().union(*sentence.content)
        found = filler.kind != "name" or all(head & here for head in filler.heads)
        told = [there for there in theirs if there.is_person and filler.is_person]
        if filler.kind == "noun" and told and not any(holds(there, filler) for there in theirs):
            return False
        return found and not all(_renamed(there, filler) for there in theirs or [filler])
    opposite = other.roles.get(PATIENT if role == AGENT else AGENT, ())
    if predicate.lemma == other.lemma == "be" and any(
        _is_in(there, filler, AGENT) for there in opposite
    ):
        return True
    moved = role == AGENT and PATIENT not in predicate.roles  # "the strike ended"
    if moved and any(holds(there, filler) for there in opposite):
        return True
    if not theirs:
        return not any(holds(there, filler) for there in opposite)
    if any(
        _is_in(there, filler, role)
        and not _renamed(there, filler)
        and _is_it(there, filler, source)
        for there in theirs
    ):
        return True
    return any(_may_mean(there, filler, sentence, other, source) for there in theirs)


def _may_mean(
    there: Filler, filler: Filler, sentence: Statement, other: Predicate, source: Source
) -> bool:
    """Whether a filler of the source without a name of its own may mean the claim's."""
    if there.kind == "first person":
        return bool(sentence.speaker) and any(
            head & _speaker_words(sentence.speaker or "") for head in filler.heads
        )
    elsewhere = any(holds(f, filler) for fillers in other.roles.values() for f in fillers)
    if elsewhere or _renamed(there, filler):
        return False
    if there.kind == "third person":
        return True
    here = all(head & source.words for head in filler.heads)
    if there.kind == "number":
        return here
    if here:
        return False
    if filler.kind == "name":
        return there.kind == "noun" and fold(there.text) in GENERIC_NOUNS
    generic = fold((there if there.kind == "noun" else filler).text)
    if generic not in (COLLECTIVES if there.kind == "noun" else GENERIC_NOUNS):
        return False
    titled = there.kind == "name" and _has_title(there)
    known = there.core if titled else there.core | source.around_words
    return all(head & known for head in filler.heads)


def _has_title(filler: Filler) -> bool:
    return bool(_TITLES & filler.core)


def _is_in(there: Filler, filler: Filler, role: str) -> bool:
    """Whether the source's phrase is, or for what is done to it holds, what the claim names."""
    known = there.core if role == AGENT or there.is_person else there.words
    return all(head & known for head in filler.heads)


def _is_it(there: Filler, filler: Filler, source: Source) -> bool:
    """Whether no word before the claim's noun tells it from the source's: neither another first
    name, nor "tea" for "coffee exports" where the source speaks of both, nor another's son."""
    if any(not name & there.core for name in filler.called) and any(
        not name & filler.words for name in there.called
    ):
        return False
    if (
        filler.owners
        and there.owners
        and not any(o & t for o in filler.owners for t in there.owners)
    ):
        return False
    strange = [mark for mark in filler.marks if not mark & there.words]
    if any(mark & source.words and _is_country(mark) for mark in strange):
        return False
    if there.is_person and any(mark & _TITLES & there.words - there.core for mark in filler.marks):
        return False  # "the son of the president", not "the president"
    return not any(mark & source.words for mark in strange) or all(
        mark & filler.words for mark in there.marks
    )


def _is_country(mark: frozenset[str]) -> bool:
    return any(name[0] == "@" for name in mark)


def _renamed(there: Filler, filler: Filler) -> bool:
    """Whether both phrases have names, and each one that the other lacks."""
    ours = any(not name & there.words for name in filler.names)
    return ours and any(not name & filler.words for name in there.names)
