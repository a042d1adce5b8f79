"""Nearest-neighbour search by Chroma, as a projection of the library that can be rebuilt.

The library keeps a record of it: which generation
serves, which revision of the library it reflects, and whether it was closed in order. Whatever
the record or a look at the index calls into question is built anew, beside the old generation.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
import uuid
from collections.abc import Collection, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from rag.chroma import BATCH, ChromaCollection, Place, probe, server_address
from rag.errors import IndexUnavailableError
from rag.ports import Progress, Vectors, VectorStore

QUICK_REBUILD = 2000
"""So many vectors are indexed while a search waits for it: two seconds here."""


@dataclass(frozen=True, slots=True)
class _Record:
    """What the library knows of the index."""

    generation: str
    model: str
    revision: int  # of the library that the index reflects
    state: Literal["dirty", "ready"]  # dirty: a write has begun
    closed: bool  # in order, so that opening it is safe


class ChromaIndex:
    """The `VectorIndex` port over Chroma, embedded in `directory` or as the server at `url`.

    It opens, or is repaired, when first used; Chroma is imported only then. Whatever goes wrong
    is an `IndexUnavailableError`, and exact search over the library can stand in.
    """

    def __init__(
        self, store: VectorStore, model: str, directory: Path, url: str | None = None
    ) -> None:
        if url:
            server_address(url)  # raises `SettingsError`
        self._store = store
        self._model = model
        self._place: Place = url or directory
        self._key = f"index {url}" if url else "index"
        self._collection: ChromaCollection | None = None
        self._changing = threading.Lock()  # held while opening, writing, rebuilding
        self._publishing = threading.Lock()  # guards `_rebuilding` with what it stands for
        self._rebuilding = False  # a rebuild will itself catch up with the library
        self._failed = False  # so that not every search tries to repair it
        self._closing = False

    def state(self) -> str:
        """Either "ok" or "degraded: …", for people; nothing is opened for it."""
        if self._rebuilding:
            return "degraded: being rebuilt, exact search serves"
        if not self._failed and (
            self._collection or self._is_empty() or self._reflects(self._record())
        ):
            return "ok"
        embedded = isinstance(self._place, Path)
        what = "has to" if embedded else "the Chroma server is away, or its part of it has to"
        return f"degraded: {what} be rebuilt, exact search serves"

    def generation(self) -> str | None:
        """The generation that the library records as its index; None before the first."""
        record = self._record()
        return record.generation if record else None

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """The nearest chunks as (chunk id, cosine similarity), best first.

        Raises `IndexUnavailableError` while the index is being opened or has to be rebuilt,
        unless that is a matter of seconds.
        """
        collection = self._collection
        if collection is None:
            if self._is_empty():
                return []
            collection = self._open_quickly()
        try:
            return collection.search(vector, limit)
        except IndexUnavailableError:
            self._distrust(collection)
            raise

    def update(self, add: tuple[Sequence[str], Vectors], remove: Collection[str]) -> None:
        """Follow one write to the library; an index that missed earlier ones is rebuilt."""
        with self._publishing:
            if self._rebuilding:
                return
        with self._changing:
            collection = self._collection or self._open(behind=1)
            record = self._record()
            if collection is None or record is None or not self._reflects(record, behind=1):
                self._rebuild(None)
                return
            revision = self._store.revision()
            self._write(replace(record, state="dirty"))
            try:
                collection.remove(remove)
                collection.add(*add)
            except IndexUnavailableError:
                self._distrust(collection)
                raise
            self._write(replace(record, revision=revision))

    def repair(self, progress: Progress | None = None) -> None:
        """Make the index serve and reflect the library; no work where it does already."""
        with self._changing:
            if self._collection is None and not self._is_empty() and self._open() is None:
                self._rebuild(progress)

    def rebuild(self, progress: Progress | None = None) -> None:
        """Build it anew from the library's vectors; exact search has to serve meanwhile."""
        with self._changing:
            self._rebuild(progress)

    def close(self) -> None:
        """Close it in order; a rebuild under way is given up, to be begun again next time."""
        self._closing = True
        with self._changing:
            self._release()

    # Opening

    def _open_quickly(self) -> ChromaCollection:
        """The collection for a search that cannot wait long."""
        if not self._changing.acquire(blocking=False):
            raise IndexUnavailableError("the vector index is being opened or rebuilt")
        try:
            collection = self._collection or self._open()
            if collection is None:
                if self._failed or self._store.counts()[1] > QUICK_REBUILD:
                    raise IndexUnavailableError(
                        f"the vector index in {self._place} has to be rebuilt, unless it is just "
                        "away: run `dateline reindex`"
                    )
                collection = self._rebuild(None)
            return collection
        finally:
            self._changing.release()

    def _open(self, behind: int = 0) -> ChromaCollection | None:
        """Open the recorded index; None if it is not what it should be."""
        self._refuse_if_closed()
        record = self._record()
        if record is None or not self._reflects(record, behind):
            return None
        place, name = self._where(record.generation)
        if isinstance(place, Path) and not (
            place.is_dir() and (record.closed or probe(place, name) is not None)
        ):
            return None
        try:
            collection = ChromaCollection(place, name)
            if behind == 0 and collection.count() != self._store.counts()[1]:
                collection.close()
                return None
        except IndexUnavailableError:
            return None
        self._write(replace(record, closed=False))
        self._collection = collection
        self._failed = False
        return collection

    def _reflects(self, record: _Record | None, behind: int = 0) -> bool:
        """Whether the record is of an index that is whole, and at most so many writes behind."""
        if record is None or record.state != "ready" or record.model != self._model:
            return False
        return 0 <= self._store.revision() - record.revision <= behind

    def _is_empty(self) -> bool:
        return self._store.counts()[1] == 0

    def _distrust(self, collection: ChromaCollection) -> None:
        """Search it no more. An embedded one is to be rebuilt, a server may just be away."""
        if self._collection is collection:
            self._collection = None
            _close(collection)
            record = self._record()
            if not isinstance(self._place, Path):
                self._failed = True
            elif record:
                self._write(replace(record, state="dirty"))

    # Rebuilding

    def _rebuild(self, progress: Progress | None) -> ChromaCollection:
        self._release()
        self._rebuilding = self._failed = True
        try:
            self._collection = collection = self._build(progress)
            self._failed = False
        finally:
            self._rebuilding = False
        return collection

    def _build(self, progress: Progress | None) -> ChromaCollection:
        """A new generation that reflects the library's present revision, recorded as such."""
        generation = uuid.uuid4().hex[:12]
        place, name = self._where(generation)
        with ExitStack() as undone:
            if isinstance(place, Path):
                _make_directory(place)
                undone.callback(shutil.rmtree, place, ignore_errors=True)
            collection = ChromaCollection(place, name, create=True)
            undone.callback(_close, collection)
            self._fill(collection, generation, progress)
            undone.pop_all()
        self._drop_older(place, collection)
        return collection

    def _fill(
        self, collection: ChromaCollection, generation: str, progress: Progress | None
    ) -> None:
        """Copy the library's vectors, and what is written meanwhile, until nothing is missing."""
        ids: list[str] = []
        vectors = np.empty((0, 0), dtype=np.float32)
        while True:
            revision = self._store.revision()
            new_ids, new_vectors = self._store.vectors(self._model)
            add, remove = _difference(ids, vectors, new_ids, new_vectors)
            collection.remove(remove)
            for start in range(0, len(add), BATCH):
                self._refuse_if_closed()
                rows = add[start : start + BATCH]
                collection.add([new_ids[row] for row in rows], new_vectors[rows])
                if progress:
                    progress(start + len(rows), len(add), "vectors")
            ids, vectors = new_ids, new_vectors
            with self._publishing:
                if self._store.revision() == revision:
                    self._write(_Record(generation, self._model, revision, "ready", closed=False))
                    self._rebuilding = False
                    return

    def _drop_older(self, current: Place, collection: ChromaCollection) -> None:
        if isinstance(current, Path):
            for other in current.parent.iterdir():
                if other != current:
                    shutil.rmtree(other, ignore_errors=True)
        else:
            with suppress(IndexUnavailableError):  # the next rebuild will do it
                collection.drop_others(self._prefix())

    def _release(self) -> None:
        """Close what is open, in order."""
        collection, self._collection = self._collection, None
        if collection:
            _close(collection)
            if record := self._record():
                self._write(replace(record, closed=True))

    def _refuse_if_closed(self) -> None:
        if self._closing:
            raise IndexUnavailableError("the vector index is closed")

    # Names and the record

    def _where(self, generation: str) -> tuple[Place, str]:
        """The place and name of a generation's collection."""
        slug = re.sub(r"[^A-Za-z0-9]+", "-", self._model).strip("-")[-40:]
        digest = hashlib.sha256(self._model.encode()).hexdigest()[:8]
        place = self._place / generation if isinstance(self._place, Path) else self._place
        return place, f"{self._prefix()}{slug}-{digest}-{generation}"

    def _prefix(self) -> str:
        """What the names of this library's collections begin with; a server may hold others'."""
        return f"dateline-{(self._store.meta('library') or '')[:12]}-"

    def _record(self) -> _Record | None:
        text = self._store.meta(self._key)
        return _Record(**json.loads(text)) if text else None

    def _write(self, record: _Record) -> None:
        self._store.set_meta(self._key, json.dumps(asdict(record)))


def _difference(
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


def _make_directory(place: Path) -> None:
    try:
        place.mkdir(parents=True)
    except OSError as error:
        raise IndexUnavailableError(f"{place} cannot be made: {error}") from error


def _close(collection: ChromaCollection) -> None:
    with suppress(IndexUnavailableError):  # it is let go of anyway
        collection.close()
