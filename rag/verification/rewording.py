"""A claim beside a sentence of the article word by word: whether it is that sentence in other
forms, and what of it was changed where the rest was kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from rag.text.lexicon import GENERIC_NOUNS, NEGATIVE_HEADS, backing, opposites
from rag.text.names import name_words
from rag.text.phrases import word_meanings
from rag.text.statements import SAID, Form, Source, Statement
from rag.text.wording import FUNCTION_WORDS, HEDGES, NEGATIONS, fold, stem
from rag.verification.speech import is_same_speaker

CLOSE = 0.5
"""A claim of whose words the sentence has so many in the same order is one that was changed."""

SLOT_WORDS = 5
"""A change of more words on either side is no slip of a word, but another way to say it."""

_PRONOUNS = frozenset("i we he she it they this that these those who which".split())
_DENYING = NEGATIONS | {"hardly", "barely", "nowhere"}
_NOBODY = frozenset("nobody nothing none one body #1".split())
_DENYING_STEMS = frozenset(map(stem, NEGATIVE_HEADS))
_UNCERTAIN = HEDGES - {"would"}  # "would" is "will", told later

Slot = tuple[tuple[Form, ...], tuple[Form, ...], bool]
"""What stands in the sentence, what in the claim instead, and whether both begin with it."""


def is_reworded(claim: Statement, source: Source) -> bool:
    """Whether a claim is one sentence of the source in other forms: numbers, dates, contractions
    and plain verbs of saying written otherwise, or two parts of it in the other order.

    Who speaks must be the same; a sentence that is nothing but somebody's words does not count.
    """
    if len(source.sentences) != 1:
        return False
    sentence = source.sentences[0]
    if not 3 <= len(claim.forms) == len(sentence.forms):
        return False
    ours, theirs = _keys(claim.forms, sentence.forms), [form.key for form in sentence.forms]
    if sorted(ours) != sorted(theirs) or _is_all_quoted(sentence):
        return False
    if _is_rotated(ours, theirs):
        return True
    speakers = claim.speaker, sentence.speaker
    if not all(speakers) or not is_same_speaker(str(speakers[0]), str(speakers[1]), sentence.text):
        return False
    return _is_rotated([k for k in ours if k != SAID], [k for k in theirs if k != SAID])


def change_objection(claim: Statement, source: Source) -> str | None:
    """What a claim that keeps most of a sentence has changed of what that says; None if nothing."""
    for sentence in source.sentences:
        for slot in _slots(claim, sentence):
            reason = _fault(slot, claim, source)
            if reason:
                return reason
    return None


def _is_all_quoted(sentence: Statement) -> bool:
    quoted = sum(quote.end - quote.start for quote in sentence.quotes)
    return len(sentence.text) - quoted <= 3 * len(sentence.quotes)


def _keys(forms: Sequence[Form], known: Sequence[Form]) -> list[str]:
    """The keys of a claim's forms; a date's is that of the sentence's with all that it says."""
    dated = [(form.key, form.date) for form in known if form.date]
    return [
        next((key for key, date in dated if date.covers(form.date)), f"?{form.text}")
        if form.date
        else form.key
        for form in forms
    ]


def _is_rotated(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether the one is the other, or has its two halves in the other order."""
    return any(
        ours[k] == theirs[0] and [*ours[k:], *ours[:k]] == list(theirs) for k in range(len(ours))
    )


def _slots(claim: Statement, sentence: Statement) -> Iterator[Slot]:
    """The places where a claim differs from a sentence that it otherwise repeats."""
    ours, theirs = _keys(claim.forms, sentence.forms), [form.key for form in sentence.forms]
    codes = SequenceMatcher(None, theirs, ours, autojunk=False).get_opcodes()
    kept = sum(j2 - j1 for tag, _, _, j1, j2 in codes if tag == "equal")
    if not ours or kept < CLOSE * len(ours):
        return
    changes = [(i1, i2, j1, j2) for tag, i1, i2, j1, j2 in codes if tag != "equal"]
    gone = {stem(key) for i1, i2, _, _ in changes for key in theirs[i1:i2]}
    moved = gone & {stem(key) for _, _, j1, j2 in changes for key in ours[j1:j2]}
    for i1, i2, j1, j2 in changes:
        if i2 - i1 > SLOT_WORDS or j2 - j1 > SLOT_WORDS:
            continue
        keyed = zip(claim.forms[j1:j2], ours[j1:j2], strict=True)
        old = tuple(form for form in sentence.forms[i1:i2] if stem(form.key) not in moved)
        new = tuple(form for form, key in keyed if stem(key) not in moved)
        yield old, new, i1 == j1 == 0


def _fault(slot: Slot, claim: Statement, source: Source) -> str | None:
    old, new, _ = slot
    was, now = " ".join(f.text for f in old), " ".join(f.text for f in new)
    if _denials(old) % 2 != _denials(new) % 2 and (new or _is_bare(old, _denials)):
        return "the one denies what the other states"
    stems = {stem(f.text) for f in old}
    for word in (stem(f.text) for f in new):
        if opposites(word) & stems:
            return f"the source says “{was}”, the claim “{now}”"
        if word == "least" and any(f.key == "at" for f in new):
            continue  # a bound, of which the number is asked
        if backing(word) and old and not backing(word) & stems:
            return f"the source says “{was}”, not “{now}”"
    if _doubts(old) and not _doubts(new) and (new or _is_bare(old, _doubts)):
        return f"the source says “{was}”, only as possible"
    if _is_misplaced(old, new):
        return f"where the claim has “{now}”, the source has “{was}”"
    return _other_name(slot, claim, source)


def _is_misplaced(old: Sequence[Form], new: Sequence[Form]) -> bool:
    """Whether a date or number stands in the place of another."""
    dates, counts = [f.date for f in old if f.date], {f.key for f in old if f.key[0] == "#"}
    return any(
        (f.date and dates and not any(date.covers(f.date) for date in dates))
        or (f.key[0] == "#" and counts and f.key not in counts)
        for f in new
    )


def _denials(forms: Sequence[Form]) -> int:
    yet = any(f.key == "yet" and then.key == "to" for f, then in pairwise(forms))
    return yet + sum(f.key in _DENYING or stem(f.text) in _DENYING_STEMS for f in forms)


def _doubts(forms: Sequence[Form]) -> int:
    return sum(f.key in _UNCERTAIN for f in forms)


def _is_bare(forms: Sequence[Form], count: Callable[[Sequence[Form]], int]) -> bool:
    """Whether nothing of weight was left out besides the words that are counted."""
    return all(count([f]) or not _is_content(f) for f in forms)


def _other_name(slot: Slot, claim: Statement, source: Source) -> str | None:
    """Whether a name stands where the source has another, or a thing that it does not call so."""
    old, new, opens = slot
    named = {fold(word) for name in claim.names for word in name.split()}
    theirs = [f for f in old if _is_content(f) and f.key not in _NOBODY]
    ours = [f for f in new if _is_content(f) and f.key not in _NOBODY]
    has_name = any(f.key in named for f in ours)
    if not theirs or not ours or any(f.key in _PRONOUNS for f in old):
        return None
    if any(f.key in GENERIC_NOUNS and not f.text[0].isupper() for f in (*theirs, *ours)):
        return None
    known = frozenset[str]().union(*map(_meanings, theirs))
    if any(_meanings(f) & known for f in ours):
        return None
    if has_name or (opens and not any(_meanings(f) & source.words for f in ours)):
        was, now = " ".join(f.text for f in old), " ".join(f.text for f in new)
        return f"where the claim has “{now}”, the source has “{was}”"
    return None


def _is_content(form: Form) -> bool:
    return form.key not in FUNCTION_WORDS and form.key != SAID


def _meanings(form: Form) -> frozenset[str]:
    countries = frozenset(name for name in name_words(form.text) if name[0] == "@")
    return word_meanings(form.text) | countries | {form.key}
