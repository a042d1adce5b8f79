"""Which side of a comparison is which, and what else orders or divides: scores, ranks, shares,
ages, "respectively"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rag.text.phrases import word_meanings
from rag.text.statements import Source, Statement
from rag.text.wording import FUNCTION_WORDS, fold, stem, words
from rag.verification.measures import CARRIED_BY, bound

_SCORE = re.compile(r"(?<![\w-])\d{1,3}[-–]\d{1,3}(?![\w-]|[–-])")
_RANK = re.compile(
    r"\b(?:(?P<rank>second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|\d+(?:st|nd|rd|th))"
    r"[\s-]+|(?P<some>one of|among)\s+(?:[^\s,.;]+\s+){1,3}?)?"
    r"(?P<word>[a-z]{2,}est|most|least|best|worst)\b",
    re.IGNORECASE,
)
_NO_SUPERLATIVES = frozenset(
    "interest protest request forest west rest test invest arrest harvest honest modest suggest "
    "contest guest quest conquest manifest nest chest midwest digest unrest crest vest zest latest "
    "northwest southwest infest attest detest priest bequest inquest behest".split()
)
_SHARES = {
    "once": 1.0,
    "twice": 2.0,
    "double": 2.0,
    "thrice": 3.0,
    "triple": 3.0,
    "treble": 3.0,
    "quadruple": 4.0,
    "half": 0.5,
    "halve": 0.5,
    "third": 1 / 3,
    "quarter": 0.25,
    "fifth": 0.2,
    "tenth": 0.1,
}
_SHARE = re.compile(
    r"\b(?:(?P<times>two|three|four|five|six|seven|eight|nine|ten|\d+)(?: times|-?fold)"
    r"|(?P<word>once|twice|thrice|doubl\w*|tripl\w*|trebl\w*|quadrupl\w*|halv\w*)"
    r"|(?<!first )(?<!second )(?P<half>half)(?! a million| a billion| an hour)"
    r"|(?P<count>an?|one|two|three|four)[\s-](?P<part>third|quarter|fifth|tenth)s?)\b",
    re.IGNORECASE,
)
_COUNTS = {
    w: i for i, w in enumerate("one two three four five six seven eight nine ten".split(), 1)
}
_THAN = re.compile(r"\bthan\b(?! (?:a |an )?(?:\d|half|twice))|\bas (?:\w+ ){1,2}as\b")
_AGE = re.compile(
    r"\b(?P<who>[^\W\d_]+)(?:,\s+(?:who\s+(?:is|was)\s+)?|\s+\((?:aged\s+)?|\s+(?:is|was)\s+)(?:aged\s+)?"
    r"(?P<age>\d{1,3})(?=[,).]|\s+and\b|\s+years old|$)"
)
_ORDINAL = re.compile(
    r"(?<!a )(?<!one )(?<!two )(?<!per )(?<!-)\b(second|third|fourth|fifth|sixth|seventh|"
    r"eighth|ninth|tenth|\d+(?:st|nd|rd|th))\b(?!s)"
)
_CLASH = re.compile(r"\b(?=([A-Z]\w+)\s+([a-z]+)\s+(?:the\s+)?([A-Z]\w+))")
_MUTUAL = frozenset("met meets meet married versus vs plus".split())
_OWNED = re.compile(r"\b([A-Z]\w+)['’]s\s+((?:[\w-]+\s+)?[\w-]+)")
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()

Reason = str | None


def _scores(claim: Statement, source: Source) -> Reason:
    known = {re.sub("–", "-", score) for score in _SCORE.findall(source.text)}
    for score in _SCORE.findall(claim.text):
        if known and re.sub("–", "-", score) not in known:
            return f"the source does not have the score {score}"
    return None


def _ranks(claim: Statement, source: Source) -> Reason:
    """ "The second-largest" and "one of the largest" are not "the largest"."""
    theirs = set(_ranked(source.text))
    known = {word for word, _ in theirs}
    for word, rank in _ranked(claim.text):
        if word in known and (word, rank) not in theirs:
            return f"the source says it of another rank than “{word}”"
    return None


def _ranked(text: str) -> Iterator[tuple[str, str]]:
    for found in _RANK.finditer(text):
        word = fold(found["word"])
        if word not in _NO_SUPERLATIVES:
            yield word, fold(found["rank"] or ("some" if found["some"] else ""))


def _shares(claim: Statement, source: Source) -> Reason:
    """ "Twice", "half", "two-thirds": of these the source must have each, and no more or less."""
    theirs = dict[float, set[str | None]]()
    for share, kind in _share(source.text):
        theirs.setdefault(share, set()).add(kind)
    known = {q.value for s in source.sentences for q in s.quantities}
    for share, kind in _share(claim.text):
        if share not in theirs:
            if (share >= 1 and share in known) or (share == 1 and not theirs):
                continue
            return "the source does not have that share or multiple"
        if not theirs[share] & CARRIED_BY[kind]:
            return "the source has more or less than that share or multiple"
    return None


def _share(text: str) -> Iterator[tuple[float, str | None]]:
    for found in _SHARE.finditer(text):
        kind = bound(text[: found.start()])
        if found["times"]:
            count = found["times"].lower()
            yield float(_COUNTS.get(count) or count), kind
        elif found["part"]:
            count = found["count"].lower()
            yield _COUNTS.get(count, 1) * _SHARES[found["part"].lower()], kind
        else:
            told = (found["word"] or found["half"]).lower()
            yield next(value for name, value in _SHARES.items() if name[:4] == told[:4]), kind


def _sides(claim: Statement, source: Source) -> Reason:
    """What is more than what: neither may stand on the other's side of "than" in the source."""
    ours = _THAN.search(claim.text)
    if not ours:
        return None
    left, right = _halves(claim.text, ours)
    for sentence in source.sentences:
        theirs = _THAN.search(sentence.text)
        if not theirs:
            continue
        before, after = (frozenset().union(*half) for half in _halves(sentence.text, theirs))
        if any(w & after and not w & before for w in left) and any(
            w & before and not w & after for w in right
        ):
            return "the source has the two sides of the comparison the other way round"
    return None


def _halves(text: str, than: re.Match[str]) -> tuple[list[frozenset[str]], list[frozenset[str]]]:
    """The meanings of the content words on either side of a comparison."""
    left, right = text[: than.start()], text[than.end() :]
    return _meanings(left), _meanings(right)


def _meanings(text: str) -> list[frozenset[str]]:
    return [word_meanings(word) for word in words(text) if fold(word) not in FUNCTION_WORDS]


def _ages(claim: Statement, source: Source) -> Reason:
    """ "Ann Lee, 34, and her son, 6": each has an age."""
    theirs = [(word_meanings(m["who"]), m["age"]) for m in _AGE.finditer(source.text)]
    for found in _AGE.finditer(claim.text):
        who = word_meanings(found["who"])
        bearers = [name for name, age in theirs if age == found["age"]]
        if bearers and who & source.words and not any(who & name for name in bearers):
            return f"the source gives the age {found['age']} to another than {found['who']}"
    return None


def _ordinals(claim: Statement, source: Source) -> Reason:
    """ "Finished third" is not "finished second"."""
    theirs = _ordered(source.text)
    wrong = _ordered(claim.text) - theirs - {date.meant[0].day for date in claim.dates}
    return "the source does not have that place in the order" if theirs and wrong else None


def _ordered(text: str) -> set[int | None]:
    return {
        int(word[:-2]) if word[0].isdecimal() else _ORDINALS.index(word) + 1
        for word in _ORDINAL.findall(text.lower())
    }


def _exchanged(claim: Statement, source: Source) -> Reason:
    """ "Orrin beat Vassel" is not "Vassel beat Orrin", whatever the grammar makes of it."""
    theirs = set(_clashes(source.text))
    for one, verb, other in _clashes(claim.text):
        if (other, verb, one) in theirs and (one, verb, other) not in theirs:
            return f"the source has “{verb}” the other way round"
    return None


def _clashes(text: str) -> Iterator[tuple[str, ...]]:
    for found in _CLASH.findall(text):
        if found[1] not in FUNCTION_WORDS | _MUTUAL:
            yield tuple(map(stem, found))


def _owners(claim: Statement, source: Source) -> Reason:
    """ "Finland’s biggest retailer" is not "Latvia’s"."""
    theirs = list(_owned(source.text))
    for owner, things in _owned(claim.text):
        alike = [there for there, others in theirs if things & others]
        told = any(owner & meaning for there in source.sentences for meaning in there.content)
        if alike and told and not any(owner & there for there in alike):
            return "the source says it of another’s"
    return None


def _owned(text: str) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    for owner, rest in _OWNED.findall(text):
        things = [word for word in words(rest) if fold(word) not in FUNCTION_WORDS]
        yield word_meanings(owner), frozenset(map(stem, things[:2]))


def _respectively(claim: Statement, source: Source) -> Reason:
    """Of what is told of each in turn, a claim may only have all in the same order."""
    for sentence in source.sentences:
        if "respectively" not in sentence.text.lower():
            continue
        theirs = [form.key for form in sentence.forms if _is_named(form.key, form.text)]
        ours = [form.key for form in claim.forms if form.key in theirs]
        if any(key[0] == "#" for key in ours) and ours != theirs:
            return "the source tells it of each in turn"
    return None


def _is_named(key: str, text: str) -> bool:
    return key[0] == "#" or text[:1].isupper()


CHECKS: tuple[Callable[[Statement, Source], Reason], ...] = (
    _scores,
    _ranks,
    _ordinals,
    _shares,
    _sides,
    _ages,
    _exchanged,
    _owners,
    _respectively,
)
"""What a claim may compare, rank or divide otherwise than the source."""
