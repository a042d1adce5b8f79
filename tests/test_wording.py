import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.wording import (
    claimed_quotations,
    content_stems,
    fold,
    is_hedged,
    is_negated,
    normalise_quotes,
    numbers,
    quotations,
    stem,
    words,
)

MARKS = st.text("ab c“”„\"'‘’«».\n", max_size=60)


def quoted(text: str) -> list[str]:
    return [text[span.start : span.end] for span in quotations(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He said “a b” and “c d”.", ["a b", "c d"]),
        ('"A b," he said, "c d."', ["A b,", "c d."]),
        ("“We are.\n“They are,” he said.", ["We are.", "They are,"]),
        ("„Guten Tag“, sagte er.", ["Guten Tag"]),
        ("«Bonjour», dit-il.", ["Bonjour"]),
        ("It goes on: “and on", ["and on"]),
        ("x y,” he remarked.", []),
        ("He is 5'10\" tall.", []),
        ("“ ”", []),
    ],
)
def test_quotations_are_what_stands_between_double_marks(text: str, expected: list[str]) -> None:
    assert quoted(text) == expected


@given(MARKS)
def test_quotations_lie_in_order_in_the_text_and_hold_no_line_end(text: str) -> None:
    spans = quotations(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
    assert all("\n" not in quote for quote in quoted(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a ‘fair’ deal, 'good' for workers' rights isn't it", ["fair", "good"]),
        ("x y,” he remarked.", ["x y,"]),
        ("He said “a” then b”", ["a", "then b"]),
        ("nothing quoted", []),
    ],
)
def test_a_reader_takes_more_for_quoted(text: str, expected: list[str]) -> None:
    assert claimed_quotations(text) == expected


@given(MARKS)
def test_a_reader_takes_at_least_the_quotations_for_quoted(text: str) -> None:
    assert {quote.strip() for quote in quoted(text)} <= set(claimed_quotations(text))


def test_only_white_space_and_quote_style_are_normalised() -> None:
    assert normalise_quotes("“We  don’t\nknow,”") == '"We don\'t know,"'
    assert normalise_quotes("We do know") != normalise_quotes("We did know")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2 billion", {"1200000000"}),
        ("two or 2", {"2"}),
        ("twenty-one", {"21"}),
        ("2,300 and 6.5", {"2300", "6.5"}),
        ("none", set()),
    ],
)
def test_numbers_are_canonical(text: str, expected: set[str]) -> None:
    assert numbers(text) == expected


@pytest.mark.parametrize("text", ["He did not", "it isn’t", "no one", "never", "denied it"])
def test_denials_are_seen(text: str) -> None:
    assert is_negated(text)
    assert not is_negated("He did so, knowing it")


@pytest.mark.parametrize("text", ["it may rain", "reportedly", "is likely to", "alleged"])
def test_hedges_are_seen(text: str) -> None:
    assert is_hedged(text)
    assert not is_hedged("It rained in the month of Maybach")


def test_words_keep_hyphens_and_lose_possessives() -> None:
    assert words("India’s non-tariff barriers, U.S. too") == [
        "India",
        "non-tariff",
        "barriers",
        "U.S",
        "too",
    ]


def test_stems_are_of_content_words_alone() -> None:
    assert content_stems("They have raised the non-tariff barriers") == [
        stem("raised"),
        "non",
        "tariff",
        "barrier",
    ]
    assert fold("Élysée") == "elysee"
