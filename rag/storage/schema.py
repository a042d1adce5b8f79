"""The tables of the library's database, as the steps that lead from each version to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from rag.storage.checksums import Tables, watch

# rowid: the chunk's; header: title, outlet, author and date; body: the chunk's text
WORDS = """CREATE VIRTUAL TABLE words USING fts5 (
        header, body,
        tokenize = "porter unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
    )"""
"""The word index."""

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
    WORDS,
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

WATCHED: Tables = {
    "articles": (
        ("rowid",),
        (
            *("id", "text", "url", "title", "outlet", "author", "published_at", "updated_at"),
            *("language", "source", "published_day", "outlet_key", "content_hash", "revision"),
            "ingested_at",
        ),
    ),
    "chunks": (("rowid",), ("id", "article", "ordinal", "start", "end")),
    "vectors": (("chunk", "model"), ("chunk", "model", "vector")),
    "answers": (("rowid",), ("id", "created_at", "answer")),
    "feedback": (("rowid",), ("id", "answer_id", "rating", "created_at", "reason", "note")),
    "keys": (
        ("id",),
        (
            "digest",
            "name",
            "scopes",
            "origins",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used",
        ),
    ),
    "receipts": (("caller", "key"), ("digest", "article_id", "created_at", "done")),
    "meta": (("key",), ("value",)),
}
"""What has checksums. The rest is made of it: words, clusters, bands, and who quotes what."""

_CHECKSUMS = (
    """CREATE TABLE checksums (
        name TEXT NOT NULL,         -- of the table
        row NOT NULL,               -- what names the row in it
        sum INTEGER NOT NULL,
        PRIMARY KEY (name, row)
    ) WITHOUT ROWID""",
    *watch(WATCHED),
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _FIRST,
    _CLUSTERS,
    _FILTERS,
    _ANSWERS,
    _KEYS,
    _RECEIPTS,
    _CHECKSUMS,
)
"""Step n brings a database from schema version n to n + 1; a released step is never edited."""


def digest(step: Iterable[str]) -> str:
    """What tells a step from an edited one: the SHA-256 of its statements."""
    return hashlib.sha256("\0".join(step).encode()).hexdigest()
