import math
from dataclasses import replace

import pytest

from evals.metrics import (
    Gold,
    all_evidence,
    average_precision,
    citation_precision,
    citation_recall,
    contains,
    estimate,
    exact_match,
    hit_within,
    holds,
    normalise,
    overlaps,
    sentence_support,
    token_f1,
    trec_scores,
)
from rag.types import Citation, Copy, Passage, Sentence, Span

NONE, FIRST, SECOND = frozenset(), frozenset({0}), frozenset({1})


def passage(text: str, article_id: str = "d1", start: int = 0, copies: tuple = ()) -> Passage:
    return Passage(1, 1.0, article_id, "c", text, start, start + len(text), copies=copies)


def citation(quote: str, start: int, article_id: str = "d1") -> Citation:
    end = start + len(quote)
    return Citation(1, article_id, "c", None, None, None, None, None, quote, start, end, "", "")


# Text


def test_normalising_drops_case_articles_punctuation_and_extra_spaces():
    assert normalise("The  “Squid Game”, a hit!") == "squid game hit"
    assert normalise("$20,000") == "20000"
    assert normalise("Georgia—Trump said…") == "georgia trump said"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("An Iranian woman", "Iran"),
        ("approved $13.6 billion", "$6 billion"),
        ("anything at all", "The"),
        ("", "Japan"),
    ],
)
def test_what_is_not_the_whole_answer_does_not_contain_it(text, answer):
    assert not contains(text, [answer])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("one of Japan’s most active volcanoes", "Japan"),
        ("A 101-year-old man", "101"),
        ("military style weapons", "Military-style weapons"),
        ("they co-operate", "cooperate"),
        ("won the Tony Awards.", "The Tony Awards"),
    ],
)
def test_an_answer_is_contained_whatever_its_marks(text, answer):
    assert contains(text, ["nothing of it", answer])


def test_exact_match_and_f1_take_the_best_accepted_answer():
    assert exact_match("the Tony awards", ["Oscars", "Tony Awards"]) == 1
    assert exact_match("Tony awards night", ["Tony Awards"]) == 0
    # 2 shared words; precision 2/3, recall 2/2: F1 = 2·2 / (3 + 2)
    assert token_f1("Tony awards night", ["Oscars", "Tony Awards"]) == pytest.approx(0.8)
    assert token_f1("", ["Tony Awards"]) == 0
    assert token_f1("x", []) == 0


# Evidence


def test_spans_overlap_when_they_share_half_of_the_shorter():
    assert not overlaps(Span(0, 10), Span(10, 20))
    assert not overlaps(Span(0, 10), Span(6, 16))
    assert overlaps(Span(0, 10), Span(5, 15))
    assert overlaps(Span(0, 1000), Span(400, 410))


def test_a_passage_holds_a_quote_only_where_it_stands():
    gold = [Gold("d1", "Rain fell.", Span(50, 60))]

    assert holds(passage("Rain fell.", start=50), gold, ["rain"]) == FIRST
    assert holds(passage("Rain fell.", start=0), gold, ["rain"]) == NONE
    assert holds(passage("Rain fell.", "d2", start=50), gold, ["rain"]) == NONE


def test_without_a_quote_the_answer_must_stand_in_a_passage_of_the_article():
    golds = [Gold("d1"), Gold("d2")]

    assert holds(passage("It was Idaho.", "d2"), golds, ["Idaho"]) == SECOND
    assert holds(passage("It was Ohio.", "d2"), golds, ["Idaho"]) == NONE
    assert holds(passage("It was Idaho.", "d3"), golds, ["Idaho"]) == NONE


def test_a_passage_stands_for_the_articles_that_carry_its_copies():
    copied = passage("Heavy rain fell. So it did.", "d9", copies=(Copy("d1", None),))

    assert holds(copied, [Gold("d1")], ["rain"]) == FIRST
    assert holds(copied, [Gold("d1", "So it did.", Span(50, 60))], ["sun"]) == FIRST
    assert holds(copied, [Gold("d1", "So it is.", Span(50, 59))], ["rain"]) == NONE


# Retrieval


def test_retrieval_metrics_without_a_hit_are_zero():
    found = [NONE] * 10
    assert set(trec_scores(found, 2).values()) == {0}
    assert set(trec_scores([], 1).values()) == {0}
    assert average_precision(found, 2) == all_evidence(found, 2) == 0
    assert hit_within(found, [10] * 10) == hit_within([], []) == 0


def test_a_hit_after_the_cut_does_not_count():
    found = [NONE] * 4 + [FIRST] + [NONE] * 5 + [SECOND]
    scores = trec_scores(found, 2)

    assert (scores["hits@4"], scores["hits@10"]) == (0, 1)
    assert scores["mrr@10"] == pytest.approx(1 / 5)
    assert trec_scores([NONE] * 10 + [FIRST], 1)["mrr@10"] == 0
    assert all_evidence(found, 2) == 0
    assert all_evidence(found, 2, k=11) == 1
    assert average_precision(found, 2) == pytest.approx((1 / 5) / 2)


def test_trec_ranks_the_pieces_of_evidence_where_they_first_stand():
    scores = trec_scores([NONE, FIRST, FIRST, SECOND], 3)

    assert scores["ap"] == pytest.approx((1 / 2 + 2 / 4) / 3)
    gain = 1 / math.log2(3) + 1 / math.log2(5)
    assert scores["ndcg@10"] == pytest.approx(gain / (1 + 1 / math.log2(3) + 1 / math.log2(4)))
    both = trec_scores([FIRST | SECOND], 2)
    assert both["ap"] == both["ndcg@10"] == 1


def test_average_precision_counts_each_piece_once_by_its_rank():
    assert average_precision([FIRST, SECOND], 2) == pytest.approx((1 / 1 + 1 / 2) / 2)
    assert average_precision([FIRST, FIRST, FIRST], 2) == pytest.approx((1 / 1) / 2)
    assert average_precision([NONE, FIRST | SECOND], 2) == pytest.approx((2 / 2) / 2)
    assert average_precision([FIRST], 20) == pytest.approx(1 / 10)


def test_a_passage_counts_within_the_budget_only_if_it_fits_whole():
    found = [NONE, NONE, FIRST]
    assert hit_within(found, [500, 500, 25]) == 0
    assert hit_within(found, [500, 500, 24]) == 1
    assert hit_within([FIRST], [1025]) == 0


# Citations


def test_citation_precision_asks_for_the_evidence_article_and_the_right_words():
    golds = [Gold("d1", "Rain fell on Monday.", Span(100, 120))]
    answers = ["Monday"]
    cited = [
        citation("Rain fell on Monday.", 100),  # the gold quote
        citation("It was a wet Monday.", 300),  # another place that holds the answer
        citation("Nobody was surprised.", 200),  # neither
        citation("Rain fell on Monday.", 100, "d2"),  # another article
    ]

    assert [citation_precision([c], golds, answers) for c in cited] == [1, 1, 0, 0]
    assert citation_precision(cited, golds, answers) == 0.5


def test_citation_recall_counts_the_pieces_of_evidence_that_are_cited():
    golds = [Gold("d1", "Rain fell.", Span(100, 110)), Gold("d1", "Sun.", Span(0, 4)), Gold("d2")]

    assert citation_recall([], golds) == 0
    assert citation_recall([citation("Rain fell.", 100)], golds) == pytest.approx(1 / 3)
    both = [citation("Rain fell.", 100), citation("Anything.", 0, "d2")]
    assert citation_recall(both, golds) == pytest.approx(2 / 3)


def test_a_sentence_has_evidence_if_one_of_its_citations_has():
    golds = [Gold("d1", "Rain fell.", Span(100, 110))]
    right, wrong = citation("Rain fell.", 100), replace(citation("Snow.", 0, "d2"), number=2)
    sentences = [
        Sentence("Rain fell.", 0, 10, "exact", (2, 1)),
        Sentence("Snow.", 15, 20, "exact", (2,)),
    ]

    assert sentence_support(sentences, [right, wrong], golds, ["rain"]) == 0.5
    assert sentence_support(sentences[1:], [wrong], golds, ["rain"]) == 0


# Statistics


def test_nothing_is_estimated_without_values():
    assert estimate([]) is None


def test_an_estimate_has_an_interval_that_narrows_with_more_questions():
    few, many = estimate([0, 1] * 10), estimate([0, 1] * 500)

    assert few
    assert many
    assert (few.value, few.n, many.value, many.n) == (0.5, 20, 0.5, 1000)
    assert few.low < many.low < 0.5 < many.high < few.high
    # the normal approximation gives 0.5 ± 1.96 · sqrt(.25 / 1000)
    assert (many.low, many.high) == (
        pytest.approx(0.469, abs=0.004),
        pytest.approx(0.531, abs=0.004),
    )
    assert estimate([0, 1] * 10) == few


def test_percentiles_are_of_the_values():
    values = [float(n) for n in range(1, 101)]
    p50, p95 = estimate(values, "p50"), estimate(values, "p95")
    assert p50
    assert p95
    assert p50.value == pytest.approx(50.5)
    assert p95.value == pytest.approx(95.05)


def test_auroc_is_how_often_the_answerable_have_more_confidence():
    confidence = [0.9, 0.4, 0.4, 0.1]

    def auroc(*answerable: int) -> float:
        found = estimate(confidence, "auroc", list(map(bool, answerable)))
        assert found
        return found.value

    assert auroc(1, 1, 0, 0) == pytest.approx(3.5 / 4)  # one of the four pairs is a tie
    assert auroc(0, 0, 1, 1) == pytest.approx(0.5 / 4)
    assert auroc(1, 0, 0, 1) == pytest.approx(2 / 4)


def test_a_statistic_of_two_kinds_has_no_value_for_one():
    for statistic in ("auroc", "refused@5"):
        assert estimate([0.5, 0.6], statistic, [True, True]) is None
        assert estimate([0.5, 0.6], statistic, [False, False]) is None


def test_what_is_refused_lies_below_the_threshold_that_the_answerable_allow():
    answerable = [n / 20 for n in range(20)]  # 0.00, 0.05, …
    unanswerable = [0.0, 0.04, 0.05, 0.07, 0.99]
    values = [*answerable, *unanswerable]
    kinds = [True] * 20 + [False] * 5

    at_five, at_ten = (estimate(values, s, kinds) for s in ("refused@5", "refused@10"))

    assert at_five
    assert at_ten
    assert at_five.value == pytest.approx(2 / 5)  # below 0.05: one of twenty is refused wrongly
    assert at_ten.value == pytest.approx(4 / 5)  # below 0.10: two of twenty
    assert at_five.low <= at_five.value <= at_five.high
    tied = estimate([0.5] * 4, "refused@10", [True, True, False, False])
    assert tied
    assert tied.value == 0
