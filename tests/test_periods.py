from datetime import date

import pytest

from rag.query.periods import periods

WEDNESDAY = date(2025, 6, 4)


def named(text: str, anchor: date = WEDNESDAY) -> list[tuple[str | None, str | None]]:
    return [(period.first, period.last) for period in periods(text, anchor)]


@pytest.mark.parametrize(
    "text",
    [
        "What may march on?",
        "Who will march 2 by 2?",
        "Who cheered Theresa May and April Jones?",
        "a speech by May",
        "June Carter and August Wilson in Paris",
        "Who won the Lantern World Cup 2022?",
        "Who opened the 2022 Winter Olympics?",
        "in 2022 Winter Olympics",
        "What did COP27 decide?",
        "music of the 1990s",
        "in the 1990's",
        "It cost $2000 and 2000 people came",
        "by 1900 votes",
        "He is 1969 days old",
        "What happened since the summit?",
        "since the 7 October vote",
        "What is planned for next week, next Friday and next November?",
        "by 2030",
        "in 2030",
        "the last year of the war",
        "the second week of March",
        "Black Friday",
        "Monday Night Quiz and Sunday Post",
        "every Tuesday",
        "on Mondays",
        "on 31 February 2023",
        "on 2023-13-41",
        "Who hosts Vale Today?",
        "call 555-2024",
        "no date",
        "",
    ],
)
def test_what_only_looks_like_a_date_is_none(text: str) -> None:
    assert named(text) == []


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("on 14 July 2024", "2024-07-14", "2024-07-14"),
        ("on the 14th of July, 2024", "2024-07-14", "2024-07-14"),
        ("July 14, 2024", "2024-07-14", "2024-07-14"),
        ("Sept. 3rd 2024", "2024-09-03", "2024-09-03"),
        ("july 14 2024", "2024-07-14", "2024-07-14"),
        ("2024-07-14", "2024-07-14", "2024-07-14"),
        ("in November 2023", "2023-11-01", "2023-11-30"),
        ("Feb 2024", "2024-02-01", "2024-02-29"),
        ("in 2022", "2022-01-01", "2022-12-31"),
        ("In 2022 Ada Lind resigned", "2022-01-01", "2022-12-31"),
        ("the summer of 2023", "2023-01-01", "2023-12-31"),
        ("in 1969", "1969-01-01", "1969-12-31"),
    ],
)
def test_an_absolute_date(text: str, first: str, last: str) -> None:
    assert named(text) == [(first, last)]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("on 14 July", "2024-07-14", "2024-07-14"),
        ("on June 4", "2025-06-04", "2025-06-04"),
        ("on June 5", "2024-06-05", "2024-06-05"),
        ("on 29 February", "2024-02-29", "2024-02-29"),
        ("in November", "2024-11-01", "2024-11-30"),
        ("in June", "2025-06-01", "2025-06-30"),
        ("in may", "2025-05-01", "2025-05-31"),
        ("last June", "2024-06-01", "2024-06-30"),
        ("in late March", "2025-03-01", "2025-03-31"),
    ],
)
def test_without_a_year_it_is_the_last_such_date(text: str, first: str, last: str) -> None:
    assert named(text) == [(first, last)]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("between 3 and 9 May 2024", "2024-05-03", "2024-05-09"),
        ("from 3 to 9 May", "2025-05-03", "2025-05-09"),
        ("3–9 May 2024", "2024-05-03", "2024-05-09"),
        ("May 3-9, 2024", "2024-05-03", "2024-05-09"),
        ("from May 30 through June 2, 2024", "2024-05-30", "2024-06-02"),
        ("from 28 December to 3 January 2025", "2024-12-28", "2025-01-03"),
        ("from 28 December 2023 to 3 January", "2023-12-28", "2024-01-03"),
        ("between May and July 2024", "2024-05-01", "2024-07-31"),
        ("from November until March", "2024-11-01", "2025-03-31"),
        ("from 2019 to 2021", "2019-01-01", "2021-12-31"),
        ("from yesterday to today", "2025-06-03", "2025-06-04"),
        ("since 14 July", "2024-07-14", None),
        ("since the start of 2022", "2022-01-01", None),
        ("from 3 May onwards", "2025-05-03", None),
        ("after November 6, 2023", "2023-11-06", None),
        ("after 2022", "2023-01-01", None),
        ("before 14 July 2024", None, "2024-07-13"),
        ("before last week", None, "2025-05-25"),
        ("until March 2024", None, "2024-03-31"),
        ("by 14 May", None, "2025-05-14"),
        ("as of 3 June", None, "2025-06-03"),
    ],
)
def test_a_range(text: str, first: str | None, last: str | None) -> None:
    assert named(text) == [(first, last)]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("today", "2025-06-04", "2025-06-04"),
        ("this morning's vote", "2025-06-04", "2025-06-04"),
        ("yesterday", "2025-06-03", "2025-06-03"),
        ("the day before yesterday", "2025-06-02", "2025-06-02"),
        ("this week", "2025-05-29", "2025-06-04"),
        ("last week", "2025-05-26", "2025-06-01"),
        ("this month", "2025-06-01", "2025-06-04"),
        ("last month", "2025-05-01", "2025-05-31"),
        ("this year", "2025-01-01", "2025-06-04"),
        ("last year", "2024-01-01", "2024-12-31"),
        ("last weekend", "2025-05-31", "2025-06-01"),
        ("over the past week", "2025-05-28", "2025-06-04"),
        ("in the past 24 hours", "2025-06-03", "2025-06-04"),
        ("past three days", "2025-06-01", "2025-06-04"),
        ("in the last six months", "2024-12-04", "2025-06-04"),
        ("the last decade", "2015-06-04", "2025-06-04"),
        ("3 days ago", "2025-06-01", "2025-06-01"),
        ("two weeks ago", "2025-05-19", "2025-05-25"),
        ("a couple of months ago", "2025-04-01", "2025-04-30"),
        ("a year ago", "2024-01-01", "2024-12-31"),
        ("last Tuesday", "2025-06-03", "2025-06-03"),
        ("last Wednesday", "2025-05-28", "2025-05-28"),
        ("on Wednesday", "2025-06-04", "2025-06-04"),
        ("on friday", "2025-05-30", "2025-05-30"),
        ("Who launched a rocket Monday?", "2025-06-02", "2025-06-02"),
    ],
)
def test_a_date_counted_from_the_day_of_asking(text: str, first: str, last: str) -> None:
    assert named(text) == [(first, last)]


def test_dates_beside_each_other_are_each_its_own() -> None:
    assert named("on 5 and 6 May 2024, and again on 2024-05-05 and in 2023") == [
        ("2024-05-05", "2024-05-05"),
        ("2024-05-06", "2024-05-06"),
        ("2023-01-01", "2023-12-31"),
    ]


@pytest.mark.parametrize("anchor", [date.min, date.max, date(1001, 1, 1), date(2024, 2, 29)])
def test_every_day_can_be_asked_on(anchor: date) -> None:
    text = "999 decades ago, last month, on 29 February, on Monday, the past 999 weeks, in May"
    assert (named(text, anchor) == []) == (anchor in (date.min, date.max))
