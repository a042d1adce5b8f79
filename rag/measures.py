"""What stands around the numbers and dates of a claim and of its source: "at least", "by" for "to",
"a day", "until", whose they are, and which side of "than" is which."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rag.dates import DateMention
from rag.lexicon import CHANGES
from rag.phrases import word_meanings
from rag.quantities import Quantity
from rag.statements import Source, Statement
from rag.types import Span
from rag.wording import FUNCTION_WORDS, fold, stem, words

_BOUNDS = {
    "max": r"up to|as (?:many|much) as|at most|no more than|not more than|a maximum of",
    "min": r"at least|no (?:fewer|less) than|not less than|a minimum of",
    "near": r"nearly|almost|close to|just (?:under|below)|just short of",
    "over": r"(?:well |far |just )?(?:more than|over|above)|in excess of|upwards of|exceed(?:s|ed|ing)?",
    "under": r"(?:well |far )?(?:(?:less|fewer) than|under|below)",
    "about": r"about|around|roughly|approximately|an estimated",
    "exact": r"exactly|precisely",
}
_BOUND = re.compile(
    r"\b(?:" + "|".join(f"(?P<{name}>{words})" for name, words in _BOUNDS.items()) + r")\s+$",
    re.IGNORECASE,
)
# What a claim may say of a number of which the source says one of these.
_CARRIED_BY = {
    None: {None, "exact"},
    "exact": {None, "exact"},
    "min": {None, "exact", "min", "over"},
    "over": {"over"},
    "max": {"max", "under"},
    "under": {"under", "near"},
    "near": {"near"},
    "about": {None, "exact", "about", "near"},
}
_TIMES = frozenset("second minute hour day week month year decade".split())
_COURSE = re.compile(r"(\S+)\s+(by|to|from)\s+$")
_RATE = re.compile(
    r"(?:[\s-](?!(?:in|after|for|within|once|half|than|from|of|on|and|or)\b)[a-z-]+){0,3}?\s+(?:"
    r"(?:an?|each|every)\s+(?P<time>second|minute|hour|day|night|week|month|quarter|year|season)\b"
    r"(?!\s+(?:after|before|earlier|later|ago|since|when|of|and)\b)"
    r"|per\s+(?P<each>[a-z]+)|(?P<often>hourly|daily|weekly|monthly|yearly|annually)\b)"
)
_OFTEN = {"dai": "day", "annual": "year", "annum": "year"}
_AFTER = re.compile(r"(?:\s+[a-z-]+)?\s+(in|on|at|from|for|against)\s+(?:the\s+)?([^\W_]+)")
_BEFORE = re.compile(r"([A-Za-z]+)\s+(in|on|at|by|to|from|for|of|until|till|since)\s+$")
_LISTED = re.compile(
    r"[\s,]*(?:(?:and|or|to|through)\b[\s,]*)?(?:(?:in|on|of|to|at|by|from)\b)?\s*"
)
_SCORE = re.compile(r"(?<![\w-])\d{1,3}[-–]\d{1,3}(?![\w-]|[–-])")
_RANK = re.compile(
    r"\b(?:(?P<rank>second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|\d+(?:st|nd|rd|th))"
    r"[\s-]+|(?P<some>one of|among)\s+(?:[^\s,.;]+\s+){1,3}?)?(?P<word>[a-z]{2,}est|most|least|best|worst)\b",
    re.IGNORECASE,
)
_NO_SUPERLATIVES = frozenset(
    "interest protest request forest west rest test invest arrest harvest honest modest suggest "
    "contest guest quest conquest manifest nest chest midwest digest unrest crest vest zest best "
    "latest northwest southwest invest infest attest detest priest bequest inquest behest".split()
) - {"best"}
_SHARES = {
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
    r"|(?P<word>twice|thrice|doubl\w*|tripl\w*|trebl\w*|quadrupl\w*|halv\w*)"
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
_LIMIT = re.compile(
    r"\b(?P<limit>until|till|through|by|before|since|from|after|on|in|at)\s+(?:the\s+)?"
    r"(?:(?P<part>early|mid|late|end of|close of|beginning of|start of|middle of)[\s-]+)?$",
    re.IGNORECASE,
)
_LIMITS = {
    "until": "end", "till": "end", "through": "end", "by": "end", "before": "end",
    "since": "start", "from": "start", "after": "after", "on": "at", "in": "at", "at": "at",
}  # fmt: skip
_PARTS = {"end": "late", "close": "late", "late": "late", "mid": "mid", "middle": "mid"}

Reason = str | None


def measure_objection(claim: Statement, source: Source) -> Reason:
    """What the claim says about its numbers, dates and comparisons that the source does not."""
    for check in _CHECKS:
        reason = check(claim, source)
        if reason:
            return reason
    return None


def _same(ours: Quantity, source: Source) -> list[tuple[Statement, Quantity]]:
    return [
        (sentence, quantity)
        for sentence in source.sentences
        for quantity in sentence.quantities
        if quantity.value == ours.value and (not ours.unit or quantity.unit == ours.unit)
    ]


def _at(statement: Statement, quantity: Quantity) -> str:
    return statement.text[quantity.whole.start : quantity.whole.end].strip()


def _bounds(claim: Statement, source: Source) -> Reason:
    """ "At least 40" is neither "40" nor "up to 40"."""
    for ours in claim.quantities:
        theirs = {_bound(sentence, q) for sentence, q in _same(ours, source)}
        if theirs and not theirs & _CARRIED_BY[_bound(claim, ours)]:
            return f"the source says more or less than “{_at(claim, ours)}”"
    return None


def _bound(statement: Statement, quantity: Quantity) -> str | None:
    found = _BOUND.search(statement.text[: quantity.whole.start])
    kind = found.lastgroup if found else None
    return None if kind == "over" and quantity.unit in _TIMES else kind


def _unbounded(statement: Statement, start: int) -> str:
    """What stands before a number, but for "at least" and the like."""
    return _BOUND.sub("", statement.text[:start])


def _courses(claim: Statement, source: Source) -> Reason:
    """ "Rose to 4 percent" is not "rose by 4 percent"."""
    for ours in claim.quantities:
        course = _course(claim, ours)
        theirs = {_course(sentence, q) for sentence, q in _same(ours, source)}
        if course and theirs and None not in theirs and course not in theirs:
            return f"the source has “{min(map(str, theirs))} {_at(claim, ours)}”, not “{course}”"
    return None


def _course(statement: Statement, quantity: Quantity) -> str | None:
    before = _unbounded(statement, quantity.whole.start)
    found = _COURSE.search(before)
    if found:
        is_range = found[2] == "to" and found[1][-1:].isdecimal()
        return None if is_range else found[2]
    last = words(before[-30:])
    return "by" if last and before.endswith(" ") and stem(last[-1]) in CHANGES else None


def _rates(claim: Statement, source: Source) -> Reason:
    """ "Three a day" is neither "three" nor "three a week"."""
    for ours in claim.quantities:
        same = _same(ours, source)
        rate, theirs = _rate(claim, ours), {_rate(sentence, q) for sentence, q in same}
        if not same or rate in theirs:
            continue
        told = _said_rates(claim.text if rate is None else source.text)
        if rate is None:
            wrong = not any(other in told for other in theirs if other)
        else:
            wrong = theirs != {None} or rate not in told or bool(_any_rate(source))
        if wrong:
            return f"the source does not have “{_at(claim, ours)}” for as long or as many"
    return None


def _rate(statement: Statement, quantity: Quantity) -> str | None:
    found = _RATE.match(statement.text, quantity.whole.end)
    return _rated(next(part for part in found.groups() if part)) if found else None


def _rated(word: str) -> str:
    bare = word.lower().removesuffix("ly")
    return stem(_OFTEN.get(bare, bare))


def _said_rates(text: str) -> set[str]:
    return {_rated(word) for word in words(text)}


def _any_rate(source: Source) -> bool:
    return any(_rate(s, q) for s in source.sentences for q in s.quantities)


def _neighbours(claim: Statement, source: Source) -> Reason:
    """What follows a number must not follow another in the source: "3 in China and 2 in Europe"."""
    for ours in claim.quantities:
        after = _follower(claim, ours)
        same = {_follower(sentence, q) for sentence, q in _same(ours, source)}
        others = {
            _follower(sentence, q)
            for sentence in source.sentences
            for q in sentence.quantities
            if q.value != ours.value and q.unit in ("", ours.unit)
        }
        if after and after not in same and same - {None} and after in others:
            return f"the source has another number than {_at(claim, ours)} there"
    return None


def _follower(statement: Statement, quantity: Quantity) -> tuple[str, str] | None:
    found = _AFTER.match(statement.text, quantity.whole.end)
    return (found[1], stem(found[2])) if found else None


def _places(claim: Statement, source: Source) -> Reason:
    """ "Opened on 1 June" is not "opened on 2 June", whatever was on that."""
    for key, ours in _led(claim):
        known = [
            (sentence, span, same)
            for sentence in source.sentences
            for key2, theirs in _led(sentence)
            for span, same in [_compared(ours, theirs)]
            if key == key2 and same is not None
        ]
        if known and not any(same for _, _, same in known):
            if not any(_is_listed(sentence, span, ours) for sentence, span, _ in known):
                return f"the source has another number or date for “{' '.join(key)}”"
    return None


def _led(statement: Statement) -> Iterator[tuple[tuple[str, str], Quantity | DateMention]]:
    """The numbers and dates of a text with the word and preposition right before them."""
    for quantity in statement.quantities:
        found = _BEFORE.search(_unbounded(statement, quantity.whole.start))
        if found:
            yield (stem(found[1]), found[2]), quantity
    for date in statement.dates:
        found = _BEFORE.search(statement.text[: date.span.start])
        if found:
            yield (stem(found[1]), found[2]), date


def _compared(
    ours: Quantity | DateMention, theirs: Quantity | DateMention
) -> tuple[Span, bool | None]:
    """Where theirs ends, and whether it is ours; None where the two cannot be compared."""
    if isinstance(ours, Quantity) and isinstance(theirs, Quantity):
        alike = ours.unit == theirs.unit
        return theirs.whole, ours.value == theirs.value if alike else None
    if isinstance(ours, DateMention) and isinstance(theirs, DateMention):
        return theirs.span, theirs.covers(ours) if _grain(ours) == _grain(theirs) else None
    return Span(0, 0), None


def _grain(date: DateMention) -> tuple[bool, bool]:
    first = date.meant[0]
    return first.month is not None, first.day is not None


def _is_listed(sentence: Statement, span: Span, ours: Quantity | DateMention) -> bool:
    """Whether ours stands in one list with what stands at the span."""
    rest = _LISTED.match(sentence.text, span.end)
    place = rest.end() if rest else span.end
    if isinstance(ours, DateMention):
        return any(d.span.start == place and d.covers(ours) for d in sentence.dates)
    return any(q.whole.start == place and q.value == ours.value for q in sentence.quantities)


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
    for share, bound in _share(source.text):
        theirs.setdefault(share, set()).add(bound)
    known = {q.value for s in source.sentences for q in s.quantities}
    for share, bound in _share(claim.text):
        if share not in theirs:
            if share >= 1 and share in known:
                continue
            return "the source does not have that share or multiple"
        if not theirs[share] & _CARRIED_BY[bound]:
            return "the source has more or less than that share or multiple"
    return None


def _share(text: str) -> Iterator[tuple[float, str | None]]:
    for found in _SHARE.finditer(text):
        bound = _BOUND.search(text[: found.start()])
        kind = bound.lastgroup if bound else None
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
        before, after = _halves(sentence.text, theirs)
        if any(w & after and not w & before for w in left) and any(
            w & before and not w & after for w in right
        ):
            return "the source has the two sides of the comparison the other way round"
    return None


def _halves(text: str, than: re.Match[str]) -> tuple[_Side, _Side]:
    return _Side(text[: than.start()]), _Side(text[than.end() :])


class _Side:
    """The content words on one side of a comparison."""

    def __init__(self, text: str) -> None:
        self._words = [word_meanings(w) for w in words(text) if fold(w) not in FUNCTION_WORDS]
        self._all = frozenset[str]().union(*self._words)

    def __iter__(self) -> Iterator[frozenset[str]]:
        return iter(self._words)

    def __rand__(self, other: frozenset[str]) -> frozenset[str]:
        return self._all & other


def _ages(claim: Statement, source: Source) -> Reason:
    """ "Ann Lee, 34, and her son, 6": each has an age."""
    theirs = [(word_meanings(m["who"]), m["age"]) for m in _AGE.finditer(source.text)]
    for found in _AGE.finditer(claim.text):
        who = word_meanings(found["who"])
        bearers = [name for name, age in theirs if age == found["age"]]
        if bearers and who & source.words and not any(who & name for name in bearers):
            return f"the source gives the age {found['age']} to another than {found['who']}"
    return None


def _limits(claim: Statement, source: Source) -> Reason:
    """ "By the end of May" is neither "in May", "from May" nor "by May"."""
    for ours in claim.dates:
        limit, part = _limit(claim, ours)
        theirs = {
            _limit(sentence, date)
            for sentence in source.sentences
            for date in sentence.dates
            if date.covers(ours)
        }
        if theirs and not any(_is_within(limit, part, *other) for other in theirs):
            return f"the source has another limit than “{claim.text[: ours.span.end][-30:]}”"
    return None


def _limit(statement: Statement, date: DateMention) -> tuple[str, str]:
    found = _LIMIT.search(statement.text[: date.span.start])
    if not found:
        return "at", ""
    part = (found["part"] or "").lower().split(" ")[0]
    return _LIMITS[found["limit"].lower()], _PARTS.get(part, "early") if part else ""


def _is_within(limit: str, part: str, their_limit: str, their_part: str) -> bool:
    if part and part != their_part:
        return False
    if limit != their_limit and not (
        their_limit == "at" or {limit, their_limit} == {"at", "start"}
    ):
        return False
    return not (their_part and not part and limit in {"end", "after"})


_CHECKS: tuple[Callable[[Statement, Source], Reason], ...] = (
    _bounds,
    _courses,
    _rates,
    _neighbours,
    _places,
    _scores,
    _ranks,
    _shares,
    _sides,
    _ages,
    _limits,
)
