"""Exact nearest-neighbour search by NumPy over the library's vectors."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from rag.ports import Vectors, VectorStore

FEW = 4096
"""For so many candidates it is not worth while to read all vectors into memory."""


class ExactIndex:
    """Exact search by NumPy over the library's vectors, kept in memory between its changes."""

    def __init__(self, store: VectorStore, model: str) -> None:
        self._store = store
        self._model = model
        self._loading = threading.Lock()
        self._held: _Held | None = None

    def search(
        self, vector: Vectors, limit: int, within: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """The nearest chunks, of those in `within` if given, as (chunk id, cosine similarity),
        best first."""
        if within is not None and len(within) <= FEW and not self._is_current():
            ids, vectors = self._store.vectors_of(within, self._model)
            return _best(ids, vectors @ vector, limit) if ids else []
        held = self._load()
        if within is None:
            return _best(held.ids, held.vectors @ vector, limit) if held.ids else []
        rows = [row for key in within if (row := held.rows.get(key)) is not None]
        if not rows:
            return []
        few = len(rows) < len(held.ids) // 8  # copying rows costs more than multiplying them
        similarities = held.vectors[rows] @ vector if few else (held.vectors @ vector)[rows]
        return _best([held.ids[row] for row in rows], similarities, limit)

    def _is_current(self) -> bool:
        return self._held is not None and self._held.revision == self._store.revision()

    def _load(self) -> _Held:
        with self._loading:
            revision = self._store.revision()  # before its vectors: too old a label is harmless
            if self._held is None or self._held.revision != revision:
                ids, vectors = self._store.vectors(self._model)
                rows = {key: row for row, key in enumerate(ids)}
                self._held = _Held(revision, ids, rows, vectors)
            return self._held


@dataclass(frozen=True, slots=True)
class _Held:
    """All vectors as of one revision of the library, and the row of each chunk."""

    revision: int
    ids: list[str]
    rows: dict[str, int]
    vectors: Vectors


def _best(ids: Sequence[str], similarities: Vectors, limit: int) -> list[tuple[str, float]]:
    """The `limit` most similar, best first, equal ones by id."""
    rows: Sequence[int] = range(len(ids))
    if limit < len(ids):
        least = np.partition(similarities, -limit)[-limit]
        rows = np.flatnonzero(similarities >= least).tolist()
    found = [(ids[row], float(similarities[row])) for row in rows]
    return sorted(found, key=lambda one: (-one[1], one[0]))[:limit]
