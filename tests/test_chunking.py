"""Chunks: they cover the text, in order, within the budget, and are made of whole sentences."""

import re
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.chunking import CHUNK_TOKENS, OVERLAP_TOKENS, chunk_article
from rag.sentences import sentence_spans
from rag.tokens import count_tokens
from rag.types import Article, Chunk

SEED = Path(__file__).parent.parent / "seeds" / "000_75e423dfb05b201f.txt"


def chunks_of(
    text: str, max_tokens: int = CHUNK_TOKENS, overlap_tokens: int = OVERLAP_TOKENS
) -> list[Chunk]:
    """The chunks of the text, after checking what every article's chunks promise."""
    chunks = chunk_article(Article("a1", text), max_tokens, overlap_tokens)
    covered = 0
    for chunk in chunks:
        assert chunk.text == text[chunk.start : chunk.end] == chunk.text.strip()
        assert 0 < count_tokens(chunk.text) <= max_tokens
        assert not text[covered : chunk.start].strip()
        assert chunk.end > covered, "a chunk within the one before"
        covered = chunk.end
    assert not text[covered:].strip()
    for before, after in pairwise(chunks):
        assert before.start < after.start
        assert count_tokens(text[after.start : before.end]) <= overlap_tokens
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    return chunks


@pytest.mark.parametrize("max_tokens", [-1, 0, 3])
def test_a_budget_that_one_character_can_exceed_is_refused(max_tokens: int) -> None:
    with pytest.raises(ValueError, match=f"max_tokens is {max_tokens}"):
        chunk_article(Article("a1", "Text."), max_tokens)


@pytest.mark.parametrize("text", ["", " \n\t\u3000"])
def test_an_article_without_text_has_no_chunks(text: str) -> None:
    assert chunks_of(text) == []


def test_a_passage_keeps_the_contract_by_default() -> None:
    assert OVERLAP_TOKENS < CHUNK_TOKENS <= 256


def test_the_seed_article_is_cut_at_sentence_ends() -> None:
    text = SEED.read_text(encoding="utf-8")
    spans = sentence_spans(text)

    chunks = chunks_of(text)

    assert len(chunks) == 3
    assert {chunk.start for chunk in chunks} <= {span.start for span in spans}
    assert {chunk.end for chunk in chunks} <= {span.end for span in spans}


def test_a_chunk_takes_all_sentences_that_fit_and_repeats_those_that_fit_the_overlap() -> None:
    words = ["One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight"]
    text = " ".join(f"{word} came." for word in words)  # three tokens a sentence

    chunks = chunks_of(text, max_tokens=12, overlap_tokens=7)

    assert [re.findall(r"(\w+) came", chunk.text) for chunk in chunks] == [
        words[0:4],
        words[2:6],
        words[4:8],
    ]


def test_the_overlap_gives_way_to_a_long_sentence() -> None:
    long_sentence = "Then " + "very " * 14 + "late he left."

    chunks = chunks_of(f"He came. She came. {long_sentence}", max_tokens=20, overlap_tokens=10)

    assert [chunk.text for chunk in chunks] == ["He came. She came.", long_sentence]


def test_white_space_that_exceeds_the_budget_parts_chunks() -> None:
    chunks = chunks_of("He came." + " " * 20_000 + "She left.", max_tokens=50)

    assert [chunk.text for chunk in chunks] == ["He came.", "She left."]


def test_one_endless_sentence_is_split_at_white_space_near_the_budget() -> None:
    text = "and then he went on " * 500

    chunks = chunks_of(text, max_tokens=100)

    assert all(text[chunk.end].isspace() for chunk in chunks)
    assert all(count_tokens(chunk.text) > 80 for chunk in chunks[:-1])


def test_a_text_without_spaces_is_split_near_the_budget() -> None:
    chunks = chunks_of("字" * 5_000 + "x" * 5_000)

    assert all(count_tokens(chunk.text) > 150 for chunk in chunks[:-1])


@pytest.mark.parametrize("cluster", ["e\u0301", "👩‍👩‍👧", "👍🏽", "❤️", "नि"])
def test_what_is_drawn_as_one_is_not_split(cluster: str) -> None:
    chunks = chunks_of(cluster * 500, max_tokens=60)

    assert all(len(chunk.text) % len(cluster) == 0 for chunk in chunks)


def test_ids_depend_on_article_place_and_text() -> None:
    ids = [
        chunk_article(article)[0].id
        for article in (
            Article("a1", "He left."),
            Article("a2", "He left."),
            Article("a1", " He left."),
            Article("a1", "He stays."),
        )
    ]

    assert len(set(ids)) == 4
    assert all(re.fullmatch("chk_[0-9a-f]{16}", chunk_id) for chunk_id in ids)
    assert ids[0] == chunk_article(Article("a1", "He left."))[0].id


@pytest.mark.parametrize("unit", ["He left at 5 p.m. Tuesday. ", "a", "字", "\n\nx y"])
def test_time_grows_with_length_only(unit: str) -> None:
    text = unit * (100_000 // len(unit))

    begun = time.process_time()
    chunk_article(Article("a1", text))

    assert time.process_time() - begun < 5  # quadratic time would be minutes


PIECES = st.sampled_from(
    [
        *(
            "He left. ",
            "She said, “We won. We left.” ",
            "No! ",
            "in Oslo and then ",
            "U.S. ",
            "end",
        ),
        *("\n", "\r\n", "\r", "\n\n", "\u2028", " " * 300, "\t"),
        *(
            "a" * 400,
            "word " * 120,
            "字" * 70,
            "\u0301" * 90,
            "👩‍👩‍👧" * 9,
            "\ud800",
            "<|endoftext|>",
        ),
    ]
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=300),
    st.sampled_from([4, 5, 16, 60, CHUNK_TOKENS]),
    st.sampled_from([0, 3, OVERLAP_TOKENS, 1_000]),
)
def test_every_text_is_covered_in_order_within_the_budget(
    text: str, max_tokens: int, overlap_tokens: int
) -> None:
    chunks_of(text, max_tokens, overlap_tokens)
