"""The SQLite database under the library: its tables, migrations and connections."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.errors import LibraryError
from rag.storage.checksums import register
from rag.storage.schema import MIGRATIONS, digest

BUSY_TIMEOUT_S = 30.0


class Database:
    """One writing connection and a pool of reading ones, for use by many threads.

    Readers see what is committed and never wait for the writer (WAL). Opening brings the schema
    up to date; beside the process that holds the data directory (`beside`) this is left to that
    one. Raises `LibraryError` for whatever SQLite cannot do.
    """

    def __init__(
        self,
        path: Path,
        migrations: Sequence[Sequence[str]] = MIGRATIONS,
        *,
        beside: bool = False,
    ) -> None:
        self._path = path
        self._write_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        with self._errors():
            self._writer = self._connect()
            try:
                self._prepare(migrations, beside)
            except (sqlite3.Error, LibraryError):
                self._writer.close()
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading; all that the block reads is of one moment, the newest."""
        with self._errors():
            connection = self._reader()
            try:
                with connection:
                    connection.execute("BEGIN")
                    yield connection
            except (TypeError, ValueError) as error:  # of values that nobody writes
                raise LibraryError(
                    f"what {self._path} holds cannot be read: {error}. `dateline doctor` tells more"
                ) from error
            finally:
                self._idle.append(connection)
                if self._closed:
                    self._close_readers()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is on disk once the block ends, and undone when it raises."""
        with self._write_lock, self._errors(), self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            yield self._writer

    def empty_wal(self) -> bool:
        """Have all that was written in the database itself, so that the WAL keeps nothing of what
        it was; whether readers of an older state allowed it within a second."""
        with self._write_lock, self._errors():
            self._writer.execute("PRAGMA busy_timeout = 1000")
            (busy, *_) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._writer.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000:.0f}")
        return not busy

    def close(self) -> None:
        """Close every connection; those in use are closed when their block ends."""
        with self._write_lock:
            self._closed = True
            self._close_readers()
            self._writer.close()

    def _prepare(self, migrations: Sequence[Sequence[str]], beside: bool) -> None:
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = FULL")
        self._writer.execute("PRAGMA foreign_keys = ON")
        self._writer.execute("PRAGMA secure_delete = ON")
        register(self._writer)
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version > len(migrations):
            raise LibraryError(
                f"{self._path} has schema version {version}, and this Dateline knows versions up "
                f"to {len(migrations)}: upgrade Dateline, or name another DATELINE_DATA_DIR"
            )
        if beside and version < len(migrations):
            raise LibraryError(
                f"{self._path} is held by a process that has not brought it up to date with this "
                "Dateline: try again if it is just starting, else restart it with this version"
            )
        self._check_steps(migrations[:version])
        for number in range(version, len(migrations)):
            with self._writer:
                self._writer.execute("BEGIN IMMEDIATE")
                for statement in migrations[number]:
                    self._writer.execute(statement)
                self._writer.execute(f"PRAGMA user_version = {number + 1}")
                self._record_steps(migrations[: number + 1])

    def _check_steps(self, taken: Sequence[Sequence[str]]) -> None:
        """Raises `LibraryError` unless the steps that the database has taken are these."""
        known = self._writer.execute(
            "SELECT 1 FROM sqlite_schema WHERE name = 'migrations'"
        ).fetchone()
        if known is None:  # of before they were written down
            return
        stored = self._writer.execute("SELECT digest FROM migrations ORDER BY version").fetchall()
        if [one for (one,) in stored] != [digest(step) for step in taken]:
            raise LibraryError(
                f"{self._path} was not brought to schema version {len(taken)} by the steps that "
                "this Dateline knows: it is damaged, or of another program. `dateline doctor` "
                "tells more"
            )

    def _record_steps(self, taken: Sequence[Sequence[str]]) -> None:
        self._writer.execute(
            "CREATE TABLE IF NOT EXISTS migrations "
            "(version INTEGER PRIMARY KEY, digest TEXT NOT NULL)"
        )
        self._writer.executemany(
            "INSERT OR IGNORE INTO migrations VALUES (?, ?)",
            [(number, digest(step)) for number, step in enumerate(taken, start=1)],
        )

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )

    def _reader(self) -> sqlite3.Connection:
        if self._closed:
            raise LibraryError(f"{self._path} is closed")
        try:
            return self._idle.pop()
        except IndexError:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            return connection

    def _close_readers(self) -> None:
        with suppress(IndexError):  # emptied, perhaps by another thread
            while True:
                self._idle.pop().close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LibraryError(
                f"the library {self._path} cannot be used: {error}. Check that the disk has room "
                "and that the directory is yours to write; `dateline doctor` tells more"
            ) from error
