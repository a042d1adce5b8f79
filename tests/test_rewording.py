import pytest

from rag.language import SpacyAnalyser
from rag.text.statements import Source, Statement, read_statement
from rag.verification.rewording import change_objection, is_reworded

PUBLISHED = "2025-06-04"  # a Wednesday


def statement(text: str, analyser: SpacyAnalyser, published: str | None = None) -> Statement:
    speaker = "Ada Loy" if "Ada Loy" in text else None
    return read_statement(text, analyser.analyse([text])[0], speaker, published=published)


def source(text: str, analyser: SpacyAnalyser) -> Source:
    return Source((statement(text, analyser, PUBLISHED),), text, "")


@pytest.mark.parametrize(
    ("told", "claim"),
    [
        ("Norvik won the cup on Monday.", "Norvik lost the cup on Monday."),
        ("Putin said Lavrov lied to the court.", "Putin, Lavrov said, lied to the court."),
        ("The vote was held before the talks.", "The talks were held before the vote."),
        ("The ship left on Monday.", "The ship left on 3 June 2025."),
        ("The mine employs 1.2 million people.", "The mine employs 1.2 billion people."),
    ],
)
def test_other_words_or_another_order_are_no_other_form(
    told: str, claim: str, analyser: SpacyAnalyser
) -> None:
    assert not is_reworded(statement(claim, analyser), source(told, analyser))


@pytest.mark.parametrize(
    ("told", "claim"),
    [
        ("It did not rain in Lyon.", "It didn’t rain in Lyon."),
        ("It cost two million euros, the city said.", "It cost 2,000,000 euros, the city stated."),
        ("Ada Loy said that prices rose 5%.", "Prices rose 5 per cent, Ada Loy said."),
        ("Ada Loy said prices rose in May.", "According to Ada Loy, prices rose in May."),
        ("After the vote, Norvik left the hall.", "Norvik left the hall after the vote."),
        ("The ship left on Monday.", "The ship left on 2 June 2025."),
        ("Nine people were hurt on 1 May.", "9 people were hurt on May 1."),
    ],
)
def test_another_form_of_a_sentence_is_told(told: str, claim: str, analyser: SpacyAnalyser) -> None:
    assert is_reworded(statement(claim, analyser), source(told, analyser))


@pytest.mark.parametrize(
    ("told", "claim", "reason"),
    [
        ("There are 164 steps and no lift.", "There are 164 steps and lift.", "denies"),
        ("It left the town without a ferry.", "It left the town with a ferry.", "denies"),
        (
            "He left before the vote, after a row.",
            "He left after the vote, after a row.",
            "“after”",
        ),
        ("She came back last year in May.", "She came back next year in May.", "“next”"),
        ("It may start with 30 and stop.", "It will start with 30 and stop.", "possible"),
        ("The bench of Athletic was empty.", "The bench of Sarrow was empty.", "Sarrow"),
        ("It fell in 2027 and rose in 2029.", "It fell in 2028 and rose in 2029.", "2028"),
        ("It holds up to 40 people.", "It holds more than 40 people.", "more than"),
        ("Children under twelve get in free.", "The Kite Festival get in free.", "Kite"),
    ],
)
def test_a_word_changed_where_the_rest_is_kept_is_found(
    told: str, claim: str, reason: str, analyser: SpacyAnalyser
) -> None:
    found = change_objection(statement(claim, analyser), source(told, analyser))
    assert found is not None
    assert reason in found


@pytest.mark.parametrize(
    ("told", "claim"),
    [
        ("He left the hall before the vote.", "Tom Birch left the hall before the vote."),
        ("Farmers oppose the plan to fish.", "The plan to fish is opposed by farmers."),
        ("The city refused to pay for it.", "The city would not pay for it."),
        ("It would cost 3 euros, he said.", "It will cost 3 euros, he said."),
        ("After the vote he left the hall.", "Following the vote he left the hall."),
        ("Rain fell in Lyon, not in Paris.", "Rain fell in Lyon."),
    ],
)
def test_what_may_be_said_otherwise_is_no_change(
    told: str, claim: str, analyser: SpacyAnalyser
) -> None:
    assert change_objection(statement(claim, analyser), source(told, analyser)) is None
