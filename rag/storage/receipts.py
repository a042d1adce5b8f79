"""Requests that are repeated: which article each became, kept in the library's database.

A client that got no answer sends its request again, under the same key, and must not get a second
article (IETF draft "The Idempotency-Key HTTP Header Field").
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rag.errors import RepeatDiffersError, UnderWayError
from rag.storage.database import Database

RETENTION = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A request that may come again: who sends it, under which key, and a digest of what it says.

    Keys of different callers have nothing to do with each other.
    """

    caller: str
    key: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """The article that a request becomes, or became: `done` if that was answered for already."""

    article_id: str
    done: bool


def _now() -> datetime:
    return datetime.now(UTC)


class Receipts:
    """Keeps receipts for `RETENTION`, for use by many threads of the one process that writes
    articles. Every method raises `LibraryError`.

    No text is kept: the answer to a request is made of the request and its article's id, so
    receipts keep nothing of an article that is deleted.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way: set[tuple[str, str]] = set()

    @contextmanager
    def claim(self, request: Repeatable, article_id: str) -> Iterator[Receipt]:
        """The request's receipt: the first one's names `article_id`. Unless the block raises, or
        the process ends within it, the request is done after it; until then it can be tried again,
        for the same article.

        Raises `RepeatDiffersError` if the key came with another request, `UnderWayError` while the
        same one is in such a block.
        """
        name = (request.caller, request.key)
        with self._lock:
            if name in self._under_way:
                raise UnderWayError(
                    f"a request with the Idempotency-Key {request.key} is being worked on; "
                    "send this one again when that is answered"
                )
            self._under_way.add(name)
        try:
            receipt = self._receipt(request, article_id)
            yield receipt
            if not receipt.done:
                self._finish(request)
        finally:
            self._under_way.discard(name)

    def _receipt(self, request: Repeatable, article_id: str) -> Receipt:
        now = self._clock()
        with self._database.writing() as db:
            db.execute("DELETE FROM receipts WHERE created_at <= ?", [_iso(now - RETENTION)])
            db.execute(
                "INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, ?, 0)",
                [request.caller, request.key, request.digest, article_id, _iso(now)],
            )
            digest, first_id, done = db.execute(
                "SELECT digest, article_id, done FROM receipts WHERE caller = ? AND key = ?",
                [request.caller, request.key],
            ).fetchone()
        if digest != request.digest:
            raise RepeatDiffersError(
                f"the Idempotency-Key {request.key} came with another request before; "
                "give each new request a key of its own"
            )
        return Receipt(first_id, bool(done))

    def _finish(self, request: Repeatable) -> None:
        with self._database.writing() as db:
            db.execute(
                "UPDATE receipts SET done = 1 WHERE caller = ? AND key = ?",
                [request.caller, request.key],
            )


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")
