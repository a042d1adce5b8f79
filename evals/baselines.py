"""What a run is compared with: plain rankings of the same library, and systems measured before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from evals.cases import GoldQuestion
from evals.metrics import Gold
from evals.picking import PICKERS
from evals.scoring import retrieval_scores
from rag.errors import DatelineError
from rag.service import Service
from rag.types import Passage, Question

BASELINES = ("bm25", "dense", "rrf")

Peers = dict[str, dict[str, dict[str, float]]]  # scores by system and question id

RRF_K = 60
"""The constant of Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion" (2009)."""

_POOL = 100  # of each ranking, to be fused


class BaselineError(DatelineError):
    """There is no such baseline, or a file of other systems' ranks cannot be used."""


class _PeerLine(BaseModel):
    """One system: the rank of each question's first hit, by question id; 0: none among ten."""

    system: str = Field(min_length=1)
    first_rank: dict[str, int] = Field(min_length=1)


def check_names(names: Collection[str]) -> None:
    """Raises `BaselineError` for a name that is none of `BASELINES` or `PICKERS`."""
    for name in names:
        if name not in (*BASELINES, *PICKERS):
            known = ", ".join((*BASELINES, *PICKERS))
            raise BaselineError(f"--baseline {name}: there is no such baseline; known: {known}")


async def baseline_scores(
    service: Service,
    case: GoldQuestion,
    golds: Sequence[Gold],
    names: Collection[str],
    depth: int,
) -> dict[str, dict[str, float]]:
    """The retrieval scores of each named ranking's first `depth` passages, by its name."""
    names = [name for name in names if name in BASELINES]
    if not names or not golds:
        return {}
    rankings = await service.rankings(Question(case.question, as_of=case.as_of), _POOL)
    fused = reciprocal_rank_fusion(tuple(rankings.values()))
    ranked: dict[str, Sequence[Passage]] = {**rankings, "rrf": fused}
    return {name: retrieval_scores(case, golds, ranked[name][:depth]) for name in names}


def reciprocal_rank_fusion(rankings: Sequence[Sequence[Passage]]) -> list[Passage]:
    """The passages of all rankings by the sum of 1 / (60 + rank), equal ones by chunk id."""
    scores: dict[str, float] = {}
    passages: dict[str, Passage] = {}
    for ranking in rankings:
        for passage in ranking:
            share = 1 / (RRF_K + passage.rank)
            scores[passage.chunk_id] = scores.get(passage.chunk_id, 0.0) + share
            passages[passage.chunk_id] = passage
    best = sorted(scores, key=lambda id_: (-scores[id_], id_))
    return [
        replace(passages[id_], rank=rank, score=scores[id_])
        for rank, id_ in enumerate(best, start=1)
    ]


def load_peers(path: Path) -> Peers:
    """Scores of other systems, by name and question id: Hits@4, Hits@10 and MRR@10.

    Each line of the file is `{"system": "…", "first_rank": {"question id": rank, …}}`, the rank
    being that of the first hit among ten, 0 for none. Raises `BaselineError` naming the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(f"{path}: cannot be read: {error}") from error
    peers: Peers = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            peer = _PeerLine.model_validate_json(line)
        except ValidationError as error:
            fault = error.errors()[0]
            place = ".".join(map(str, fault["loc"]))
            raise BaselineError(f"{path}:{number}: {place}: {fault['msg']}") from error
        if peer.system in peers or peer.system in (*BASELINES, *PICKERS):
            raise BaselineError(f"{path}:{number}: the name {peer.system!r} is already taken")
        peers[peer.system] = {id_: _of_rank(rank) for id_, rank in peer.first_rank.items()}
    if not peers:
        raise BaselineError(f"{path}: holds no system")
    return peers


def _of_rank(rank: int) -> dict[str, float]:
    return {
        "hits@4": float(1 <= rank <= 4),
        "hits@10": float(1 <= rank <= 10),
        "mrr@10": 1 / rank if 1 <= rank <= 10 else 0.0,
    }
