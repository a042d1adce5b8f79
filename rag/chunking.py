"""Article → chunks: pieces of whole sentences under a token budget, overlapping by sentences."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator

from rag.sentences import sentence_spans
from rag.tokens import count_tokens
from rag.types import Article, Chunk, Span

#: Most cl100k_base tokens of a chunk. A passage may have 256 by contract, and the packaged
#: embedding model reads 256 word pieces, which are about as many. On news quiz questions, hits
#: within 1,024 tokens were the same for chunks of 200 and 250 (.895), MRR .805 and .812, and for
#: chunks of 128 lower; larger ones are fewer to encode (`dateline eval … --retrieval-only`).
CHUNK_TOKENS = 240

#: Most tokens that a chunk repeats from the end of the one before, in whole sentences.
OVERLAP_TOKENS = 32

_LONGEST_TOKEN = 128  # bytes of the longest token of cl100k_base, a run of spaces
_TRIES = 12  # guesses at where a budget ends; two or three do for most texts
_VISIBLE = re.compile(r"\S")
_ZERO_WIDTH_JOINER = "\u200d"


def chunk_article(
    article: Article, max_tokens: int = CHUNK_TOKENS, overlap_tokens: int = OVERLAP_TOKENS
) -> list[Chunk]:
    """The chunks of an article, in order, each with at most `max_tokens` tokens (at least 4).

    They begin and end with sentences, cover everything but white space, and each reaches further
    than the one before. A sentence over the budget is split at white space, or, without any,
    between characters.
    """
    if max_tokens < 4:
        raise ValueError(f"max_tokens is {max_tokens}, but one character can have 4 tokens")
    text = article.text
    pieces = [
        piece
        for sentence in sentence_spans(text, article.language or "en")
        for piece in _within_budget(text, sentence, max_tokens)
    ]
    chunks = []
    first = new = 0  # a chunk's first piece, and the first that the chunk before does not have
    while new < len(pieces):
        while first < new and _tokens(text, pieces[first], pieces[new]) > max_tokens:
            first += 1
        last = _last_piece(text, pieces, first, new, max_tokens)
        chunks.append(_chunk(article, pieces[first].start, pieces[last].end))
        first = new = last + 1
        while first > 0 and _tokens(text, pieces[first - 1], pieces[last]) <= overlap_tokens:
            first -= 1
    return chunks


def _tokens(text: str, first: Span, last: Span) -> int:
    return count_tokens(text[first.start : last.end])


def _last_piece(text: str, pieces: list[Span], first: int, new: int, max_tokens: int) -> int:
    """The last piece, `new` or later, of the longest chunk from `first` that is in the budget."""
    last = new
    total = _tokens(text, pieces[first], pieces[new])
    while last + 1 < len(pieces) and total <= max_tokens:
        last += 1
        # With the space before it, a piece costs in a chunk what it costs alone, or almost so.
        total += count_tokens(text[pieces[last - 1].end : pieces[last].end])
    while last > new and _tokens(text, pieces[first], pieces[last]) > max_tokens:
        last -= 1
    return last


def _within_budget(text: str, span: Span, max_tokens: int) -> Iterator[Span]:
    """The span itself if it is within the budget, else the parts that it is split into."""
    longest = max_tokens * _LONGEST_TOKEN
    while span.end - span.start > longest or _tokens(text, span, span) > max_tokens:
        end = _end_of_head(text, span, max_tokens)
        yield Span(span.start, end)
        following = _VISIBLE.search(text, end, span.end)
        span = Span(following.start() if following else span.end, span.end)
    yield span


def _end_of_head(text: str, span: Span, max_tokens: int) -> int:
    """Where the first part of a span over the budget ends, so that the budget is nearly full."""
    # A character has at most four bytes, and a token at least one: so many characters always fit.
    fits, too_long = max_tokens // 4, span.end - span.start
    best = _split_point(text, span.start, span.start + fits)
    size = min(4 * max_tokens, too_long - 1)
    for _ in range(_TRIES):
        end = _split_point(text, span.start, span.start + size)
        tokens = count_tokens(text[span.start : end])
        if tokens > max_tokens:
            too_long = size
        else:
            fits, best = size, end
            if 8 * tokens >= 7 * max_tokens:
                break
        # As if tokens were spread evenly, and a little below the budget.
        size = min(max(size * max_tokens * 15 // (16 * tokens), fits + 1), too_long - 1)
        if size <= fits:
            break
    return best


def _split_point(text: str, start: int, end: int) -> int:
    """The last good place to end a part that starts at `start`: in the second half before `end`.

    At white space if there is any, else not inside a character sequence that is drawn as one.
    """
    middle = (start + end + 1) // 2
    candidates = range(end, middle, -1)
    space = next((i for i in candidates if text[i].isspace()), None)
    if space is None:
        return next((i for i in candidates if not _joins(text, i)), end)
    return start + len(text[start:space].rstrip())


def _joins(text: str, position: int) -> bool:
    """Whether the characters before and at `position` are drawn as one."""
    before, after = text[position - 1], text[position]
    return (
        _ZERO_WIDTH_JOINER in (before, after)
        or unicodedata.category(after).startswith("M")
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
    )


def _chunk(article: Article, start: int, end: int) -> Chunk:
    text = article.text[start:end]
    identity = f"{article.id}\0{start}\0{end}\0{text}".encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(identity).hexdigest()[:16]
    return Chunk(f"chk_{digest}", article.id, start, end, text)
