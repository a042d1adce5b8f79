import pytest

from rag.text.quantities import quantities


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$1.2 billion", [(1.2e9, "dollar")]),
        ("1.2bn dollars", [(1.2e9, "dollar")]),
        ("Rs 500 crore", [(5e9, "rupee")]),
        ("a nine-day strike", [(9, "day")]),
        ("twenty-one men", [(21, "")]),
        ("four per cent", [(4, "percent")]),
        ("2,300 dockers", [(2300, "")]),
        ("a million people", [(1e6, "")]),
        ("18 months, suspended for two years", [(18, "month"), (2, "year")]),
        ("in 2025, 3 men", [(2025, ""), (3, "")]),
        ("5m euros and 40 km", [(5e6, "euro"), (40, "kilometre")]),
        ("one man", [(1, "")]),
    ],
)
def test_numbers_have_a_value_and_a_unit(text: str, expected: list[tuple[float, str]]) -> None:
    assert [(q.value, q.unit) for q in quantities(text)] == expected


@pytest.mark.parametrize(
    "text", ["", "one of them", "no one came", "the one", "no numbers", "and", "³ò", "m²"]
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert quantities(text) == []


def test_a_quantity_knows_where_it_stands_with_and_without_its_unit() -> None:
    text = "It cost $1.2 billion, or 12 percent."
    first, second = quantities(text)
    assert text[first.span.start : first.span.end] == "1.2 billion"
    assert text[first.whole.start : first.whole.end] == "$1.2 billion"
    assert text[second.whole.start : second.whole.end] == "12 percent"


def test_a_number_of_absurd_length_does_no_harm() -> None:
    assert len(quantities("9" * 5_000)) == 1
