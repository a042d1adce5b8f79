from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import ModelMismatchError
from rag.exact import ExactIndex
from rag.library import SqliteLibrary
from rag.rankings import Rankings
from rag.types import Filters, Question
from tests.fakes import FakeEmbedder
from tests.indexed import embedder, put


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SqliteLibrary]:
    opened = SqliteLibrary(tmp_path / "library.db")
    put(opened, None, "a", "chess and trade", "rice", "monsoon")
    put(opened, None, "b", "trade and budget and railway")
    yield opened
    opened.close()


@pytest.fixture
def rankings(library: SqliteLibrary) -> Rankings:
    return Rankings(library, ExactIndex(library, embedder.model), embedder)


async def test_another_models_library_is_refused(library):
    other = FakeEmbedder("other")
    with pytest.raises(ModelMismatchError):
        await Rankings(library, ExactIndex(library, "other"), other).rank(Question("chess"), 3)


async def test_each_search_ranks_alone(rankings):
    found = await rankings.rank(Question("chess, trade?"), 10)

    assert [p.chunk_id for p in found["bm25"]] == ["a/0", "b/0"]
    assert [p.rank for p in found["bm25"]] == [1, 2]
    assert {p.chunk_id for p in found["dense"]} == {"a/0", "a/1", "a/2", "b/0"}
    scores = [p.score for p in found["dense"]]
    assert scores == sorted(scores, reverse=True)
    nearest = await rankings.rank(Question("monsoon"), 1)
    assert [p.text for p in nearest["dense"]] == ["monsoon"]


async def test_a_limit_and_filters_bind(rankings):
    question = Question("trade", filters=Filters(article_ids=("b",)))
    found = await rankings.rank(question, 10)
    assert [[p.article_id for p in ranking] for ranking in found.values()] == [["b"], ["b"]]

    assert [len(ranking) for ranking in (await rankings.rank(Question("trade"), 1)).values()] == [
        1,
        1,
    ]


async def test_nothing_is_found_where_nothing_is(rankings):
    found = await rankings.rank(Question("?!", filters=Filters(outlets=("none",))), 10)
    assert found == {"bm25": (), "dense": ()}
