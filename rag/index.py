"""Nearest-neighbour search by Chroma, as a projection of the library that can be rebuilt.

The library keeps a record of it (`rag.storage.generations`). Whatever the record or a look at the
index calls into question is built anew, beside the old generation; so is what still holds deleted
vectors.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Collection, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from rag.errors import IndexUnavailableError, LibraryError
from rag.ports import Progress, Vectors, VectorStore
from rag.storage.chroma import BATCH, ChromaCollection, reach
from rag.storage.generations import Books, Generation, changes, compare, sum_of_files
from rag.storage.sites import Site, close

QUICK_REBUILD = 2000
"""So many vectors are indexed while a search waits for it: two seconds here."""

WASTE = QUICK_REBUILD
"""More removed vectors than this, and than there are others, and the index is built anew: Chroma
keeps 2.4 KB of memory for each."""


class ChromaIndex:
    """The `VectorIndex` port over Chroma, embedded in `directory` or as the server at `url`.

    It opens, or is repaired, when first used; Chroma is imported only then. Whatever goes wrong
    is an `IndexUnavailableError`, and exact search over the library can stand in.
    """

    def __init__(
        self, store: VectorStore, model: str, directory: Path, url: str | None = None
    ) -> None:
        self._store = store
        self._model = model
        self._site = Site(store, model, directory, url)
        self._books = Books(store, f"index {url}" if url else "index")
        self._collection: ChromaCollection | None = None
        self._changing = threading.Lock()  # held while opening, writing, rebuilding
        self._publishing = threading.Lock()  # guards `_rebuilding` with what it stands for
        self._rebuilding = False  # a rebuild will itself catch up with the library
        self._failed = False  # so that not every search tries to repair it
        self._closing = threading.Event()

    def state(self) -> str:
        """Either "ok" or "degraded: …", for people; nothing is opened for it."""
        if self._rebuilding:
            return "degraded: being rebuilt, exact search serves"
        if not self._failed and (
            self._collection or self._is_empty() or self._reflects(self._books.read())
        ):
            return "ok"
        away = "" if self._site.embedded else "the Chroma server is away, or its part of it "
        return f"degraded: {away}has to be rebuilt, exact search serves"

    def generation(self) -> str | None:
        """The generation that the library records as its index; None before the first."""
        record = self._books.read()
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
            collection = self._collection or self._open({*add[0], *remove}, behind=1)
            record = self._books.read()
            if collection is None or record is None or not self._reflects(record, behind=1):
                self._make_good(None)
                return
            try:
                self._follow(collection, record, add, remove)
            except (IndexUnavailableError, LibraryError):
                self._distrust(collection)
                raise

    def _follow(
        self,
        collection: ChromaCollection,
        record: Generation,
        add: tuple[Sequence[str], Vectors],
        remove: Collection[str],
    ) -> None:
        revision = self._store.revision()
        record = replace(record, files=None, removed=record.removed + len(remove))
        if remove and not add[0]:  # a deletion: no file may keep the vectors
            older, record = record.previous, replace(record, remains=True, previous=None)
            if older:
                self._keep(collection, record)
        self._books.write(replace(record, state="dirty"))
        collection.remove(remove)
        collection.add(*add)
        self._books.write(replace(record, revision=revision))

    def repair(self, progress: Progress | None = None, *, thorough: bool = False) -> None:
        """Make the index serve and reflect the library; no work where it does already, unless most
        of what it holds was removed. A `thorough` repair believes no record of it and looks whether
        each vector can be found."""
        with self._changing:
            if thorough:
                self._release()
            elif self._collection and not self._site.embedded:
                self._call(self._collection)
            served = self._collection or self._is_empty() or self._open(thorough=thorough)
            if not served:
                self._make_good(progress)
            elif self._is_wasteful():
                self._renew(progress)

    def rebuild(self, progress: Progress | None = None) -> None:
        """Build it anew from the library's vectors; exact search has to serve meanwhile. One that
        was sound is kept, to go back to should the new one break."""
        with self._changing:
            self._renew(progress)

    def scrub(self) -> None:
        """Have no file keep a vector that was deleted: build the index anew, if one may."""
        with self._changing:
            record = self._books.read()
            if record and record.remains:
                if self._is_empty():
                    self._drop(record)
                else:
                    self._rebuild(None)

    def close(self) -> None:
        """Close it in order; a rebuild under way is given up, to be begun again next time. Files
        that may keep deleted vectors are not left behind."""
        self._closing.set()
        with self._changing, suppress(LibraryError):  # then its files are looked at next time
            self._release()
            record = self._books.read()
            if record and record.remains and self._site.embedded:
                self._drop(record)

    def closed_within(self, seconds: float) -> bool:
        """Wait until it is closed, so long at most; whether it is."""
        return self._closing.wait(seconds)

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
                        f"the vector index in {self._site.place} has to be rebuilt, unless it is "
                        "just away: run `dateline reindex`"
                    )
                collection = self._make_good(None)
            return collection
        except LibraryError as error:  # nothing can be written down, the disk is full perhaps
            raise IndexUnavailableError(f"the vector index cannot be opened: {error}") from error
        finally:
            self._changing.release()

    def _open(
        self, changing: Collection[str] = (), behind: int = 0, *, thorough: bool = False
    ) -> ChromaCollection | None:
        """Open the recorded index; None if it is not what it should be. It may be so many writes
        `behind`, which are `changing` these ids."""
        self._refuse_if_closed()
        record = self._books.read()
        if record is None or not self._reflects(record, behind):
            return None
        if not self._is_sound(record, changing, thorough):
            return None
        try:
            collection = ChromaCollection(*self._site.where(record.generation))
        except IndexUnavailableError:
            return None
        return self._serve(collection, replace(record, closed=False))

    def _serve(self, collection: ChromaCollection, record: Generation) -> ChromaCollection:
        self._books.write(record)
        self._books.end_attempts()
        self._collection = collection
        self._failed = False
        return collection

    def _is_sound(self, record: Generation, changing: Collection[str], thorough: bool) -> bool:
        """Whether a generation can be opened without harm, and finds what it should: its files are
        those that were closed in order, or a search reaches every vector."""
        place, name = self._site.where(record.generation)
        if isinstance(place, Path):
            if not os.path.isdir(place):
                return False
            same = record.files is not None and record.files == sum_of_files(place)
            if same and not thorough:
                return True
            if record.closed and record.files is not None and not same:
                return False
        vectors = self._store.vectors(self._model)
        difference = compare(*vectors, partial(reach, place, name))
        return difference is not None and difference.is_within(changing)

    def _reflects(self, record: Generation | None, behind: int = 0) -> bool:
        """Whether the record is of an index that is whole, and at most so many writes behind."""
        if record is None or record.state != "ready" or record.model != self._model:
            return False
        if record.remains and not self._collection:  # what a process left that died
            return False
        return 0 <= self._store.revision() - record.revision <= behind

    def _is_empty(self) -> bool:
        return self._store.counts()[1] == 0

    def _is_wasteful(self) -> bool:
        record = self._books.read()
        return record is not None and WASTE < record.removed > self._store.counts()[1]

    def _call(self, collection: ChromaCollection) -> None:
        """Notice that a server is away, or has lost the collection, before a search does."""
        try:
            collection.count()
        except IndexUnavailableError:
            self._distrust(collection)

    def _distrust(self, collection: ChromaCollection) -> None:
        """Search it no more. An embedded one is to be rebuilt, a server may just be away."""
        if self._collection is collection:
            self._collection = None
            close(collection)
            record = self._books.read()
            if not self._site.embedded:
                self._failed = True
            elif record:
                with suppress(LibraryError):  # then its files are looked at before they are used
                    self._books.write(replace(record, state="dirty"))

    # Going back and rebuilding

    def _make_good(self, progress: Progress | None) -> ChromaCollection:
        """Have the index serve again. Of embedded ones that fail time and again, any may take the
        process with it."""
        if self._site.embedded and not self._books.may_attempt():
            self._failed = True
            raise IndexUnavailableError(
                "the vector index was rebuilt in vain several times, and exact search serves; "
                "`dateline doctor` tells more"
            )
        return self._roll_back() or self._rebuild(progress)

    def _roll_back(self) -> ChromaCollection | None:
        """The generation before one that broke, brought up to date; None if it is not worth it."""
        self._release()
        record = self._books.read()
        if record is None or record.previous is None or record.model != self._model:
            return None
        place, name = self._site.where(record.previous)
        revision = self._store.revision()
        vectors = self._store.vectors(self._model)
        found = compare(*vectors, partial(reach, place, name))
        if found is None or len(found.missing) > len(found.ids) / 2:
            return None
        with ExitStack() as undone, suppress(IndexUnavailableError):
            collection = ChromaCollection(place, name)
            undone.callback(close, collection)
            collection.remove(found.surplus)
            _require_all(collection, *vectors)
            undone.pop_all()
            back = Generation(record.previous, self._model, revision, "ready", closed=False)
            self._keep(collection, back)
            return self._serve(collection, back)
        return None

    def _renew(self, progress: Progress | None) -> None:
        record = self._books.read()
        kept = None
        if record and self._reflects(record) and self._site.embedded:
            kept = None if record.remains else record.generation
        self._rebuild(progress, kept)

    def _rebuild(self, progress: Progress | None, previous: str | None = None) -> ChromaCollection:
        """Build a new generation; a sound `previous` one is kept beside it."""
        self._release()
        self._rebuilding = self._failed = True
        self._books.begin_attempt()
        try:
            self._collection = collection = self._build(progress, previous)
            self._failed = False
        finally:
            self._rebuilding = False
            if self._closing.is_set() or not self._failed:
                self._books.end_attempts()
        return collection

    def _build(self, progress: Progress | None, previous: str | None) -> ChromaCollection:
        """A new generation that reflects the library's present revision, recorded as such."""
        generation = uuid.uuid4().hex[:12]
        with ExitStack() as undone:
            collection = self._site.create(generation)
            undone.callback(self._site.discard, generation, collection)
            record = self._fill(
                collection,
                Generation(generation, self._model, 0, "ready", closed=False, previous=previous),
                progress,
            )
            undone.pop_all()
        self._keep(collection, record)
        return collection

    def _fill(
        self, collection: ChromaCollection, record: Generation, progress: Progress | None
    ) -> Generation:
        """Copy the library's vectors, and what is written meanwhile, until nothing is missing; then
        it is recorded."""
        ids: list[str] = []
        vectors = np.empty((0, 0), dtype=np.float32)
        while True:
            revision = self._store.revision()
            new_ids, new_vectors = self._store.vectors(self._model)
            add, remove = changes(ids, vectors, new_ids, new_vectors)
            if remove:  # perhaps deleted: then no file may keep it
                record = replace(record, remains=True, previous=None)
            collection.remove(remove)
            for start in range(0, len(add), BATCH):
                self._refuse_if_closed()
                rows = add[start : start + BATCH]
                collection.add([new_ids[row] for row in rows], new_vectors[rows])
                if progress:
                    progress(start + len(rows), len(add), "vectors")
            ids, vectors = new_ids, new_vectors
            _require_all(collection, ids, vectors)
            with self._publishing:
                if self._store.revision() == revision:
                    record = replace(record, revision=revision)
                    self._books.write(record)
                    self._rebuilding = False
                    return record

    def _keep(self, collection: ChromaCollection, record: Generation) -> None:
        """Delete all generations but the recorded ones."""
        self._site.keep(collection, (record.generation, record.previous))

    def _drop(self, record: Generation) -> None:
        """Delete what is recorded; it is built anew when it is needed."""
        collection, self._collection = self._collection, None
        self._books.write(None)
        if collection:
            self._site.discard(record.generation, collection)
        self._site.clear()

    def _release(self) -> None:
        """Close what is open, in order."""
        collection, self._collection = self._collection, None
        if collection:
            close(collection)
            if record := self._books.read():
                place, _ = self._site.where(record.generation)
                files = sum_of_files(place) if isinstance(place, Path) else None
                self._books.write(replace(record, closed=True, files=files))

    def _refuse_if_closed(self) -> None:
        if self._closing.is_set():
            raise IndexUnavailableError("the vector index is closed")


def _require_all(collection: ChromaCollection, ids: Sequence[str], vectors: Vectors) -> None:
    """Add anew what no search reaches; raises `IndexUnavailableError` if that is of no use."""
    for _ in range(3):
        found = compare(ids, vectors, collection.similarities)
        if found is None or found.is_within(()):
            return
        rows = list(found.missing)
        collection.add([ids[row] for row in rows], vectors[rows])
    raise IndexUnavailableError("the vector index does not reach all vectors")
