"""Retrieval and the service with a reranker; how the scores are blended is in test_blending.py."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.blending import Blender
from rag.bootstrap import Parts, open_service
from rag.exact import ExactIndex
from rag.library import SqliteLibrary
from rag.ranking import FEATURES
from rag.retrieval import Retriever
from rag.settings import Settings
from rag.types import Article, Evidence, Question
from tests.fakes import FakeAnalyser, FakeEmbedder, FakeReranker
from tests.indexed import embedder, put
from tests.wired import warmed_up

QUESTION = Question("terror talks in india")
TEXTS = [
    "Terror talks in India ended.",
    "Terror talks began.",
    "Rice was dear in India.",
    "India won at chess.",
]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SqliteLibrary]:
    library = SqliteLibrary(tmp_path / "library.db")
    for number, text in enumerate(TEXTS):
        put(library, None, f"a{number}", text)
    yield library
    library.close()


async def found(library: SqliteLibrary, reranker: FakeReranker | None, limit: int = 4) -> Evidence:
    exact = ExactIndex(library, embedder.model)
    blender = Blender(reranker) if reranker else None
    retriever = Retriever(library, exact, exact, embedder, blender=blender)
    evidence = await retriever.retrieve(QUESTION, limit)
    scores = [passage.score for passage in evidence.passages]
    assert scores == sorted(scores, reverse=True)
    assert [passage.rank for passage in evidence.passages] == [*range(1, len(scores) + 1)]
    assert set(evidence.articles) == {passage.article_id for passage in evidence.passages}
    return evidence


def order(evidence: Evidence) -> list[str]:
    return [passage.article_id for passage in evidence.passages]


async def test_a_reranker_that_fails_leaves_what_there_was(
    library: SqliteLibrary, caplog: pytest.LogCaptureFixture
) -> None:
    plain = await found(library, None)
    with caplog.at_level(logging.WARNING):
        assert await found(library, FakeReranker({}, refused="chess")) == plain
    assert caplog.messages == ["not reranked: refused: chess"]


async def test_a_reranker_has_its_say_on_more_than_is_shown(library: SqliteLibrary) -> None:
    plain = await found(library, None, limit=1)
    reranker = FakeReranker({"chess": 1.0})
    reranked = await found(library, reranker, limit=1)
    assert (order(plain), order(reranked)) == (["a0"], ["a3"])
    assert [len(texts) for _, texts in reranker.asked] == [len(TEXTS)]
    assert reranked.confidence == plain.confidence, "is read from features that it was fitted on"


async def test_what_was_not_reached_stands_behind_in_the_order_of_before(
    library: SqliteLibrary,
) -> None:
    plain = order(await found(library, None))
    reranked = order(await found(library, FakeReranker({TEXTS[int(plain[1][1])]: 1.0}, reach=2)))
    assert reranked == [plain[1], plain[0], *plain[2:]]


async def test_what_the_reranker_gave_is_explained(library: SqliteLibrary) -> None:
    evidence = await found(library, FakeReranker({"chess": 0.9}, reach=4))
    for passage in evidence.passages:
        explained = evidence.explained[passage.chunk_id]
        assert list(explained) == [*FEATURES, "reranker"]
        assert sum(explained.values()) == pytest.approx(passage.score)
        assert 0.0 <= passage.score <= 1.0
    without = (await found(library, None)).explained
    assert all(list(explained) == [*FEATURES] for explained in without.values())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "data", llm_model=None, chroma_url=None)


def parts(reranker: FakeReranker | None) -> Parts:
    return Parts(embedder=FakeEmbedder(), analyser=FakeAnalyser(), reranker=reranker)


async def test_the_service_tells_of_a_reranker_only_if_there_is_one(settings: Settings) -> None:
    async with open_service(settings, parts(None)) as service:
        assert "reranker" not in await service.readiness()
    async with open_service(settings, parts(FakeReranker({}))) as service:
        assert (await service.readiness())["reranker"] == "ok: loaded when first used"
        warmed_up(service)
        assert (await service.readiness())["reranker"] == "ok: fake-reranker"


async def test_the_service_answers_on_without_its_reranker_and_says_so(settings: Settings) -> None:
    async with open_service(settings, parts(FakeReranker({}, refused="chess"))) as service:
        await service.put_article(Article("chess", "India won at chess."))
        warmed_up(service)
        evidence = await service.search(Question("Who won at chess?"), 5)
        assert order(evidence) == ["chess"]
        readiness = await service.readiness()
    assert readiness["reranker"] == "degraded: refused: chess"
    assert readiness["models"] == "ok"


@pytest.mark.slow
async def test_the_model_that_the_settings_name_reranks(settings: Settings, tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    named = settings.model_copy(update={"reranker_model": missing})
    async with open_service(named, parts(None)) as service:
        warmed_up(service)
        state = (await service.readiness())["reranker"]
    assert state.startswith(f"degraded: the reranker {missing!r} cannot be loaded")
