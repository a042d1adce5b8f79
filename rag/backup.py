"""A library saved to one file, under load, and put back: nothing is believed before it is checked.

What is saved is the whole database: articles with their vectors, answers, feedback, receipts, and
of keys the hashes, so that a service that is restored lets in whom it let in, and nobody else.
Settings, with their secrets, are no part of it, and neither is the vector index, which is rebuilt.
"""

from __future__ import annotations

import fcntl
import glob
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from rag.errors import LibraryError
from rag.ports import Progress
from rag.storage.checksums import register
from rag.storage.database import BUSY_TIMEOUT_S
from rag.storage.holder import hold
from rag.storage.integrity import inspect, schema_version
from rag.storage.schema import MIGRATIONS

LIBRARY = "library.db"
INDEX = "index"
"""Where in a data directory the library and the vector index are."""

_NOTES = "backups.jsonl"
_RESTORED = "library.db.restoring"
_KEPT = 20  # notes of backups
_PAGES = 2048  # copied between two words on progress: 8 MB


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A backup that was checked: the file, its size and SHA-256, when it was made, and of what."""

    file: str
    bytes: int
    sha256: str
    created_at: str
    schema: int
    articles: int
    chunks: int


def back_up(
    directory: Path, file: Path, *, force: bool = False, progress: Progress | None = None
) -> Snapshot:
    """Save the library as it is at this moment, whoever holds the data directory and writes.

    The file is there, whole and checked, for its owner only, or not at all. Raises `LibraryError`:
    if it is there already, unless `force`, and if the library is damaged.
    """
    source = _existing(directory / LIBRARY)
    if file.resolve() in {Path(f"{source.resolve()}{end}") for end in ("", "-wal", "-shm")}:
        raise LibraryError(f"{file} is the library itself: name another file")
    _refuse_existing(file, force)
    with _failures(file), _part_of(file) as part:
        _copy(source, part, progress)
        snapshot = _checked(part, file, part)
        _publish(part, file, force)
    with suppress(OSError):  # the backup stands without a note of it
        _note(directory, snapshot)
    return snapshot


def restore(
    directory: Path, file: Path, *, force: bool = False, progress: Progress | None = None
) -> Snapshot:
    """Put a backup in the place of the data directory's library, at once and whole.

    The backup is checked before anything is touched; whatever process ends in between, either
    library is there. Raises `LibraryError`: if there is a library, unless `force`, if the backup
    is damaged or of a newer Dateline; `LibraryInUseError` while somebody holds the directory.
    """
    library = directory / LIBRARY
    if file.resolve() == library.resolve():
        raise LibraryError(f"{file} is the library itself: name a backup")
    _existing(file)
    with hold(directory):
        _refuse_existing(library, force)
        part = directory / _RESTORED
        with _failures(file):
            try:
                part.unlink(missing_ok=True)
                os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                _copy(file, part, progress)
                snapshot = _checked(part, file, file)
                _forget_index(part)
                _synchronise(part)
                shutil.rmtree(directory / INDEX, ignore_errors=True)
                _settle(library)
                part.replace(library)
                _synchronise(directory)
            finally:
                part.unlink(missing_ok=True)
    return snapshot


def sweep(directory: Path) -> None:
    """Remove from a data directory that is held what a restore or a note left that was killed."""
    for name in (f"{_RESTORED}*", f".{_NOTES}.*"):
        for path in directory.glob(name):
            with suppress(OSError):  # a directory that cannot be written is told by who writes
                path.unlink()


def newest_backup(directory: Path) -> Snapshot | None:
    """The newest backup that was made of this data directory and is still there as it was."""
    for snapshot in reversed(_notes(directory)):
        with suppress(OSError):
            if _sha256(Path(snapshot.file)) == snapshot.sha256:
                return snapshot
    return None


def refuse_loss(directory: Path) -> None:
    """Raises `LibraryError` if there was a library and its file is gone or empty: a new one in its
    place would hide the loss."""
    library = directory / LIBRARY
    if library.exists() and library.stat().st_size:
        return
    traces = (INDEX, _NOTES, f"{LIBRARY}-wal")
    left = [name for name in traces if os.path.lexists(directory / name)]
    if left:
        raise LibraryError(
            f"{library} is gone or empty, and {', '.join(left)} tell that there was one. "
            "`dateline doctor` tells what backup there is; to begin anew, name another "
            "DATELINE_DATA_DIR"
        )


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads a database, with what belongs to it in its WAL."""
    uri = f"file:{quote(str(file.absolute()))}?mode=ro"
    with closing(
        sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    ) as db:
        yield db


@contextmanager
def _part_of(file: Path) -> Iterator[Path]:
    """An empty file beside another for what becomes it; those of processes that were killed, whose
    locks are free, are removed."""
    for left in file.parent.glob(f".{glob.escape(file.name)}.*.part"):
        with suppress(OSError), left.open("rb") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if left.stat().st_size:  # an empty one may be just made, and not locked yet
                left.unlink()
                Path(f"{left}-journal").unlink(missing_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
    part = Path(name)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield part
    finally:
        part.unlink(missing_ok=True)
        os.close(handle)


def _copy(source: Path, target: Path, progress: Progress | None) -> None:
    """Copy a database, as of one moment, into an empty file that needs no other beside it."""

    def tell(status: int, remaining: int, total: int) -> None:
        if progress:
            progress(total - remaining, total, "pages")

    with reading(source) as db, closing(sqlite3.connect(target, isolation_level=None)) as copy:
        db.execute("BEGIN")  # within it a write of others does not begin the copy anew
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        db.backup(copy, pages=_PAGES, progress=tell, sleep=0.0)
        copy.execute("PRAGMA journal_mode = DELETE")


def _checked(copy: Path, file: Path, summed: Path) -> Snapshot:
    """What a copy holds that is to become, or came from, `file`, with the size and SHA-256 of one
    of them; raises `LibraryError` for damage."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        version = schema_version(db)
        if version > len(MIGRATIONS):
            raise LibraryError(
                f"{file} has schema version {version}, and this Dateline knows versions up to "
                f"{len(MIGRATIONS)}: upgrade Dateline"
            )
        if damages := inspect(db):
            told = "; ".join(damage.what for damage in damages[:3])
            more = f" and {len(damages) - 3} more" if len(damages) > 3 else ""
            raise LibraryError(
                f"{file}: what it would hold is damaged: {told}{more}. `dateline doctor` tells more"
            )
        articles, chunks = db.execute(
            "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM chunks)"
        ).fetchone()
    return Snapshot(
        str(file.absolute()),
        summed.stat().st_size,
        _sha256(summed),
        datetime.now(UTC).isoformat(timespec="seconds"),
        version,
        articles,
        chunks,
    )


def _publish(part: Path, file: Path, force: bool) -> None:
    """Give a finished file its name, once it is on disk."""
    _synchronise(part)
    if force:
        part.replace(file)
    else:
        _take_name(part, file)
    _synchronise(file.parent)


def _take_name(part: Path, file: Path) -> None:
    """Rename a file without ever overwriting another one; raises `FileExistsError`."""
    try:
        os.link(part, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
        part.replace(file)


def _forget_index(copy: Path) -> None:
    """Take out the records of indexes, which may be there under the same names and differ."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        register(db)
        db.execute("DELETE FROM meta WHERE key = 'index' OR key LIKE 'index %'")


def _settle(library: Path) -> None:
    """Have a library's WAL in the library itself: none may be left beside another one."""
    wal = Path(f"{library}-wal")
    if library.exists() and wal.exists():
        with suppress(sqlite3.Error), closing(sqlite3.connect(library)) as db:
            (busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise LibraryError(f"{library} is being read by another process: try again")
    for beside in (wal, Path(f"{library}-shm")):
        beside.unlink(missing_ok=True)


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise LibraryError(f"there is no file {file}")
    return file


def _refuse_existing(file: Path, force: bool) -> None:
    if not force and os.path.lexists(file):
        raise LibraryError(f"{file} is there already: name another, or overwrite it with --force")


def _note(directory: Path, snapshot: Snapshot) -> None:
    """Keep a note of a backup beside the library, which may be unreadable when it is needed."""
    others = [one for one in _notes(directory) if one.file != snapshot.file]
    lines = [json.dumps(asdict(one)) + "\n" for one in [*others, snapshot][-_KEPT:]]
    handle, name = tempfile.mkstemp(prefix=f".{_NOTES}.", dir=directory)
    with os.fdopen(handle, "w", encoding="utf-8") as notes:
        notes.writelines(lines)
    Path(name).replace(directory / _NOTES)


def _notes(directory: Path) -> list[Snapshot]:
    try:
        lines = (directory / _NOTES).read_text(encoding="utf-8").splitlines()
        return [Snapshot(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError):
        return []


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _synchronise(path: Path) -> None:
    """Have a file, or what a directory lists, on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _failures(file: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise LibraryError(
            f"{file} is there already: name another, or overwrite it with --force"
        ) from None
    except (OSError, sqlite3.Error) as error:
        raise LibraryError(f"{file} cannot be read or written: {error}") from error
