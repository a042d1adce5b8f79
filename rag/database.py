"""The SQLite database under the library: its tables, migrations and connections."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.errors import LibraryError

BUSY_TIMEOUT_S = 30.0

_FIRST = (
    """CREATE TABLE articles (
        rowid INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        text TEXT NOT NULL,
        url TEXT, title TEXT, outlet TEXT, author TEXT,
        published_at TEXT, updated_at TEXT, language TEXT, source TEXT,
        published_day TEXT,         -- what date filters compare: the first ten characters
        outlet_key TEXT,            -- what outlet filters compare: the case-folded name
        content_hash TEXT NOT NULL,
        revision INTEGER NOT NULL,  -- the library's revision that brought this state
        ingested_at TEXT NOT NULL
    )""",
    "CREATE INDEX articles_by_day ON articles (published_day)",
    "CREATE INDEX articles_by_outlet ON articles (outlet_key)",
    """CREATE TABLE chunks (
        rowid INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        article INTEGER NOT NULL REFERENCES articles (rowid) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        start INTEGER NOT NULL,
        end INTEGER NOT NULL,
        UNIQUE (article, ordinal)
    )""",
    """CREATE TABLE vectors (
        chunk INTEGER NOT NULL REFERENCES chunks (rowid) ON DELETE CASCADE,
        model TEXT NOT NULL,
        vector BLOB NOT NULL,       -- float32, little-endian
        UNIQUE (chunk, model)
    )""",
    # rowid: the chunk's; header: title, outlet, author and date; body: the chunk's text
    """CREATE VIRTUAL TABLE words USING fts5 (
        header, body,
        tokenize = "porter unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
    )""",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "INSERT INTO meta VALUES ('revision', '0'), ('library', lower(hex(randomblob(16))))",
)

_CLUSTERS = (
    # Near-duplicate articles have the same cluster; without a row, none was looked for yet.
    """CREATE TABLE clusters (
        article INTEGER PRIMARY KEY REFERENCES articles (rowid) ON DELETE CASCADE,
        cluster INTEGER NOT NULL
    )""",
    "CREATE INDEX clusters_by_number ON clusters (cluster)",
    # What near-duplicates are found by: they most likely have a key in common.
    """CREATE TABLE bands (
        key INTEGER NOT NULL,
        article INTEGER NOT NULL REFERENCES articles (rowid) ON DELETE CASCADE,
        PRIMARY KEY (key, article)
    ) WITHOUT ROWID""",
    "CREATE INDEX bands_by_article ON bands (article)",
)

_FILTERS = (
    # With the day: a filter by both need not look up articles, whose long rows are slow to read.
    "DROP INDEX articles_by_outlet",
    "CREATE INDEX articles_by_outlet ON articles (outlet_key, published_day)",
)

_ANSWERS = (
    """CREATE TABLE answers (
        rowid INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL,   -- UTC
        answer TEXT NOT NULL        -- JSON
    )""",
    "CREATE INDEX answers_by_time ON answers (created_at)",
    # The articles, by id, that an answer has text from: it goes with any of them.
    """CREATE TABLE answer_articles (
        article TEXT NOT NULL,
        answer INTEGER NOT NULL REFERENCES answers (rowid) ON DELETE CASCADE,
        PRIMARY KEY (article, answer)
    ) WITHOUT ROWID""",
    "CREATE INDEX answer_articles_by_answer ON answer_articles (answer)",
    """CREATE TABLE feedback (
        rowid INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        answer_id TEXT NOT NULL,    -- of an answer that may be gone
        rating TEXT NOT NULL,
        created_at TEXT NOT NULL,
        reason TEXT, note TEXT
    )""",
)

_KEYS = (
    """CREATE TABLE keys (
        id TEXT PRIMARY KEY,
        digest BLOB NOT NULL,       -- SHA-256 of the token
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,       -- a JSON list, as origins
        origins TEXT NOT NULL,
        created_at TEXT NOT NULL, expires_at TEXT, revoked_at TEXT,
        last_used TEXT              -- a day
    ) WITHOUT ROWID""",
)

_RECEIPTS = (
    # The article that a request with an Idempotency-Key became.
    """CREATE TABLE receipts (
        caller TEXT NOT NULL,       -- the id of an API key, empty without one
        key TEXT NOT NULL,
        digest BLOB NOT NULL,       -- of the request
        article_id TEXT NOT NULL,
        created_at TEXT NOT NULL,   -- UTC
        done INTEGER NOT NULL,
        PRIMARY KEY (caller, key)
    ) WITHOUT ROWID""",
    "CREATE INDEX receipts_by_time ON receipts (created_at)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _FIRST,
    _CLUSTERS,
    _FILTERS,
    _ANSWERS,
    _KEYS,
    _RECEIPTS,
)
"""Step n brings a database from schema version n to n + 1; a released step is never edited."""


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
        for number in range(version, len(migrations)):
            with self._writer:
                self._writer.execute("BEGIN IMMEDIATE")
                for statement in migrations[number]:
                    self._writer.execute(statement)
                self._writer.execute(f"PRAGMA user_version = {number + 1}")

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
                "and that the directory is yours to write; a damaged file needs a backup"
            ) from error
