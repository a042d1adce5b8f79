"""Which of the likely sentences make the answer: as many as it takes, and no more."""

from __future__ import annotations

from collections.abc import Sequence

from rag.candidates import Candidate
from rag.composing import EXTRACTIVE_MAX_WORDS
from rag.excerpts import claims_of
from rag.text.wording import content_stems

MAX_SENTENCES = 4
MARGIN = 2.0
"""So much less likely than the best one, in log-odds, may a further sentence be. Chosen among 1.5
to 3 with `evals.tune_answers`: a wider margin contains more answers and cites worse."""

SAME_SHARE = 0.7
"""Two sentences that share this much of their words say the same."""


def select(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The best first sentences of `candidates`, none of which says what another does, that fit
    into an answer: as long as they are within `MARGIN` of the best, or the expected token F1 with
    all that answers grows (after Ye et al., "Optimizing F-measures", ICML 2012)."""
    ranked = sorted(candidates, key=lambda c: -c.score)
    told = sum(c.probability * len(c.text.split()) for c in ranked)
    chosen: list[Candidate] = []
    length = right = best = 0.0
    for candidate in ranked:
        if len(chosen) == MAX_SENTENCES:
            break
        words = len(claims_of([candidate])[0].text.split())
        if length + words > EXTRACTIVE_MAX_WORDS or _is_said(candidate, chosen):
            continue
        gained = right + candidate.probability * words
        expected = 2 * gained / (length + words + told)
        if chosen and expected <= best and candidate.score <= ranked[0].score - MARGIN:
            break
        chosen.append(candidate)
        length, right, best = length + words, gained, max(best, expected)
    return chosen


def _is_said(candidate: Candidate, chosen: Sequence[Candidate]) -> bool:
    mine = frozenset(content_stems(candidate.text))
    others = (frozenset(content_stems(other.text)) for other in chosen)
    return any(len(mine & other) >= SAME_SHARE * min(len(mine), len(other)) for other in others)
