"""Runs of the evals to show and compare: questions about one article on a fire."""

from __future__ import annotations

from dataclasses import replace

from evals.cases import GoldEvidence, GoldQuestion
from evals.metrics import Gold
from evals.results import CaseResult, Conditions, EvalRun
from rag.types import Article, Passage, Span
from tests.fakes import abstention, quotation

TEXT = "Smoke rose at dawn. The mill burned down. Nobody was hurt. The mayor wept."
BURNED, HURT = "The mill burned down.", "Nobody was hurt."
FIRE = Article("fire", TEXT, title="Fire", outlet="Daily Ember", published_at="2030-05-01T08:00")


def passage(rank: int, text: str, article: Article = FIRE) -> Passage:
    """A piece of an article's text at its place there."""
    start = article.text.index(text)
    known = (article.title, article.outlet, article.author, article.published_at, article.url)
    place = (f"{article.id}:{start}", text, start, start + len(text))
    return Passage(rank, 1 / rank, article.id, *place, *known)


def gold(quote: str | None, article: Article = FIRE) -> Gold:
    """A piece of evidence, with its place if it has a quote."""
    if quote is None:
        return Gold(article.id)
    start = article.text.index(quote)
    return Gold(article.id, quote, Span(start, start + len(quote)))


def right(id_: str, category: str = "fact", **scores: float) -> CaseResult:
    """An answerable question whose answer is the evidence, found at rank 1."""
    case = GoldQuestion(
        id_, f"what burned in {id_}?", ("the mill",), (GoldEvidence("f", BURNED),), True, category
    )
    return CaseResult(
        case=case,
        half="tune",
        passages=(passage(1, BURNED), passage(2, HURT)),
        path="index",
        answer=quotation(case.question, FIRE, BURNED),
        scores={
            "hits@4": 1.0,
            "hits@10": 1.0,
            "mrr@10": 1.0,
            "containment": 1.0,
            "wrong_refusal": 0.0,
            "promises_kept": 1.0,
            "search_ms": 12.0,
            **scores,
        },
        golds=(gold(BURNED),),
    )


def wrong(id_: str, category: str = "fact", **scores: float) -> CaseResult:
    """An answerable question whose answer is another sentence, the evidence at rank 2."""
    good = right(id_, category, containment=0, **{"mrr@10": 0.5}, **scores)
    answer = quotation(good.case.question, FIRE, HURT)
    return replace(good, passages=(passage(1, HURT), passage(2, BURNED)), answer=answer)


def refused(id_: str, category: str = "fact", **scores: float) -> CaseResult:
    """An answerable question that was refused."""
    good = right(id_, category, containment=0, wrong_refusal=1, abstention_precision=0, **scores)
    return replace(good, answer=abstention(good.case.question))


def failed(id_: str) -> CaseResult:
    """An answerable question that could not be asked."""
    good = right(id_)
    error = "LanguageModelError: timed out"
    return replace(good, passages=(), answer=None, error=error, scores={"containment": 0.0})


def unanswerable(id_: str, abstained: bool = True, **scores: float) -> CaseResult:
    """A question that the article does not answer."""
    case = GoldQuestion(id_, f"who lit {id_}?", (), (), False, "missing")
    answer = abstention(case.question) if abstained else quotation(case.question, FIRE, HURT)
    kept = {"abstention_recall": float(abstained), "promises_kept": 1.0, **scores}
    return CaseResult(case, "report", (passage(1, HURT),), "exact", answer, kept)


def run_of(*results: CaseResult, dataset: str = "weather", **conditions: object) -> EvalRun:
    """A run of these questions."""
    made = Conditions(
        "2030-05-02T10:30:00+00:00", {"llm_model": None}, {}, {}, {"commit": "c0ffee"}
    )
    return EvalRun(dataset, replace(made, **conditions), results)
