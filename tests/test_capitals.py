import pytest

from rag.query.capitals import capitals_tell, names_in, read_words
from rag.types import Span


def names(text: str, *taken: Span) -> tuple[str, ...]:
    return names_in(text, read_words(text), taken)


@pytest.mark.parametrize(
    "text",
    [
        "what did ada lind say about vale",
        "WHAT DID ADA LIND SAY",
        "What Did Ada Lind Say About the Ferry?",
        "",
        "Which fish?",
    ],
)
def test_capitals_that_tell_nothing_give_no_names(text: str) -> None:
    assert not capitals_tell(read_words(text))
    assert names(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Dwindling stocks of fish were counted in June on a Monday, but I know no CEO.",
        "Compare the two. Why? When was it? Explain.",
    ],
)
def test_a_capital_that_only_begins_a_sentence_is_no_name(text: str) -> None:
    assert names(text) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What did Ada Lind tell the US?", ("Ada Lind", "US")),
        ("Did the Bank of Vale, or Rebel of the Year?", ("Bank of Vale", "Rebel of the Year")),
        ("Who are Luis da Costa and Jan van den Berg?", ("Luis da Costa", "Jan van den Berg")),
        ("Is J. K. Holt vs. A.J. Dell on?", ("J. K. Holt", "A.J. Dell")),
        ("Did Salt & Pepper or Marks&Sons win?", ("Salt & Pepper", "Marks&Sons")),
        ("Who left the U.S. market?", ("U.S",)),
        ("What did Vale's Ada Lind say?", ("Vale", "Ada Lind")),
        ("Did Tern CEO Ada Lind call President Holt?", ("Tern", "Ada Lind", "Holt")),
        ("Who are the Vale-backed rebels of eBay?", ("Vale", "eBay")),
        ("NASA and Tern landed. Tern won.", ("NASA", "Tern")),
        ("Tern and Vale merged when?", ("Tern", "Vale")),
        ("Vale’s mayor said what to Holt?", ("Vale", "Holt")),
        ("Ada Lind", ("Ada Lind",)),
    ],
)  # fmt: skip
def test_names_are_found_as_written(text: str, expected: tuple[str, ...]) -> None:
    assert names(text) == expected


def test_what_is_taken_is_no_name() -> None:
    assert names("Did Tide ask Ada Lind?", Span(4, 8)) == ("Ada Lind",)
