"""Scoring the sentences of the passages: how likely each holds the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from itertools import accumulate

import numpy as np

from rag.names import is_mentioned, name_words, place_of, same_person, surname
from rag.ports import Embedder
from rag.questions import Asked
from rag.reading import Reading
from rag.wording import content_stems, numbers

WEIGHTS = (3.6, 2.2, 0.7, 0.0, 2.9, 1.5, 1.6, 1.2)
BIAS = -11.1
"""Logistic regression of "holds the answer" on `Features`, in their order, fitted on sentences of
the seed's gold questions, of news quizzes and of long-form encyclopaedic questions, each set
weighing the same; `dateline eval` measures what they bring."""

LEAD_CHARS = 1500
"""So much of an article's beginning tells what all of it is about."""


@dataclass(frozen=True, slots=True)
class Features:
    """What speaks for a sentence as an answer; each in [0, 1] or nearly so."""

    similarity: float  # cosine of sentence and question
    coverage: float  # idf-weighted share of the question's topic in the sentence
    around: float  # the same, in the sentence, the two before it, and the headline
    names: float  # share of the question's names in the sentence
    names_around: float  # … in its passage, the headline and the lead
    wanted: float  # holds an entity of the kind asked for that the question does not name
    speaker: float  # is the words of the one asked for
    passage: float  # the passage's retrieval score, as a share of the best one's


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that might answer: sentence `index` of a reading."""

    reading: Reading
    index: int
    features: Features

    @property
    def score(self) -> float:
        """Log-odds that the sentence answers."""
        return BIAS + float(np.dot(WEIGHTS, astuple(self.features)))


def score_sentences(
    asked: Asked, readings: Sequence[Reading], embedder: Embedder
) -> list[Candidate]:
    """Every sentence of the passages with its features, each sentence once."""
    places: dict[tuple[str, int], tuple[Reading, int]] = {}
    for reading in readings:
        for i in reading.inside:
            places.setdefault((reading.article.id, reading.sentences[i].start), (reading, i))
    units = list(places.values())
    if not units:
        return []
    texts = [reading.text(i, i) for reading, i in units]
    similarity = embedder.encode_documents(texts) @ embedder.encode_query(asked.text)
    stems = [frozenset(content_stems(text)) for text in texts]
    idf = _idf(asked.topic, stems)
    best = max(reading.passage.score for reading in readings) or 1.0
    found = []
    for n, (reading, i) in enumerate(units):
        features = _features(asked, reading, i, float(similarity[n]), stems[n], idf)
        features = replace(features, passage=reading.passage.score / best)
        found.append(Candidate(reading, i, features))
    return found


def _idf(stems: frozenset[str], documents: Sequence[frozenset[str]]) -> dict[str, float]:
    n = len(documents)
    return {s: math.log(1 + (n + 0.5) / (sum(s in d for d in documents) + 0.5)) for s in stems}


def _features(
    asked: Asked,
    reading: Reading,
    i: int,
    similarity: float,
    stems: frozenset[str],
    idf: dict[str, float],
) -> Features:
    total = sum(idf.values()) or 1.0
    before = reading.text(max(0, i - 2), i) + "\n" + (reading.article.title or "")
    around = frozenset(content_stems(before))
    here = name_words(reading.text(i, i) + "\n" + (reading.speeches[i].speaker or ""))
    return Features(
        similarity=similarity,
        coverage=sum(w for s, w in idf.items() if s in stems) / total,
        around=sum(w for s, w in idf.items() if s in around) / total,
        names=_share(asked.names, here),
        names_around=_share(asked.names, _about(reading)),
        wanted=float(_has_wanted(asked, reading, i)),
        speaker=float(_is_speaker(asked, reading, i)),
        passage=reading.passage.score,
    )


def mentions_all(asked: Asked, readings: Sequence[Reading]) -> bool:
    """Whether what was found mentions every name that the question does."""
    found = accumulate(map(_about, readings), frozenset.union, initial=frozenset[str]())
    return any(_share(asked.names, words) == 1 for words in found)


def _about(reading: Reading) -> frozenset[str]:
    """The words and countries of a passage, its article's headline and lead."""
    article = reading.article
    parts = (article.title, article.outlet, article.published_at, article.text[:LEAD_CHARS])
    return name_words("\n".join([*(part for part in parts if part), reading.passage.text]))


def _share(names: Sequence[str], mentioned: frozenset[str]) -> float:
    if not names:
        return 1.0
    return sum(
        is_mentioned(n, mentioned) or is_mentioned(surname(n), mentioned) for n in names
    ) / len(names)


def _has_wanted(asked: Asked, reading: Reading, i: int) -> bool:
    if not asked.wants:
        return True
    known = name_words(asked.text) | numbers(asked.text)
    return any(
        e.label in asked.wants and not is_mentioned(e.text, known)
        for e in reading.analyses[i].entities
    )


def _is_speaker(asked: Asked, reading: Reading, i: int) -> bool:
    """Whether a sentence holds the words or deeds of the one asked for: a person by name, a
    country also where the sentence names it."""
    if asked.speaker is None:
        return True
    speaker = reading.speeches[i].speaker
    if speaker and same_person(asked.speaker, speaker):
        return True
    if place_of(asked.speaker):
        return is_mentioned(asked.speaker, name_words(f"{reading.text(i, i)} {speaker or ''}"))
    return not speaker and any(
        token.dep == "nsubj" and same_person(asked.speaker, token.text)
        for token in reading.analyses[i].tokens
    )
