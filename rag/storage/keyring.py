"""The keys of a data directory, for use by many threads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from rag.storage import keys
from rag.storage.database import Database
from rag.storage.keys import Key, NewKey


def _now() -> datetime:
    return datetime.now(UTC)


class Keyring:
    """Stores, finds and revokes keys; each call reads what is stored at that moment, so that what
    another process does with keys is honoured at once. Raises `LibraryError` as the database does.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock
        self._noted: dict[str, date] = {}

    def add(self, new: NewKey) -> None:
        """Store a new key: from now on its token is good."""
        with self._database.writing() as db:
            keys.insert_key(db, new)

    def revoke(self, key_id: str) -> Key:
        """Refuse a key from now on; raises `NotFoundError`. It stays listed."""
        with self._database.writing() as db:
            return keys.revoke_key(db, key_id, self._clock().replace(microsecond=0))

    def all(self) -> list[Key]:
        """Every key that was ever made, the oldest first."""
        with self._database.reading() as db:
            return keys.select_keys(db)

    def exist(self) -> bool:
        """Whether a key was ever made. Revoking the last one opens nothing."""
        with self._database.reading() as db:
            return keys.has_keys(db)

    def find(self, token: str) -> Key | None:
        """The key of a token, in whatever state it is."""
        with self._database.reading() as db:
            return keys.find_key(db, token)

    def state(self, key: Key) -> str:
        """Whether a key can be used now: active, expired or revoked."""
        return key.state(self._clock())

    def origins(self) -> set[str]:
        """The origins of the publishable keys that can be used now."""
        return {one for key in self.all() if self.state(key) == "active" for one in key.origins}

    def unnoted(self, key: Key) -> bool:
        """Whether `note_use` has something to write: the key's first use of the day."""
        today = self._clock().date()
        return today not in (key.last_used, self._noted.get(key.id))

    def note_use(self, key: Key) -> None:
        """Write down that the key was used today."""
        self._noted[key.id] = today = self._clock().date()
        with self._database.writing() as db:
            keys.note_use(db, key.id, today)
