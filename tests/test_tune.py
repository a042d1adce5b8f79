"""Fitting the ranking's weights, on made-up passages whose features are set by hand."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from evals.cases import GoldEvidence, GoldQuestion
from evals.metrics import holds
from evals.tune import (
    RIDGE,
    SHOWN,
    Example,
    Matrix,
    fit_likelihood,
    fit_ranking,
    tune_likelihood,
    tune_ranking,
)
from rag.ranking import BY_HAND, FEATURES, WEIGHTS
from tests.eval_samples import BURNED, HURT, gold, passage

SENTENCES = ("Smoke rose at dawn.", BURNED, HURT, "The mayor wept.")
COLUMNS = (FEATURES.index("lexical"), FEATURES.index("dense"))


def example(
    lexical: Sequence[float],
    dense: Sequence[float],
    quotes: Sequence[str | None] = (BURNED,),
    *,
    dataset: str = "news",
    id_: str = "q",
    variant: bool = False,
) -> Example:
    """A question on the four sentences of the article on a fire, each a passage with its
    features; it has no answer there if there are no quotes."""
    evidence = tuple(GoldEvidence("fire", quote) for quote in quotes)
    case = GoldQuestion(id_, "what burned?", ("the mill",), evidence, bool(quotes), "fact")
    values = np.zeros((len(SENTENCES), len(FEATURES)))
    values[:, COLUMNS] = np.column_stack([lexical, dense])
    passages = tuple(passage(rank, text) for rank, text in enumerate(SENTENCES, start=1))
    golds = tuple(gold(quote) for quote in quotes)
    pieces = tuple(holds(one, golds, case.answers) for one in passages)
    return Example(dataset, case, golds, passages, values, pieces, variant)


def by_lexical(dataset: str = "news") -> Example:
    return example([0, 1, 0, 0], [0, 0, 1, 0], dataset=dataset)


def by_dense(dataset: str = "news") -> Example:
    return example([0, 0, 1, 0], [0, 1, 0, 0], dataset=dataset)


def slopes(loss: Callable[[Matrix], float], at: Matrix) -> Matrix:
    """The gradient by finite differences."""
    steps = np.eye(len(at)) * 1e-6
    return np.array([(loss(at + step) - loss(at - step)) / 2e-6 for step in steps])


def shown(printed: str, title: str) -> list[float]:
    """The figures of a row of what was printed."""
    (line,) = (line for line in printed.splitlines() if line.startswith(title.ljust(22)))
    return [float(cell) for cell in line[22:].split()]


# Ranking


def test_a_feature_that_misleads_weighs_nothing_and_never_less() -> None:
    lexical, dense = fit_ranking([by_lexical()], COLUMNS)
    assert dense == 0
    assert lexical > 0
    assert tuple(fit_ranking([example([1, 0, 1, 1], [1, 0, 1, 1])], COLUMNS)) == (0, 0)


def test_a_feature_that_tells_hits_from_misses_is_preferred() -> None:
    lexical, dense = fit_ranking([example([0, 1, 0, 0], [0.3, 0.5, 0.4, 0])] * 3, COLUMNS)
    assert lexical > 2 * dense > 0


def test_each_data_set_counts_the_same() -> None:
    many, one = [by_lexical()] * 9, [by_dense("encyclopaedia")]
    lexical, dense = fit_ranking([*many, *one], COLUMNS)
    assert lexical == pytest.approx(dense, abs=1e-3)
    lexical, dense = fit_ranking([*many, by_dense()], COLUMNS)
    assert lexical > 2 * dense


def test_a_question_without_a_hit_teaches_nothing() -> None:
    learned = fit_ranking([by_lexical()], COLUMNS)
    without = example([0, 0, 0, 1], [0, 0, 0, 1], ())
    np.testing.assert_array_equal(fit_ranking([by_lexical(), without], COLUMNS), learned)


def test_every_piece_is_wanted_but_of_places_without_a_quotation_one_will_do() -> None:
    both = example([0] * 4, [0] * 4, (HURT, BURNED))
    assert both.wanted == [[False, False, True, False], [False, True, False, False]]
    assert example([0] * 4, [0] * 4, (None, HURT)).wanted == [[False, True, True, False]]
    assert example([0] * 4, [0] * 4, ()).wanted == []


def test_the_fit_is_where_the_loss_has_no_slope() -> None:
    """The same loss, written out for one question after the other."""
    examples = [
        example([0.1, 0.9, 0.4, 0.2], [0.3, 0.2, 0.6, 0.5], (BURNED, HURT)),
        example([0.2, 0.7, 0.9, 0.1], [0.1, 0.6, 0.2, 0.3]),
        example([0.5, 0.2, 0.3, 0.4], [0.2, 0.4, 0.9, 0.3], dataset="encyclopaedia"),
    ]

    def lost(one: Example, weights: Matrix) -> float:
        """The mean surprise at drawing its pieces from the passages with that piece or none."""
        odds = np.exp(one.values[:, COLUMNS] @ weights)
        none = sum(odds[i] for i, held in enumerate(one.pieces) if not held)
        right = [odds[kept].sum() for kept in one.wanted]
        return float(np.mean([np.log((held + none) / held) for held in right]))

    def loss(weights: Matrix) -> float:
        news = (lost(examples[0], weights) + lost(examples[1], weights)) / 2
        return news + lost(examples[2], weights) + RIDGE / 3 * weights @ weights / 2

    fitted = fit_ranking(examples, COLUMNS)
    assert (fitted > 0).all()
    np.testing.assert_allclose(slopes(loss, fitted), 0, atol=1e-4)
    assert np.abs(slopes(loss, fitted + 0.1)).min() > 1e-3


def test_a_question_is_not_ranked_by_what_its_variant_taught(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = example([0, 1, 0, 0], [0.1, 0, 0.1, 0.1], dataset="dated", id_="q1")
    undated = example([0, 1, 0, 0], [0, 1, 0, 0], dataset="dated", id_="q1", variant=True)
    other = example([0, 0, 0, 0], [0, 1, 0, 0], dataset="plain", id_="q2")
    tune_ranking([asked, undated, other], {"q1": 0, "q2": 1})
    row = shown(capsys.readouterr().out, "all features")
    assert len(row) == 2 * len(SHOWN)
    assert row[SHOWN.index("mrr@10")] == 1 / 4  # by `other`'s weights, and its own alone
    assert row[len(SHOWN) + SHOWN.index("mrr@10")] == 1


def test_the_ablation_shows_what_each_feature_is_worth(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = [example([0, 1, 0, 0], [0.1, 0.1, 0.2, 0], id_=f"q{n}") for n in range(4)]
    weights = tune_ranking(asked, {f"q{n}": n % 2 for n in range(4)})
    printed = capsys.readouterr().out
    mrr = SHOWN.index("mrr@10")
    assert shown(printed, "all features")[mrr] == shown(printed, "lexical")[mrr] == 1
    assert shown(printed, "without dense")[mrr] == 1
    assert shown(printed, "without lexical")[mrr] == shown(printed, "dense")[mrr] < 1
    for name in BY_HAND:
        assert f"without {name}" not in printed
        assert weights[FEATURES.index(name)] == WEIGHTS[name]
    assert weights.sum() == pytest.approx(1)
    assert weights.argmax() == FEATURES.index("lexical")


# Answerability


def test_the_likelihood_tells_answerable_questions_from_others() -> None:
    signals = np.array([[0.9, 1], [0.8, 1], [0.7, 1], [0.3, 1], [0.2, 1], [0.1, 1]])
    answerable = np.array([True] * 3 + [False] * 3)
    judged = signals @ fit_likelihood(signals, answerable, np.full(6, 1 / 3))
    assert judged[answerable].min() > 0 > judged[~answerable].max()
    np.testing.assert_allclose(fit_likelihood(signals, answerable, np.zeros(6)), 0)


def test_the_likelihood_is_fitted_where_its_loss_has_no_slope() -> None:
    signals = np.array([[0.9, 1], [0.4, 1], [0.6, 1], [0.1, 1]])
    answerable = np.array([True, True, False, False])
    share = np.array([0.7, 0.3, 0.4, 0.6])

    def loss(weights: Matrix) -> float:
        likely = 1 / (1 + np.exp(-signals @ weights))
        right = np.where(answerable, likely, 1 - likely)
        return float(-share @ np.log(right) + RIDGE / 4 * weights @ weights / 2)

    fitted = fit_likelihood(signals, answerable, share)
    np.testing.assert_allclose(slopes(loss, fitted), 0, atol=1e-4)
    assert np.abs(slopes(loss, fitted + 0.1)).min() > 1e-3


def test_answerability_is_judged_within_each_data_set_that_has_both_kinds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = [example([0, 1, 0, 0], [0, 0.9 - n / 10, 0, 0], id_=f"q{n}") for n in range(4)]
    asked += [example([0, 0, 0, 0], [0, n / 10, 0, 0], (), id_=f"u{n}") for n in range(4)]
    weights = np.array([float(n in COLUMNS) for n in range(len(FEATURES))])
    fits = []
    for dense in (0, 1):
        more = example([0] * 4, [dense] * 4, dataset="all answerable")
        folds = {one.case.id: n % 2 for n, one in enumerate([*asked, more])}
        tune_likelihood([*asked, more], folds, weights)
        printed = capsys.readouterr().out
        assert shown(printed, "news") == [1, 1, 1]
        assert "all answerable" not in printed
        fits.append(printed.splitlines()[-1])
    assert fits[0] == fits[1]
    assert fits[0].startswith("LIKELIHOOD: ")
