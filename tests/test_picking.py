from collections.abc import Sequence

import numpy as np
import pytest

from evals.cases import GoldQuestion
from evals.metrics import Gold
from evals.picking import by_bm25, picked_scores
from rag.types import Passage, Span

CASE = GoldQuestion("q1", "what burned?", ("the mill",), (), True, "fact")
UNANSWERABLE = GoldQuestion("q2", "who won?", (), (), False, "fact")
BURNED = "The mill burned at night."
FIRST = "Rain fell on Monday. Snow fell on Tuesday. Fog came on Wednesday. Sun came on Thursday."
SECOND = f"Nobody slept in the town. {BURNED}"
PASSAGES = tuple(
    Passage(n, 1 / n, f"a{n}", f"a{n}", text, 0, len(text))
    for n, text in enumerate((FIRST, SECOND), start=1)
)
GOLDS = (Gold("a2", BURNED, Span(26, 51)),)


class Similar:
    """A service for which a text is the more like a question, the later it comes."""

    async def similarities(self, question: str, texts: Sequence[str]) -> np.ndarray:
        return np.arange(len(texts), dtype=np.float32)


async def scores(*names: str, case: GoldQuestion = CASE, passages=PASSAGES):
    return await picked_scores(Similar(), case, GOLDS, names, passages)


async def test_nothing_is_picked_for_a_question_without_an_answer_or_when_nobody_asks():
    assert await scores("lead-3", case=UNANSWERABLE) == {}
    assert await scores() == {}


async def test_without_passages_every_picker_is_wrong_and_none_fails():
    found = await scores("lead-3", "bm25-3", "dense-3", passages=())
    assert [one["containment"] for one in found.values()] == [0, 0, 0]


async def test_the_lead_is_of_the_best_passage_alone():
    assert (await scores("lead-3", passages=PASSAGES))["lead-3"]["containment"] == 0
    assert (await scores("lead-3", passages=PASSAGES[1:]))["lead-3"]["containment"] == 1


async def test_words_and_vectors_pick_from_all_passages():
    found = await scores("bm25-3", "dense-3")
    assert found["bm25-3"]["containment"] == found["dense-3"]["containment"] == 1
    assert found["bm25-3"]["evidence_f1"] == pytest.approx(1)  # "burned" stands nowhere else


def test_words_are_stemmed_and_a_question_of_marks_finds_nothing():
    assert by_bm25("burning mills", ["Rain fell.", BURNED]) == [1]
    assert by_bm25('"?', ["Rain fell."]) == []
