"""Both sides in the answer, of an extract as of an LLM's sentences."""

from __future__ import annotations

import pytest

from rag.citations import Verifier
from rag.composing import EXTRACTIVE_MAX_WORDS, MAX_WORDS, Composer
from rag.counterparts import MAX_SENTENCES, Sides
from rag.language import SpacyAnalyser
from rag.types import Article, Chunk, Claim, Conflict, Copy, Evidence, Passage

LEAD = "The dam of Orvel burst on Monday and flooded the town."
OLD = "Twelve people were killed in Orvel."
NEW = "The number of people killed in Orvel rose to 19."
TITLE = "Flood in Orvel after dam bursts"
FIRST = Article(
    "a1", f"{LEAD}\n{OLD}\nThe dam of Orvel was completed in 1961.\n", None, TITLE, "Daily",
    published_at="2031-03-04",
)  # fmt: skip
SECOND = Article("a2", f"{LEAD}\n{NEW}\n", None, TITLE, "Post", published_at="2031-03-06")
THIRD = Article(
    "a3", f"{LEAD}\nThe dam of Orvel was completed in 1964.\n", None, TITLE, "Mail",
    published_at="2031-03-04",
)  # fmt: skip


def evidence(*articles: Article, copies: tuple[Copy, ...] = ()) -> Evidence:
    passages = tuple(
        Passage.of(n, 1 / n, Chunk(f"{a.id}:0", a.id, 0, len(a.text), a.text), a, copies)
        for n, a in enumerate(articles, start=1)
    )
    return Evidence(passages, {a.id: a for a in articles})


class Made:
    """An answer in the making."""

    def __init__(
        self, found: Evidence, analyser: SpacyAnalyser, words: int = EXTRACTIVE_MAX_WORDS
    ) -> None:
        self.verifier = Verifier(found, analyser)
        self.composer = Composer(found.articles, words)
        self.sides = Sides(self.verifier, self.composer, latest=False)

    def add(self, text: str) -> None:
        self.sides.add(Claim(text), self.verifier.verify(Claim(text)))

    def say(self, text: str) -> None:
        self.composer.add(Claim(text), self.verifier.verify(Claim(text)))

    @property
    def texts(self) -> list[str]:
        return [sentence.text for sentence in self.composer.sentences]


@pytest.mark.parametrize("picked", [OLD, NEW])
def test_of_what_changed_the_older_side_comes_first(picked: str, analyser: SpacyAnalyser) -> None:
    made = Made(evidence(FIRST, SECOND), analyser)
    made.add(picked)
    assert made.texts == [OLD, NEW]
    assert made.sides.conflicts == [Conflict("changed", ((1,), (2,)))]


@pytest.mark.parametrize("picked", [OLD, NEW])
def test_the_newer_side_comes_first_where_now_is_asked_for(
    picked: str, analyser: SpacyAnalyser
) -> None:
    made = Made(evidence(FIRST, SECOND), analyser)
    made.sides = Sides(made.verifier, made.composer, latest=True)
    made.add(picked)
    assert made.texts == [NEW, OLD]
    assert made.sides.conflicts == [Conflict("changed", ((2,), (1,)))]


def test_a_side_that_is_picked_as_well_is_said_once(analyser: SpacyAnalyser) -> None:
    made = Made(evidence(FIRST, SECOND), analyser)
    made.add(OLD)
    made.add(NEW)
    assert made.texts == [OLD, NEW]
    assert len(made.sides.conflicts) == 1


def test_no_conflict_is_told_without_room_for_both_sides(analyser: SpacyAnalyser) -> None:
    made = Made(evidence(FIRST, SECOND), analyser, words=len(OLD.split()) + 1)
    made.add(OLD)
    assert made.texts == [OLD]
    assert made.sides.conflicts == []


def test_an_answer_with_two_sides_has_four_sentences_at_most(analyser: SpacyAnalyser) -> None:
    made = Made(evidence(FIRST, SECOND, THIRD), analyser)
    made.add(OLD)
    made.add("The dam of Orvel was completed in 1964.")
    made.add(LEAD)
    assert len(made.texts) == MAX_SENTENCES
    assert [conflict.kind for conflict in made.sides.conflicts] == ["changed", "disagree"]


def test_copies_have_no_sides(analyser: SpacyAnalyser) -> None:
    made = Made(evidence(FIRST, SECOND, copies=(Copy("a2", "Post"),)), analyser)
    made.add(OLD)
    assert made.texts == [OLD]


def test_what_an_llm_leaves_out_is_put_after_it(analyser: SpacyAnalyser) -> None:
    made = Made(evidence(FIRST, SECOND), analyser, MAX_WORDS)
    made.say("In Orvel, 12 people were killed.")
    (ready,) = made.sides.complete()
    assert ready.sentence.text == NEW
    assert [citation.article_id for citation in ready.new_citations] == ["a2"]
    assert made.sides.conflicts == [Conflict("changed", ((1,), (2,)))]


def test_an_llm_that_says_both_gets_only_the_conflict_noted(analyser: SpacyAnalyser) -> None:
    made = Made(evidence(FIRST, SECOND), analyser, MAX_WORDS)
    made.say(NEW)
    made.say(OLD)
    assert made.sides.complete() == []
    assert made.sides.conflicts == [Conflict("changed", ((2,), (1,)))]


def test_a_difference_in_what_an_llm_does_not_say_is_left_out(analyser: SpacyAnalyser) -> None:
    made = Made(evidence(FIRST, SECOND), analyser, MAX_WORDS)
    made.say("People were killed in Orvel.")
    assert made.composer.sentences
    assert made.sides.complete() == []
    assert made.sides.conflicts == []
