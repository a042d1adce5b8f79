"""Keys that say who may ask: making and reading them, and their rows in the library's database.

A token is `sk_` or `pk_`, the key's number and a secret of 256 random bits. It is shown once;
stored is its SHA-256. That is enough: a slow hash protects what can be guessed, and nobody guesses
256 bits. Each function on rows works within the caller's transaction.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from rag.errors import NotFoundError
from rag.origins import web_origin

Scope = Literal["ask", "read", "write", "admin"]
SCOPES: tuple[Scope, ...] = ("ask", "read", "write", "admin")
NAME_CHARS = 200

_TOKEN = re.compile(r"[sp]k_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_COLUMNS = "id, name, scopes, origins, created_at, expires_at, revoked_at, last_used"


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; its secret is not. With `origins` it is a publishable one.

    Times are of UTC; `last_used` is the day.
    """

    id: str
    name: str
    scopes: tuple[Scope, ...]
    origins: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used: date | None = None

    @property
    def publishable(self) -> bool:
        """Whether it may stand in a web page: it is good from its origins only."""
        return bool(self.origins)

    def state(self, now: datetime) -> Literal["active", "expired", "revoked"]:
        """Whether the key can be used now."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and now >= self.expires_at else "active"

    def allows(self, scope: Scope) -> bool:
        """Whether the key has a scope; `admin` has them all."""
        return scope in self.scopes or "admin" in self.scopes


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its token: the only time that this is known."""

    key: Key
    token: str = field(repr=False)


def make_key(
    name: str,
    scopes: Collection[Scope],
    origins: Sequence[str],
    now: datetime,
    expires_at: datetime | None = None,
) -> NewKey:
    """A new key; `origins` make it publishable. Raises ValueError, which tells what is wrong."""
    if not name.strip() or len(name) > NAME_CHARS or not name.isprintable():
        raise ValueError(f"a name has 1 to {NAME_CHARS} printable characters")
    if origins and set(scopes) != {"ask"}:
        raise ValueError("a key for web origins can be read by all their visitors: scope ask only")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise ValueError(f"a key has one scope or more of {', '.join(SCOPES)}")
    if expires_at and expires_at <= now:
        raise ValueError("a key expires in the future")
    number = secrets.token_hex(6)
    key = Key(
        id=f"key_{number}",
        name=name.strip(),
        scopes=tuple(scope for scope in SCOPES if scope in scopes),
        origins=tuple(dict.fromkeys(map(web_origin, origins))),
        created_at=now,
        expires_at=expires_at,
    )
    return NewKey(key, f"{'pk' if origins else 'sk'}_{number}_{secrets.token_urlsafe(32)}")


def insert_key(db: sqlite3.Connection, new: NewKey) -> None:
    """Store a key, and of its token the hash."""
    key = new.key
    row = (
        key.id,
        key.name,
        json.dumps(key.scopes),
        json.dumps(key.origins),
        key.created_at.isoformat(),
        key.expires_at and key.expires_at.isoformat(),
        _digest(new.token),
    )
    db.execute(
        "INSERT INTO keys (id, name, scopes, origins, created_at, expires_at, digest) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        row,
    )


def find_key(db: sqlite3.Connection, token: str) -> Key | None:
    """The key of a token, in whatever state it is."""
    if not (match := _TOKEN.fullmatch(token)):
        return None
    found = db.execute(f"SELECT digest, {_COLUMNS} FROM keys WHERE id = ?", [f"key_{match[1]}"])
    row = found.fetchone()
    if row is None or not hmac.compare_digest(row[0], _digest(token)):
        return None
    return _key(row[1:])


def select_keys(db: sqlite3.Connection) -> list[Key]:
    """Every key that was ever made, the oldest first."""
    return [_key(row) for row in db.execute(f"SELECT {_COLUMNS} FROM keys ORDER BY created_at, id")]


def has_keys(db: sqlite3.Connection) -> bool:
    """Whether a key was ever made, be it revoked by now."""
    return bool(db.execute("SELECT EXISTS (SELECT 1 FROM keys)").fetchone()[0])


def revoke_key(db: sqlite3.Connection, key_id: str, now: datetime) -> Key:
    """Mark a key as revoked, as of its first time; raises `NotFoundError`."""
    db.execute(
        "UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?",
        [now.isoformat(), key_id],
    )
    row = db.execute(f"SELECT {_COLUMNS} FROM keys WHERE id = ?", [key_id]).fetchone()
    if row is None:
        raise NotFoundError(
            f"no key has the id {key_id!r}; `dateline keys list` shows those that exist"
        )
    return _key(row)


def note_use(db: sqlite3.Connection, key_id: str, day: date) -> None:
    """Write down the day of a key's last use."""
    db.execute("UPDATE keys SET last_used = ? WHERE id = ?", [day.isoformat(), key_id])


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _key(row: Sequence[str | None]) -> Key:
    key_id, name, scopes, origins, created_at, expires_at, revoked_at, last_used = row
    return Key(
        id=str(key_id),
        name=str(name),
        scopes=tuple(json.loads(str(scopes))),
        origins=tuple(json.loads(str(origins))),
        created_at=datetime.fromisoformat(str(created_at)),
        expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
        revoked_at=datetime.fromisoformat(revoked_at) if revoked_at else None,
        last_used=date.fromisoformat(last_used) if last_used else None,
    )
