from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.blending import Blended
from rag.errors import IndexUnavailableError, ModelMismatchError
from rag.exact import ExactIndex
from rag.library import SqliteLibrary
from rag.ports import Vectors
from rag.ranking import FEATURES
from rag.retrieval import Retriever
from rag.types import Article, Chunk, Filters, Question
from tests.fakes import FakeEmbedder

embedder = FakeEmbedder()


class Deleting:
    """A blender during which one article after another goes."""

    def __init__(self, library: SqliteLibrary, *ids: str) -> None:
        self.library = library
        self.left = list(ids)

    def blend(self, question: str, found: list, articles: object) -> Blended:
        self.library.delete([self.left.pop(0)] if self.left else [])
        return Blended(found)


class FakeIndex:
    """Finds the chunks it was given, whatever is asked; or is away."""

    def __init__(self, *found: str, away: bool = False) -> None:
        self.found = found
        self.away = away
        self.asked = 0

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        self.asked += 1
        if self.away:
            raise IndexUnavailableError("away")
        return [(key, 0.5) for key in self.found[:limit]]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SqliteLibrary]:
    opened = SqliteLibrary(tmp_path / "library.db")
    put(opened, "bridge", "The bridge was opened by the mayor.", "Courier", "2031-03-01")
    put(opened, "ferry", "The ferry will stop in autumn.", "Gazette", "2031-03-02")
    put(opened, "school", "A school for musicians was founded.", "Courier", "2031-03-20")
    yield opened
    opened.close()


def put(library: SqliteLibrary, key: str, text: str, outlet: str | None, day: str | None) -> None:
    article = Article(key, text, outlet=outlet, published_at=day)
    chunk = Chunk(f"{key}/0", key, 0, len(text), text)
    library.put([(article, [chunk], embedder.encode_documents([text]))], embedder.model)


def retriever(library: SqliteLibrary, index: FakeIndex | None = None) -> Retriever:
    exact = ExactIndex(library, embedder.model)
    return Retriever(library, index or FakeIndex("bridge/0"), exact, embedder)  # type: ignore[arg-type]


async def found(library: SqliteLibrary, text: str, **asked: object) -> list[str]:
    question = Question(text, **asked)  # type: ignore[arg-type]
    evidence = await retriever(library).retrieve(question, 10)
    return [passage.article_id for passage in evidence.passages]


async def test_an_empty_library_yields_nothing(tmp_path):
    empty = SqliteLibrary(tmp_path / "empty.db")
    evidence = await retriever(empty, FakeIndex()).retrieve(Question("bridge?"), 10)
    assert evidence.passages == ()
    assert evidence.confidence is not None
    assert evidence.confidence < 0.5
    empty.close()


async def test_a_search_during_which_an_article_goes_finds_what_one_after_it_does(library):
    question = Question("who opened the bridge?")
    during = retriever(library)
    during.blender = Deleting(library, "bridge")  # type: ignore[assignment]
    evidence = await during.retrieve(question, 10)
    assert evidence.passages == (await retriever(library).retrieve(question, 10)).passages
    assert evidence.confidence == (await retriever(library).retrieve(question, 10)).confidence


async def test_a_search_does_not_go_on_for_ever_while_articles_go(library):
    during = retriever(library, FakeIndex("bridge/0", "ferry/0", "school/0"))
    during.blender = Deleting(library, "bridge", "ferry", "school", "none")  # type: ignore[assignment]
    assert (await during.retrieve(Question("a bridge?"), 10)).passages == ()
    assert during.blender.left == ["none"]  # type: ignore[union-attr]


async def test_another_models_library_is_refused(library):
    other = FakeEmbedder("other")
    exact = ExactIndex(library, "other")
    with pytest.raises(ModelMismatchError):
        await Retriever(library, FakeIndex(), exact, other).retrieve(Question("bridge"), 3)  # type: ignore[arg-type]


async def test_an_unfiltered_question_reads_the_index(library):
    index = FakeIndex("school/0")
    evidence = await retriever(library, index).retrieve(Question("who opened the bridge?"), 10)
    assert (evidence.path, index.asked) == ("index", 1)
    assert {p.article_id for p in evidence.passages} == {"bridge", "school"}  # words, and the index


@pytest.mark.parametrize(
    "asked",
    [
        {"filters": Filters(outlets=("Courier",))},
        {"filters": Filters(published_to="2031-03-20")},
        {"as_of": "2031-03-20"},
    ],
)
async def test_a_filtered_question_is_searched_exactly(library, asked):
    index = FakeIndex("bridge/0")
    evidence = await retriever(library, index).retrieve(Question("bridge?", **asked), 10)
    assert (evidence.path, index.asked) == ("exact", 0)


async def test_exact_search_serves_while_the_index_is_away(library):
    evidence = await retriever(library, FakeIndex(away=True)).retrieve(Question("bridge?"), 10)
    assert evidence.path == "exact"
    assert evidence.passages[0].article_id == "bridge"


async def test_a_vector_whose_chunk_is_gone_surfaces_nothing(library):
    evidence = await retriever(library, FakeIndex("gone/7")).retrieve(Question("bridge?"), 10)
    assert [p.article_id for p in evidence.passages] == ["bridge"]


async def test_filters_bind(library):
    assert await found(library, "bridge?", filters=Filters(outlets=("Gazette",))) == ["ferry"]
    assert await found(library, "bridge?", filters=Filters(published_from="2031-03-20")) == [
        "school"
    ]
    assert await found(library, "bridge?", filters=Filters(outlets=("Nobody",))) == []


async def test_what_was_published_after_as_of_is_left_out(library):
    assert "school" not in await found(library, "school musicians", as_of="2031-03-19")
    assert (await found(library, "school musicians", as_of="2031-03-20"))[0] == "school"


async def test_a_limit_binds_and_ranks_count_from_one(library):
    evidence = await retriever(library).retrieve(Question("bridge ferry school"), 2)
    assert [p.rank for p in evidence.passages] == [1, 2]


async def test_a_budget_of_tokens_binds_but_leaves_one_passage(library):
    asking = retriever(library, FakeIndex("ferry/0", "school/0"))
    sizes = {}
    for budget in (1, 8, 16, 1000):
        evidence = await asking.retrieve(Question("bridge opened?"), 10, budget)
        sizes[budget] = len(evidence.passages)
    assert sizes == {1: 1, 8: 1, 16: 2, 1000: 3}


async def test_scores_fall_from_at_most_one_and_are_explained(library):
    question = Question("who opened the bridge, and when will the ferry stop?", as_of="2031-04-01")
    evidence = await retriever(library).retrieve(question, 10)
    scores = [p.score for p in evidence.passages]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] <= 1
    for passage in evidence.passages:
        given = evidence.explained[passage.chunk_id]
        assert set(given) == set(FEATURES)
        assert sum(given.values()) == pytest.approx(passage.score)


async def test_what_was_understood_is_told(library):
    question = Question("What did the Gazette report in March 2031 on the ferry?")
    evidence = await retriever(library).retrieve(question, 10)
    assert evidence.understood.outlets == ("Gazette",)
    assert (evidence.understood.published_from, evidence.understood.published_to) == (
        "2031-03-01",
        "2031-03-31",
    )
    assert evidence.understanding is not None
    assert evidence.understanding.understood == evidence.understood


async def test_one_misdated_article_does_not_move_today(library):
    put(library, "past", "Gulls are back.", None, "2020-05-05")
    evidence = await retriever(library).retrieve(Question("What of the ferry last week?"), 10)
    assert evidence.understood.published_to is not None
    assert evidence.understood.published_to < "2031-03-20"


async def test_a_named_outlet_goes_first_but_does_not_bind(library):
    put(library, "second", "The bridge was opened by the mayor on a wet day.", "Gazette", None)
    asked = "According to the {}, who was the bridge opened by?"
    assert (await found(library, asked.format("Courier")))[:2] == ["bridge", "second"]
    assert (await found(library, asked.format("Gazette")))[:2] == ["second", "bridge"]


async def test_an_outlet_is_known_once_its_first_article_is_there(library):
    asking = retriever(library)
    question = Question("What did the Harbour Post report?")
    assert (await asking.retrieve(question, 3)).understood.outlets == ()
    put(library, "post", "Gulls are back.", "Harbour Post", None)
    assert (await asking.retrieve(question, 3)).understood.outlets == ("Harbour Post",)


async def test_the_latest_goes_first_where_it_is_asked_for(library):
    put(library, "old", "The toll on the tunnel is 4 crowns.", "Courier", "2031-01-01")
    put(library, "new", "The toll on the tunnel is now 6 crowns.", "Courier", "2031-06-01")
    latest = await found(library, "What is the latest toll on the tunnel?")
    assert latest[:2] == ["new", "old"]


async def test_each_part_of_a_question_gets_its_passage(library):
    filler = "who opened bridge when ferry stop"
    for n in range(30):
        put(library, f"noise{n:02}", f"{filler} {n} question.", None, None)
    found_parts = await found(library, "Who founded the school, and when will the ferry stop?")
    assert {"school", "ferry"} <= set(found_parts)


async def test_a_wire_copy_counts_once_and_is_named(library):
    story = (
        "The council voted on Tuesday to close the old slaughterhouse by the river. "
        "Eleven members were in favour and four against. "
        "The site will be cleaned for two years, and flats will be built on it. "
        "The last butcher there, Ole Ransom, said he would move his shop to the market hall. "
        "Neighbours had complained of the smell for as long as anybody can remember."
    )
    put(library, "original", story, "Courier", "2031-02-01")
    put(library, "copy", story, "Gazette", "2031-02-02")
    evidence = await retriever(library).retrieve(Question("slaughterhouse by the river"), 10)
    ours = [p for p in evidence.passages if p.article_id in ("original", "copy")]
    assert [p.article_id for p in ours] == ["original"]
    assert [(c.article_id, c.outlet) for c in ours[0].copies] == [("copy", "Gazette")]
