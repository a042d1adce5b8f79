"""The dates that a text names, absolute or relative to the day that it was published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from rag.types import Span

MONTHS = (
    "january february march april may june july august september october november december".split()
)
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTH = "(?P<month>(?:" + "|".join(f"{m[:3]}(?:{m[3:]})?" for m in MONTHS) + r"|Sept)\b\.?)"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?\b(?!\.?\d)"
_YEAR = r"(?P<year>(?:1[5-9]|20)\d\d)\b(?![,.]\d|\s?(?:%|percent|per cent|people|euros|dollars))"
_PATTERNS = (
    r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)\b",
    rf"\b{_DAY}(?: of)? {_MONTH}(?: ?,? {_YEAR})?",
    rf"\b{_MONTH} {_DAY}(?: ?,? {_YEAR})?",
    rf"\b{_MONTH} ?,? {_YEAR}",
    rf"(?<![$€£₹\d.,]){_YEAR}",
    rf"\b{_MONTH}",
)
_NOT_ONLY_MONTHS = frozenset({"may", "march", "mar"})
_BEFORE_MONTH = re.compile(
    r"\b(?:in|of|on|by|last|next|this|early|late|mid|since|until|till|from|to|and|or|through)[ -]$",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(rf"\b(?P<weekday>{'|'.join(d.title() for d in WEEKDAYS)})s?\b")
_RELATIVE = re.compile(
    r"\b(?:(?P<day>yesterday|today|tonight|tomorrow)|"
    r"(?P<which>last|this|next) (?P<unit>month|year))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Date:
    """A day, month or year; what a text leaves open is None."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None  # 0 is Monday

    def covers(self, other: Date) -> bool:
        """Whether everything that `other` says of itself is said here, and the same."""
        pairs = (
            (self.year, other.year),
            (self.month, other.month),
            (self.day, other.day),
            (self.weekday, other.weekday),
        )
        return all(theirs is None or ours == theirs for ours, theirs in pairs)


@dataclass(frozen=True, slots=True)
class DateMention:
    """Where a text names a date, and the days, months or years that can be meant."""

    span: Span
    meant: tuple[Date, ...]

    def covers(self, other: DateMention) -> bool:
        """Whether one of the dates that can be meant here has all that the other mention says."""
        return any(ours.covers(theirs) for ours in self.meant for theirs in other.meant)


def date_mentions(text: str, published: str | None = None) -> list[DateMention]:
    """The dates in a text, in order; weekdays and "yesterday" are counted from `published`."""
    day = _iso(published)
    found: list[DateMention] = []
    for mention in (*_absolute(text, day), *_weekdays(text, day), *_relative(text, day)):
        if not any(
            mention.span.start < m.span.end and m.span.start < mention.span.end for m in found
        ):
            found.append(mention)
    return sorted(found, key=lambda mention: mention.span.start)


def is_relative(mention: str) -> bool:
    """Whether what names a date is a word like "yesterday" or "last month"."""
    return bool(_RELATIVE.fullmatch(mention))


def day_of(published: str | None) -> DateMention | None:
    """The day of an ISO date or time as a mention; None where there is none."""
    day = _iso(published)
    return DateMention(Span(0, 0), (_full(day),)) if day else None


def _absolute(text: str, published: date | None) -> Iterator[DateMention]:
    for pattern in _PATTERNS:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            parts = match.groupdict()
            name = parts.get("month")
            if name and not _is_month(name, text[: match.start()], set(parts) - {"month"}):
                continue
            month = month_number(name) if name else None
            number = int(parts["day"]) if parts.get("day") else None
            year = int(parts["year"]) if parts.get("year") else None
            meant = [Date(year, month, number, _weekday(year, month, number))]
            if year is None and published:  # most news is of this year, or of the months around it
                this = published.year
                meant.append(Date(this, month, number, _weekday(this, month, number)))
                meant += [Date(other, month, number) for other in (this - 1, this + 1)]
            start, end = match.span()  # the sentence's full stop is none of it
            yield DateMention(Span(start, end - match.group().endswith(".")), tuple(meant))


def _weekdays(text: str, published: date | None) -> Iterator[DateMention]:
    for match in _WEEKDAY.finditer(text):
        weekday = WEEKDAYS.index(match["weekday"].lower())
        meant = [Date(weekday=weekday)]
        if published:
            ago = (published.weekday() - weekday) % 7
            days = (published - timedelta(ago), published + timedelta(7 - ago))
            meant += [_full(day) for day in days]
        yield DateMention(Span(*match.span()), tuple(meant))


def _relative(text: str, published: date | None) -> Iterator[DateMention]:
    """What cannot be placed for want of a publication day is left out."""
    for match in _RELATIVE.finditer(text) if published else ():
        assert published is not None
        if match["day"]:
            shift = {"yesterday": -1, "tomorrow": 1}.get(match["day"].lower(), 0)
            yield DateMention(Span(*match.span()), (_full(published + timedelta(shift)),))
            continue
        shift = {"last": -1, "next": 1}.get(match["which"].lower(), 0)
        if match["unit"].lower() == "year":
            meant = Date(published.year + shift)
        else:
            months = published.year * 12 + published.month - 1 + shift
            meant = Date(months // 12, months % 12 + 1)
        yield DateMention(Span(*match.span()), (meant,))


def _is_month(name: str, before: str, others: set[str]) -> bool:
    """Whether a month's name is one: not the verbs "may" and "march"."""
    if name.isdecimal() or (name[0].isupper() and others):
        return True
    ambiguous = name.lower() in _NOT_ONLY_MONTHS
    return name[0].isupper() and (not ambiguous or bool(_BEFORE_MONTH.search(before)))


def month_number(name: str) -> int:
    """The month, 1 to 12, that a number or a name of at least three letters stands for."""
    if name.isdecimal():
        return int(name)
    return next(i for i, month in enumerate(MONTHS, 1) if month.startswith(name[:3].lower()))


def _weekday(year: int | None, month: int | None, day: int | None) -> int | None:
    try:
        return date(year or 0, month or 0, day or 0).weekday()
    except ValueError:
        return None


def _full(day: date) -> Date:
    return Date(day.year, day.month, day.day, day.weekday())


def _iso(published: str | None) -> date | None:
    try:
        day = date.fromisoformat((published or "")[:10])
    except ValueError:
        return None
    return day if 1000 < day.year < 9000 else None  # days before and after it exist as well
