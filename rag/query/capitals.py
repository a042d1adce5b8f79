"""What capitals tell in a question: which of its words are names, if the asker cares for them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from rag.text.dates import MONTHS, WEEKDAYS
from rag.text.wording import FUNCTION_WORDS, WORD, fold
from rag.types import Span

_ASKING = frozenset(
    "according across apart article articles based compare comparing considering contrast define "
    "describe despite discuss examine explain find following four give given identify instead list "
    "looking many name one outline please regarding report search several show similarly since "
    "summarise summarize tell three today two unlike using".split()
)
"""Words that begin a question, besides function words, and are no part of a name that follows."""

_PARTICLES = frozenset("of de del della da di du la le van von der den bin ibn al el y".split())
_NO_NAMES = frozenset("i ceo cfo cto mr mrs ms dr prof tv ok".split()) | {*MONTHS, *WEEKDAYS}
_POSSESSIVE = re.compile(r"[’'][sS]?$")
_SENTENCE_END = re.compile(r"[.?!]['\"’”)]*\s")
_ABBREVIATED = re.compile(
    r"(?:\w\.)*\w|vs?|[JS]r|Mrs?|Ms|Dr|Prof|St|Sen|Rep|Gov|Gen|Lt|Sgt|No|Inc|Co"
)
_BETWEEN = re.compile(r"\s+|\s*&\s*|\.\s?|[-–]")
_OFFICE = re.compile(
    r"(?:(?:Former|Acting|Deputy|(?:Vice )?President|(?:Prime )?Minister|Chancellor|Senator|"
    r"Governor|Mayor|Professor|Sir|Dame|Sen\.?|Rep\.?|Gov\.?) )+(?=[A-Z])"
)
_LOWER_TAIL = re.compile(r"[-‑][^\W\d_A-Z]+$")
_JOINED = re.compile(r"['’]s\b|(?:,| and| or| &) [A-Z]")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a question: its place, as written (a possessive 's left out), and folded."""

    text: str
    key: str
    start: int
    end: int
    first: bool  # of its sentence

    @property
    def capital(self) -> bool:
        """Whether there is a capital in it: also "iPhone"."""
        return self.text != self.text.lower()

    @property
    def distinctive(self) -> bool:
        """Whether it is written as no common word is: "NASA", "SpaceX", "COP27"."""
        return len(self.text) > 1 and self.text[1:] != self.text[1:].lower()

    @property
    def function(self) -> bool:
        """Whether it is a function word: "us", but not "US"."""
        return self.key in FUNCTION_WORDS and not self.distinctive

    @property
    def opens(self) -> bool:
        """Whether it has its capital only for beginning a sentence, as far as can be told."""
        return self.first and (self.function or self.key in _ASKING)


def read_words(text: str) -> list[Word]:
    """The words of a text with their places, in order."""
    found: list[Word] = []
    for match in WORD.finditer(text):
        written = _POSSESSIVE.sub("", match.group())
        gap = text[found[-1].end : match.start()] if found else ""
        first = not found or _ends_sentence(found[-1].text, gap)
        end = match.start() + len(written)
        key = written.lower() if written.isascii() else fold(written)  # the same, and fast
        found.append(Word(written, key, match.start(), end, first))
    return found


def _ends_sentence(word: str, gap: str) -> bool:
    end = _SENTENCE_END.search(gap)
    return bool(end) and not (gap[0] == "." and _ABBREVIATED.fullmatch(word))


def capitals_tell(words: Sequence[Word]) -> bool:
    """Whether the asker capitalises names, and names only: no all lower case, no UPPER CASE, no
    Headline Case."""
    inner = [word for word in words if not word.first]
    if len(words) > 1 and all(word.text == word.text.upper() for word in words):
        return False
    if not any(word.capital for word in inner):
        return len(words) == 1
    content = [word for word in inner if not word.function]
    function = [word for word in inner if word.function]
    headline = all(w.capital for w in content) and any(w.capital for w in function)
    return not headline


def adjacent(text: str, one: Word, other: Word) -> bool:
    """Whether nothing but white space stands between a word and a later one."""
    return text[one.end : other.start].isspace()


def names_in(text: str, words: Sequence[Word], taken: Collection[Span]) -> tuple[str, ...]:
    """The names in a text, as written, each once: runs of capitalised words, with "of", "van" and
    the like inside; without what overlaps `taken`.

    A sentence's first word alone is a name only where something tells so: its spelling ("NASA"),
    a possessive, a name that it is joined to, or its capital elsewhere in the text.
    """
    if not capitals_tell(words):
        return ()
    within = [any(w.start < s.end and s.start < w.end for s in taken) for w in words]
    inner = {word.key for word in words if word.capital and not word.first}
    found = [
        _bare(text[run[0].start : run[-1].end])
        for run in _runs(text, words, within)
        if len(run) > 1 or _is_name(text, run[0], inner)
    ]
    return tuple(dict.fromkeys(name for name in found if len(name) > 1))


def _runs(text: str, words: Sequence[Word], within: Sequence[bool]) -> Iterator[list[Word]]:
    run: list[Word] = []
    bridge: list[Word] = []  # particles that are a name's only if it goes on behind them
    for word, is_taken in zip(words, within, strict=True):
        last = (run + bridge)[-1:]
        joined = last and not word.first and _BETWEEN.fullmatch(text, last[0].end, word.start)
        usable = word.capital and not word.function and not word.opens and not is_taken
        if usable and word.key not in _NO_NAMES:
            if not joined and run:
                yield run
                run = []
            run += [*bridge, word] if joined else [word]
            bridge = []
        elif joined and run and not is_taken and _bridges(word, bridge):
            bridge.append(word)
        elif run:
            yield run
            run, bridge = [], []
    if run:
        yield run


def _bridges(word: Word, bridge: Sequence[Word]) -> bool:
    """Whether a word may be inside a name: "of", "of the", a capitalised "No"."""
    behind_of = word.key == "the" and bool(bridge)
    return word.key in _PARTICLES or behind_of or (word.capital and word.function)


def _bare(name: str) -> str:
    """A name without an office before it, and without what hangs on it, as in "Delhi-backed"."""
    office = _OFFICE.match(name)
    return _LOWER_TAIL.sub("", name[office.end() :] if office else name)


def _is_name(text: str, word: Word, inner: Collection[str]) -> bool:
    told = word.distinctive or word.key in inner or _JOINED.match(text, word.end)
    return not word.first or bool(told)
