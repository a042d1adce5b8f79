from datetime import date

import pytest

from rag.query.outlets import OutletNames
from rag.query.understanding import understand
from rag.types import Filters, Period, Question, Understanding, Understood

OUTLETS = ["The Harbour Gazette", "Tide", "Globe Latest", "Vale Today"]
TODAY = date(2025, 6, 4)  # a Wednesday


def understood(text: str, filters: Filters = Filters(), as_of: str | None = None) -> Understanding:
    return understand(Question(text, filters=filters, as_of=as_of), OUTLETS, TODAY)


def test_a_question_that_says_nothing_of_this_is_only_itself() -> None:
    nothing = Understanding(Understood(), (), (), (), ("who won",))
    assert understood("who won") == nothing


def test_everything_is_read_at_once() -> None:
    found = understood(
        "What is the latest in the Harbour Gazette since 14 May on Ada Lind’s “old ferry,” and "
        "what did Tide write on the harbour fees last week?"
    )
    assert found.understood == Understood(
        published_from="2025-05-14",
        outlets=("The Harbour Gazette", "Tide"),
        latest=True,
    )
    assert found.periods == (Period("2025-05-14", None), Period("2025-05-26", "2025-06-01"))
    assert found.phrases == ("old ferry",)
    assert found.names == ("Ada Lind",)
    assert len(found.parts) == 3


def test_dates_are_counted_from_as_of() -> None:
    found = understood("Who won yesterday?", as_of="2023-03-01").understood
    assert (found.as_of, found.published_from, found.published_to) == (
        "2023-03-01",
        "2023-02-28",
        "2023-02-28",
    )


def test_without_a_day_of_asking_it_is_today() -> None:
    (period,) = understand(Question("Who won today?"), ()).periods
    assert period.first in {date.today().isoformat(), period.last}


def test_several_dates_span_one_range() -> None:
    found = understood("What changed between the report of 3 May 2024 and that of 9 May 2024?")
    assert len(found.periods) == 2
    assert found.understood.published_from == "2024-05-03"
    assert found.understood.published_to == "2024-05-09"


@pytest.mark.parametrize(
    ("filters", "first", "last"),
    [
        (Filters(published_from="2025-01-15"), "2025-01-15", "2025-01-31"),
        (Filters(published_to="2025-01-15"), "2025-01-01", "2025-01-15"),
        (Filters(published_from="2025-03-01"), "2025-03-01", None),
        (Filters(published_to="2024-03-01"), None, "2024-03-01"),
        (Filters("2024-01-01", "2024-01-02"), "2024-01-01", "2024-01-02"),
    ],
)
def test_filters_bind(filters: Filters, first: str | None, last: str | None) -> None:
    found = understood("What did Tide say in January?", filters).understood
    assert (found.published_from, found.published_to) == (first, last)


def test_filtered_outlets_go_before_those_that_are_named() -> None:
    found = understood("What did Tide say?", Filters(outlets=("Elsewhere",))).understood
    assert found.outlets == ("Elsewhere",)


@pytest.mark.parametrize(
    "text",
    [
        "Who said “the latest ferry, in May 2024, is now late”?",
        "What does Globe Latest write?",
        "What was in Vale Today?",
    ],
)
def test_what_is_quoted_or_an_outlet_s_name_is_no_date_and_no_wish(text: str) -> None:
    found = understood(text)
    assert found.periods == ()
    assert not found.understood.latest


@pytest.mark.parametrize(
    "text",
    [
        "What is the latest on the ferry?",
        "most recent figures on eels",
        "Is the harbour open now?",
        "How many eels were counted so far?",
        "Where is Ada Lind currently?",
        "Who is the current mayor of Vale?",
        "Any news on the ferry?",
        "today's headlines",
        "up-to-date figures on eels",
        "What has Ada Lind said recently?",
        "LATEST ON THE FERRY",
        "Latest on the ferry",
        "What's new in Vale?",
    ],
)
def test_the_newest_is_wished_for(text: str) -> None:
    assert understood(text).understood.latest


@pytest.mark.parametrize(
    "text",
    [
        "Who was in Apocalypse Now?",
        "By when at the latest must it be paid?",
        "the now-defunct ferry",
        "a company now called Tern",
        "Which minister, recently seen in Vale, resigned?",
        "How strong is the current in the river?",
        "so far away",
        "Until now, who knew?",
        "Do you know snow?",
    ],
)
def test_the_newest_is_not_wished_for(text: str) -> None:
    assert not understood(text).understood.latest


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("Who said “no more eels”?", ("no more eels",)),
        ('Who said "no more eels," and "eels"?', ("no more eels", "eels")),
        ("Who said 'no more eels' in Vale's harbour?", ("no more eels",)),
        ("Who said ‘it’s no eel’?", ("it’s no eel",)),
        ("Wer sagte „keine Aale“ und »nie«?", ("keine Aale", "nie")),
        ("Qui a dit « plus d'eels » ?", ("plus d'eels",)),
        ("Did 'Tide' say “eels”?", ("eels",)),
        ("a 6'2\" tall man's 7\" disc, rock 'n' roll, the owners' club", ()),
        ('Who said "no more eels?', ()),
        ("“” '' \"…\"", ()),
    ],
)
def test_phrases_are_what_stands_in_quotation_marks(text: str, phrases: tuple[str, ...]) -> None:
    assert understood(text).phrases == phrases


def test_names_leave_out_the_outlets() -> None:
    assert understood("Did The Harbour Gazette ask Ada Lind?").names == ("Ada Lind",)


def test_outlets_may_be_prepared_once() -> None:
    question = Question("What did Tide say?")
    assert understand(question, OutletNames(OUTLETS), TODAY) == understand(question, OUTLETS, TODAY)


@pytest.mark.parametrize(
    "text",
    ["'a " * 600, '"“‘' * 600, "May 3 to " * 220, "a, and did the " * 130, "?!. " * 500, "\ud800"],
)
def test_no_text_is_too_odd(text: str) -> None:
    assert understood(text).parts[0] == " ".join(text.split())
