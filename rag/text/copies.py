"""Near-duplicate articles: how much of their texts two articles share, and how to find such two
among many."""

from __future__ import annotations

import hashlib
import re
import string

THRESHOLD = 0.55
"""The resemblance from which two articles are taken for copies.

By arithmetic, not tuned: an article that takes half of another and goes on for itself is at most
at 1/2; a copy that lost, gained or changed one paragraph of four is at 3/5 or more.
"""

SHINGLE_WORDS = 3
SHORTEST = 20
"""Words below which a text is one shingle, so that only an equal one is its copy: a few common
phrases already make up most of such a text."""

_BANDS, _ROWS = 42, 3  # of 126 hashes: a pair shares a band with p = .9995 at .55, .04 at .1
_TYPOGRAPHY = "’‘“”„‚«»…–—‐‑•·\u00a0\u2002\u2003\u2009\u200b\u202f\ufeff"
_SPACED = "".join(set(string.punctuation) - set("%$+")).encode()
_ASCII = bytes.maketrans(_SPACED, b" " * len(_SPACED))
_MINUS = re.compile(r"-(?<![\w)]-)(?=\d)")


def fold(text: str) -> str:
    """The words of a text in lower case with single spaces between, punctuation left out; signs
    that say something of a number (-5 · 5% · $5) stay."""
    lowered = _MINUS.sub("−", text).casefold()
    for sign in _TYPOGRAPHY:
        lowered = lowered.replace(sign, " ")
    # As bytes, and these by a table: three times as fast as by words or by a regular expression.
    return b" ".join(lowered.encode().translate(_ASCII).split()).decode()


def resemblance(one: str, other: str) -> float:
    """The share of the word shingles of two texts that both have, in [0, 1] (Jaccard)."""
    first, second = _shingles(one), _shingles(other)
    return len(first & second) / len(first | second)


def band_keys(text: str) -> list[int]:
    """Keys of 64 bits, signed: texts of high resemblance most likely have one in common.

    Bands of a MinHash (Broder, "On the resemblance and containment of documents", 1997; Leskovec
    et al., "Mining of Massive Datasets", 3.4). They are the same on every machine and are stored:
    a change of anything here needs a migration that drops them.
    """
    from datasketch import MinHash  # brings scipy, which only a writer should wait for

    minhash = MinHash(num_perm=_BANDS * _ROWS, seed=1, scheme="affine32")
    minhash.update_batch([shingle.encode() for shingle in _shingles(text)])
    rows = minhash.hashvalues.astype("<u4").reshape(_BANDS, _ROWS)
    return [_key(band, row.tobytes()) for band, row in enumerate(rows)]


def _key(band: int, row: bytes) -> int:
    digest = hashlib.blake2b(row, digest_size=8, salt=bytes([band])).digest()
    return int.from_bytes(digest, "big", signed=True)


def _shingles(text: str) -> set[str]:
    words = fold(text).split()
    if len(words) < SHORTEST:
        return {" ".join(words) or text.strip()}
    return {
        " ".join(words[at : at + SHINGLE_WORDS]) for at in range(len(words) - SHINGLE_WORDS + 1)
    }
