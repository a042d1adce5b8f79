"""Where the generations of an index are: folders of a directory, or collections of a Chroma server,
which may hold those of others."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from rag.errors import IndexUnavailableError
from rag.ports import VectorStore
from rag.storage.chroma import ChromaCollection, Place, server_address

_STRANDED = (
    "the Chroma server at %s holds more indexes of this library: those of a copy of its data "
    "directory or, if that was moved, what it left there, which may be deleted: %s"
)

_log = logging.getLogger(__name__)


class Site:
    """The place of a library's index: a folder of its data directory, or the server at `url`."""

    def __init__(self, store: VectorStore, model: str, directory: Path, url: str | None) -> None:
        if url:
            server_address(url)  # raises `SettingsError`
        self._store = store
        self._model = model
        self._directory = directory
        self.place: Place = url or directory

    @property
    def embedded(self) -> bool:
        """Whether it is a directory, so that a broken index may take the process with it."""
        return isinstance(self.place, Path)

    def where(self, generation: str) -> tuple[Place, str]:
        """The place and name of a generation's collection. Raises `IndexUnavailableError`."""
        slug = re.sub(r"[^A-Za-z0-9]+", "-", self._model).strip("-")[-40:]
        place = self.place / generation if isinstance(self.place, Path) else self.place
        return place, f"{self._prefix()}{slug}-{_digest(self._model)}-{generation}"

    def create(self, generation: str) -> ChromaCollection:
        """A new generation's empty collection. Raises `IndexUnavailableError`."""
        place, name = self.where(generation)
        if isinstance(place, Path):
            try:
                place.mkdir(parents=True)
            except OSError as error:
                raise IndexUnavailableError(f"{place} cannot be made: {error}") from error
        try:
            return ChromaCollection(place, name, create=True)
        except IndexUnavailableError:
            _remove(place)
            raise

    def discard(self, generation: str, collection: ChromaCollection) -> None:
        """Close and delete a generation."""
        place, _ = self.where(generation)
        if not self.embedded:
            with suppress(IndexUnavailableError):  # then the next `keep` will do it
                collection.drop()
        close(collection)
        _remove(place)

    def keep(self, collection: ChromaCollection, generations: Collection[str | None]) -> None:
        """Delete all generations of this data directory but these; on a server all but that of the
        `collection`, and tell of what may be a copy's, or its own of before it was moved."""
        if isinstance(self.place, Path):
            with suppress(OSError):
                for other in self.place.iterdir():
                    if other.name not in generations:
                        shutil.rmtree(other, ignore_errors=True)
            return
        with suppress(IndexUnavailableError):  # then the next one will do it
            collection.drop_others(self._prefix())
            if others := collection.others(self._library()):
                _log.warning(_STRANDED, self.place, ", ".join(others))

    def clear(self) -> None:
        """Delete a directory with all generations in it, which are closed."""
        _remove(self.place)

    def _library(self) -> str:
        return f"dateline-{(self._store.meta('library') or '')[:12]}-"

    def _prefix(self) -> str:
        """What the names of its collections begin with: on a server, also with what tells the data
        directory from a copy of it."""
        if self.embedded:
            return self._library()
        home = self._directory.parent
        try:
            return f"{self._library()}{_digest(f'{home.resolve()}:{home.stat().st_ino}')}-"
        except OSError as error:
            raise IndexUnavailableError(f"{home} cannot be read: {error}") from error


def close(collection: ChromaCollection) -> None:
    """Close a collection that is let go of, whatever comes of it."""
    with suppress(IndexUnavailableError):
        collection.close()


def _remove(place: Place) -> None:
    if isinstance(place, Path):
        shutil.rmtree(place, ignore_errors=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
