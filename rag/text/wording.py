"""What a text says word for word: words, stems, numbers, quotations, negations, hedges."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.text.quantities import quantities
from rag.types import Span

if TYPE_CHECKING:
    from Stemmer import Stemmer

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
_CLOSERS = {"“": '”"', "„": '“”"', "«": "»", '"': '"”'}
_MARK_OR_LINE = re.compile(r"[“”„«»\"\n]|\Z")
_SINGLE = re.compile(r"(?<!\w)[‘'](?=[^\W\d])(.+?)(?<=\S)[’'](?!\w)")
_QUOTE_STYLE = str.maketrans(dict.fromkeys("“”„‟«»", '"') | dict.fromkeys("‘’‚‛ʼ`´", "'"))


def words(text: str) -> list[str]:
    """The words of a text as written, hyphenated and dotted ones whole, possessive 's left out."""
    found = WORD.findall(text)
    return [word[:-2] if word.endswith(("’s", "'s")) else word for word in found]


def fold(text: str) -> str:
    """Lower case without diacritics, for comparing names and words."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).replace("’", "'")


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The Snowball English stem of a folded word; dots are dropped (u.s. → us)."""
    return str(_stemmer().stemWord(fold(word).replace(".", "")))


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer:
    from Stemmer import Stemmer

    return Stemmer("english")


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
    opened, closers = 0, ""
    for match in _MARK_OR_LINE.finditer(text):
        i, char = match.start(), match.group()
        if closers and (char in closers or char in ("\n", "")):
            spans.append(Span(opened, i))
            closers = ""
        elif not closers and char in _CLOSERS and _opens(text, i):
            opened, closers = i + 1, _CLOSERS[char]
    return [span for span in spans if text[span.start : span.end].strip()]


def claimed_quotations(text: str) -> list[str]:
    """All that a reader may take for quoted in a sentence: also what stands in single quotation
    marks, and what a mark closes that nothing has opened."""
    spans = quotations(text)
    found = [text[span.start : span.end] for span in spans]
    paired = {edge for span in spans for edge in (span.start - 1, span.end)}
    for mark in re.finditer('[“”„«»"]', text):
        if mark.start() not in paired:
            begin = max((span.end + 1 for span in spans if span.end < mark.start()), default=0)
            found.append(text[begin : mark.start()])
    found += [match[1] for match in _SINGLE.finditer(text)]
    return [quote.strip() for quote in found if quote.strip()]


def _opens(text: str, i: int) -> bool:
    """Whether a mark can open a quotation; a straight one only before a word."""
    return text[i] != '"' or i == 0 or text[i - 1].isspace() or text[i - 1] in "([{—–-‘'“"


def numbers(text: str) -> set[str]:
    """The numbers of a text in canonical form: "1.2 billion" → 1200000000, "two" → 2."""
    return {canonical(quantity.value) for quantity in quantities(text)}


def canonical(value: float) -> str:
    """A number as `numbers` gives it."""
    return str(int(value)) if value.is_integer() else repr(value)


def is_negated(text: str) -> bool:
    """Whether the text denies something."""
    folded = [fold(word) for word in words(text)]
    return any(word in NEGATIONS or word.endswith("n't") for word in folded)


def is_hedged(text: str) -> bool:
    """Whether the text says something only as possible, expected or reported."""
    return any(fold(word) in HEDGES for word in words(text))
