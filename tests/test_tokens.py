"""Token counts: cl100k_base, without network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag.tokens import count_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("tiktoken is great!", 6),
        ("antidisestablishmentarianism", 6),
        ("2 + 2 = 4", 7),
        ("お誕生日おめでとう", 9),
    ],
)
def test_counts_are_those_of_cl100k_base(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens  # the figures of OpenAI's cookbook


def test_special_tokens_are_ordinary_text() -> None:
    assert count_tokens("<|endoftext|>") == 7


def test_lone_surrogates_count() -> None:
    assert count_tokens("cut \ud83d here") > 2


@pytest.mark.parametrize("unit", ["a", " ", " \t", "😀"])
def test_a_long_run_is_counted(unit: str) -> None:
    text = unit * (1_000_000 // len(unit)) + "q"

    assert 1_000_000 / 128 < count_tokens(text) <= len(text.encode())


def test_slices_add_hardly_anything() -> None:
    sentence = "The talks in Oslo were resumed on Tuesday. "

    whole = count_tokens(sentence * 10_000)

    assert 0 <= whole - 10_000 * count_tokens(sentence.rstrip() + " The") + 10_000 <= 20


def test_the_vocabulary_is_read_on_first_use_without_network_or_native_module() -> None:
    program = """
import os, socket, sys

def refuse(*_args, **_kwargs):
    raise OSError("no network")

socket.socket.connect = refuse
from rag import tokens
assert tokens._encoding.cache_info().currsize == 0
assert tokens.count_tokens("tiktoken is great!") == 6
assert "bpe_openai" not in sys.modules
"""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"}
    }
    environment["TIKTOKEN_CACHE_DIR"] = "/nonexistent"

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parent.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
