from dataclasses import fields

import pytest

from rag.candidates import Candidate, Features
from rag.selection import MARGIN, MAX_SENTENCES, select
from rag.types import Article, Passage
from rag.verification.reading import read_passage
from tests.fakes import FakeAnalyser

NOTHING = Features(**{field.name: 0.0 for field in fields(Features)})
TEXTS = (
    "Rain fell on the northern hills.",
    "Snow closed every mountain road.",
    "Wind broke nine harbour cranes.",
    "Fog kept all ferries waiting.",
    "Hail ruined most cherry orchards.",
)


def candidates(scores: list[float], texts=TEXTS) -> list[Candidate]:
    article = Article("a", "\n".join(texts))
    passage = Passage(1, 1.0, "a", "chk", article.text, 0, len(article.text))
    reading = read_passage(passage, article, FakeAnalyser())
    return [Candidate(reading, i, NOTHING, score) for i, score in enumerate(scores)]


def chosen(scores: list[float], texts=TEXTS) -> list[int]:
    return [candidate.index for candidate in select(candidates(scores, texts))]


def test_of_nothing_nothing_is_selected():
    assert select([]) == []


def test_one_sure_sentence_is_enough():
    assert chosen([-6, 4, -6, -6, -6]) == [1]


def test_several_likely_sentences_are_all_wanted_the_best_first():
    assert chosen([2, -6, 3, 2.5, -6]) == [2, 3, 0]


def test_where_none_is_sure_more_are_given_but_no_more_than_allowed():
    assert len(chosen([-2, -2.5, -2.6, -2.7, -2.8])) == MAX_SENTENCES


def test_a_sentence_far_behind_the_best_is_left_out():
    near, far = 3 - MARGIN / 2, 3 - MARGIN * 2.5
    assert chosen([3, near, far, far, far]) == [0, 1]


def test_what_another_sentence_says_is_not_said_again():
    copied = (TEXTS[0], "Rain fell on the northern hills today.", *TEXTS[2:])
    assert chosen([3, 2.9, -6, -6, -6], copied) == [0]


@pytest.mark.parametrize("first", [4, -1])
def test_a_sentence_that_does_not_fit_into_an_answer_is_passed_over(first):
    endless = " ".join(["Drizzle", *(f"word{n}" for n in range(130))]) + "."
    assert 0 not in chosen([first, 0, -6, -6, -6], (endless, *TEXTS[1:]))
