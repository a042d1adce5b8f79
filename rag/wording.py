"""What a text says word for word: words, stems, numbers, quotations, negations, hedges."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.types import Span

if TYPE_CHECKING:
    from snowballstemmer.english_stemmer import EnglishStemmer

WORD = re.compile(r"[^\W_]+(?:[.,’'‑-](?=[^\W_])[^\W_]+)*")
NEGATIONS = frozenset(
    "no not never none nobody nothing neither nor cannot without deny denies denied refuse "
    "refuses refused reject rejects rejected fail fails failed n't".split()
)
HEDGES = frozenset(
    "may might could likely unlikely possibly perhaps probably allegedly reportedly apparently "
    "suggests suggested expected alleged potential potentially seems appears would".split()
)
FUNCTION_WORDS = frozenset(
    "a about above after again against all also although am an and any are aren't as at be "
    "been because before being below between both but by can can't cannot could couldn't did "
    "didn't do does doesn't doing don't down during each either else ever every few for from "
    "further had has have having he her here hers him his how however i if in into is isn't "
    "it its itself just may me might more most much must my no nor not of off on once only or "
    "other our ours out over own per same shall she should so some such than that the their "
    "theirs them then there these they this those through to too under until up upon us very "
    "via was we were what when where whether which while who whom whose why will with within "
    "would yes yet you your yours".split()
)
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen".split()
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = {
    "hundred": 100,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
_SCALE_SHORT = {"k": "thousand", "m": "million", "mn": "million", "bn": "billion", "b": "billion"}
_NUMBER_WORDS = {w: i for i, w in enumerate(_UNITS)} | {w: 10 * i for i, w in enumerate(_TENS, 2)}
_OPENING, _CLOSING = "“„«", "”“»"
_QUOTE_STYLE = str.maketrans(dict.fromkeys("“”„‟«»", '"') | dict.fromkeys("‘’‚‛ʼ`´", "'"))


def words(text: str) -> list[str]:
    """The words of a text as written, hyphenated and dotted ones whole, possessive 's left out."""
    return [re.sub(r"[’']s$", "", match.group()) for match in WORD.finditer(text)]


def fold(text: str) -> str:
    """Lower case without diacritics, for comparing names and words."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).replace("’", "'")


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The Snowball English stem of a folded word; dots are dropped (u.s. → us)."""
    return str(_stemmer().stemWord(fold(word).replace(".", "")))


@lru_cache(maxsize=1)
def _stemmer() -> EnglishStemmer:
    from snowballstemmer.english_stemmer import EnglishStemmer

    return EnglishStemmer()


def content_stems(text: str) -> list[str]:
    """Stems of the words that carry meaning, in order, hyphenated words in their parts."""
    parts = (part for word in words(text) for part in re.split(r"[-‑]", word))
    return [stem(part) for part in parts if fold(part) not in FUNCTION_WORDS and len(part) > 1]


def normalise_quotes(text: str) -> str:
    """White space squeezed and quotation marks straightened: what may differ in a quotation."""
    return re.sub(r"\s+", " ", text.translate(_QUOTE_STYLE)).strip()


def quotations(text: str) -> list[Span]:
    """The insides of double quotation marks, in order; an unclosed one runs to its line's end."""
    spans: list[Span] = []
    opened: int | None = None
    straight = False
    for i, char in enumerate(text):
        if opened is None:
            if char in _OPENING or char == '"':
                opened, straight = i + 1, char == '"'
        elif ((char == '"') if straight else (char in _CLOSING and char != "“")) or char == "\n":
            spans.append(Span(opened, i))
            opened = None
    if opened is not None:
        spans.append(Span(opened, len(text)))
    return [span for span in spans if text[span.start : span.end].strip()]


def numbers(text: str) -> set[str]:
    """The numbers of a text in canonical form: "1.2 billion" → 1200000000, "two" → 2."""
    return set(_numbers(text))


def _numbers(text: str) -> Iterator[str]:
    tokens = re.findall(r"\d[\d,]*(?:\.\d+)?|[A-Za-z]+", text)
    value: float | None = None
    for token in tokens:
        word = token.lower()
        scale = _SCALES.get(_SCALE_SHORT.get(word, word))
        if token[0].isdigit():
            if value is not None:
                yield _canonical(value)
            value = float(token.replace(",", "").rstrip("."))
        elif word in _NUMBER_WORDS:
            small = _NUMBER_WORDS[word]
            joins = value is not None and value >= 20 and small < 10 and value % 10 == 0
            if value is not None and not joins:
                yield _canonical(value)
            value = (value or 0) + small if joins else float(small)
        elif scale and value is not None:
            value *= scale
        elif word != "and" or value is None:
            if value is not None:
                yield _canonical(value)
            value = None
    if value is not None:
        yield _canonical(value)


def _canonical(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 6))


def is_negated(text: str) -> bool:
    """Whether the text denies something."""
    folded = [fold(word) for word in words(text)]
    return any(word in NEGATIONS or word.endswith("n't") for word in folded)


def is_hedged(text: str) -> bool:
    """Whether the text says something only as possible, expected or reported."""
    return any(fold(word) in HEDGES for word in words(text))
