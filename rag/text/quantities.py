"""The numbers of a text with what they measure: "$1.2 billion" is 1200000000 dollars."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.types import Span

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen".split()
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {w: i for i, w in enumerate(_SMALL)} | {w: 10 * i for i, w in enumerate(_TENS, 2)}
_SCALES = {
    "hundred": 100,
    "thousand": 10**3,
    "k": 10**3,
    "lakh": 10**5,
    "million": 10**6,
    "mn": 10**6,
    "m": 10**6,
    "crore": 10**7,
    "billion": 10**9,
    "bn": 10**9,
    "b": 10**9,
    "trillion": 10**12,
    "tn": 10**12,
}
_TOKEN = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?|[^\W\d_]+")
_NOT_COUNTED = re.compile(r"\b(?:no|the|this|that|any|each|every|which|another) $", re.IGNORECASE)

_SIGNS = {
    "$": "dollar",
    "€": "euro",
    "£": "pound",
    "₹": "rupee",
    "¥": "yen",
    "eur": "euro",
    "usd": "dollar",
    "gbp": "pound",
    "rs": "rupee",
    "inr": "rupee",
}
_SIGN = re.compile(r"(?:[$€£₹¥]|\b(?:EUR|USD|GBP|INR|Rs)\.?)\s?$", re.IGNORECASE)
_UNITS = {
    r"percentage points?": "percentage point",
    r"%|percent|per cent|pc\b": "percent",
    r"(?:us )?dollars?|usd": "dollar",
    r"euros?|eur": "euro",
    r"pounds?|gbp": "pound",
    r"rupees?|inr": "rupee",
    r"yen": "yen",
    r"yuan|renminbi": "yuan",
    r"roubles?|rubles?": "rouble",
    r"kroner?|kronor?": "krone",
    r"seconds?": "second",
    r"minutes?|mins?": "minute",
    r"hours?|hrs?": "hour",
    r"days?": "day",
    r"weeks?": "week",
    r"months?": "month",
    r"years?|yrs?": "year",
    r"decades?": "decade",
    r"kilomet(?:er|re)s?|kms?": "kilometre",
    r"met(?:er|re)s?": "metre",
    r"centimet(?:er|re)s?|cm": "centimetre",
    r"miles?|mi": "mile",
    r"f(?:oo|ee)t|ft": "foot",
    r"inch(?:es)?": "inch",
    r"kilogram(?:me)?s?|kgs?|kilos?": "kilogram",
    r"tonn?es?|tons?": "ton",
    r"lit(?:er|re)s?": "litre",
    r"gallons?": "gallon",
    r"barrels?": "barrel",
    r"acres?": "acre",
    r"hectares?": "hectare",
    r"degrees?": "degree",
    r"megawatts?|mw": "megawatt",
    r"gigawatts?|gw": "gigawatt",
}
_UNIT = re.compile(
    r"[\s\u00a0-]?(?:" + "|".join(rf"({pattern})" for pattern in _UNITS) + r")(?![^\W_])",
    re.IGNORECASE,
)
_UNIT_NAMES = tuple(_UNITS.values())


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text: where, its value, and its unit ("" where it has none that we know);
    `whole` is where it stands with its unit."""

    span: Span
    value: float
    unit: str
    whole: Span


def quantities(text: str) -> list[Quantity]:
    """The numbers in a text, in order: "1.2 billion", "twenty-one", "nine-day"."""
    return [
        _quantity(text, start, end, value)
        for start, end, value in _numbers(text)
        if not (value == 1 and text[start:end].lower() == "one" and _is_pronoun(text, start, end))
    ]


def _is_pronoun(text: str, start: int, end: int) -> bool:
    return text.startswith(" of ", end) or bool(_NOT_COUNTED.search(text[:start]))


def _quantity(text: str, start: int, end: int, value: float) -> Quantity:
    before, after = _SIGN.search(text[max(0, start - 6) : start]), _UNIT.match(text, end)
    unit = _UNIT_NAMES[after.lastindex - 1] if after and after.lastindex else ""
    whole = Span(start, after.end() if after else end)
    if before:
        unit = _SIGNS[before.group().strip(" .").lower()]
        whole = Span(start - len(before.group()), end)
    return Quantity(Span(start, end), round(value, 6), unit, whole)


def _numbers(text: str) -> Iterator[tuple[int, int, float]]:
    """(start, end, value) of each number; "two million" and "twenty-one" are one."""
    start, end, value = 0, 0, None
    for match in _TOKEN.finditer(text):
        word = match.group().lower()
        small = float(word.replace(",", "")) if word[0].isdecimal() else _WORDS.get(word)
        near = value is not None and text[end : match.start()] in {"", " ", "-", "‑", "\u00a0"}
        if small is not None:
            joins = near and value is not None and _joins(value, small)
            if value is not None and not joins:
                yield start, end, value
            start = start if joins else match.start()
            value, end = (value or 0) + small if joins else float(small), match.end()
        elif near and value is not None and word in _SCALES:
            value, end = value * _SCALES[word], match.end()
        elif value is None and word in _SCALES and len(word) > 3 and _article(text, match.start()):
            start, end, value = match.start(), match.end(), float(_SCALES[word])
        elif value is not None:
            yield start, end, value
            value = None
    if value is not None:
        yield start, end, value


def _joins(value: float, small: float) -> bool:
    """Whether a number goes on: "twenty one", not "twenty twelve"."""
    return 20 <= value < 100 and value % 10 == 0 and 0 < small < 10


def _article(text: str, at: int) -> bool:
    return bool(re.search(r"\ban? $", text[:at], re.IGNORECASE))
