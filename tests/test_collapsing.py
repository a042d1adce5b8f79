import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.chunking import chunk_article
from rag.collapsing import carriers, collapse
from rag.library import SqliteLibrary
from rag.text.copies import fold
from rag.types import Article, Chunk, Copy, Filters
from tests.wire import CORRECTED, EDITED, FOLLOW_UP, ORIGINAL, STORY, text

WIRE = Article("wire", ORIGINAL, outlet="Seawire", published_at="2031-09-02")
COURIER = Article("courier", EDITED, outlet="Courier", published_at="2031-09-03")
GAZETTE = Article("gazette", text(*STORY), outlet="Gazette", published_at="2031-09-04")
SMALL = 70  # tokens of a chunk: about a paragraph


class Shelf:
    """A library of articles, chunked small."""

    def __init__(self, path: Path) -> None:
        self.library = SqliteLibrary(path)
        self.chunks: dict[str, list[Chunk]] = {}

    def put(self, *articles: Article, tokens: int = SMALL, overlap: int = 0) -> None:
        for article in articles:
            chunks = chunk_article(article, tokens, overlap)
            self.chunks[article.id] = chunks
            vectors = np.ones((len(chunks), 2), dtype=np.float32)
            self.library.put([(article, chunks, vectors)], "fake")

    def chunk(self, article_id: str, words: str) -> Chunk:
        """The first chunk of the article with these words."""
        return next(chunk for chunk in self.chunks[article_id] if words in chunk.text)

    def collapse(self, *chunks: Chunk, as_of: str | None = None, **options: object) -> list[Chunk]:
        ranked = [(chunk, 1.0 - number / 100) for number, chunk in enumerate(chunks)]
        return [one for one, _ in collapse(self.library, ranked, Filters(), as_of, **options)]

    def carriers(self, chunk: Chunk, as_of: str | None = None) -> list[str]:
        found = carriers(self.library, [chunk], Filters(), as_of)
        return [copy.article_id for copy in found.get(chunk.id, ())]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    opened = Shelf(tmp_path / "library.db")
    yield opened
    opened.library.close()


# What stays its own


def test_a_corrected_number_is_not_replaced_by_the_wrong_one(shelf: Shelf) -> None:
    shelf.put(WIRE, Article("corrected", CORRECTED, published_at="2031-09-05"))
    right, wrong = shelf.chunk("corrected", "142,000"), shelf.chunk("wire", "412,000")
    assert shelf.collapse(right, wrong) == [right, wrong]
    assert shelf.carriers(right) == shelf.carriers(wrong) == []


@pytest.mark.parametrize(
    ("told", "changed"),
    [
        ("About 240 dockers", "About 420 dockers"),
        ("none of them would be dismissed", "all of them would be dismissed"),
        ("said Maud Ellery", "said Maud Avery"),
        ("was not surprised", "was surprised"),
        ("expects to spend 18 million crowns", "expects to spend 18 million euros"),
        ("would be dismissed before the spring", "would be dismissed before the autumn"),
    ],
)
def test_a_sentence_with_another_word_in_it_stays(shelf: Shelf, told: str, changed: str) -> None:
    shelf.put(WIRE, Article("copy", text(*STORY).replace(told, changed), published_at="2031-09-03"))
    theirs, ours = shelf.chunk("copy", changed), shelf.chunk("wire", told)
    assert shelf.collapse(theirs) == [theirs]
    assert shelf.carriers(ours) == shelf.carriers(theirs) == []


def test_what_only_the_copy_has_stays(shelf: Shelf) -> None:
    addition = " In Aldmouth the mayor said that she would welcome the cranes."
    story = [*STORY[:5], STORY[5] + addition, *STORY[6:]]
    shelf.put(WIRE, Article("copy", text(*story), published_at="2031-09-03"), tokens=90)
    chunk = shelf.chunk("copy", "In Aldmouth the mayor")
    assert shelf.collapse(chunk) == [chunk]


def test_articles_that_are_no_copies_stay_though_they_share_a_paragraph(shelf: Shelf) -> None:
    shelf.put(WIRE, Article("follow-up", text(*FOLLOW_UP), published_at="2031-09-05"))
    shared = shelf.chunk("follow-up", "Imports of coal")
    assert shelf.collapse(shared) == [shared]
    assert shelf.carriers(shared) == []


def test_an_original_that_is_filtered_out_stands_for_nothing(shelf: Shelf) -> None:
    shelf.put(WIRE, GAZETTE, Article("later", text(*STORY), published_at="2031-09-09"))
    chunk = shelf.chunk("gazette", "Imports of coal")
    late = Filters(published_from="2031-09-03")
    assert collapse(shelf.library, [(chunk, 1.0)], late, None) == [(chunk, 1.0)]
    assert shelf.carriers(chunk, as_of="2031-09-08") == ["wire"]


def test_sentences_scattered_over_the_original_are_no_passage_of_it(shelf: Shelf) -> None:
    shelf.put(WIRE)
    mixed = text(STORY[7], STORY[1], STORY[4], *STORY[:1], *STORY[2:4], *STORY[5:7])
    shelf.put(Article("copy", mixed, published_at="2031-09-03"), tokens=200)
    first = shelf.chunks["copy"][0]
    assert shelf.collapse(first) == [first]


# What is brought together


def test_equal_chunks_are_one_with_the_best_score_and_all_who_carry_it(shelf: Shelf) -> None:
    shelf.put(WIRE, GAZETTE, COURIER)
    words = "Imports of coal"
    ours = shelf.chunk("wire", words)
    ranked = [
        (shelf.chunk("gazette", words), 0.9),
        (shelf.chunk("wire", "About 240"), 0.7),
        (ours, 0.6),
        (shelf.chunk("courier", words), 0.5),
    ]
    assert collapse(shelf.library, ranked, Filters(), None) == [(ours, 0.9), ranked[1]]
    found = carriers(shelf.library, [ours], Filters(), None)
    assert found == {ours.id: (Copy("courier", "Courier"), Copy("gazette", "Gazette"))}


def test_dateline_byline_credits_and_quotation_marks_make_no_difference(shelf: Shelf) -> None:
    shelf.put(WIRE, COURIER, GAZETTE, tokens=200)
    top, tail = shelf.chunks["gazette"][0], shelf.chunks["courier"][-1]
    assert "Editing by P. Sand" in tail.text
    assert shelf.collapse(top) == [shelf.chunks["wire"][0]]
    assert [chunk.article_id for chunk in shelf.collapse(tail)] == ["wire"]
    assert shelf.carriers(shelf.chunks["wire"][0]) == ["gazette"]  # the Courier changed it


@pytest.mark.parametrize(
    "dateline",
    [
        "LONDON (Reuters) - ",
        "HARROWGATE — ",
        "New Delhi, Aug. 21 (PTI) – ",
        "(CNN) ",
        "CNN — ",
        "By Jane Doe\n\nHARROWGATE, Sept 2 (Seawire) — ",
    ],
)
def test_a_dateline_is_no_part_of_the_text(shelf: Shelf, dateline: str) -> None:
    plain = Article("plain", text(*STORY), published_at="2031-09-01")
    shelf.put(plain, Article("copy", dateline + text(*STORY), published_at="2031-09-02"))
    assert shelf.collapse(shelf.chunks["copy"][0]) == [shelf.chunks["plain"][0]]


def test_a_chunk_cut_elsewhere_is_replaced_by_the_two_that_hold_it(shelf: Shelf) -> None:
    shelf.put(WIRE, tokens=110)
    shelf.put(Article("copy", text(*STORY[1:]), published_at="2031-09-03"), tokens=110)
    across = shelf.chunks["copy"][0]
    first, second = shelf.chunks["wire"][:2]
    assert across.text not in (first.text, second.text)
    assert {chunk.id for chunk in shelf.collapse(across)} == {first.id, second.id}


def test_what_two_copies_add_alike_is_one_passage_of_the_earlier(shelf: Shelf) -> None:
    addition = "The mayor of Aldmouth, Petra Lund, said that she would welcome the cranes any day."
    story = text(*STORY[:5], addition, *STORY[5:])
    shelf.put(WIRE, *(Article(f"day-{n}", story, published_at=f"2031-09-0{n}") for n in (3, 4)))
    words = "Petra Lund"
    kept = shelf.collapse(shelf.chunk("day-4", words), shelf.chunk("day-3", words))
    assert [chunk.article_id for chunk in kept] == ["day-3"]
    assert shelf.carriers(kept[0]) == ["day-4"]


def test_the_outlet_that_was_asked_for_goes_before_the_original(shelf: Shelf) -> None:
    shelf.put(WIRE, GAZETTE)
    ours, theirs = (shelf.chunk(key, "Imports of coal") for key in ("wire", "gazette"))
    assert shelf.collapse(ours, theirs, prefer={"Gazette"}) == [theirs]
    assert shelf.collapse(ours, theirs, prefer={"Elsewhere"}) == [ours]


def test_an_article_that_cut_a_passage_short_still_carries_it(shelf: Shelf) -> None:
    shelf.put(WIRE, tokens=200)
    short = (
        text(*STORY)
        .replace(" Work is to begin in February and should", "")
        .replace(" take about two years, weather permitting.", "")
    )
    shelf.put(Article("short", short, published_at="2031-09-03"), tokens=200)
    whole = shelf.chunk("wire", "Work is to begin")
    assert shelf.carriers(whole) == ["short"]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_chunk_comes_twice_and_hardly_a_sentence_is_lost(tmp_path_factory, data) -> None:
    shelf = Shelf(tmp_path_factory.mktemp("shelf") / "library.db")
    kept = data.draw(st.lists(st.sampled_from(STORY), min_size=5, unique=True), label="copied")
    tokens = data.draw(st.integers(60, 200), label="tokens")
    shelf.put(WIRE, GAZETTE, Article("copy", text(*kept, FOLLOW_UP[6])), tokens=tokens)
    pool = [chunk for chunks in shelf.chunks.values() for chunk in chunks]
    ranked = data.draw(st.lists(st.sampled_from(pool), unique=True), label="ranked")
    result = shelf.collapse(*ranked)
    shelf.library.close()
    assert len({chunk.id for chunk in result}) == len(result)
    texts = [fold(chunk.text) for chunk in result]
    for chunk in ranked:
        sentences = [fold(sentence) for sentence in re.split(r"[.!?—]”?\s", chunk.text)]
        lost = [one for one in sentences if not any(one in text for text in texts)]
        assert sum(map(len, lost)) <= 0.2 * sum(map(len, sentences))
