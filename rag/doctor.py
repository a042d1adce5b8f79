"""What state a data directory is in, told so that one knows what to do; what can be mended without
any loss is mended.

It works where nothing else does: beside a process that holds the directory, and over a library that
cannot be opened.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.backup import LIBRARY, newest_backup, reading, refuse_loss
from rag.bootstrap import Stores, open_stores
from rag.errors import (
    DatelineError,
    EmbeddingError,
    IndexUnavailableError,
    LibraryError,
    LibraryInUseError,
)
from rag.ports import Embedder, Progress
from rag.settings import Settings
from rag.storage.holder import hold
from rag.storage.integrity import Damage, inspect

LITTLE_SPACE = 3.0
"""Free space in sizes of the library below which it is told: a rebuilt index takes about as much,
a backup another."""

_MAKE_YOURS = "make the directory and all in it yours to read and write"
_ROOM = f"make room on the disk if it is full, else {_MAKE_YOURS}"

State = Literal["ok", "repaired", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part, and what is to be done about a problem."""

    part: str
    state: State
    detail: str
    remedy: str | None = None


def examine(
    settings: Settings, embedder: Embedder | None = None, progress: Progress | None = None
) -> Iterator[Finding]:
    """Look at each part of a data directory in turn, and mend what can be."""
    directory = settings.data_dir
    yield from _directory(directory)
    if not os.path.isdir(directory) or not os.access(directory, os.R_OK | os.X_OK):
        return
    with ExitStack() as opened:
        alone = True
        try:
            opened.enter_context(hold(directory, "dateline doctor"))
        except LibraryInUseError as error:
            alone = False
            yield Finding("holder", "note", f"{error}; nothing is repaired meanwhile")
        except LibraryError as error:
            alone = False
            yield Finding("holder", "problem", str(error), _MAKE_YOURS)
        try:
            refuse_loss(directory)
        except LibraryError as error:
            yield Finding("library", "problem", str(error), _offer(directory))
            return
        if not (directory / LIBRARY).exists():
            yield Finding("library", "note", "none yet: take in articles by dateline ingest")
            return
        if closed := _closed(directory):
            yield Finding("library", "problem", f"{closed} may not be read or written", _MAKE_YOURS)
            return
        damages = list(_damages(directory, alone))
        if not alone or not _openable(damages):
            yield from _told(directory, damages, alone)
            return
        try:
            stores = opened.enter_context(open_stores(settings, embedder))
        except DatelineError as error:
            yield from _told(directory, damages, alone)
            yield Finding("library", "problem", str(error), _offer(directory))
            return
        yield from _mended(stores, directory, damages)
        yield from _model(stores)
        yield from _index(stores, progress)


def _directory(directory: Path) -> Iterator[Finding]:
    """Whether the directory can be written and has room."""
    if not os.path.exists(directory):
        yield Finding("directory", "note", f"{directory} is not there yet: made when first used")
        return
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        reason = error.strerror or str(error)
        yield Finding("directory", "problem", f"{directory} cannot be written: {reason}", _ROOM)
        return
    free = shutil.disk_usage(directory).free
    library = directory / LIBRARY
    size = library.stat().st_size if library.exists() else 0
    detail = f"{directory}, {free / 1e9:.1f} GB free"
    if free < LITTLE_SPACE * size:
        yield Finding("directory", "note", f"{detail}, little for a library of {size / 1e9:.1f} GB")
    else:
        yield Finding("directory", "ok", detail)


def _closed(directory: Path) -> str:
    """The files of the library that may not be read and written."""
    files = [directory / f"{LIBRARY}{end}" for end in ("", "-wal", "-shm")]
    there = [file for file in files if file.exists()]
    return ", ".join(str(file) for file in there if not os.access(file, os.R_OK | os.W_OK))


def _damages(directory: Path, alone: bool) -> Iterator[Damage]:
    """What is damaged; beside another process without the word index, whose check is a write."""
    library = directory / LIBRARY
    try:
        if alone:
            with closing(sqlite3.connect(library, isolation_level=None)) as db:
                yield from inspect(db)
        else:
            with reading(library) as db:
                yield from inspect(db, words=False)
    except sqlite3.Error as error:
        yield Damage("structure", f"the database: {error}")


def _openable(damages: Sequence[Damage]) -> bool:
    """Whether it does no harm to write: where the structure is damaged, SQLite may go astray. Its
    own indexes can be made anew, if all else is sound."""
    structure = [one for one in damages if one.kind == "structure"]
    return all(" index " in one.what for one in structure) and (
        not structure or not any(one.kind in ("article", "record") for one in damages)
    )


def _told(directory: Path, damages: Sequence[Damage], alone: bool = True) -> Iterator[Finding]:
    """Damage as it is, with what can be done about it; `alone` it was tried to be mended."""
    if not damages:
        yield Finding("library", "ok", f"{directory / LIBRARY} is as it was written")
    for one in damages:
        remedy = _offer(directory)
        if not alone and one.kind in ("made", "words", "index"):
            remedy = "run dateline doctor while no process holds the directory: it can be mended"
        elif one.kind == "article":
            again = f"dateline articles delete {one.article}"
            remedy += f", or delete the article and take it in again: {again}"
        yield Finding("library", "problem", f"damaged: {one.what}", remedy)


def _offer(directory: Path) -> str:
    """The way back to a library that is sound."""
    snapshot = newest_backup(directory)
    if snapshot is None:
        return "restore a backup (dateline restore FILE --force); none is known here"
    return (
        f"restore the newest backup, of {snapshot.created_at} with {snapshot.articles} articles: "
        f"dateline restore {snapshot.file} --force"
    )


def _mended(stores: Stores, directory: Path, damages: Sequence[Damage]) -> Iterator[Finding]:
    """Make anew what can be, and look again."""
    try:
        if any(one.kind == "structure" for one in damages):
            stores.library.reindex_tables()
        if any(one.kind == "words" for one in damages):
            stores.library.rebuild_words()
        stores.ingester.renew(
            {one.article for one in damages if one.kind == "made" and one.article}
        )
        stores.library.forget_lost_vectors()
        if any(one.kind == "index" for one in damages):
            stores.index.rebuild()
    except (LibraryError, EmbeddingError, IndexUnavailableError) as error:
        yield Finding("library", "problem", f"what is damaged could not be mended: {error}")
    left = list(_damages(directory, alone=True))
    for one in damages:
        if one not in left:
            yield Finding("library", "repaired", f"made anew: {one.what}")
    if left:
        yield from _told(directory, left)
    else:
        articles, chunks = stores.library.counts()
        yield Finding("library", "ok", f"{articles} articles in {chunks} chunks, as written")


def _model(stores: Stores) -> Iterator[Finding]:
    """Whether the embedding model can be loaded, and is the one that the library is searched by."""
    name = stores.embedder.model
    try:
        vector = stores.embedder.encode_query("news")
        stores.library.check_model(name)
        stored = stores.library.dimension(name)
    except EmbeddingError as error:
        yield Finding("model", "problem", str(error), "name another in DATELINE_EMBEDDING_MODEL")
    except LibraryError as error:
        yield Finding("model", "problem", str(error), "dateline reindex, or set the other model")
    else:
        if stored in (None, len(vector)):
            yield Finding("model", "ok", f"{name}, {len(vector)} numbers a vector")
        else:
            detail = f"{name} gives vectors of {len(vector)} numbers; those stored have {stored}"
            yield Finding("model", "problem", detail, "it was changed in place: set it back")


def _index(stores: Stores, progress: Progress | None) -> Iterator[Finding]:
    """Whether each vector can be found in the index; if not, it is built anew."""
    before = stores.index.generation()
    try:
        stores.library.check_model(stores.embedder.model)
        try:
            stores.index.repair(progress, thorough=True)
        except IndexUnavailableError:  # also where it gave up
            stores.index.rebuild(progress)
    except (LibraryError, IndexUnavailableError) as error:
        yield Finding("index", "problem", f"{error}; exact search serves")
        return
    after = stores.index.generation()
    if after == before:
        yield Finding("index", "ok", f"generation {after}" if after else "none is needed yet")
    else:
        yield Finding("index", "repaired", f"built anew: generation {after}")
