"""Exact nearest-neighbour search by NumPy over the library's vectors."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from rag.ports import Rows, Vectors, VectorStore

FEW = 4096
"""For so many candidates it is not worth while to read all vectors into memory."""

RUN = 8
"""Vectors that stand together: where there are so many on average, each run is multiplied as it
lies; below, gathering them is faster. Measured, as the next two, on 50,000 × 384."""

WIDE = 0.7
"""Where a larger part of all vectors is let through, and in short runs, all are multiplied."""

BLOCK = 512
"""Vectors that are gathered and multiplied at a time: they stay in the CPU's nearer cache."""


class ExactIndex:
    """Exact search by NumPy over the library's vectors, kept in memory between its changes."""

    def __init__(self, store: VectorStore, model: str) -> None:
        self._store = store
        self._model = model
        self._loading = threading.Lock()
        self._held: _Held | None = None

    def search(
        self, vector: Vectors, limit: int, within: Rows | None = None
    ) -> list[tuple[str, float]]:
        """The nearest chunks, of those in `within` if given, as (chunk id, cosine similarity),
        best first, equal ones by id."""
        if within is None:
            all_ = self._load()
            return _best(all_.ids, all_.vectors @ vector, limit) if all_.ids else []
        held = self._held  # of an older revision perhaps, but a number keeps its vector
        places = held.places(within) if held else within[:0]
        if held is None or len(places) < len(within):
            if len(within) <= FEW:
                _, ids, vectors = self._store.vectors_at(within, self._model)
                return _best(ids, vectors @ vector, limit) if ids else []
            held = self._load()
            places = held.places(within)
        places, products = held.products(places, vector)
        return _best(held.ids, products, limit, places)

    def similarities(self, vector: Vectors, ids: Collection[str]) -> dict[str, float]:
        """The cosine similarity of each stored chunk among `ids`, some hundreds at most."""
        found, vectors = self._store.vectors_of(ids, self._model)
        return dict(zip(found, (vectors @ vector).tolist(), strict=True)) if found else {}

    def _load(self) -> _Held:
        with self._loading:
            revision = self._store.revision()  # before its vectors: too old a label is harmless
            if self._held is None or self._held.revision != revision:
                self._held = self._follow(self._held, revision)
            return self._held

    def _follow(self, held: _Held | None, revision: int) -> _Held:
        """All vectors, of which only those are read that are not held already, unless many."""
        if held and held.ids:
            rows = self._store.rows()
            fresh = np.setdiff1d(rows, held.rows, assume_unique=True)
            if len(fresh) < len(rows) / 8:
                kept = held.only(np.isin(held.rows, rows, assume_unique=True))
                return kept.grown(*self._store.vectors_at(fresh, self._model), revision)
        return _Held(revision, *self._store.vectors_at(None, self._model))


@dataclass(frozen=True, slots=True)
class _Held:
    """All vectors as of one revision of the library."""

    revision: int
    rows: Rows
    ids: list[str]
    vectors: Vectors
    place: Rows = field(init=False)  # of each number's vector; any for those that are not held

    def __post_init__(self) -> None:
        place = np.zeros(self.rows.max(initial=0) + 1, dtype=np.int64)
        place[self.rows] = np.arange(len(self.rows))
        object.__setattr__(self, "place", place)

    def places(self, rows: Rows) -> Rows:
        """Where the vectors of these chunks stand, but for those that are not held."""
        if not self.ids:
            return rows[:0]
        places = self.place.take(rows, mode="clip")
        found = self.rows.take(places) == rows
        return places if found.all() else places[found]

    def products(self, places: Rows, vector: Vectors) -> tuple[Rows, Vectors]:
        """The places, rising, and the products of the vectors there with `vector`."""
        chosen = np.zeros(len(self.ids), dtype=np.bool_)
        chosen[places] = True
        places = np.flatnonzero(chosen)
        edges = np.flatnonzero(np.diff(chosen, prepend=False, append=False)).tolist()
        runs = list(zip(edges[::2], edges[1::2], strict=True))
        if len(runs) * RUN <= len(places):
            return places, self._products_of_runs(runs, len(places), vector)
        if len(places) > WIDE * len(self.ids):
            return places, (self.vectors @ vector)[places]
        return places, self._products_at(places, vector)

    def _products_of_runs(
        self, runs: Sequence[tuple[int, int]], count: int, vector: Vectors
    ) -> Vectors:
        products = np.empty(count, dtype=np.float32)
        done = 0
        for start, end in runs:
            np.dot(self.vectors[start:end], vector, out=products[done : done + end - start])
            done += end - start
        return products

    def _products_at(self, places: Rows, vector: Vectors) -> Vectors:
        products = np.empty(len(places), dtype=np.float32)
        block = np.empty((BLOCK, len(vector)), dtype=np.float32)
        for start in range(0, len(places), BLOCK):
            some = places[start : start + BLOCK]
            gathered = block[: len(some)]
            # With `clip` NumPy writes into `out` directly; no place is out of range.
            np.take(self.vectors, some, axis=0, out=gathered, mode="clip")
            np.dot(gathered, vector, out=products[start : start + BLOCK])
        return products

    def only(self, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> _Held:
        """Without the vectors that are not kept."""
        if kept.all():
            return self
        ids = [key for key, stays in zip(self.ids, kept.tolist(), strict=True) if stays]
        return _Held(self.revision, self.rows[kept], ids, self.vectors[kept])

    def grown(self, rows: Rows, ids: list[str], vectors: Vectors, revision: int) -> _Held:
        """With more vectors at its end, as of a later revision."""
        if not ids:
            return _Held(revision, self.rows, self.ids, self.vectors)
        return _Held(
            revision,
            np.concatenate([self.rows, rows]),
            self.ids + ids,
            np.concatenate([self.vectors, vectors]),
        )


def _best(
    ids: Sequence[str], similarities: Vectors, limit: int, places: Rows | None = None
) -> list[tuple[str, float]]:
    """The `limit` most similar, best first, equal ones by id; `places` tells where in `ids` each
    similarity belongs, if not in order."""
    found = np.arange(len(similarities))
    if limit < len(similarities):
        least = np.partition(similarities, -limit)[-limit]
        found = np.flatnonzero(similarities >= least)
    keys = [ids[place] for place in (found if places is None else places[found]).tolist()]
    scored = zip(keys, similarities[found].tolist(), strict=True)
    return sorted(scored, key=lambda one: (-one[1], one[0]))[:limit]
