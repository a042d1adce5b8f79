"""Where the sentences of a news text begin and end.

The `sentencex` library finds the ends of sentences; around it stand repairs for what news texts
need: lines are sentences' borders unless a text is hard-wrapped, quotations of several sentences
are cut inside the quotation marks, and some wrong cuts are taken back.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise, zip_longest

import sentencex

from rag.types import Span

# What sentencex does not get to see. It keeps quotations, list items, and parentheses whole, so
# quotation marks are hidden (apostrophes inside words stay), bullets, and parentheses that close
# after the end of a sentence (one of a single word, as in "Lee (D-N.Y.)", is none). It reads a
# final "no" as "No.".
_HIDDEN = re.compile(
    r"""[“”„‟"«»‹›「」『』《》]|``|''|(?<!\w)['‘’‛`]|['‘’‛`](?!\w)"""
    r"""|\A[\s•‣◦▪●►▶➤·*–—-]+|\([^()]*\s[^()]*[.!?…]["”’']*\)|\bno(?=\.\s+[A-Z])"""
)
_SURROGATE = re.compile("[\ud800-\udfff]")

# Hidden marks that close when they touch the end of a sentence, or stand alone after it.
_CLOSES_TOUCHING = re.compile(r"""[”」』》)\]}]|["'“‘’«»‹›](?!\w)""")
_CLOSES_ALONE = re.compile(r"""\s+(?:[”’»›」』》)\]}]+|''|"(?P<straight>))(?=\s|$)""")

_TERMINATED = re.compile(r"(\S*?)\s?[.!?…]+$")  # group 1: the word that the sentence ends with
_VISIBLE = re.compile(r"\S")
_PLAIN_WORD = re.compile(r"[^\W\d_]{3,}")
_OPENERS = "“„\"'‘«‹([`「『《"
_LIST_MARK = re.compile(r"\W*|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]+)[.)]")

_TITLE = re.compile(
    r"(?:Mr|Mrs|Ms|Mx|Messrs|Dr|Drs|Prof|Profs|Sen|Sens|Rep|Reps|Gov|Govs|Gen|Lt|Col|Maj|Capt"
    r"|Cmdr|Cpl|Pvt|Sgt|Adm|Rev|Hon|Pres|Amb|Atty|Supt|Det|Insp|Asst|Dist|Mme|Mlle)"
)
_INITIALS = re.compile(r"(?!U\.|D\.C|L\.A|N\.Y|E\.U|A\.D|B\.[AC]|M\.[AD])(?:[A-Z]\.)+[A-Z]")
_NUMBERED = re.compile(r"(?:Nos?|[Vv]ols?|Arts?|[Ff]igs?|Sec|Ch|Chap|Op|pp?|approx)")
_SHORT = re.compile(
    r"(?:vs?|approx|etc|al|est|inc|ltd|corp|co|dept|cf|ca|viz|esp|incl|excl|max|min|govt|resp)",
    re.IGNORECASE,
)
_STARTER = re.compile(
    r"(?:He|She|It|They|We|I|You|The|A|An|This|That|These|Those|There|Then|In|On|At|But|And|For"
    r"|His|Her|Its|Their|When|While|After|Before|Since|As|If)\b"
)
_HOUR = re.compile(r"[ap]\.?m", re.IGNORECASE)
_TIME = re.compile(
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Eastern|Central|Mountain|Pacific|(?:[A-Z]{1,3}T|UTC)\b"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)(?:\.|[a-z]+)? \d"
)
_ATTRIBUTION = re.compile(
    r"(?:(?:[A-Z][\w.’'-]*|the|of),? ){1,5}"
    r"(?:said|says|asked|asks|told|added|wrote|replied|shouted|demanded|wondered|tweeted)\b"
)

_WRAP_WIDTH = 100
_WINDOW = 20_000
_CONTEXT = 80  # characters looked at on either side of a cut


def sentence_spans(text: str, language: str = "en") -> list[Span]:
    """The sentences of `text`, in order, trimmed, covering everything but white space.

    `language` is an ISO 639 code, with or without a region; an unknown one counts as English.
    """
    spans = []
    for block in _blocks(text):
        start = block.start
        for end in [*_cuts(text[block.start : block.end], language), block.end - block.start]:
            spans += _trimmed(text, Span(start, block.start + end))
            start = block.start + end
    return spans


def _trimmed(text: str, span: Span) -> list[Span]:
    """The span without white space around it; none if nothing is left."""
    piece = text[span.start : span.end]
    start = span.start + len(piece) - len(piece.lstrip())
    end = span.start + len(piece.rstrip())
    return [Span(start, end)] if start < end else []


def _blocks(text: str) -> Iterator[Span]:
    """The pieces that no sentence crosses: lines, or the paragraphs of a hard-wrapped text."""
    lines = text.splitlines(keepends=True)
    wrap = _wrap_width(lines)
    start = position = 0
    for line, following in zip_longest(lines, lines[1:], fillvalue=""):
        position += len(line)
        if wrap is None or not _is_soft(line, following, wrap):
            if text[start:position].strip():
                yield Span(start, position)
            start = position


def _wrap_width(lines: list[str]) -> int | None:
    """The width that a hard-wrapped text was wrapped to, or None for any other text.

    Hard-wrapped: no line is long, and where a line is followed by another, it mostly does not
    end like a sentence and mostly had no room for the next word.
    """
    stripped = [line.strip() for line in lines]
    width = max(map(len, stripped), default=0)
    inner = [(a, b) for a, b in pairwise(stripped) if a and b]
    if width > _WRAP_WIDTH or len(inner) < 2:
        return None
    open_ended = sum(not a.rstrip("\"'”’)").endswith((".", "!", "?")) for a, _ in inner)
    soft = sum(_is_soft(a, b, width) for a, b in inner)
    return width if 2 * open_ended > len(inner) and 5 * soft >= 4 * len(inner) else None


def _is_soft(line: str, following: str, width: int) -> bool:
    """Whether a line was broken because the next word did not fit (lines may be a bit ragged)."""
    line, words = line.strip(), following.split(maxsplit=1)
    return bool(line and words) and len(line) + 1 + len(words[0]) > 0.8 * width


def _cuts(block: str, language: str) -> list[int]:
    """Where the second and later sentences of a block begin."""
    straight = [match.start() for match in re.finditer('"', block)]
    cuts = []
    start = 0
    for end in _sentence_ends(_hidden(block), language):
        closed = _closers_end(block, end, straight)
        following = _VISIBLE.search(block, closed)
        if following is None:
            break
        cut = following.start()
        sentence = block[max(start, end - _CONTEXT) : end]
        if start < cut and not _is_wrong(sentence, block[end:cut], block[cut : cut + _CONTEXT]):
            cuts.append(cut)
            start = cut
    return cuts


def _hidden(block: str) -> str:
    """The block with what confuses sentencex replaced, character for character."""
    return _HIDDEN.sub(_blank, _SURROGATE.sub("\ufffd", re.sub(r"\s", " ", block)))


def _blank(match: re.Match[str]) -> str:
    """Spaces for quotation marks; of a parenthesis, for its brackets and the marks in it."""
    found = match.group()
    return f" {_HIDDEN.sub(_blank, found[1:-1])} " if found[0] == "(" else " " * len(found)


def _sentence_ends(hidden: str, language: str) -> Iterator[int]:
    """The ends of sentences, before white space, as sentencex sees them, but for the last.

    It gets long texts in windows, since unpaired brackets cost it quadratic time; what follows
    the last end of a window is read again in the next one.
    """
    code = re.split("[-_]", language)[0].lower()
    start = 0
    while start < len(hidden):
        window = hidden[start : start + _WINDOW]
        found = sentencex.get_sentence_boundaries(code if code.isascii() else "en", window)
        for sentence in found[:-1]:
            yield start + sentence["start_index"] + len(sentence["text"].rstrip())
        last = len(window) if start + _WINDOW >= len(hidden) else found[-1]["start_index"]
        start += last or _WINDOW


def _closers_end(block: str, end: int, straight: list[int]) -> int:
    """The end of the quotation marks and brackets that close at the end of a sentence."""
    while end < len(block):
        opened = block[end] == '"' and bisect_left(straight, end) % 2 == 1
        if not opened and not _CLOSES_TOUCHING.match(block, end):
            break
        end += 1
    alone = _CLOSES_ALONE.match(block, end)
    if alone and (alone["straight"] is None or bisect_left(straight, alone.end() - 1) % 2 == 1):
        return alone.end()
    return end


def _is_wrong(sentence: str, between: str, after: str) -> bool:
    """Whether to take back a cut after `sentence`, closers and white space, and before `after`."""
    closed, glued = bool(between.strip()), not between[-1:].isspace()
    if _LIST_MARK.fullmatch(sentence) or after[0] in ",;:)":
        return True
    if closed and (after[0].islower() or (glued and after[0].isalpha() and not after[0].isupper())):
        return True  # the speaker follows: “…?” he asked
    if closed and sentence.endswith(("?", "!")) and _ATTRIBUTION.match(after):
        return True
    terminated = _TERMINATED.search(sentence)
    if terminated is None:
        return False
    word = terminated[1].lstrip(_OPENERS)
    if after[0].islower():
        return word != word.lower() or "." in word or bool(_SHORT.fullmatch(word))
    if glued and not closed:
        plain = _PLAIN_WORD.fullmatch(word) and (word.islower() or after[0] in _OPENERS)
        return not (plain and _begins(after))
    return _is_abbreviation(word, after) if sentence.endswith(".") and not closed else False


def _begins(after: str) -> bool:
    """Whether a capitalised word comes next."""
    word = after.lstrip(_OPENERS)
    return word[:1].isupper() and word[1:2].islower()


def _is_abbreviation(word: str, after: str) -> bool:
    """Whether the full stop after `word` belongs to an abbreviation that needs what follows."""
    if _TITLE.fullmatch(word) or _INITIALS.fullmatch(word):
        return after[0].isupper() and not _STARTER.match(after)
    if _HOUR.fullmatch(word):
        return bool(_TIME.match(after))
    return bool(_NUMBERED.fullmatch(word)) and after[0].isdigit()
