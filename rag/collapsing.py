"""What several articles carry word for word is one passage: the original's, the others named."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cached_property

from rapidfuzz import fuzz

from rag.ports import Library
from rag.text.copies import fold
from rag.types import Chunk, Copy, Filters

CARRIED = 0.8
"""Share of a passage that must stand word for word in an article that is said to carry it: that
one may have cut the rest, but not changed it."""

MOST_NAMED = 100
"""Articles of a cluster that are asked whether they carry a passage: the earliest."""

_STAND_INS = 10  # earlier articles of a cluster whose chunks may stand for a later one's
_ALTERED = 60.0  # per cent of a sentence's words, in order, that a stretch of its length has
_SENTENCE_END = re.compile(r"(?:[.!?…][\"”’'»)\]]*\s|\n)\s*")
# KYIV — · CASTRELLE, April 29 (Quillwire) — · New Delhi, Aug. 21 (PTI) - · (CNN)
_DATELINE = re.compile(
    r"\s*(?:[^\W\d_a-z](?:[^\n–—]{1,60}\([^()\n]{2,40}\)|[^a-z\n–—]{2,40})\s*(?:[–—]|--?\s)"
    r"|\([A-Z]{2,12}\)\s)"
)
# By Jane Doe · (Reporting by J. Doe; Editing by R. Roe) · Report: PA; additional reporting by …
_CREDIT = re.compile(
    r"\W*(?:by [^.!?]{3,60}|(?:reports?: [^.!?]{2,40}[;,] )?(?:additional )?"
    r"(?:reporting|writing|editing) by .{3,150})",
    re.IGNORECASE,
)


def collapse(
    library: Library,
    ranked: Sequence[tuple[Chunk, float]],
    filters: Filters,
    as_of: str | None,
    prefer: Collection[str] = (),
) -> list[tuple[Chunk, float]]:
    """Chunks with their scores, best first, brought down to one for each text.

    A chunk all of whose sentences stand word for word in an earlier article of its cluster gives
    its place and score to the chunk of that article that holds them, at least `CARRIED` of them,
    or to the two that do. One with a sentence that is new or has another word or number in it
    stays. Articles of the outlets in `prefer`, named as they are stored, go before earlier ones.
    """
    families = library.copies_of({chunk.article_id for chunk, _ in ranked}, filters, as_of)
    earlier = {key: _earlier(key, members, prefer) for key, members in families.items()}
    wanted = {one for before in earlier.values() for one in before}
    chunks = library.chunks_of(wanted) if wanted else {}
    originals = {key: _Original(chunks[key]) for key in chunks}
    kept: dict[str, tuple[Chunk, float]] = {}
    for chunk, score in ranked:
        before = [originals[key] for key in earlier.get(chunk.article_id, ()) if key in originals]
        for one in _held_by(before, chunk) or [chunk]:
            kept.setdefault(one.id, (one, score))
    return list(kept.values())


def carriers(
    library: Library, chunks: Sequence[Chunk], filters: Filters, as_of: str | None
) -> dict[str, tuple[Copy, ...]]:
    """By chunk id, the other articles that carry a chunk's text; chunks without any are left out.

    An article carries it that has at least `CARRIED` of it word for word, and none of the rest in
    other words.
    """
    families = library.copies_of({chunk.article_id for chunk in chunks}, filters, as_of)
    members = {copy for family in families.values() for copy in family[:MOST_NAMED]}
    articles = library.articles({copy.article_id for copy in members}) if members else {}
    texts = {key: _Text(article.text) for key, article in articles.items()}
    found = {}
    for chunk in chunks:
        others = [
            copy
            for copy in families.get(chunk.article_id, ())
            if copy.article_id != chunk.article_id
            and copy.article_id in texts
            and texts[copy.article_id].carries(chunk)
        ]
        if others:
            found[chunk.id] = tuple(others)
    return found


class _Original:
    """The chunks of an article that others may have copied."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks = chunks
        self._by_text = {chunk.text: chunk for chunk in reversed(chunks)}

    @cached_property
    def _folded(self) -> list[str]:
        return [_between_spaces(chunk.text) for chunk in self._chunks]

    def holding(self, chunk: Chunk) -> list[Chunk]:
        """The one or two neighbouring chunks that have all sentences of a chunk of another
        article, the one with more of them first; none if there are no such."""
        if chunk.text in self._by_text:
            return [self._by_text[chunk.text]]
        places: dict[str, set[int]] = {}
        for sentence in _sentences(chunk):
            found = (number for number, text in enumerate(self._folded) if sentence in text)
            places[sentence] = set(found)
            if not places[sentence]:
                return []
        if not places:
            return []
        best = _fullest(range(len(self._chunks)), places)
        rest = {sentence: numbers for sentence, numbers in places.items() if best not in numbers}
        if _length(rest) <= (1 - CARRIED) * _length(places):
            return [self._chunks[best]]
        second = _fullest((best + 1, best - 1), rest)
        if not all(second in numbers for numbers in rest.values()):
            return []  # they stand there, but not together
        return [self._chunks[best], self._chunks[second]]


class _Text:
    """The text of an article that may carry a chunk of another."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _folded(self) -> str:
        return _between_spaces(self._text)

    @cached_property
    def _words(self) -> list[str]:
        return self._folded.split()

    def carries(self, chunk: Chunk) -> bool:
        """Whether it has the chunk's sentences, but for a few that it has not in any form."""
        if chunk.text in self._text:
            return True
        sentences = _sentences(chunk)
        missing = [sentence for sentence in sentences if sentence not in self._folded]
        return _length(missing) <= (1 - CARRIED) * _length(sentences) > 0 and not any(
            fuzz.partial_ratio(sentence.split(), self._words) >= _ALTERED for sentence in missing
        )


def _earlier(key: str, members: Sequence[Copy], prefer: Collection[str]) -> list[str]:
    """The articles of a cluster that may stand for one of them, the first choice first."""
    ids = [copy.article_id for copy in sorted(members, key=lambda copy: copy.outlet not in prefer)]
    return ids[: min(ids.index(key) if key in ids else 0, _STAND_INS)]


def _held_by(originals: Sequence[_Original], chunk: Chunk) -> list[Chunk]:
    """The chunks that stand for a chunk, of the first article that has such."""
    return next((held for original in originals if (held := original.holding(chunk))), [])


def _fullest(numbers: Collection[int], places: dict[str, set[int]]) -> int:
    """Which of the numbered chunks has most of the sentences, by their lengths."""

    def held(number: int) -> int:
        return _length([sentence for sentence, among in places.items() if number in among])

    return max(numbers, key=held)


def _length(sentences: Collection[str]) -> int:
    return sum(map(len, sentences))


def _sentences(chunk: Chunk) -> list[str]:
    """The folded sentences of a chunk, roughly, between spaces; who wrote it, where and for whom
    is left out."""
    lines = [line for line in chunk.text.split("\n") if not _CREDIT.fullmatch(line.rstrip())]
    text = "\n".join(lines)
    dateline = _DATELINE.match(text) if chunk.start == 0 else None
    body = text[dateline.end() :] if dateline else text
    folded = map(_between_spaces, _SENTENCE_END.split(body))
    return [sentence for sentence in folded if sentence.strip()]


def _between_spaces(text: str) -> str:
    """A folded text in which whole words can be looked for."""
    return f" {fold(text)} "
