"""Whether two sentences of different articles speak of the same matter."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rag.text.dates import Date, DateMention
from rag.text.grammar import AGENT, PATIENT, Predicate
from rag.text.lexicon import PLAIN_SPEECH, opposites
from rag.text.names import is_mentioned, surname
from rag.text.phrases import Filler, word_meanings
from rag.text.statements import Source, Statement
from rag.text.wording import FUNCTION_WORDS, fold, stem, words

CONTEXT = 0.3
"""Share of what two articles say around the sentences that both must have in common."""

_ANYBODY = frozenset("anybody anyone nobody noone one anything nothing any everyone".split())
_ORDINALS = frozenset(
    stem(word)
    for word in "first second third fourth fifth sixth seventh eighth ninth tenth last quarter "
    "half previous next daily weekly monthly annual yearly".split()
)
_PLAIN = frozenset(map(stem, FUNCTION_WORDS))
_PLACING = frozenset("in at near from to into of for against on over with".split())
_EMPTY = frozenset(map(stem, PLAIN_SPEECH | _ANYBODY)) | {"said", "told"}


def share(one: Source, other: Source, besides: Collection[str]) -> float:
    """How much of the one sentence the other has, or the other way round, whichever is more:
    content words in [0, 1], half for what only stands around it. `besides` are words of what the
    two differ in, and do not count."""
    return max(_covered(one, other, besides), _covered(other, one, besides))


def _covered(one: Source, other: Source, besides: Collection[str]) -> float:
    told = [m for m in one.sentences[0].content if not m & _EMPTY and not m & set(besides)]
    points = sum(1.0 if m & other.words else 0.5 if m & other.around_words else 0.0 for m in told)
    return points / len(told) if told else 0.0


def same_context(one: Source, other: Source) -> bool:
    """Whether the articles are about the same thing: what stands around the sentences (headline,
    the beginning, the sentences before) shares enough words."""
    ours, theirs = (s.words | s.around_words for s in (one, other))
    least = min(len(ours), len(theirs))
    return bool(least) and len(ours & theirs) >= CONTEXT * least


def is_told_of_other(one: Source, other: Source, besides: Collection[str]) -> bool:
    """Whether names, or words that tell one of several, show that two sentences speak of different
    things: each names what the other does not, or one names what the other's article lacks."""
    ours, theirs = _strange(one, other, besides), _strange(other, one, besides)
    if (ours and theirs) or any(_is_unknown(n, other) for n in ours):
        return True
    if any(_is_unknown(n, one) for n in theirs):
        return True
    a, b = one.sentences[0].stems, other.sentences[0].stems
    only_a, only_b = a - b - _PLAIN - set(besides), b - a - _PLAIN - set(besides)
    if (only_a & _ORDINALS) != (only_b & _ORDINALS):
        return bool(a & _ORDINALS and b & _ORDINALS)
    return any(opposites(word) & only_b for word in only_a)


def _strange(one: Source, other: Source, besides: Collection[str]) -> list[str]:
    """The names of a sentence that the other has not; who speaks does not count."""
    statement = one.sentences[0]
    speaker = {fold(word) for word in words(statement.speaker or "")}
    return [
        name
        for name in statement.names
        if not {fold(word) for word in words(name)} <= speaker | FUNCTION_WORDS
        and not word_meanings(surname(name)) & set(besides)
        and not is_mentioned(surname(name), other.names)
    ]


def _is_unknown(name: str, source: Source) -> bool:
    known = is_mentioned(surname(name), source.around_names)
    return not known and not word_meanings(surname(name)) & source.around_words


def same_roles(
    one: Source, other: Source, p: Predicate, q: Predicate, besides: Collection[str] = ()
) -> bool:
    """Whether nobody else has a role in the one predicate than in the other; what is named in
    `besides` does not count."""
    for role in p.roles.keys() & q.roles.keys():
        ours = [f for f in p.roles[role] if _counts(f, besides)]
        theirs = [f for f in q.roles[role] if _counts(f, besides)]
        if role not in {AGENT, PATIENT} and role not in _PLACING:
            continue
        if ours and theirs and not any(_same(f, g, one, other) for f in ours for g in theirs):
            return False
    return True


def _counts(filler: Filler, besides: Collection[str]) -> bool:
    told = frozenset().union(*filler.heads)
    return filler.kind not in {"time", "number", "first person"} and not told & set(besides)


def _same(f: Filler, g: Filler, one: Source, other: Source) -> bool:
    """Whether two phrases may mean the same; a pronoun what its article speaks of."""
    if fold(f.text) in _ANYBODY or fold(g.text) in _ANYBODY:
        return True
    if f.kind == g.kind == "third person":
        return True
    if "third person" in {f.kind, g.kind}:
        named, known = (g, one) if f.kind == "third person" else (f, other)
        return any(head & (known.around_words | known.words) for head in named.heads)
    return any(head & g.core for head in f.heads) or any(head & f.core for head in g.heads)


def dates_of(statement: Statement, predicate: Predicate) -> list[DateMention]:
    """The dates that belong to a predicate."""
    return [d for d in statement.dates if d.span.start in predicate.tokens]


def date_clash(ours: Sequence[DateMention], theirs: Sequence[DateMention]) -> bool:
    """Whether both have dates, and none of the one can be any of the other."""
    pairs = [(a, b) for a in ours for b in theirs]
    return bool(pairs) and not any(may_be_same(a, b) for a, b in pairs)


def may_be_same(one: DateMention, other: DateMention) -> bool:
    """Whether two mentions can mean one day, month or year."""
    return any(_agree(a, b) for a in _placed(one) for b in _placed(other))


def _placed(mention: DateMention) -> list[Date]:
    """What a mention can mean, with its year where that is known."""
    return [d for d in mention.meant if d.year] or list(mention.meant)


def _agree(one: Date, other: Date) -> bool:
    pairs = ((one.year, other.year), (one.month, other.month), (one.day, other.day))
    return all(None in pair or pair[0] == pair[1] for pair in pairs)


def other_period(ours: Sequence[DateMention], theirs: Sequence[DateMention]) -> bool:
    """Whether one side names a month or year that the other does not."""
    return any(
        all(d.day is None and d.weekday is None for d in mention.meant)
        and not any(may_be_same(mention, there) for there in others)
        for mentions, others in ((ours, theirs), (theirs, ours))
        for mention in mentions
    )
