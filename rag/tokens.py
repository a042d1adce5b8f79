"""Token counts in cl100k_base, without network: the vocabulary comes with the package bpe-openai.

tiktoken itself would download the vocabulary on first use.
"""

from __future__ import annotations

import base64
import functools
import gzip
import importlib.util
from pathlib import Path

import tiktoken

# The word pattern of cl100k_base, as in tiktoken_ext/openai_public.py.
_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)

# tiktoken's pattern matcher overflows its stack, and panics, on a run of a million spaces.
_SLICE = 100_000

_PASSAGE = 4_000  # characters; few passages have more


def count_tokens(text: str) -> int:
    """How many cl100k_base tokens `text` has; special tokens in it count as ordinary text.

    Exact up to 100,000 characters. A longer text is counted in slices of that length, which adds
    a token or so for each word that a slice's end cuts.
    """
    if len(text) <= _PASSAGE:
        return _counted(text)
    slices = (text[start : start + _SLICE] for start in range(0, len(text), _SLICE))
    return sum(len(_encoding().encode_ordinary(piece)) for piece in slices)


@functools.lru_cache(maxsize=4096)  # the same passages are found again and again
def _counted(text: str) -> int:
    return len(_encoding().encode_ordinary(text))


@functools.cache
def _encoding() -> tiktoken.Encoding:
    """cl100k_base without its special tokens."""
    lines = gzip.decompress(_vocabulary().read_bytes()).splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, lines)}
    return tiktoken.Encoding(
        "cl100k_base", pat_str=_PATTERN, mergeable_ranks=ranks, special_tokens={}
    )


def _vocabulary() -> Path:
    """The vocabulary file, found without importing the package and its native module."""
    spec = importlib.util.find_spec("bpe_openai")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("bpe-openai is not installed", name="bpe_openai")
    return Path(spec.origin).parent / "data" / "cl100k_base.tiktoken.gz"
