"""An LLM's reply, cut into sentences while it streams, as plain text with the labels it cites.

Where it is cut depends on the text alone, never on the pieces in which that comes: a place is
decided once enough of what follows it is there, and not before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.sentences import sentence_spans
from rag.text.markup import without_markup

SENTINEL = "NOT_IN_ARTICLES"  # the whole reply, when the articles don't say

_MAX_CHARS = 1500  # what is longer than this is no sentence
_MAX_STRIKES = 3  # so many repeated or endless sentences make a loop
_AHEAD = 120  # at most so many characters after a place are waited for, to decide on it

# Citations: [A1], [A1][A2], [A1, A2], (A1), 【A1】, [a1], [1], [passage A1], [A1 at the very end.
# No part of these can match white space that another might match: no slow search on hostile text.
_PREFIX = r"[\s:=#^\"]{0,3}"
_WORD = rf"{_PREFIX}(?:(?:passage|article|source|ref|reference|id)s?\b{_PREFIX}){{0,2}}"
_LABEL = rf"{_WORD}A?\d{{1,3}}(?!\d)\"?"
_MORE = rf"(?:(?:\s{{0,2}}(?:[,;&/–-]|\band\b)|\s){_LABEL})*\s{{0,2}}"
_TARGET = r"(?:\((?!A?\d)[^()\s]{0,60}\))?"  # of a citation made a Markdown link
_SQUARE = rf"[\[【［]{{1,2}}{_LABEL}{_MORE}(?:†[^\]】］\n]*)?(?:[\]】］]{{1,2}}{_TARGET}|$)"
_ROUND = rf"[(（]{_WORD}A\d{{1,3}}{_MORE}(?:[)）]|$)"
_BLANK = r"[^\S\n]*"
_CITED = rf"(?:{_BLANK}(?:{_SQUARE}|{_ROUND}))"
_CITATION = re.compile(rf"\s*(?:{_SQUARE}|{_ROUND})", re.IGNORECASE)
_CITATIONS = re.compile(rf"{_CITED}+(?:[.,;]+(?=\s|$))?", re.IGNORECASE)
_UNDECIDED = re.compile(
    rf"{_CITED}*[.,;]*\s*(?:[\[【［(（]{{1,2}}[^\]】］)）\n]{{0,60}})?", re.IGNORECASE
)
_LEAD_IN = re.compile(rf"^(?:According to|As (?:stated|reported) in|In){_CITED}+,", re.IGNORECASE)
_STOP_AGAIN = re.compile(rf"([.!?…。！？][\"”’»')]*{_CITED}+)[.,;]+$", re.IGNORECASE)
_LONE_CLOSER = re.compile(r"(?<=[.!?…,]) +(?=[\"”»]$)")
_LONE_STOP = re.compile(r"\s+(?=[.,;:!?]$)")
_CUT_OFF = re.compile(r"\s*[\[【［(（]\s*A?$", re.IGNORECASE)
_SENTINEL = re.compile(r"\s*\b(?:(?i:NOT_IN_(?:THE_)?ARTICLES?)|NOT IN (?:THE )?ARTICLES?)\b")

# Where a sentence may end, with what closes after it.
_STOP = re.compile(r"\n|[.!?…。！？]{1,20}[\"”’»'*_)]{0,20}|(?<=[.!?…] )[\"”»]")
_WHOLE = re.compile(r"[.!?…。！？][\"”’»'*_)\s]*$")
_LIST_MARK = re.compile(r"\W*(?:\d{1,3}|[a-zA-Z])[.)]\W*")
_SPEECH = (
    rf"{_BLANK}(?:[\w.’'-]+,?[^\S\n]+){{0,5}}(?:said|says|added|adds|told|remarked|stressed|noted"
    r"|declared|stated|asked|replied|wrote|argued|warned|announced|insisted|explained|observed"
    r"|claimed|emphasi[sz]ed|underlined)"
)
_ATTRIBUTION = re.compile(rf"{_SPEECH}(?=\W)")
_BARE_ATTRIBUTION = re.compile(rf"{_SPEECH}(?=[.,;]|\s*[\[(【])")
_SIX_WORDS = re.compile(r"\s*(?:\S+\s+){6}")
_CLOSER = {"“": "”", "„": "“", "«": "»", '"': '"'}


@dataclass(frozen=True, slots=True)
class Draft:
    """A sentence as the LLM wrote it, in plain text without citations, and the labels it cites.

    `complete` is False for one that was cut off: endless, or at the end of a broken reply.
    """

    text: str
    labels: tuple[str, ...]
    complete: bool = True


class DraftReader:
    """Reads one reply; each sentence is returned once its citations are known to be complete."""

    def __init__(self) -> None:
        self._text = ""
        self._decided = 0  # no cut is to be made before this place
        self._seen: set[str] = set()
        self._strikes = 0
        self._refused = False

    @property
    def refused(self) -> bool:
        """Whether the reply says that the articles don't say."""
        return self._refused

    @property
    def looping(self) -> bool:
        """Whether the reply goes round in circles, so that no more of it should be read."""
        return self._strikes >= _MAX_STRIKES

    def feed(self, piece: str) -> list[Draft]:
        """The sentences that the next piece of the reply completes."""
        self._text += piece.replace("\r", "\n")
        return self._drafts(closed=False)

    def close(self) -> list[Draft]:
        """The sentences that are left at the end of the reply."""
        drafts = self._drafts(closed=True)
        rest, self._text, self._decided = self._text, "", 0
        whole = bool(_WHOLE.search(rest) or _CITATION.search(rest[-_AHEAD:]))
        return drafts + self._draft(rest, whole)

    def _drafts(self, closed: bool) -> list[Draft]:
        drafts: list[Draft] = []
        while (cut := self._cut(closed)) is not None:
            end, whole = cut
            sentence, self._text, self._decided = self._text[:end], self._text[end:], 0
            drafts += self._draft(sentence, whole)
        return drafts

    def _cut(self, closed: bool) -> tuple[int, bool] | None:
        """The end of the first sentence, and whether it is whole; None while that is open."""
        while (stop := _STOP.search(self._text, self._decided)) and stop.start() <= _MAX_CHARS:
            ahead = self._text[stop.end() : stop.end() + _AHEAD]
            final = closed or len(ahead) == _AHEAD
            if not ahead and not final:
                return None
            try:
                end = _sentence_end(self._text[: stop.end()], ahead, final)
            except _UndecidedError:
                return None
            if end is not None:
                return end, True
            self._decided = stop.end()
        if stop is None:
            self._decided = len(self._text)
        if len(self._text) > _MAX_CHARS:
            return self._text.rfind(" ", 1, _MAX_CHARS) + 1 or _MAX_CHARS, False
        return None

    def _draft(self, sentence: str, whole: bool) -> list[Draft]:
        text, labels = _read(sentence)
        if _SENTINEL.search(text):
            self._refused = True
            text = _SENTINEL.sub("", text).strip()
        key = " ".join(re.findall(r"\w+", text.casefold()))
        if not key:
            return []
        if key in self._seen or not whole:
            self._strikes += 1
        if key in self._seen:
            return []
        self._seen.add(key)
        return [Draft(text, labels, whole)]


class _UndecidedError(Exception):
    """More of the text has to come first."""


def _sentence_end(head: str, ahead: str, final: bool) -> int | None:
    """Where the sentence `head`, which may end here, ends with its citations; None if it goes on.

    `ahead` is what follows, as far as it is known, and `final` says that no more will be known.
    """
    if head.endswith("\n"):
        return len(head) + _citation_line(head, ahead, final)
    if not final and _UNDECIDED.fullmatch(ahead):
        raise _UndecidedError
    cited = _CITATIONS.match(ahead)
    after = ahead[cited.end() :] if cited else ahead
    following = after.lstrip()
    opens = head[-2:-1] == " " and not _quotation_is_open(head[:-1])
    if opens or following[:1].islower() or _LIST_MARK.fullmatch(head):
        return None
    quoted = head.rstrip("*_)")[-1:] in "\"”’»'"
    if cited:
        goes_on = quoted and _matches_ahead(_BARE_ATTRIBUTION, after, final)
        leads = _CITATION.match(head)  # "[A1] One. [A2] Two.": labels stand before their sentences
        return None if goes_on else len(head) + (0 if leads else cited.end())
    if after[:1] == "\n" or not following:
        return None  # the end of the line, or of the text, is the end of the sentence
    if not after[0].isspace():
        return len(head) if head[-1] in "。！？" else None
    if _quotation_is_open(head):
        return None
    if quoted:
        return None if _matches_ahead(_ATTRIBUTION, after, final) else len(head)
    return None if _is_abbreviation(head, following, final) else len(head)


def _citation_line(head: str, ahead: str, final: bool) -> int:
    """The length of a line of nothing but citations, which belong to the line before it."""
    if not head.strip():
        return 0
    blank = len(ahead) - len(ahead.lstrip())
    if not final and _UNDECIDED.fullmatch(ahead, blank):
        raise _UndecidedError
    cited = _CITATIONS.match(ahead, blank)
    if cited and re.match(rf"{_BLANK}(?:\n|$)", ahead[cited.end() :]):
        return cited.end()
    return 0


def _matches_ahead(pattern: re.Pattern[str], ahead: str, final: bool) -> bool:
    """Whether the pattern, of six words at most, matches what follows."""
    if pattern.match(ahead):
        return True
    if not (final or "\n" in ahead or _SIX_WORDS.match(ahead)):
        raise _UndecidedError
    return False


def _quotation_is_open(text: str) -> bool:
    closer = ""
    for mark in re.findall('[“”„«»"]', text):
        if not closer:
            closer = _CLOSER.get(mark, "")
        elif mark in (closer, '"', "”"):
            closer = ""
    return bool(closer)


def _is_abbreviation(head: str, following: str, final: bool) -> bool:
    """Whether the full stop belongs to the word before it, as in "Mr. Lavrov"."""
    words = following.split(maxsplit=1)
    if not final and not following[len(words[0]) :]:
        raise _UndecidedError
    before = " ".join(head.rstrip("*_").split()[-6:])
    spans = sentence_spans(f"{before} {words[0].strip('*_')} then")
    return all(span.start != len(before) + 1 for span in spans)


def _read(sentence: str) -> tuple[str, tuple[str, ...]]:
    """The plain text of a sentence and the labels that it cites, each once, in order."""
    line = " ".join(sentence.split())
    cited = " ".join(re.split(r"†|\]\(", found)[0] for found in _CITATION.findall(line))
    text = _CITATION.sub("", _STOP_AGAIN.sub(r"\1", _LEAD_IN.sub("", line)))
    text = without_markup(_CUT_OFF.sub("", text))
    text = _LONE_STOP.sub("", _LONE_CLOSER.sub("", text.lstrip(":;,. ")))
    if _LEAD_IN.match(line):
        text = text[:1].upper() + text[1:]
    return text, tuple(
        dict.fromkeys(f"A{int(number)}" for number in re.findall(r"\d{1,18}", cited))
    )
