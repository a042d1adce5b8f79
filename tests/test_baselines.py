import json
from pathlib import Path

import pytest

from evals.baselines import (
    BaselineError,
    baseline_scores,
    check_names,
    load_peers,
    reciprocal_rank_fusion,
)
from evals.cases import GoldQuestion
from evals.metrics import Gold
from rag.types import Article, Passage
from tests.fakes import ScriptedService

CASE = GoldQuestion("q1", "what burned?", ("the mill",), (), True, "fact")


def ranking(*names: str) -> list[Passage]:
    return [Passage(n, 1 / n, name, name, name, 0, 1) for n, name in enumerate(names, start=1)]


def peers(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
    return path


def test_an_unknown_baseline_is_refused():
    check_names(["bm25", "dense", "rrf"])
    with pytest.raises(BaselineError, match=r"tfidf: .* known: bm25, dense, rrf"):
        check_names(["bm25", "tfidf"])


def test_fusion_adds_up_reciprocal_ranks():
    fused = reciprocal_rank_fusion([ranking("a", "b", "c"), ranking("b", "d", "a")])

    assert [p.chunk_id for p in fused] == ["b", "a", "d", "c"]
    assert [p.rank for p in fused] == [1, 2, 3, 4]
    assert fused[0].score == pytest.approx(1 / 62 + 1 / 61)
    assert fused[3].score == pytest.approx(1 / 63)
    assert reciprocal_rank_fusion([]) == reciprocal_rank_fusion([[], []]) == []


async def test_each_baseline_is_scored_as_our_own_ranking_is():
    service = ScriptedService()
    texts = ["Rain fell.", "Snow fell.", "The mill burned."]
    service.library = {f"a{n}": Article(f"a{n}", text) for n, text in enumerate(texts)}
    golds = [Gold("a2")]

    scores = await baseline_scores(service, CASE, golds, ["bm25", "dense", "rrf"], 10)

    assert {name: found["mrr@10"] for name, found in scores.items()} == {
        "bm25": pytest.approx(1 / 3),
        "dense": 1,
        "rrf": pytest.approx(1 / 2),  # ranks 3 and 1 tie with 1 and 3, and lose by name
    }
    assert (await baseline_scores(service, CASE, golds, ["bm25"], 2))["bm25"]["hits@10"] == 0
    assert await baseline_scores(service, CASE, golds, [], 10) == {}
    assert await baseline_scores(service, CASE, [], ["bm25"], 10) == {}


def test_peers_are_scored_by_the_rank_of_their_first_hit(tmp_path):
    path = peers(
        tmp_path / "peers.jsonl",
        {"system": "other 1.0", "hits@4": 0.5, "first_rank": {"q1": 1, "q2": 5, "q3": 0, "q4": 11}},
        "",
        {"system": "another", "first_rank": {"q1": 4}},
    )

    found = load_peers(path)

    assert list(found) == ["other 1.0", "another"]
    assert found["another"]["q1"] == {"hits@4": 1, "hits@10": 1, "mrr@10": 0.25}
    assert found["other 1.0"]["q2"] == {"hits@4": 0, "hits@10": 1, "mrr@10": 0.2}
    for missed in ("q3", "q4"):
        assert set(found["other 1.0"][missed].values()) == {0}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "holds no system"),
        (["{"], r"peers\.jsonl:1: : Invalid JSON"),
        ([{"system": "x"}], r":1: first_rank: Field required"),
        ([{"system": "x", "first_rank": {"q1": "first"}}], r":1: first_rank\.q1: "),
        ([{"system": "x", "first_rank": {}}], r":1: first_rank: "),
        ([{"system": "x", "first_rank": {"q1": 1}}] * 2, r":2: the name 'x' is already taken"),
        ([{"system": "rrf", "first_rank": {"q1": 1}}], r":1: the name 'rrf' is already taken"),
    ],
)
def test_a_file_of_peers_that_cannot_be_used_is_refused(tmp_path, lines, message):
    with pytest.raises(BaselineError, match=message):
        load_peers(peers(tmp_path / "peers.jsonl", *lines))


def test_a_missing_file_of_peers_is_named(tmp_path):
    with pytest.raises(BaselineError, match=r"none\.jsonl: cannot be read"):
        load_peers(tmp_path / "none.jsonl")
