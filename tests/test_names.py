import pytest

from rag.text.names import (
    correct_spelling,
    countries_of,
    is_mentioned,
    name_words,
    place_of,
    same_person,
    surname,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Putin", "President Vladimir Putin"),
        ("President Putin", "Vladimir Putin"),
        ("Jaishankar", "External Affairs Minister S Jaishankar"),
        ("Subrahmanyam Jaishankar", "S Jaishankar"),
        ("India", "India and Russia"),
        ("The external affairs minister", "External Affairs Minister S Jaishankar"),
        ("Redwood Bank analysts", "Analysts at Redwood Bank"),
        ("the interior ministry", "interior ministry"),
        ("U.S. Senator Warren", "Warren"),
    ],
)
def test_short_forms_and_titles_name_the_same(one: str, other: str) -> None:
    assert same_person(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hunter Biden", "Joe Biden"),
        ("Putin", "Putin spokesman Dmitry Peskov"),
        ("Putin spokesman Dmitry Peskov", "Putin"),
        ("India and Russia", "India"),
        ("Foreign Minister", "External Affairs Minister S Jaishankar"),
        ("defence ministry", "interior ministry"),
        ("Norvik Group", "Talus Group"),
        ("Lavrov", "Jaishankar"),
        ("", "Putin"),
        ("Putin", ""),
    ],
)
def test_others_are_not_taken_for_the_same(one: str, other: str) -> None:
    assert not same_person(one, other)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("India", "Indian exports"),
        ("United States", "the US said"),
        ("Britain", "the U.K. government"),
        ("Sergey Lavrov", "Lavrov, Sergey"),
        ("Security Council", "the UN Security Council"),
    ],
)
def test_a_name_is_mentioned_in_any_of_its_forms(name: str, text: str) -> None:
    assert is_mentioned(name, name_words(text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Sergey Lavrov", "Lavrov alone"),
        ("India", "Indiana Jones"),
        ("United States", "told us so"),
        ("England", "the UK"),
    ],
)
def test_a_name_that_is_not_there_is_not_mentioned(name: str, text: str) -> None:
    assert not is_mentioned(name, name_words(text))


def test_a_capital_stands_for_its_country_only_where_that_is_wanted() -> None:
    assert "@russia" in name_words("Moscow said")
    assert "@russia" not in name_words("Moscow said", metonyms=False)
    assert is_mentioned("Moscow", name_words("Russia said"))
    assert not is_mentioned("Moscow", name_words("Russia said"), metonyms=False)
    assert place_of("the White House") == "united states"
    assert place_of("Jaishankar") is None


def test_an_office_tells_the_country_that_its_holder_speaks_for() -> None:
    assert countries_of("External Affairs Minister S Jaishankar") == {"@india"}
    assert countries_of("Russian President Vladimir Putin") == {"@russia"}
    assert countries_of("Marta Olsen") == frozenset()


def test_a_surname_is_the_last_word() -> None:
    assert surname("S. Jaishankar’s") == "Jaishankar"
    assert surname("…") == "…"


def test_misspelt_words_become_those_of_the_vocabulary() -> None:
    known = {"jaishankar": "Jaishankar", "terrorism": "terrorism"}
    assert correct_spelling("what did jaishankr say about terorism", known) == (
        "what did Jaishankar say about terrorism"
    )
    assert correct_spelling("colour of xyzzyq", {}) == "colour of xyzzyq"
