"""The days, months and ranges that a question names, counted from the day it is asked."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from rag.text.dates import MONTHS, WEEKDAYS, month_number
from rag.text.wording import FUNCTION_WORDS
from rag.types import Period

_MONTH = "(?:" + "|".join(f"{m[:3]}(?:{m[3:]})?" for m in MONTHS) + r"|sept)\b\.?"
_FULL = "(?:" + "|".join(MONTHS) + r")\b"
_DAY = r"(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?\b"
_YEAR = r"(?:1[89]|20)\d\d\b(?![.,’'-]?\d|[’']s|\s?%)"
_OF_YEAR = rf",? (?:of )?{_YEAR}"
_TO = r"(?:\s*[-–—]\s*|,?\s+(?:to|and|until|till|through|up to)\s+(?:the\s+)?)"
_COUNTS = "a an one two three four five six seven eight nine ten eleven twelve".split()
_COUNT = rf"(?:\d{{1,3}}|{'|'.join(_COUNTS)}|a couple of)"
_UNIT = "(?:day|week|weekend|month|year|decade)s?"

# "3 to 9 May" and "May 3–9" name their month once.
_DAYS_OF_MONTH = re.compile(
    rf"\b(?P<from>{_DAY})(?P<to>{_TO})(?P<till>{_DAY})(?P<of> (?:of )?)(?P<month>{_MONTH})", re.I
)
_MONTH_OF_DAYS = re.compile(
    rf"\b(?P<month>{_MONTH}) (?P<from>{_DAY})(?P<to>{_TO})(?P<till>{_DAY})"
    rf"(?![:.]\d| (?:of )?{_MONTH})",
    re.I,
)
_DATE = re.compile(
    "|".join(
        (
            r"(?P<iso>\b\d{4}-\d\d-\d\d)(?![\d-])",
            rf"(?P<day>\b(?:{_DAY} (?:of )?{_MONTH}|{_MONTH} {_DAY}(?![:.]\d))(?:{_OF_YEAR})?)",
            rf"(?P<month_year>\b{_MONTH}{_OF_YEAR})",
            rf"(?P<year>(?<![$€£₹\d.,:/#-])\b{_YEAR})",
            rf"(?P<month>\b{_FULL})",
            r"(?P<near>\b(?:the day before yesterday|yesterday|last night|today|tonight|"
            r"this morning|this afternoon|this evening)\b)",
            rf"(?P<ago>\b{_COUNT} {_UNIT} ago\b)",
            rf"(?P<window>\b(?:the (?:past|last|previous)(?: {_COUNT})?|past(?: {_COUNT})?|"
            rf"(?:last|previous) {_COUNT}) (?:{_UNIT}|hours?)\b(?! of\b))",
            r"(?P<calendar>\b(?:this|last|previous) (?:weekend|week|month|year)\b(?! of\b))",
            r"(?P<weekend>\bover the weekend\b)",
            rf"(?P<weekday>\b(?:{'|'.join(WEEKDAYS)})\b)",
        )
    ),
    re.I,
)
_EDGE = (
    r"(?:\s+(?:the|(?:the\s+)?(?:end|start|beginning|middle|summer|winter|spring|autumn)\s+of|"
    r"early|late|mid|on|around))?[\s-]+$"
)
_OPERATORS = {
    "since": re.compile(r"\bsince" + _EDGE, re.I),
    "after": re.compile(r"\b(?:after|later than|following)" + _EDGE, re.I),
    "before": re.compile(r"\b(?:before|prior to|earlier than|ahead of)" + _EDGE, re.I),
    "until": re.compile(r"\b(?:until|till|through|by|up to|as of|no later than)" + _EDGE, re.I),
}
_BETWEEN = re.compile(r"\bbetween\s+(?:the\s+)?$", re.I)
_ON = re.compile(r"\s+on(?:wards?)?\b(?! \w)|\s+onwards?\b", re.I)
_SINCE_THE_EVENT = re.compile(r"\b(?:since|after|before|until|till|by|following) the $", re.I)

_YEAR_CUE = re.compile(
    r"\b(?:in|since|during|before|after|until|till|by|throughout|from|between|early|late|mid|"
    r"(?:end|start|beginning|middle|half|quarter|summer|winter|spring|autumn|fall) of|"
    r"summer|winter|spring|autumn|fall)[\s-]$",
    re.I,
)
_NO_YEAR = re.compile(
    r"\s?(?:percent|per cent|people|euros?|dollars?|pounds|votes|points|met(?:re|er)s|kilometres|"
    r"kilometers|miles|jobs|homes|words|steps|calories|seats|troops|soldiers)\b|"
    r" (?:\w+ ){0,3}(?:Cup|Olympics?|Games|Championships?|Open|Awards|Oscars|Prix|Series|Bowl|"
    r"Summit|Finals?|Festival|Tour)\b"
)
_MONTH_CUE = re.compile(
    r"\b(?:in|since|during|until|till|before|after|last|this|early|late|mid|throughout|between|"
    r"from|(?:end|start|beginning|middle) of)[\s-]$",
    re.I,
)
_DAY_CUE = re.compile(
    r"\b(?:on|since|until|till|by|before|after|from|to|between|of|published|dated)\s$", re.I
)
_WEEKDAY_CUE = re.compile(
    r"\b(?:on|last|this|past|since|until|till|by|before|after|from|late|early|between)\s$", re.I
)
_BEFORE = re.compile(r"([^\W\d_]+)\s$")
_NEXT = re.compile(r"\b(?:next|every|each|coming|following|upcoming) $", re.I)
_NAME_GOES_ON = re.compile(r"s?\s+[A-Z]|-?\w|[’']s? [A-Z]")
_HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class _Date:
    """A date where it stands: what is said of year, month and day, or its days if these are told
    from the anchor."""

    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    fixed: tuple[date, date] | None = None

    def days(self, anchor: date) -> tuple[date, date] | None:
        """First and last day; without a year, of the last such date not after the anchor."""
        if self.fixed:
            return self.fixed
        years = [self.year] if self.year else range(anchor.year, anchor.year - 9, -1)
        for year in years:
            days = _days(year, self.month, self.day)
            if days and (self.year or days[0] <= anchor):
                return days
        return None


def periods(text: str, anchor: date) -> tuple[Period, ...]:
    """What a text names by dates, in order, each once; nothing of it begins after the anchor.

    "after" a day includes it: what is published that day may well tell of what came after.
    """
    if not 1000 < anchor.year < 9000:  # the days and years around it exist
        return ()
    text = _DAYS_OF_MONTH.sub(r"\g<from>\g<of>\g<month>\g<to>\g<till>\g<of>\g<month>", text)
    text = _MONTH_OF_DAYS.sub(r"\g<month> \g<from>\g<to>\g<month> \g<till>", text)
    found = list(_dates(text, anchor))
    named: list[Period] = []
    while found:
        one = found.pop(0)
        if found and not one.year and found[0].year and _joined(text, one, found[0]):
            one = replace(one, year=_year_before(one, found[0]))
        other = found[0] if found and _is_range(text, one, found[0]) else None
        if other:
            found.pop(0)
        period = _range(one, other, anchor) if other else _period(text, one, anchor)
        if period:
            named.append(period)
    return tuple(dict.fromkeys(named))


def _dates(text: str, anchor: date) -> Iterator[_Date]:
    last: _Date | None = None
    for match in _DATE.finditer(text):
        kind, before, after = str(match.lastgroup), text[: match.start()], text[match.end() :]
        joined = last and _joined(text, last, _Date(match.start(), match.end()))
        if _NEXT.search(before) or _names_event(before, after):
            continue
        if not joined and not _is_date(kind, match.group(), before, after):
            continue
        found = _read(kind, match, before, anchor)
        if found:
            last = found
            yield found


def _names_event(before: str, after: str) -> bool:
    """Whether what is counted from is not the date but what it names: "since the 3 May vote"."""
    noun = re.match(r" ([a-z]+)", after)
    return bool(noun and noun[1] not in FUNCTION_WORDS and _SINCE_THE_EVENT.search(before))


def _is_date(kind: str, said: str, before: str, after: str) -> bool:
    """Whether what may be a year, month or weekday is one, and no part of a name."""
    if kind == "year":
        return bool(_YEAR_CUE.search(before)) and not _NO_YEAR.match(after)
    if kind == "month":
        verb = said in {"may", "march"} and not re.search(r"\b(?:in|since) $", before, re.I)
        return not verb and bool(_MONTH_CUE.search(before)) and not _NAME_GOES_ON.match(after)
    if kind == "day" and said.startswith(("may ", "march ")):
        return bool(re.search(r"\d{4}$", said) or _DAY_CUE.search(before))
    if kind == "near":  # "Globe Today"
        return said.islower() or not re.search(r"\w $", before)
    if kind == "weekday":
        if _NAME_GOES_ON.match(after):
            return False
        previous = _BEFORE.search(before)
        plain = previous and previous[1].islower() and previous[1] not in FUNCTION_WORDS
        return bool(_WEEKDAY_CUE.search(before) or (plain and said[0].isupper()))
    return True


def _read(kind: str, match: re.Match[str], before: str, anchor: date) -> _Date | None:
    said = match.group().lower()
    place = _Date(match.start(), match.end())
    if kind == "iso":
        return _dated(place, *map(int, said.split("-")))
    if kind in {"day", "month_year", "month", "year"}:
        name = re.search(_MONTH, said)
        month = month_number(name.group()) if name else None
        numbers = [int(number) for number in re.findall(r"\d+", said)]
        year = numbers.pop() if numbers and numbers[-1] > 31 else None
        if year is None and kind == "month" and before.lower().endswith("last "):
            return replace(place, fixed=_days_of_month_before(anchor, month or 1))
        return _dated(place, year, month, numbers[0] if numbers else None)
    return replace(place, fixed=_near(kind, said, before, anchor))


def _dated(place: _Date, year: int | None, month: int | None, day: int | None) -> _Date | None:
    exists = _days(year or 2024, month, day)  # a leap year
    return replace(place, year=year, month=month, day=day) if exists else None


def _near(kind: str, said: str, before: str, anchor: date) -> tuple[date, date]:
    """What is counted from the anchor."""
    unit = said.removesuffix(" ago").split()[-1].removesuffix("s")
    if kind == "near":
        back = {"the day before yesterday": 2, "yesterday": 1, "last night": 1}.get(said, 0)
        return (anchor - timedelta(back),) * 2
    if kind == "weekday":
        last = before.lower().endswith("last ")
        back = (anchor.weekday() - WEEKDAYS.index(said)) % 7 or (7 if last else 0)
        return (anchor - timedelta(back),) * 2
    if kind == "window":
        return _back(anchor, _count(said), unit), anchor
    if kind == "ago":
        then = _back(anchor, _count(said), unit)
        return (then, then) if unit == "day" else _around(then, unit)
    if unit == "weekend":
        saturday = anchor - timedelta((anchor.weekday() - 5) % 7)
        if said.startswith(("last", "previous")) and anchor.weekday() >= 5:
            saturday -= timedelta(7)
        return saturday, saturday + timedelta(1)
    if said.startswith("this"):
        first = anchor - timedelta(6) if unit == "week" else _around(anchor, unit)[0]
        return first, anchor
    return _around(_back(anchor, 1, unit), unit)


def _count(said: str) -> int:
    for word in said.split():
        if word.isdecimal():
            return int(word)
        if word == "couple":
            return 2
        if word in _COUNTS and not (word == "a" and "couple" in said):
            return max(1, _COUNTS.index(word) - 1)
    return 1


def _back(day: date, count: int, unit: str) -> date:
    """The day so many units earlier; of a shorter month its last."""
    if unit in {"hour", "day", "week", "weekend"}:
        days = {"hour": -(-count // _HOURS_A_DAY), "day": count}.get(unit, 7 * count)
        return day - timedelta(days)
    months = day.year * 12 + day.month - 1 - count * {"month": 1, "year": 12}.get(unit, 120)
    year, month = divmod(max(months, 12), 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _around(day: date, unit: str) -> tuple[date, date]:
    """The calendar's week, month or year of a day."""
    if unit in {"week", "weekend"}:
        monday = day - timedelta(day.weekday())
        return monday, monday + timedelta(6)
    return _days(day.year, day.month if unit == "month" else None, None) or (day, day)


def _days(year: int, month: int | None, day: int | None) -> tuple[date, date] | None:
    try:
        first = date(year, month or 1, day or 1)
        last = date(year, month or 12, day or monthrange(year, month or 12)[1])
    except ValueError:
        return None
    return first, last


def _days_of_month_before(anchor: date, month: int) -> tuple[date, date]:
    year = anchor.year - (month >= anchor.month)
    return _days(year, month, None) or (anchor, anchor)


def _joined(text: str, one: _Date, other: _Date) -> bool:
    return bool(re.fullmatch(_TO, text[one.end : other.start], re.I))


def _is_range(text: str, one: _Date, other: _Date) -> bool:
    listed = "and" in text[one.end : other.start].lower()
    return _joined(text, one, other) and (not listed or bool(_BETWEEN.search(text[: one.start])))


def _year_before(one: _Date, other: _Date) -> int | None:
    """The year of a date without one before another that has one."""
    if not one.month or not other.year:
        return None
    earlier = (one.month, one.day or 1) <= (other.month or 12, other.day or 31)
    return other.year if earlier else other.year - 1


def _range(one: _Date, other: _Date, anchor: date) -> Period | None:
    """From one date to another; the year that only the first has counts for both."""
    if one.year and other.month and not other.year:
        after = (other.month, other.day or 31) >= (one.month or 1, one.day or 1)
        other = replace(other, year=one.year if after else one.year + 1)
    end = other.days(anchor)
    start = end and one.days(end[1])
    if not start or not end or start[0] > anchor or start[0] > end[1]:
        return None
    return Period(start[0].isoformat(), end[1].isoformat())


def _period(text: str, one: _Date, anchor: date) -> Period | None:
    days = one.days(anchor)
    if not days:
        return None
    first, last = days
    before = text[: one.start]
    operator = next((name for name, cue in _OPERATORS.items() if cue.search(before)), None)
    if operator in {"before", "until"}:
        end = first - timedelta(1) if operator == "before" else last
        return Period(None, end.isoformat()) if end <= anchor else None
    if operator == "after" and first < last:
        first = last + timedelta(1)
    if first > anchor:
        return None
    since = operator or (before.lower().endswith("from ") and _ON.match(text, one.end))
    return Period(first.isoformat(), None if since else last.isoformat())
