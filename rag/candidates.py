"""Scoring the sentences of the passages: how likely each holds the answer."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np

from rag.ports import Embedder, Vectors
from rag.query.questions import Asked
from rag.text.names import is_mentioned, name_words, place_of, same_person, surname
from rag.text.wording import content_stems, fold, numbers
from rag.types import Entity
from rag.verification.reading import Reading

WEIGHTS: Mapping[str, float] = {
    "similarity": 3.04,
    "behind": 1.53,
    "coverage": 2.44,
    "around": 0.61,
    "names_around": 0.7,
    "wanted": 0.98,
    "kind": 0.36,
    "speaker": 0.84,
    "passage": 5.21,
    "rank": 0.31,
    "new": 0.19,
    "agreement": 1.31,
    "central": -1.72,
}
BIAS = -10.78
"""Logistic regression of "holds the answer" on `Features`, fitted by `python -m evals.tune_answers`
on the tuning halves of the seed's gold questions, `evals/gold/news`, news quizzes and long-form
encyclopaedic questions; docs/evals.md tells what it brings."""

LEAD_CHARS = 1500
"""So much of an article's beginning tells what all of it is about."""

ATTENTION = 10.0
"""How much more a sentence counts that is more like the question, by e^(10 · cosine)."""


@dataclass(frozen=True, slots=True)
class Features:
    """What speaks for a sentence as an answer, or against it; each between -1 and 1, or nearly."""

    similarity: float  # cosine of sentence and question
    behind: float  # how much less that is than the best sentence's: 0 or negative
    coverage: float  # idf-weighted share of the question's topic in the sentence
    around: float  # the same, in the sentence, the two before it, and the headline
    names_around: float  # share of the question's names in its passage, the headline and the lead
    wanted: float  # holds an entity of the kind asked for that the question does not name
    kind: float  # the same, where a kind is asked for at all
    speaker: float  # is the words of the one asked for
    passage: float  # the passage's retrieval score, as a share of the best one's
    rank: float  # 1 / the passage's rank
    new: float  # how many stems it has that the question has not, in tens
    agreement: float  # how well sentences of other articles fit that name the same entity
    central: float  # mean cosine with the sentences that are most like the question


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that might answer: sentence `index` of a reading."""

    reading: Reading
    index: int
    features: Features
    score: float = 0.0  # log-odds that it answers

    @property
    def text(self) -> str:
        """The sentence."""
        return self.reading.text(self.index, self.index)

    @property
    def probability(self) -> float:
        """How likely it answers, in (0, 1)."""
        return 1 / (1 + math.exp(-self.score))


def score_sentences(
    asked: Asked, readings: Sequence[Reading], embedder: Embedder
) -> list[Candidate]:
    """Every sentence of the passages with its features, each sentence once."""
    places: dict[tuple[str, int], tuple[Reading, int]] = {}
    for reading in readings:
        for i in reading.inside:
            places.setdefault((reading.article.id, reading.sentences[i].start), (reading, i))
    if not places:
        return []
    pool = _Pool(asked, list(places.values()), embedder)
    found = []
    for n, (reading, i) in enumerate(pool.units):
        features = pool.read(n)
        found.append(Candidate(reading, i, features, score_of(features)))
    return found


def score_of(features: Features) -> float:
    """Log-odds that a sentence with these features answers."""
    weighed = (weight * float(getattr(features, name)) for name, weight in WEIGHTS.items())
    return BIAS + sum(weighed)


class _Pool:
    """The sentences considered for a question, and what they say together."""

    def __init__(
        self, asked: Asked, units: Sequence[tuple[Reading, int]], embedder: Embedder
    ) -> None:
        self.asked = asked
        self.units = units
        texts = [reading.text(i, i) for reading, i in units]
        vectors = embedder.encode_documents(texts)
        self._similar: Vectors = vectors @ embedder.encode_query(asked.text)
        self._stems = [frozenset(content_stems(text)) for text in texts]
        frequencies = Counter(stem for stems in self._stems for stem in stems)
        self._topic = _Weighted(asked.topic, frequencies, len(units))
        self._central = _centrality(vectors, self._similar)
        self._known = name_words(asked.text) | numbers(asked.text)
        self._found = [self._entities(reading, i) for reading, i in units]
        self._votes = self._agreement()
        self._best = max(reading.passage.score for reading, _ in units) or 1.0
        self._about: dict[tuple[str, int], float] = {}

    def read(self, n: int) -> Features:
        """The features of sentence `n`."""
        asked, (reading, i), stems = self.asked, self.units[n], self._stems[n]
        similarity = float(self._similar[n])
        context = reading.text(max(0, i - 2), i) + "\n" + (reading.article.title or "")
        wanted = not asked.wants or bool(self._found[n])
        return Features(
            similarity=similarity,
            behind=similarity - float(self._similar.max()),
            coverage=self._topic.share(stems),
            around=self._topic.share(frozenset(content_stems(context))),
            names_around=self._names_around(reading),
            wanted=float(wanted),
            kind=float(wanted and bool(asked.wants)),
            speaker=float(_is_speaker(asked, reading, i)),
            passage=reading.passage.score / self._best,
            rank=1 / reading.passage.rank,
            new=len(stems - self._question_stems) / 10,
            agreement=self._votes[n],
            central=float(self._central[n]),
        )

    @cached_property
    def _question_stems(self) -> frozenset[str]:
        return frozenset(content_stems(self.asked.text))

    def _names_around(self, reading: Reading) -> float:
        key = (reading.article.id, reading.passage.start)
        if key not in self._about:
            self._about[key] = _share(self.asked.names, _about(reading))
        return self._about[key]

    def _entities(self, reading: Reading, i: int) -> frozenset[str]:
        """What a sentence names, of the kind asked for, that the question does not."""
        entities = (e for e in reading.analyses[i].entities if self._is_wanted(e))
        return frozenset(fold(e.text).removeprefix("the ") for e in entities)

    def _is_wanted(self, entity: Entity) -> bool:
        kind = not self.asked.wants or entity.label in self.asked.wants
        return kind and not is_mentioned(entity.text, self._known)

    def _agreement(self) -> list[float]:
        """For each sentence, how well the best sentences of other articles fit that name an
        entity of its own: the logarithm of 1 + their sum, for the entity that has most."""
        fit = np.maximum(self._similar, 0.0) ** 2
        best: dict[str, dict[str, float]] = defaultdict(dict)
        for n, (reading, _) in enumerate(self.units):
            for entity in self._found[n]:
                told = best[entity]
                told[reading.article.id] = max(told.get(reading.article.id, 0.0), float(fit[n]))
        return [
            math.log1p(
                max(
                    (
                        sum(v for id_, v in best[e].items() if id_ != reading.article.id)
                        for e in own
                    ),
                    default=0.0,
                )
            )
            for (reading, _), own in zip(self.units, self._found, strict=True)
        ]


class _Weighted:
    """Stems that weigh the more, the fewer of the sentences have them."""

    def __init__(self, stems: frozenset[str], frequencies: Mapping[str, int], size: int) -> None:
        self._weights = {stem: _idf(frequencies.get(stem, 0), size) for stem in stems}
        self._total = sum(self._weights.values()) or 1.0

    def share(self, stems: frozenset[str]) -> float:
        """The weight of those that are among `stems`, as a share of all."""
        return sum(w for stem, w in self._weights.items() if stem in stems) / self._total


def _idf(frequency: int, size: int) -> float:
    return math.log(1 + (size - frequency + 0.5) / (frequency + 0.5))


def _centrality(vectors: Vectors, similar: Vectors) -> Vectors:
    """The mean cosine of each sentence with the others, those most like the question counting most
    (after Erkan and Radev, "LexRank", 2004, and Otterbacher et al., 2009)."""
    attention = np.exp(ATTENTION * (similar - similar.max()))
    shares = attention / attention.sum()
    central: Vectors = vectors @ (vectors.T @ shares) - shares
    return central


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
