import pytest

from rag.text.dates import date_mentions

DAY = "2025-06-04"  # a Wednesday


def mentions(text: str) -> list[str]:
    return [text[m.span.start : m.span.end] for m in date_mentions(text, DAY)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on 2 June 2025", ["2 June 2025"]),
        ("On June 2nd, they met", ["June 2nd"]),
        ("in November or December", ["November", "December"]),
        ("He may march in May 2024. May said so.", ["May 2024"]),
        ("2,300 dockers in 2021", ["2021"]),
        ("yesterday and last month", ["yesterday", "last month"]),
        ("it cost $2000 and 2000 people came", []),
        ("2025-06-02", ["2025-06-02"]),
        ("no date", []),
    ],
)
def test_dates_are_found(text: str, expected: list[str]) -> None:
    assert mentions(text) == expected


@pytest.mark.parametrize(
    ("source", "claim"),
    [
        ("on Monday", "on 2 June 2025"),
        ("on Monday", "on June 2"),
        ("on 2 June", "on Monday"),
        ("yesterday", "on Tuesday"),
        ("in May", "in May 2025"),
        ("14 November", "November 14"),
        ("14 November", "in November"),
        ("last year", "in 2024"),
    ],
)
def test_a_date_covers_what_says_no_more(source: str, claim: str) -> None:
    (theirs,), (ours,) = date_mentions(source, DAY), date_mentions(claim, DAY)
    assert theirs.covers(ours)


@pytest.mark.parametrize(
    ("source", "claim"),
    [
        ("on Monday", "on Tuesday"),
        ("on Monday", "on 3 June 2025"),
        ("on 2 June", "on Tuesday"),
        ("in November", "on 14 November"),
        ("14 November", "14 October"),
        ("in 2027", "in 2025"),
    ],
)
def test_another_date_is_not_covered(source: str, claim: str) -> None:
    (theirs,), (ours,) = date_mentions(source, DAY), date_mentions(claim, DAY)
    assert not theirs.covers(ours)


def test_without_a_publication_day_weekdays_are_but_weekdays() -> None:
    (theirs,), (ours,) = date_mentions("on Monday"), date_mentions("on 2 June 2025")
    assert not theirs.covers(ours)
    assert date_mentions("yesterday", None) == []
    assert date_mentions("on Monday", "soon") != []
