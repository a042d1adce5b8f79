from dataclasses import replace

import pytest

from evals.cases import GoldQuestion
from evals.metrics import Gold
from evals.scoring import METRICS, conflict_scores, cost_scores, llm_scores, promise_scores
from rag.types import Article, Conflict, Span, Usage
from tests.fakes import abstention, quotation

MILL = Article("fire", "The mill burned down. Nobody was hurt.")
ASKED = replace(abstention("what burned?"), usage=Usage(1_000_000, 1_000))


def test_an_answer_without_an_llm_costs_nothing():
    assert cost_scores(abstention("what burned?"), "gpt-4o-mini", None) == {}


@pytest.mark.parametrize(
    ("model", "endpoint"),
    [
        ("no-such-model", None),
        ("gpt-4o-mini", "http://127.0.0.1:8080/v1"),  # not who sells it
        (None, None),
    ],
)
def test_where_no_price_is_known_there_are_only_tokens(model, endpoint):
    assert cost_scores(ASKED, model, endpoint) == {
        "prompt_tokens": 1_000_000,
        "completion_tokens": 1_000,
    }


@pytest.mark.parametrize("endpoint", [None, "https://api.openai.com/v1"])
def test_a_known_price_is_of_prompt_and_completion(endpoint):
    both = cost_scores(ASKED, "gpt-4o-mini", endpoint)["cost_usd"]
    prompt = cost_scores(replace(ASKED, usage=Usage(1_000_000, 0)), "gpt-4o-mini", endpoint)[
        "cost_usd"
    ]
    assert 0 < prompt < both


def test_the_share_of_exact_sentences_is_of_answers_that_have_any():
    assert "exact_sentences" not in promise_scores(abstention("what burned?"), {})[0]
    answer = quotation("what burned?", MILL, "The mill burned down.")
    assert promise_scores(answer, {"fire": MILL})[0]["exact_sentences"] == 1
    free = replace(answer, sentences=(replace(answer.sentences[0], support="supported"),))
    assert promise_scores(free, {"fire": MILL})[0]["exact_sentences"] == 0


def test_metrics_have_names_of_their_own_and_print_in_their_units():
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    shown = {metric.name: metric.show(0.1234567) for metric in METRICS}
    assert shown["hits@4"] == shown["confidence_auroc"] == "0.123"
    assert shown["search_ms_p95"] == shown["prompt_tokens"] == "0"
    assert shown["cost_usd"] == "0.12346"


def case_of(conflict):
    return GoldQuestion("q1", "what burned?", ("mill",), (), True, "fire", conflict=conflict)


def test_conflicts_are_scored_only_where_the_gold_knows_of_them():
    assert conflict_scores(case_of(None), (), abstention("what burned?"), ()) == {}
    assert conflict_scores(case_of("none"), (), abstention("what burned?"), ()) == {}
    assert conflict_scores(case_of("changed"), (), None, ()) == {"conflict_recall": 0}


def test_a_conflict_is_right_if_its_sides_cite_both_pieces_of_one_dispute():
    first = quotation("what burned?", MILL, "The mill burned down.").citations[0]
    second = replace(first, number=2, article_id="other")
    golds = [Gold("fire", span=Span(first.start, first.end)), Gold("other")]
    answer = replace(
        abstention("what burned?"),
        citations=(first, second),
        conflicts=(Conflict("disagree", ((1,), (2,))),),
    )
    scored = conflict_scores(case_of("disagree"), golds, answer, [golds])
    assert scored == {"conflict_precision": 1, "conflict_recall": 1, "conflict_kind": 1}
    assert conflict_scores(case_of("changed"), golds, answer, [golds])["conflict_kind"] == 0
    elsewhere = conflict_scores(case_of("disagree"), [], answer, [golds])
    assert elsewhere == {"conflict_precision": 1, "conflict_recall": 0}
    assert conflict_scores(case_of("none"), golds, answer, []) == {"conflict_precision": 0}
    same = replace(answer, conflicts=(Conflict("disagree", ((1,), (1,))),))
    assert conflict_scores(case_of("disagree"), golds, same, [golds])["conflict_recall"] == 0


def test_what_an_llm_wrote_is_told_apart_from_what_was_shown():
    keyless = abstention("what burned?")
    assert llm_scores(keyless) == {}
    fallen = replace(keyless, fallback="llm_unsupported", withheld=2)
    assert llm_scores(fallen) == {"written": 0.0, "withheld": 1.0}
