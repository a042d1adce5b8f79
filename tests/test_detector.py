import random

import numpy as np
import pytest

from evals.detector import WRONG_ID, DetectorError, measure
from evals.faithbench import (
    FaithBenchError,
    Summary,
    balanced_accuracy,
    compare,
    cross_validated,
    labels,
    load_summaries,
)
from evals.falsehoods import MAKERS, made_false
from evals.paraphrases import paraphrases
from evals.specimens import Material, read_material
from rag.language import SpacyAnalyser
from rag.types import Article

HARBOUR = Article(
    "harbour",
    "Ada Brandt opened the new bridge in Kerrin on Monday, after a delay of 14 months.\n"
    "“Nobody has to wait for the ferry any longer,” Ada Brandt said.\n"
    "Tom Birch said that the toll may rise by 20 per cent next year.\n"
    "The council rejected a plan to close the old bridge.\n"
    "The company did not say how many of its 340 workers will leave in May.",
    published_at="2031-03-11",
)
OPERA = Article(
    "opera",
    "Lena Olsen won the first prize at the opera in Ostby on Friday.\n"
    "Critics from Hexa Radio called her voice colder than that of Marta Weber.",
    published_at="2031-03-15",
)


@pytest.fixture(scope="module")
def material(analyser: SpacyAnalyser) -> Material:
    return read_material(HARBOUR, [HARBOUR, OPERA], analyser, random.Random(1))


@pytest.fixture(scope="module")
def stranger(analyser: SpacyAnalyser) -> Material:
    return read_material(OPERA, [HARBOUR, OPERA], analyser, random.Random(1))


def falsehoods(kind: str, material: Material, stranger: Material) -> list[str]:
    rng = random.Random(1)
    return [text for f in material.facts for text in made_false(kind, f, material, [stranger], rng)]


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("unit", "delay of 14 years"),
        ("name of another article", "toll may rise"),
        ("speaker", "“Nobody has to wait for the ferry any longer”"),
        ("negation added", "did not reject"),
        ("negation removed", "company did say"),
        ("hedge dropped", "toll will rise"),
        ("comparison", "before a delay"),
    ],
)
def test_each_kind_of_falsehood_changes_what_it_is_named_for(
    kind: str, part: str, material: Material, stranger: Material
) -> None:
    made = falsehoods(kind, material, stranger)
    assert any(part in text for text in made), made
    assert not {fact.text for fact in material.facts} & set(made)


def test_numbers_and_dates_are_changed_to_what_the_articles_have_nowhere(
    material: Material, stranger: Material
) -> None:
    for kind in ("number", "date"):
        made = falsehoods(kind, material, stranger)
        assert made
        for text in made:
            new = {word.strip(".,") for word in text.split()} - set(HARBOUR.text.split())
            assert new, text


def test_what_the_evidence_tells_elsewhere_is_no_falsehood(
    analyser: SpacyAnalyser, stranger: Material
) -> None:
    text = "Lena Olsen won the prize in Ostby. Ada Brandt won the prize in Kerrin."
    twice = Article("twice", text.replace(". ", ".\n"))
    material = read_material(twice, [twice], analyser, random.Random(1))
    made = falsehoods("name of the article", material, stranger)
    assert "Ada Brandt won the prize in Ostby." not in made


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("attribution form", "The toll may rise by 20 per cent next year, Tom Birch said."),
        ("attribution form", "Ada Brandt said: “Nobody has to wait for the ferry any longer.”"),
        ("label and quotation", "Ada Brandt: “Nobody has to wait for the ferry any longer”"),
        ("passive", "A plan to close the old bridge was rejected by the council."),
        ("number form", "Tom Birch said that the toll may rise by 20% next year."),
        ("contraction", "The company didn’t say how many of its 340 workers will leave in May."),
        (
            "date form",
            "Ada Brandt opened the new bridge in Kerrin on 10 March 2031, after a delay of 14 "
            "months.",
        ),
    ],
)
def test_paraphrases_say_the_same(kind: str, text: str, material: Material) -> None:
    assert text in [made for fact in material.facts for made in paraphrases(kind, fact, material)]


def test_the_verifier_is_measured_by_kind_and_the_same_for_the_same_seed(
    analyser: SpacyAnalyser,
) -> None:
    report = measure([HARBOUR, OPERA], analyser, seed=1)
    assert {WRONG_ID, "number", "date", "quotation altered", "all"} <= report.found.keys()
    assert report.found.keys() <= {*MAKERS, WRONG_ID, "all"}
    assert report.found["all"].value > 0.9
    assert report.withheld["verbatim"].value == 0
    assert report.verify_ms[0] > 0
    again = measure([HARBOUR, OPERA], analyser, seed=1)
    assert (again.found, again.withheld) == (report.found, report.withheld)


def test_articles_without_a_whole_sentence_are_refused(analyser: SpacyAnalyser) -> None:
    with pytest.raises(DetectorError, match="no sentence"):
        measure([Article("a", "Rain.")], analyser, seed=1)


def test_a_file_without_summaries_is_named(tmp_path) -> None:
    (tmp_path / "support.jsonl").write_text('{"id": "x"}\n')
    with pytest.raises(FaithBenchError, match=r"support\.jsonl"):
        load_summaries(tmp_path / "support.jsonl")


@pytest.mark.parametrize(
    ("worst", "best", "expected"),
    [
        ("Unwanted", "Unwanted", {"worst": True, "undisputed": True}),
        ("Unwanted", "Consistent", {"worst": True}),
        ("Benign", "Consistent", {"undisputed": False}),
        ("Consistent", "Consistent", {"worst": False, "undisputed": False}),
        ("Questionable", "Benign", {}),
    ],
)
def test_a_summary_is_counted_by_what_people_said(
    worst: str, best: str, expected: dict[str, bool]
) -> None:
    summary = Summary(id="1", source="", claim="", worst=worst, best=best)
    assert labels(summary) == expected


def test_thresholds_are_fitted_on_other_summaries() -> None:
    unsupported = np.array([True, False] * 20)
    telling = np.where(unsupported, 0.2, 0.8)
    assert balanced_accuracy(cross_validated(telling, unsupported), unsupported) == 1
    noise = np.random.default_rng(3).random(40)
    assert balanced_accuracy(cross_validated(noise, unsupported), unsupported) < 0.7
    ours, theirs = compare({"graded": telling, "cosine": noise}, unsupported)
    assert (ours.accuracy, ours.auroc, ours.behind) == (1, 1, 0)
    assert theirs.behind == 1 - theirs.accuracy
    assert theirs.behind_low <= theirs.behind <= theirs.behind_high
