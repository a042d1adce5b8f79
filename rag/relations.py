"""Whether what a claim says of whom is what its source says: predicate by predicate."""

from __future__ import annotations

from rag.grammar import AGENT, FACT, OPEN, PATIENT, TO_COME, Predicate
from rag.lexicon import COLLECTIVES, GENERIC_NOUNS, PLAIN_SPEECH
from rag.names import TITLES, countries_of, same_person
from rag.phrases import Filler, word_meanings
from rag.speech import is_same_speaker
from rag.statements import Source, Statement
from rag.wording import FUNCTION_WORDS, fold, normalise_quotes, stem, words

_SUPPLETIVE = frozenset("be have do make take get become include involve hold give".split())
"""Verbs that say little by themselves, so that a source may lack them."""


def relation_objection(claim: Statement, source: Source) -> str | None:
    """Why the source does not say what the claim says of whom; None when nothing speaks against.

    Each predicate of the claim must be one of the source's, with the same denials, no more
    certainty, and nobody else in its roles.
    """
    if len(source.sentences) > 1 and claim.predicates:
        told = [any(_alike(p, s) for p in claim.predicates) for s in source.sentences]
        if any(told) and not all(told):
            return "one of the two sentences says nothing of it"
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
    said = predicate.words & source.words or predicate.lemma in _SUPPLETIVE
    return None if said else f"the source does not say “{predicate.text}”"


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
    return any(
        (not predicate.words or predicate.words & phrase)
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
    return (
        _unattributed(claim, predicate, sentence, other, source)
        or _other_teller(claim, predicate, sentence, other)
        or _other_roles(predicate, sentence, other, source)
        or _other_numbers(claim, predicate, sentence, other)
    )


def _is_surer(predicate: Predicate, other: Predicate) -> bool:
    if predicate.infinitive:
        return False
    if other.certainty == TO_COME and predicate.certainty == FACT:
        return predicate.past  # "hosts the summit in May" is as good as "will host"
    if other.modal == OPEN and predicate.modal == TO_COME:  # "will" for "may", whatever governs it
        return True
    return predicate.certainty < other.certainty


def _other_teller(
    claim: Statement, predicate: Predicate, sentence: Statement, other: Predicate
) -> str | None:
    """What somebody says that another said is not said by the former; of several who speak in a
    sentence, each says their own."""
    told = len(predicate.tellers) or int(claim.reported)
    if (
        other.tellers
        and told < len(other.tellers)
        and len(other.tellers) + _by_phrase(sentence) > 1
    ):
        return f"the source has “{other.text}” only as what somebody says that another said"
    named = [teller for q in sentence.predicates for t in q.tellers for teller in t]
    if len({teller.text for teller in named}) < 2 or not other.tellers:
        return None
    if claim.reported and claim.speaker and not predicate.tellers:
        fits = any(is_same_speaker(claim.speaker, t.text, sentence.text) for t in other.tellers[0])
        return None if fits else f"the source does not give “{other.text}” to {claim.speaker}"
    for ours, theirs in zip(predicate.tellers, other.tellers, strict=False):
        for teller in ours:
            if theirs and not any(_may_tell(teller, their) for their in theirs):
                return f"the source does not give “{other.text}” to {teller.text}"
    return None


def _by_phrase(sentence: Statement) -> int:
    return int("according to" in sentence.text.lower())


def _may_tell(ours: Filler, theirs: Filler) -> bool:
    pronoun = {ours.kind, theirs.kind} & {"first person", "third person"}
    return bool(pronoun) or all(head & theirs.words for head in ours.heads)


def _unattributed(
    claim: Statement, predicate: Predicate, sentence: Statement, other: Predicate, source: Source
) -> str | None:
    """What one side says must not be told as a fact, nor be given to a speaker without words."""
    if claim.speaker and (predicate.reported or claim.reported) and not sentence.speaker:
        return f"the source does not say that {claim.speaker} said it"
    quoted = any(span.start <= other.start < span.end for span in sentence.quotes)
    if not quoted and not other.opinion:
        return None
    if _speaks(claim, source) or (other.opinion and (predicate.opinion or claim.hedged)):
        return None
    if sentence.speaker and _mentions_speaker(claim, predicate, sentence.speaker):
        return None
    return f"these are the words of {sentence.speaker or 'somebody'}, not a fact"


def quotation_objection(claim: Statement, source: Source) -> str | None:
    """Whose words the claim quotes without saying so; None where it says so, or quotes a title."""
    if _speaks(claim, source):
        return None
    for sentence in source.sentences:
        if not sentence.speaker or _names(claim, sentence.speaker):
            continue
        said = [normalise_quotes(sentence.text[s.start : s.end]) for s in sentence.quotes]
        for quotation in claim.quotations:
            if any(quotation in part for part in said) and not _is_title(quotation):
                return f"these are the words of {sentence.speaker}, whom it does not name"
    return None


def _speaks(claim: Statement, source: Source) -> bool:
    """Whether the claim names a speaker, not only the paper that quotes one."""
    return bool(claim.speaker) and not (
        source.outlet and same_person(claim.speaker or "", source.outlet)
    )


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
        return found and not all(_renamed(there, filler) for there in theirs or [filler])
    opposite = other.roles.get(PATIENT if role == AGENT else AGENT, ())
    if predicate.lemma == other.lemma == "be" and any(
        _is_in(there, filler, AGENT) for there in opposite
    ):
        return True
    moved = role == AGENT and PATIENT not in predicate.roles  # "the strike ended"
    if moved and any(_holds(there, filler) for there in opposite):
        return True
    if not theirs:
        return not any(_holds(there, filler) for there in opposite)
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
    elsewhere = any(_holds(f, filler) for fillers in other.roles.values() for f in fillers)
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
    return any(stem(title) in filler.core for title in TITLES)


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
    return not any(mark & source.words for mark in strange) or all(
        mark & filler.words for mark in there.marks
    )


def _holds(there: Filler, filler: Filler) -> bool:
    return all(head & there.words for head in filler.heads)


def _renamed(there: Filler, filler: Filler) -> bool:
    """Whether both phrases have names, and each one that the other lacks."""
    ours = any(not name & there.words for name in filler.names)
    return ours and any(not name & filler.words for name in there.names)


def _other_numbers(
    claim: Statement, predicate: Predicate, sentence: Statement, other: Predicate
) -> str | None:
    """A number or date that belongs to another predicate of the source."""
    ours = _owned(claim, predicate)
    theirs = _owned(sentence, other)
    for unit, values in ours.items():
        known = theirs.get(unit)
        if known and not values & known:
            return f"the source has another number for “{other.text}”"
    mine = [d for d in claim.dates if _owns(predicate, d.span.start, d.span.end)]
    dates = [d for d in sentence.dates if _owns(other, d.span.start, d.span.end)]
    if dates and any(not any(there.covers(date) for there in dates) for date in mine):
        return f"the source has another date for “{other.text}”"
    return None


def _owned(statement: Statement, predicate: Predicate) -> dict[str, set[float]]:
    found: dict[str, set[float]] = {}
    for quantity in statement.quantities:
        if _owns(predicate, quantity.span.start, quantity.span.end):
            found.setdefault(quantity.unit, set()).add(quantity.value)
    return found


def _owns(predicate: Predicate, start: int, end: int) -> bool:
    return any(start <= token < end for token in predicate.tokens)
