"""A tiny CrossEncoder of random weights, which the tests build, and what the verifier makes of an
entailment model's judgement."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rag.citations import MIN_ENTAILMENT, Verifier
from rag.crossencoder import RETRY_S
from rag.entailment import CrossEncoderEntailment
from rag.errors import EntailmentError
from rag.language import SpacyAnalyser
from rag.types import Claim, Evidence
from tests.support_pairs import ARTICLES, passages
from tests.tiny_models import save_cross_encoder

NLI = ("contradiction", "entailment", "neutral")
TEXT, CLAIM = "rain fell in lyon", "it rained in lyon"

VERBATIM = "Exports of timber fell 6 percent in May, while imports of grain rose 3 percent."
REPHRASED = "In May, timber exports fell 6 percent."
FALSE = "In May, timber exports fell 9 percent."


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Writes a model to a folder: one layer, random weights, the words above."""

    def build(labels: tuple[str, ...] = NLI, head: bool = True) -> str:
        return save_cross_encoder(tmp_path_factory.mktemp("model"), [TEXT, CLAIM], labels, head)

    return build


class Judge:
    """An `Entailment` that says what it is told, and remembers what it was asked."""

    model = "judge"

    def __init__(self, probability: float | EntailmentError) -> None:
        self._probability = probability
        self.asked: list[tuple[str, str]] = []

    def probability(self, text: str, claim: str) -> float:
        self.asked.append((text, claim))
        if isinstance(self._probability, EntailmentError):
            raise self._probability
        return self._probability


def verifier(judge: Judge, analyser: SpacyAnalyser) -> Verifier:
    port = ARTICLES["port"]
    return Verifier(Evidence(passages(port), {port.id: port}), analyser, judge)


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_is_named_with_the_way_out_and_tried_again_later(
    tmp_path: Path, build: Callable[..., str]
):
    path, now = tmp_path / "model", 100.0
    entailment = CrossEncoderEntailment(str(path), lambda: now)
    with pytest.raises(EntailmentError, match=r"model' cannot be loaded.*DATELINE_NLI_MODEL"):
        entailment.probability(TEXT, CLAIM)
    path.symlink_to(build())
    now += RETRY_S - 1
    with pytest.raises(EntailmentError, match="cannot be loaded"):
        entailment.probability(TEXT, CLAIM)
    now += 2
    assert 0 < entailment.probability(TEXT, CLAIM) < 1


@pytest.mark.slow
def test_models_that_judge_no_entailment_are_refused(build: Callable[..., str]):
    with pytest.raises(EntailmentError, match="no label “entailment”, only good, bad"):
        CrossEncoderEntailment(build(labels=("good", "bad"))).probability(TEXT, CLAIM)
    with pytest.raises(EntailmentError, match="is no CrossEncoder"):
        CrossEncoderEntailment(build(head=False)).probability(TEXT, CLAIM)


@pytest.mark.slow
def test_the_probability_is_that_of_the_label_wherever_it_stands(build: Callable[..., str]):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    for labels in (NLI, ("ENTAILMENT", "neutral", "contradiction")):
        folder = build(labels=labels)
        model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
        inputs = AutoTokenizer.from_pretrained(folder)(TEXT, CLAIM, return_tensors="pt")
        with torch.inference_mode():
            expected = torch.softmax(model(**inputs).logits, dim=-1)[0].tolist()
        column = [label.lower() for label in labels].index("entailment")
        found = CrossEncoderEntailment(folder).probability(TEXT, CLAIM)
        assert found == pytest.approx(expected[column], abs=0.02)


def test_what_the_model_does_not_agree_to_is_withheld(analyser: SpacyAnalyser):
    assert verifier(Judge(1.0), analyser).verify(Claim(REPHRASED)).support == "supported"
    judge = Judge(MIN_ENTAILMENT - 0.01)
    verdict = verifier(judge, analyser).verify(Claim(REPHRASED))
    assert (verdict.support, verdict.quotes) == (None, ())
    assert "entails it with 49% only" in verdict.reason
    assert set(judge.asked) == {(VERBATIM, REPHRASED)}


def test_what_a_failing_model_should_have_judged_is_withheld(analyser: SpacyAnalyser):
    verdict = verifier(Judge(EntailmentError("out of order")), analyser).verify(Claim(REPHRASED))
    assert (verdict.support, verdict.reason) == (None, "out of order")


def test_the_model_shows_nothing_more_and_is_not_asked_about_what_is_verbatim(
    analyser: SpacyAnalyser,
):
    judge = Judge(1.0)
    assert verifier(judge, analyser).verify(Claim(FALSE)).support is None
    doubter = Judge(0.0)
    assert verifier(doubter, analyser).verify(Claim(VERBATIM)).support == "exact"
    assert judge.asked == doubter.asked == []
