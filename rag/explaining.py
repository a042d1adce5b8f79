"""Why a search found what it found: what was understood, and what gave each passage its score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from rag.types import Evidence, Passage, Period, Understood


def understood_lines(evidence: Evidence) -> Iterator[str]:
    """What was read out of the question and its filters, a line each; a line if nothing was."""
    lines = list(_understood(evidence))
    yield from lines or ["Nothing but words was read out of the question."]


def score_line(evidence: Evidence, passage: Passage) -> str:
    """A passage's score, and what each feature gave to it, the weightiest first."""
    given = evidence.explained.get(passage.chunk_id, {})
    weightiest = sorted(given.items(), key=lambda feature: (-abs(feature[1]), feature[0]))
    features = "".join(f" · {name} {value:+.3f}" for name, value in weightiest if value)
    return f"score {passage.score:.3f}{features}"


def explained_json(document: Mapping[str, Any], evidence: Evidence) -> dict[str, Any]:
    """The contract's document of a search, with `explained` in each of its passages and the
    `understanding` beside them, null where there is none."""
    passages = [
        {**passage, "explained": dict(evidence.explained.get(passage["chunk_id"], {}))}
        for passage in document["passages"]
    ]
    understanding = evidence.understanding and asdict(evidence.understanding)
    return {**document, "passages": passages, "understanding": understanding}


def _understood(evidence: Evidence) -> Iterator[str]:
    understood = evidence.understood
    if understood.as_of:
        yield f"as of: {understood.as_of}"
    understanding = evidence.understanding
    periods = understanding.periods if understanding else ()
    if days := [*_bounds(understood, periods), *map(_days, periods)]:
        yield f"published: {', '.join(days)}"
    if understood.outlets:
        yield f"outlets: {', '.join(understood.outlets)}"
    if understood.latest:
        yield "latest: the newest articles are wanted"
    if understanding:
        if understanding.phrases:
            yield f"phrases: {', '.join(f'“{phrase}”' for phrase in understanding.phrases)}"
        if understanding.names:
            yield f"names: {', '.join(understanding.names)}"
        for number, part in enumerate(understanding.parts[1:], start=1):
            yield f"part {number}: {part}"


def _bounds(understood: Understood, periods: tuple[Period, ...]) -> Iterator[str]:
    """The bounds, unless one period says the same."""
    bounds = Period(understood.published_from, understood.published_to)
    if bounds != Period() and periods != (bounds,):
        yield _days(bounds)


def _days(period: Period) -> str:
    if period.first == period.last:
        return period.first or "any day"
    ends = (period.first and f"from {period.first}", period.last and f"to {period.last}")
    return " ".join(end for end in ends if end)
