"""Fitting the keyless answerer, on a made-up article whose sentences' features are set by hand."""

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import count as count_from
from itertools import islice

import numpy as np
import pytest

from evals.cases import GoldQuestion, split
from evals.metrics import Gold
from evals.tune_answers import NAMES, SHOWN, Example, example_of, fit, outcome, tune
from rag.candidates import WEIGHTS, Features
from rag.embedding import Vectors
from rag.types import Article, Evidence, Passage, Span
from tests.fakes import FakeAnalyser

TEXT = "Rain fell on the hills.\nThe mill burned at night.\nNobody slept in the town.\n"
ARTICLE = Article("fire", TEXT)
EVIDENCE = Evidence((Passage(1, 1.0, "fire", "chk", TEXT, 0, len(TEXT)),), {"fire": ARTICLE})
BURNED = "The mill burned at night."
GOLD = Gold("fire", BURNED, Span(TEXT.index(BURNED), TEXT.index(BURNED) + len(BURNED)))


class OneHot:
    """Every text is like itself alone."""

    model = "one-hot"

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        return np.eye(len(texts), 8, dtype=np.float32)

    def encode_query(self, text: str) -> Vectors:
        return np.eye(8, dtype=np.float32)[0]


def example(
    similarity: Sequence[float], *golds: Gold, id_: str = "q", dataset: str = "news"
) -> Example:
    """A question on the article, its sentences with these similarities and no other feature."""
    case = GoldQuestion(id_, "what burned?", ("the mill",) * bool(golds), (), bool(golds), "fact")
    found = replace(example_of(case, golds, EVIDENCE, OneHot(), FakeAnalyser()), dataset=dataset)
    values = np.zeros((3, len(NAMES)))
    values[:, NAMES.index("similarity")] = similarity
    fitting = Features(
        **{f.name: 0.0 for f in fields(Features)} | {"names_around": 1, "speaker": 1}
    )
    candidates = tuple(replace(c, features=fitting) for c in found.candidates)
    return replace(found, values=values, candidates=candidates)


def test_the_sentence_that_a_quotation_overlaps_is_right():
    assert example([0, 0, 0], GOLD).right.tolist() == [False, True, False]


def test_without_a_quotation_the_sentence_of_the_article_with_an_answer_is_right():
    assert example([0, 0, 0], Gold("fire")).right.tolist() == [False, True, False]
    assert example([0, 0, 0], Gold("flood")).right.tolist() == [False, False, False]


def test_the_weights_tell_right_sentences_from_others():
    weights, bias = fit([example([0, 1, 0.2], GOLD, id_=f"q{n}") for n in range(20)], [0])
    assert weights[0] > 1
    assert weights[0] + bias > 0 > weights[0] * 0.2 + bias


def test_a_data_set_weighs_as_its_examples_say():
    one = [example([0, 1, 0.5], GOLD)]
    other = [example([1, 0, 0.5], GOLD, dataset="other")]
    assert fit([*(replace(e, weight=2.0) for e in one), *other], [0])[0][0] > 0.05


def test_each_data_set_weighs_the_same():
    one = [example([0, 1, 0.5], GOLD)]
    other = [example([1, 0, 0.5], GOLD, dataset="other")] * 9
    assert fit(one + other, [0])[0][0] == pytest.approx(0, abs=0.01)


def test_a_question_without_a_right_sentence_teaches_nothing():
    told = [example([0, 1, 0], GOLD)]
    misleading = example([1, 0, 0], Gold("flood"))
    assert fit([*told, misleading], [0])[0] == pytest.approx(fit(told, [0])[0])


def test_the_outcome_is_that_of_the_answer_that_would_be_given():
    answered = example([0, 0, 0], GOLD)
    right = outcome(answered, np.array([-9.0, 5.0, -9.0]))
    refused = outcome(answered, np.array([-9.0, -9.0, -9.0]))

    assert (right["containment"], right["evidence_f1"], right["words"]) == (1, 1, 5)
    assert (right["wrong_refusal"], refused["wrong_refusal"], refused["containment"]) == (0, 1, 0)
    assert outcome(example([0, 0, 0]), np.array([5.0, 0, 0])) == {"abstention_recall": 0}


def test_a_question_on_something_else_is_refused_whatever_the_scores():
    found = replace(example([0, 0, 0], GOLD), evidence=replace(EVIDENCE, confidence=0.001))
    assert outcome(found, np.array([5.0, 5.0, 5.0]))["wrong_refusal"] == 1


def test_a_question_is_not_answered_by_what_it_taught(capsys):
    ordinary = [example([0, 1, 0], GOLD, id_=id_) for id_ in ids("tune", 12)]
    odd = example([1, 0, 0], GOLD, id_=ids("tune", 13)[-1], dataset="odd")
    tune([*ordinary, odd], folds=5)

    printed = capsys.readouterr().out
    shown = row(printed, "all features")
    assert shown[SHOWN.index("containment")] == 1
    assert shown[len(SHOWN) + SHOWN.index("containment")] == 0
    assert "WEIGHTS: {'similarity':" in printed


def test_the_reporting_half_teaches_nothing(capsys):
    taught = [example([0, 1, 0], GOLD, id_=id_) for id_ in ids("tune", 12)]
    kept = [example([1, 0, 0], GOLD, id_=id_) for id_ in ids("report", 12)]
    tune([*taught, *kept], folds=5)

    printed = capsys.readouterr().out
    assert row(printed, "all features")[SHOWN.index("containment")] == 1
    assert row(printed, "reporting halves")[SHOWN.index("containment")] == 0


def ids(half: str, count: int) -> list[str]:
    """So many ids of questions of a half."""
    return list(islice((id_ for n in count_from(0) if split(id_ := f"q{n}") == half), count))


def row(printed: str, title: str) -> list[float]:
    """The numbers of a printed row."""
    found = next(line for line in printed.splitlines() if line.startswith(title))
    return [float(value) for value in found.removeprefix(title).split()]


def test_every_feature_has_a_weight():
    assert tuple(WEIGHTS) == NAMES
