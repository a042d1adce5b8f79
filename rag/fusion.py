"""Fusing rankings of different kinds into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def fuse(rankings: Sequence[tuple[float, Mapping[str, float]]]) -> dict[str, float]:
    """Weighted sum of the rankings' min-max normalised scores, by id; results lie in [0, 1].

    `rankings` holds (weight, scores by id). An id that a ranking lacks counts as its lowest.
    Convex combination as in Bruch et al., "An Analysis of Fusion Functions for Hybrid
    Retrieval" (2023), which ranks better than reciprocal ranks once the weights are tuned.
    """
    total = sum(weight for weight, scores in rankings if scores) or 1.0
    fused: dict[str, float] = {}
    for weight, scores in rankings:
        for key, value in _normalised(scores).items():
            fused[key] = fused.get(key, 0.0) + weight / total * value
    return fused


def _normalised(scores: Mapping[str, float]) -> dict[str, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    span = high - low
    return {key: (value - low) / span if span else 1.0 for key, value in scores.items()}
