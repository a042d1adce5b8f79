import pytest

from rag.query.capitals import read_words
from rag.query.subquestions import MOST_PARTS, subquestions


def parts(text: str, *blanked: str, names: tuple[str, ...] = ()) -> tuple[str, ...]:
    masked = text
    for quoted in blanked:
        masked = masked.replace(quoted, "_" * len(quoted))
    starts = [word.start for word in read_words(text) if word.first]
    return subquestions(masked, text, starts, names)


@pytest.mark.parametrize(
    "text",
    [
        "Who won?",
        "What did the mayor wear while visiting the flooded villages near the dam?",
        "How much did sales of fish rise compared to 2022?",
        "Which country saw its first cases of eel fever in June, a disease like river fever?",
        "After taking out the power of the whole coast, what storm hit the island, causing floods?",
        "The gala was held on Monday. What does the colour of the carpet stand for?",
        "According to the port, how many ferries were late in June?",
        "Did the mayor say that fish and chips and eels and salt are good?",
        "",
    ],
)
def test_a_question_about_one_matter_stays_whole(text: str) -> None:
    assert parts(text) == (text,)


def test_white_space_is_squeezed() -> None:
    assert parts("  Who \n won ? ") == ("Who won ?",)


def test_two_questions_are_two_parts_and_the_second_is_given_the_subject() -> None:
    text = "Did Ada Lind sell the old ferry, and when does she leave the harbour board?"
    assert parts(text, names=("Ada Lind",)) == (
        text,
        "Did Ada Lind sell the old ferry",
        "Ada Lind when does she leave the harbour board",
    )


def test_questions_one_after_the_other_are_parts() -> None:
    text = "Who sold the old ferry? When did the harbour board vote on it?"
    assert parts(text)[1:] == ("Who sold the old ferry", "When did the harbour board vote on it")


def test_what_is_contrasted_is_two_parts() -> None:
    text = (
        "Does the Tide article say that eels are rare, while the Lantern article on the river "
        "counts thousands of them?"
    )
    assert parts(text, "Tide", "Lantern")[1:] == (
        "Does the Tide article say that eels are rare",
        "the Lantern article on the river counts thousands of them",
    )


def test_what_lies_between_two_reports_is_a_part_each() -> None:
    text = (
        "Between the report by Tide on the lost ferry and Lantern's story on harbour fees, "
        "did the tone on the port authority change?"
    )
    assert parts(text, "Tide", "Lantern")[1:] == (
        "the report by Tide on the lost ferry",
        "Lantern's story on harbour fees",
        "did the tone on the port authority change",
    )


def test_each_clause_is_given_what_is_asked_for() -> None:
    text = (
        "Which company, reported by Tide for buying three old ferries and by Lantern for "
        "dumping waste oil, has moved its head office to the coast?"
    )
    assert parts(text, "Tide", "Lantern")[1:] == (
        "Which company, reported by Tide for buying three old ferries",
        "Which company by Lantern for dumping waste oil",
        "Which company has moved its head office to the coast",
    )


def test_nothing_is_cut_inside_quotation_marks() -> None:
    quoted = "eels are back, and what did the mayor do, while rivers rise"
    assert len(parts(f"Who wrote “{quoted}” on the town wall?", quoted)) == 1


def test_there_are_at_most_four_parts_beside_the_whole() -> None:
    text = "; ".join(f"what did person{i} say of river{i} and lake{i}" for i in range(9))
    found = parts(text)
    assert len(found) == MOST_PARTS
    assert found[0] == text
