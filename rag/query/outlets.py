"""The library's outlets, and which of them a question names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.query.capitals import Word, adjacent, capitals_tell
from rag.text.dates import MONTHS
from rag.text.wording import FUNCTION_WORDS, fold, words
from rag.types import Span

_SECTION = re.compile(r"\s+[-–—·]\s+|\s*\|\s*|:\s+")  # "Globe News - Health", "Globe | World"
_DOMAIN = re.compile(r"^(?:https?://)?(?:www\.)?|\.(?:com|org|net|co|news|tv|info)(?:\.\w\w)?$")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_GAP = re.compile(r"[\s\-–—|&:.+’'/]{0,4}")

_PIECE = r"(?:article|report|stor(?:y|ie)|piece|post|coverage|editorial|interview|headline|column)"
_TELLS = (
    r"(?:report|sa(?:y|id)|claim|writ|wrote|publish|cover|suggest|describ|mention|not|stat|discuss|"
    r"highlight|show|attribut|indicat|reveal|call|tell|told|argu|impl|think|quot|present|detail|featur)"
)
_CUE_BEFORE = re.compile(
    rf"(?:\b(?:according to|as per)|\b{_TELLS}\w*(?: \w+)? (?:by|in|on)|"
    rf"\b{_PIECE}s? (?:from|by|in|of|on))(?: (?:both|either|the|an?))*\s['\"‘“]?$",
    re.IGNORECASE,
)
_CUE_AFTER = re.compile(
    rf"(?:[’']s)?['\"’”]?\s+(?:(?:latest|own|news|recent|\w+ly)\s+)?(?:{_PIECE}s?|{_TELLS}\w*)\b",
    re.IGNORECASE,
)
_DOES = re.compile(r"\b(?:did|does)(?: the)?\s['\"‘“]?$", re.IGNORECASE)
_AND = re.compile(r"['\"’”]?(?:,|,? (?:and|or|as well as|&)) (?:(?:the|by) )*['\"‘“]?")
_QUOTED = re.compile(r"['\"‘“].*['\"’”]$")
_KINDS = frozenset("magazine newspaper news online website blog".split())
_CUE_CHARS = 60


@dataclass(frozen=True, slots=True)
class NamedOutlets:
    """The outlets that a question names, as the library writes them, and where it names them."""

    outlets: tuple[str, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to call an outlet, by its folded words without a leading "the"."""

    keys: tuple[str, ...]
    outlet: str
    brand: str  # what the outlet's sections have in common
    has_the: bool
    plain: bool = False  # a word that also means something else
    short: bool = False  # derived from what the outlet calls itself
    initials: bool = False


class OutletNames(Collection[str]):
    """A library's outlet names, to be made once for a library and asked for every question.

    An outlet is found by its name, also without "the", by the part of its name that its sections
    share ("Globe" for "Globe - Sports"), without its domain's end; and where no other outlet can
    be meant, in words ("Net Gazette" for "NetGazette"), by an acronym without "News", and by its
    initials beside words like "article" or "reported by".
    """

    def __init__(self, outlets: Iterable[str]) -> None:
        self._outlets = frozenset(outlets)
        by_keys: dict[tuple[str, ...], list[_Form]] = {}
        for outlet in sorted(self._outlets):
            for form in _forms(outlet):
                by_keys.setdefault(form.keys, []).append(form)
        self._by_first: dict[str, list[list[_Form]]] = {}
        for keys in sorted(by_keys, key=len, reverse=True):
            if forms := _unambiguous(by_keys[keys]):
                self._by_first.setdefault(keys[0], []).append(forms)

    def __contains__(self, outlet: object) -> bool:
        return outlet in self._outlets

    def __iter__(self) -> Iterator[str]:
        return iter(self._outlets)

    def __len__(self) -> int:
        return len(self._outlets)

    def named(self, text: str, words: Sequence[Word]) -> NamedOutlets:
        """The outlets that a text of these words names, in order; of two names that begin at one
        word the longer counts, and what only may be a name does not."""
        reading = _Reading(text, words, capitals_tell(words))
        outlets: list[str] = []
        spans: list[Span] = []
        i = 0
        while i < len(words):
            forms = self._at(reading, i)
            if not forms:
                i += 1
                continue
            end = i + len(forms[0].keys)
            spans.append(reading.accept(i, end, forms[0].has_the))
            outlets += [form.outlet for form in _meant(forms, reading.the_before(i))]
            i = end
        return NamedOutlets(tuple(dict.fromkeys(outlets)), tuple(spans))

    def _at(self, reading: _Reading, i: int) -> list[_Form]:
        for forms in self._by_first.get(reading.words[i].key, ()):
            if reading.has(forms[0].keys, i) and reading.means(forms[0], i):
                return forms
        return []


class _Reading:
    """A question while its outlets are looked for."""

    def __init__(self, text: str, words: Sequence[Word], tell: bool) -> None:
        self.text = text
        self.words = words
        self.tell = tell
        self._cued = -1  # where the last outlet ended that a cue came before

    def has(self, keys: tuple[str, ...], i: int) -> bool:
        """Whether these words stand at a word, with no more than a mark or two between them."""
        run = self.words[i : i + len(keys)]
        return tuple(word.key for word in run) == keys and all(
            _GAP.fullmatch(self.text, one.end, other.start) for one, other in pairwise(run)
        )

    def the_before(self, i: int) -> bool:
        """Whether "the" stands right before a word."""
        before = self.words[i - 1] if i else None
        return bool(before and before.key == "the" and adjacent(self.text, before, self.words[i]))

    def accept(self, i: int, end: int, has_the: bool) -> Span:
        """Take words for an outlet; its "the" belongs to it."""
        if self._cue_before(i):
            self._cued = self.words[end - 1].end
        start = self.words[i - 1].start if has_the and self.the_before(i) else self.words[i].start
        return Span(start, self.words[end - 1].end)

    def means(self, form: _Form, i: int) -> bool:
        """Whether the words at a place mean the outlet, not what else they may mean."""
        run = self.words[i : i + len(form.keys)]
        shown = all(word.capital for word in run if word.key not in FUNCTION_WORDS)
        if form.initials:
            cue = self._cue_before(i) or self._cue_after(run[-1])
            return self.tell and run[0].text.isupper() and cue
        if len(run) > 1:
            return shown or not self.tell or self._cue_before(i)
        if not form.plain:
            return True
        if shown and self._quoted(run[0]):
            return True
        if shown and self.tell:
            told = not self._begins(i) or self._cue_before(i) or self._cue_after(run[0])
            return told and not self._in_longer_name(i)
        if not self.tell and self._says(i):
            return True
        the = self.the_before(i) or not form.has_the
        return the and self._cue_before(i) and not self._describes(i)

    def _begins(self, i: int) -> bool:
        return self.words[i].first or (self.the_before(i) and self.words[i - 1].first)

    def _in_longer_name(self, i: int) -> bool:
        """Whether a capitalised word goes on with its neighbours: "Black Mirror", "Time Warner"."""
        word, text = self.words[i], self.text
        if i and adjacent(text, self.words[i - 1], word):
            before = self.words[i - 1]
            if before.capital and not before.function and not before.opens:
                return True
        following = list(self.words[i + 1 : i + 3])
        if not following or not adjacent(text, word, following[0]):
            return False
        after = following[0]
        if after.key == "of":
            return len(following) > 1 and following[1].capital
        goes_on = after.capital and not after.function and after.key not in {*_KINDS, *MONTHS}
        return goes_on or (after.text.isdigit() and len(after.text) != 4)

    def _describes(self, i: int) -> bool:
        """Whether a word without a capital is an adjective: "independent experts"."""
        after = self.words[i + 1] if i + 1 < len(self.words) else None
        plural = after and after.key.endswith("s") and not after.function
        return bool(after and plural and adjacent(self.text, self.words[i], after))

    def _cue_before(self, i: int) -> bool:
        start = self.words[i].start
        if self._cued >= 0 and _AND.fullmatch(self.text, self._cued, start):
            return True
        return bool(_CUE_BEFORE.search(self.text[max(0, start - _CUE_CHARS) : start]))

    def _cue_after(self, word: Word) -> bool:
        return bool(_CUE_AFTER.match(self.text, word.end))

    def _says(self, i: int) -> bool:
        """Whether it says something though no capitals tell: "did … report", "Gazette said"."""
        word = self.words[i]
        asked = _DOES.search(self.text[max(0, word.start - _CUE_CHARS) : word.start])
        return bool(asked or (word.first and word.text.istitle())) and self._cue_after(word)

    def _quoted(self, word: Word) -> bool:
        return bool(_QUOTED.match(self.text, max(0, word.start - 1), word.end + 1))


def _forms(outlet: str) -> Iterator[_Form]:
    brand = _SECTION.split(outlet.strip())[0]
    base = _DOMAIN.sub("", brand)
    own = [outlet, brand] if base == brand else [outlet, brand, base]
    for name in dict.fromkeys(own):
        yield from _form(name, outlet, fold(base))
    derived = [_HUMP.sub(" ", base)]
    acronym = re.fullmatch(r"(?:The )?([A-Z]{2,5}) News", base)
    if acronym:
        derived.append(acronym[1])
    for name in derived:
        if name != base:
            yield from _form(name, outlet, fold(base), short=True)
    parts = [word for word in words(base) if fold(word) != "the"]
    if len(parts) > 2:
        initials = "".join(word[0] for word in parts)
        yield from _form(initials, outlet, fold(base), short=True, initials=True)


def _form(
    name: str, outlet: str, brand: str, *, short: bool = False, initials: bool = False
) -> Iterator[_Form]:
    written = words(name)
    has_the = len(written) > 1 and fold(written[0]) == "the"
    written = written[has_the:]
    if written:
        keys = tuple(map(fold, written))
        plain = len(written) == 1 and _is_plain(written[0])
        yield _Form(keys, outlet, brand, has_the, plain, short, initials)


def _is_plain(word: str) -> bool:
    """Whether a name of one word may also be a common word: not "NetGazette", "KBC", "net.com"."""
    mixed = word[1:] != word[1:].lower() and word != word.upper()
    acronym = word.isupper() and not re.search("[AEIOUY]", word)
    return not (mixed or acronym or re.search(r"[.\d]", word))


def _unambiguous(forms: Sequence[_Form]) -> list[_Form]:
    """What outlets call themselves goes before what is derived, which must mean one brand."""
    own = [form for form in forms if not form.short]
    if own:
        return own
    return list(forms) if len({form.brand for form in forms}) == 1 else []


def _meant(forms: Sequence[_Form], the: bool) -> list[_Form]:
    """Of "The Sun" and "Sun", where there are both, the one with or without its "the"."""
    return [form for form in forms if form.has_the == the] or list(forms)
