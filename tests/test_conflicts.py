"""On what two sentences of different articles differ, and that nothing else passes for it."""

from __future__ import annotations

import pytest

from rag.language import SpacyAnalyser
from rag.text.statements import Source
from rag.types import Article, Chunk, Passage
from rag.verification.conflicts import Difference, difference, is_near
from rag.verification.reading import read_passage
from rag.verification.sources import Sources

TITLE = "Flood in Orvel after dam bursts"
LEAD = "The dam of Orvel burst on Monday and flooded the town of Orvel."


def source(text: str, day: str, outlet: str, analyser: SpacyAnalyser) -> Source:
    whole = f"{LEAD}\n{text}"
    article = Article(day + outlet, whole, title=TITLE, outlet=outlet, published_at=day)
    passage = Passage.of(1, 1.0, Chunk("c", article.id, 0, len(whole), whole), article)
    reading = read_passage(passage, article, analyser)
    (found,) = (
        window
        for _, _, window in Sources().sentences(
            [reading], lambda _, span: span.start == len(LEAD) + 1
        )
    )
    return found


def compared(
    one: str, other: str, analyser: SpacyAnalyser, later: str = "2031-03-06", outlet: str = "Post"
) -> Difference | None:
    first = source(one, "2031-03-04", "Daily", analyser)
    return difference(first, source(other, later, outlet, analyser))


AGREEING = {
    "rounding": ("About 400 people lost their homes.", "In all, 402 people lost their homes."),
    "a round number": ("The flood damaged 12,000 houses.", "The flood damaged 12,400 houses."),
    "a limit": ("More than 80 people lost their homes.", "In all, 84 people lost their homes."),
    "units": ("The dam of Orvel is 41 metres high.", "The dam of Orvel is 135 feet high."),
    "parts": (
        "The flood killed 12 people in Orvel.",
        "The flood killed 12 people in Orvel, including three people from Sund.",
    ),
    "places": (
        "The flood killed 12 people in Orvel.",
        "The flood killed 3 people in Sund.",
    ),
    "periods": (
        "Rain in Orvel was 80 litres in January.",
        "Rain in Orvel was 120 litres in February.",
    ),
    "subjects": ("The mayor has two houses.", "The doctor has three houses."),
    "days": (
        "Police in Orvel arrested 12 people on Monday.",
        "Police in Orvel arrested 15 people on Thursday.",
    ),
    "guesses": (
        "The flood killed 12 people in Orvel.",
        "The flood may have killed 30 people in Orvel.",
    ),
    "opinions": (
        "Mayor Ada Brandt said that the dam of Orvel was safe.",
        "Engineer Tom Loy said that the dam of Orvel was not safe.",
    ),
    "meetings": ("The council met on Monday.", "The council met on Thursday."),
    "what many can do": (
        "Ada Brandt visited the town of Orvel.",
        "Tom Loy visited the town of Orvel.",
    ),
}
DISAGREEING = {
    "number": ("Thieves stole three boats in Orvel.", "Thieves stole four boats in Orvel."),
    "year": ("The dam of Orvel was completed in 1961.", "The dam of Orvel was completed in 1964."),
    "denial": (
        "The council of Orvel approved the plan.",
        "The council of Orvel did not approve the plan.",
    ),
    "opposite": (
        "The council of Orvel approved the plan.",
        "The council of Orvel rejected the plan.",
    ),
    "name": (
        "Ada Brandt was elected mayor of Orvel.",
        "Tom Loy was elected mayor of Orvel.",
    ),
}
CHANGED = {
    "a toll that rose": (
        "Twelve people were killed in Orvel.",
        "The number of people killed in Orvel rose to 19.",
    ),
    "a plan put off": (
        "The new bridge of Orvel will open on 2 May.",
        "The new bridge of Orvel will now open on 6 June.",
    ),
    "an older value named": (
        "A ticket in Orvel will cost 3 crowns.",
        "A ticket in Orvel will cost 4 crowns instead of 3.",
    ),
    "a plan dropped": (
        "The company will close the mill in Orvel.",
        "The company will not close the mill in Orvel after all.",
    ),
}


@pytest.mark.parametrize("pair", AGREEING.values(), ids=AGREEING)
def test_what_may_both_be_true_is_no_conflict(
    pair: tuple[str, str], analyser: SpacyAnalyser
) -> None:
    assert compared(*pair, analyser) is None
    assert compared(*pair[::-1], analyser) is None


@pytest.mark.parametrize("pair", DISAGREEING.values(), ids=DISAGREEING)
def test_articles_of_one_day_disagree(pair: tuple[str, str], analyser: SpacyAnalyser) -> None:
    for one, other in (pair, pair[::-1]):
        found = compared(one, other, analyser, later="2031-03-04")
        assert found is not None
        assert found.kind == "disagree"
        assert found.said in one


@pytest.mark.parametrize("pair", CHANGED.values(), ids=CHANGED)
def test_a_later_article_that_knows_more_tells_a_change(
    pair: tuple[str, str], analyser: SpacyAnalyser
) -> None:
    found = compared(*pair, analyser)
    assert found is not None
    assert found.kind == "changed"


def test_a_later_day_alone_is_no_change(analyser: SpacyAnalyser) -> None:
    found = compared(*DISAGREEING["year"], analyser)
    assert found is not None
    assert found.kind == "disagree"


def test_an_outlet_that_says_otherwise_later_has_changed_its_word(analyser: SpacyAnalyser) -> None:
    found = compared(*DISAGREEING["year"], analyser, outlet="Daily")
    assert found is not None
    assert found.kind == "changed"


def test_votes_of_different_months_are_different_votes(analyser: SpacyAnalyser) -> None:
    assert compared(*DISAGREEING["name"], analyser, later="2031-08-04") is None


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("The number of people who died in Orvel rose to 19.", True),
        ("Nineteen were killed.", True),
        ("The town hall has a new clock.", False),
    ],
)
def test_a_sentence_without_words_of_another_is_not_near_it(
    text: str, near: bool, analyser: SpacyAnalyser
) -> None:
    one = source("Twelve people were killed in Orvel.", "2031-03-04", "Daily", analyser)
    assert is_near(one, text) is near
    long = "The minister said the old dam of Orvel had burst on Monday, flooding farms and roads."
    told = source(long, "2031-03-04", "Daily", analyser)
    assert not is_near(told, "Farms are for sale.")
