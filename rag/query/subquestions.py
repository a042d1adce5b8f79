"""Splitting a question with several parts into what can be searched for one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rag.text.wording import FUNCTION_WORDS, WORD
from rag.types import Span

MOST_PARTS = 5
"""The whole question and at most four parts of it."""

_LEAST_CONTENT = 2  # content words, below which a piece is no part of its own
_LEAST_CLAUSE = 4  # the same of a clause
_LEAST_LENGTH = 16  # words, below which a question is not taken apart by its clauses
_LONGEST_HEAD = 8  # words of "Which company" or "Who is the former minister"

_SOURCE = r"(?:articles?|reports?|stor(?:y|ies)|pieces?|posts?|coverage|interviews?|editorials?)\b"
_ASKS = r"(?:what|who|whom|when|where|why|how|which|whose|whether)\b"
_AUXILIARY = r"(?:did|does|do|is|are|was|were|has|have|had|can|could|will|would|should)\b"
_SUBJECT = r"(?:the|an?|he|she|it|they|there|his|her|its|their|this|that)\b"
_CUTS = re.compile(
    # contrasted: "…, while the minister denied it"
    r",?\s(?:while|whereas)\s(?!\w+ing\b|(?:in|on|at|during|still|under|as)\b)|"
    r",?\s(?:as opposed to|(?:in contrast|in comparison) (?:to|with)|unlike)\s|"
    r",?\s(?:as )?compared (?:to|with)\s(?=(?:the|an?|what|how|another|its|his|her|their)\b|_)|"
    r"\s(?:than|from|(?:similar|identical)(?:ly)? to|the same as)\s(?=(?:how|what|where)\b)|"
    rf"\s(?:than|as)\s(?=(?:the|an?) [^,]{{0,60}}{_SOURCE})|"
    # coordinated: "…, and what did she say", "…; was it"
    rf",?\s(?:and|or|but)\s(?:also\s|then\s|later\s)?(?=(?:{_ASKS}|(?:did|does|do)\b))|"
    rf",?\s(?:and|or|but)\s(?={_AUXILIARY}\s{_SUBJECT})|"
    r",?\s(?:and|but)\s(?:then|later|subsequently)\s|;\s|"
    r"\s(?:before|after)\s(?=(?:the )?_)|,\swith\s(?=one\b|the former\b)|"
    r",?\sand\s(?=the (?:other|latter)\b)",
    re.IGNORECASE,
)
_SECOND_SOURCE = re.compile(
    rf",?\s(?:and|or)\s(?=(?:(?:the|an?|another|its) )?(?:[^\s,]+\s){{0,6}}?(?:{_SOURCE}|from _))",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:between|considering|based on|given|comparing|after|following|in light of)\s", re.IGNORECASE
)
_QUESTION_BEHIND = re.compile(rf",\s(?={_ASKS}|{_AUXILIARY})", re.IGNORECASE)
_HAS_SOURCE = re.compile(rf"\b(?:{_SOURCE}|reported\b|published\b)", re.IGNORECASE)
_TELLING = frozenset(
    "according article articles report reports reported story stories coverage covered discussed "
    "mentioned highlighted described published stated featured noted source sources".split()
)
"""Words that tell who says something, and nothing of what."""

_VERB = r"(?:is|was|are|were|has|have|had|did|does|do|can|could|will|would)\b"
_PARTICIPLE = r"(?:(?!published|based|needed|united|red\b)[a-z]+ed|known|made|given|held|seen)\b"
_STARTS_WITH_ASKS = re.compile(rf"(?:(?:in|of|at|for|to|from|by|on) )?{_ASKS}", re.IGNORECASE)
_HEAD_END = re.compile(rf",|\s(?=(?:who|whose|whom|that|which)\b|{_VERB}|{_PARTICIPLE})")
_CLAUSE = re.compile(rf",\s(?:and\s|but\s|or\s)?|\s(?:and|but)\s(?=also\b|by _|{_VERB})")
_CLAUSE_BEGINS = re.compile(rf"(?:who|whose|whom|that|also)\b|by _|{_VERB}|{_PARTICIPLE}")
_SHARES_SUBJECT = re.compile(rf"(?:also|by|who|whose|that)\b|{_VERB}|{_PARTICIPLE}")
_ASKS_ON = re.compile(rf"{_ASKS}|{_AUXILIARY}", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(?:he|she|it|they|him|his|her|hers|its|their|them)\b", re.I)


def subquestions(
    masked: str, text: str, starts: Sequence[int], names: Sequence[str]
) -> tuple[str, ...]:
    """The whole question first; behind it its parts, if it has several, at most four.

    `masked` is the text with quotations and outlets blanked by `_`: they are not cut. `starts` are
    where its sentences begin. A part that lacks the subject that it shares is given it: what is
    asked for ("Which minister"), or the first of `names` in the first part.
    """
    whole = " ".join(text.split())
    pieces, head = _split(masked, starts)
    if len(pieces) < 2:
        return (whole,)
    opening = text[pieces[0].start : pieces[0].end]
    shared = min((name for name in names if name in opening), key=opening.index, default="")
    lead = _LEAD.match(masked)
    found = []
    for piece in pieces:
        told = " ".join(text[piece.start : piece.end].split()).strip(" ,;?.")
        if piece.start == 0:
            told = told[lead.end() :] if lead else told
        elif head and _SHARES_SUBJECT.match(told):
            told = f"{text[:head].strip()} {told}"
        elif not any(name in told for name in names) and (
            _PRONOUN.search(told) or (_ASKS_ON.match(told) and not lead)
        ):
            told = f"{shared} {told}".strip()
        found.append(told)
    return tuple(dict.fromkeys((whole, *found)))[:MOST_PARTS]


def _split(masked: str, starts: Sequence[int]) -> tuple[list[Span], int]:
    """The pieces of a question, and where its head ends if it was cut into clauses."""
    if len(starts) > 1:  # what is told before a question belongs to it
        asked = [i for i in starts[1:] if masked[:i].rstrip().endswith("?")]
        return _merged(masked, _between(masked, [Span(i, i) for i in asked]), _LEAST_CONTENT), 0
    head = _head(masked)
    clauses = _clauses(masked, head) if head else []
    return (clauses, head) if len(clauses) > 1 else (_pieces(masked), 0)


def _head(masked: str) -> int:
    """Where "Which minister", "Who is the player" ends that a question begins with; 0 without."""
    if not _STARTS_WITH_ASKS.match(masked) or len(WORD.findall(masked)) < _LEAST_LENGTH:
        return 0
    for end in _HEAD_END.finditer(masked):
        words = [word.lower() for word in WORD.findall(masked, 0, end.start())]
        if len(words) > _LONGEST_HEAD:
            break
        if len(words) > 1 and any(word not in FUNCTION_WORDS for word in words):
            return end.start()
    return 0


def _clauses(masked: str, head: int) -> list[Span]:
    """What is said of the one that is asked for, clause by clause."""
    cuts = [
        Span(*match.span())
        for match in _CLAUSE.finditer(masked, head)
        if match.start() > head and _CLAUSE_BEGINS.match(masked, match.end())
    ]
    return _merged(masked, _between(masked, cuts), _LEAST_CLAUSE)


def _pieces(masked: str) -> list[Span]:
    """The pieces between what contrasts, coordinates or compares."""
    cuts = [Span(*match.span()) for match in _CUTS.finditer(masked)]
    behind = _QUESTION_BEHIND.search(masked) if _LEAD.match(masked) else None
    if behind and _HAS_SOURCE.search(masked, 0, behind.start()):
        cuts.append(Span(*behind.span()))
    second = [
        Span(*match.span())
        for piece in _between(masked, cuts)
        for match in _SECOND_SOURCE.finditer(masked, piece.start, piece.end)
        if _HAS_SOURCE.search(masked, piece.start, match.start())
    ]
    return _merged(masked, _between(masked, [*cuts, *second]), _LEAST_CONTENT)


def _between(masked: str, cuts: Iterable[Span]) -> Iterator[Span]:
    start = 0
    for cut in sorted(cuts, key=lambda cut: cut.start):
        if cut.start >= start:
            yield Span(start, cut.start)
            start = cut.end
    yield Span(start, len(masked))


def _merged(masked: str, pieces: Iterable[Span], least: int) -> list[Span]:
    """The pieces, those of few content words joined to the one before, or else behind."""
    merged: list[Span] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if last and min(_content(masked, piece), _content(masked, last)) < least:
            merged[-1] = Span(last.start, piece.end)
        else:
            merged.append(piece)
    return merged


def _content(masked: str, piece: Span) -> int:
    """How many words of a piece tell what it is about; all that is blanked counts as one."""
    words = map(str.lower, WORD.findall(masked, piece.start, piece.end))
    telling = sum(
        len(word) > 1 and word not in FUNCTION_WORDS and word not in _TELLING for word in words
    )
    return telling + ("_" in masked[piece.start : piece.end])
