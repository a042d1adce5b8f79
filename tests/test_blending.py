import logging

import pytest

from rag.blending import RERANKED, WEIGHT, Blender
from rag.types import Article, Chunk
from tests.fakes import FakeReranker

QUESTION = "Who won?"


def chunks(*scores: float) -> list[tuple[Chunk, float]]:
    """Chunks c0, c1 … of articles of their own, with the texts "text 0.", "text 1." …"""
    texts = [f"text {n}." for n in range(len(scores))]
    return [
        (Chunk(f"c{n}", f"a{n}", 0, len(texts[n]), texts[n]), score)
        for n, score in enumerate(scores)
    ]


def ids(ranked: list[tuple[Chunk, float]]) -> list[str]:
    return [chunk.id for chunk, _ in ranked]


def test_a_failure_leaves_the_order_and_is_told_each_time(caplog: pytest.LogCaptureFixture):
    reranker = FakeReranker({"1.": 1.0}, refused="text 0.")
    blender = Blender(reranker)
    ranked = chunks(0.9, 0.8)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            blended = blender.blend(QUESTION, ranked, {})
            assert (blended.ranked, blended.scale, blended.given) == (ranked, 1.0, {})
    assert caplog.messages == ["not reranked: refused: text 0."] * 2
    assert blender.state == "degraded: refused: text 0."
    reranker.refused = None
    assert ids(blender.blend(QUESTION, ranked, {}).ranked) == ["c1", "c0"]
    assert blender.state == "ok: fake-reranker"


def test_no_time_at_all_leaves_the_order_and_the_scores():
    ranked = chunks(0.9, 0.8)
    blended = Blender(FakeReranker({"1.": 1.0}, reach=0)).blend(QUESTION, ranked, {})
    assert (blended.ranked, blended.scale, blended.given) == (ranked, 1.0, {})


@pytest.mark.parametrize("ranked", [[], chunks(0.0, -0.1)])
def test_without_a_chunk_that_fits_nothing_is_read(ranked: list[tuple[Chunk, float]]):
    reranker = FakeReranker({})
    assert Blender(reranker).blend(QUESTION, ranked, {}).ranked == ranked
    assert reranker.asked == []


def test_the_best_chunks_are_read_with_their_titles():
    reranker = FakeReranker({})
    articles = {"a0": Article("a0", "text 0.", title="Chess"), "a1": Article("a1", "text 1.")}
    Blender(reranker).blend(QUESTION, chunks(*[0.5] * (RERANKED + 5)), articles)
    ((question, texts),) = reranker.asked
    assert question == QUESTION
    assert texts[:3] == ["Chess\ntext 0.", "text 1.", "text 2."]
    assert len(texts) == RERANKED


def test_relevance_moves_a_chunk_up_and_our_score_decides_where_it_is_equal():
    blender = Blender(FakeReranker({"2.": 0.9, "3.": 0.9}))
    blended = blender.blend(QUESTION, chunks(0.8, 0.7, 0.4, 0.5), {})
    assert ids(blended.ranked) == ["c3", "c2", "c0", "c1"]
    assert blended.ranked[0][1] == pytest.approx((1 - WEIGHT) * 0.5 / 0.8 + WEIGHT * 0.9)


def test_what_was_not_read_keeps_its_order_behind_what_was():
    blender = Blender(FakeReranker({"0.": 0.0, "1.": 0.4, "2.": 0.1, "4.": 1.0}, reach=3))
    blended = blender.blend(QUESTION, chunks(0.6, 0.6, 0.6, 0.6, 0.5), {})
    assert ids(blended.ranked) == ["c1", "c2", "c0", "c3", "c4"]
    assert set(blended.given) == {"c0", "c1", "c2"}


@pytest.mark.parametrize("best", [0.1, 1.0, 2.3])
def test_scores_stay_between_0_and_1_and_fall_with_the_rank(best: float):
    ours = [best * share for share in (1.0, 0.9, 0.9, 0.3, 0.0, -0.1)]
    blender = Blender(FakeReranker({"0.": 1.0, "3.": 1.0, "1.": 0.2}, reach=4))
    blended = blender.blend(QUESTION, chunks(*ours), {})
    scores = [score for _, score in blended.ranked]
    assert scores == sorted(scores, reverse=True)
    assert 0.0 <= min(scores) <= max(scores) == 1.0


def test_a_score_is_the_sum_of_what_explains_it():
    ranked = chunks(0.8, 0.4)
    blended = Blender(FakeReranker({"1.": 0.7}, reach=2)).blend(QUESTION, ranked, {})
    ours = {chunk.id: score * blended.scale for chunk, score in ranked}
    for chunk, score in blended.ranked:
        assert ours[chunk.id] + blended.given_to(chunk)["reranker"] == pytest.approx(score)


def test_warming_up_loads_the_reranker():
    reranker = FakeReranker({})
    blender = Blender(reranker)
    assert blender.state == "ok: loaded when first used"
    blender.warm_up()
    assert len(reranker.asked) == 1
    assert blender.state == "ok: fake-reranker"
