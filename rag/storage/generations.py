"""What the library knows of its vector index: which generation serves, what of the library it
reflects, and how to tell whether its files and its vectors are what they should be."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from rag.ports import Vectors, VectorStore

ATTEMPTS = 3
"""So often in a row may a build fail, be it that its process died, before it has to rest."""

REST_S = 3600.0

CLOSE = 1e-3
"""What two cosines of the same vectors may differ by: Chroma's are made in another order."""

_CHUNK = 1 << 20  # bytes of a file that are read at a time


@dataclass(frozen=True, slots=True)
class Generation:
    """One build of the index, as it is recorded."""

    generation: str
    model: str
    revision: int  # of the library that the index reflects
    state: Literal["dirty", "ready"]  # dirty: a write has begun
    closed: bool  # in order, so that opening it is safe if its files are as they were then
    files: int | None = None  # the sum of its files when they were last closed in order
    remains: bool = False  # its files still hold vectors that were deleted
    previous: str | None = None  # the generation before it, which was sound, to go back to
    removed: int = 0  # vectors whose room Chroma does not use again


class Books:
    """The records of one index, kept in the library under `key`."""

    def __init__(
        self, store: VectorStore, key: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._key = key
        self._clock = clock

    def read(self) -> Generation | None:
        """The generation that serves, or is to; None before the first."""
        try:
            return Generation(**json.loads(self._store.meta(self._key) or "null"))
        except (TypeError, ValueError):  # none, or a damaged one
            return None

    def write(self, record: Generation | None) -> None:
        """Record a generation, or that there is none."""
        self._store.set_meta(self._key, json.dumps(asdict(record)) if record else "")

    def may_attempt(self) -> bool:
        """Whether another build may begin by itself; a rest is over when the clock was set back."""
        count, last = self._attempts()
        return count < ATTEMPTS or not 0 <= self._clock() - last < REST_S

    def begin_attempt(self) -> None:
        """Count a build that begins: one that takes the process with it can tell nobody."""
        self._store.set_meta(self._attempts_key, f"{self._attempts()[0] + 1} {self._clock()}")

    def end_attempts(self) -> None:
        """Forget the builds that failed."""
        if self._attempts()[0]:
            self._store.set_meta(self._attempts_key, "")

    @property
    def _attempts_key(self) -> str:
        return f"{self._key} attempts"

    def _attempts(self) -> tuple[int, float]:
        count, _, last = (self._store.meta(self._attempts_key) or "0 0").partition(" ")
        try:
            return int(count), float(last)
        except ValueError:  # damaged
            return 0, 0.0


def sum_of_files(directory: Path) -> int | None:
    """A CRC-32 over all files below a directory, with their names; None if one cannot be read."""
    crc = 0
    try:
        for path in sorted(path for path in directory.rglob("*") if path.is_file()):
            crc = zlib.crc32(str(path.relative_to(directory)).encode(), crc)
            with path.open("rb") as file:
                while block := file.read(_CHUNK):
                    crc = zlib.crc32(block, crc)
    except OSError:
        return None
    return crc


@dataclass(frozen=True, slots=True)
class Difference:
    """What a search lacks or finds otherwise, as rows of the library's `vectors`, and the ids that
    it finds and the library has not."""

    ids: Sequence[str]
    vectors: Vectors
    missing: Sequence[int]
    surplus: Collection[str]

    def is_within(self, changing: Collection[str]) -> bool:
        """Whether it is of no other ids than those that a write is about to change."""
        return {self.ids[row] for row in self.missing}.union(self.surplus) <= set(changing)


def compare(
    ids: Sequence[str], vectors: Vectors, search: Callable[[Vectors], Mapping[str, float] | None]
) -> Difference | None:
    """How what a `search` finds, which should be everything with its cosine, differs from the
    library's `vectors`; None if there is nothing to compare."""
    if not ids or (found := search(vectors[0])) is None:
        return None
    missing = [
        row
        for row, (key, cosine) in enumerate(zip(ids, (vectors @ vectors[0]).tolist(), strict=True))
        if not abs(found.get(key, np.inf) - cosine) < CLOSE
    ]
    return Difference(ids, vectors, missing, found.keys() - set(ids))


def changes(
    ids: Sequence[str], vectors: Vectors, new_ids: Sequence[str], new_vectors: Vectors
) -> tuple[list[int], set[str]]:
    """What leads from old vectors to new ones: the rows to add, and the ids to remove."""
    old = {key: row for row, key in enumerate(ids)}
    add = [
        row
        for row, key in enumerate(new_ids)
        if key not in old or not np.array_equal(vectors[old[key]], new_vectors[row])
    ]
    return add, set(ids) - set(new_ids)
