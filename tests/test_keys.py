"""Keys: their tokens, scopes, expiry, origins, and their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from rag.bootstrap import open_keyring
from rag.errors import LibraryError, NotFoundError
from rag.origins import web_origin
from rag.settings import Settings
from rag.storage.database import Database
from rag.storage.holder import hold
from rag.storage.keyring import Keyring
from rag.storage.keys import make_key
from rag.storage.schema import MIGRATIONS

NOW = datetime(2031, 5, 1, 12, tzinfo=UTC)
SITE = "https://news.example"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "library.db")) as opened:
        yield opened


@pytest.fixture
def keyring(database: Database) -> Keyring:
    return Keyring(database, lambda: NOW)


@pytest.mark.parametrize(
    ("name", "scopes", "origins", "expires_at", "told"),
    [
        ("", ["ask"], [], None, "name"),
        ("x" * 201, ["ask"], [], None, "name"),
        ("a\nb", ["ask"], [], None, "name"),
        ("x", [], [], None, "scope"),
        ("x", ["everything"], [], None, "scope"),
        ("x", ["ask", "read"], [SITE], None, "scope ask only"),
        ("x", ["admin"], [SITE], None, "scope ask only"),
        ("x", ["ask"], ["*"], None, "no web origin"),
        ("x", ["ask"], [], NOW, "future"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(name, scopes, origins, expires_at, told):
    with pytest.raises(ValueError, match=told):
        make_key(name, scopes, origins, NOW, expires_at)


@pytest.mark.parametrize(
    "text",
    "|*|null|news.example|ftp://news.example|https://|https://a/b|https://a?b|https://me@a.example"
    "|https://a:99999|https://*.example|https://a b".split("|"),
)
def test_what_is_no_origin_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        web_origin(text)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://News.example/", "https://news.example"),
        ("https://news.example:443", "https://news.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(text, origin):
    assert web_origin(text) == origin


def test_only_the_hash_of_a_token_is_stored_and_no_repr_shows_it(keyring, database, tmp_path):
    new = make_key("x", ["ask"], [], NOW)
    keyring.add(new)
    with database.reading() as db:
        (row,) = db.execute("SELECT * FROM keys")
    assert hashlib.sha256(new.token.encode()).digest() in row
    secret = new.token.split("_", 2)[2]
    assert secret not in f"{row} {new!r} {new} {keyring.all()}"
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret.encode() not in stored


def test_tokens_are_new_each_time_and_say_their_kind():
    tokens = {make_key("x", ["ask"], [], NOW).token for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 59 and token.startswith("sk_") for token in tokens)
    assert make_key("x", ["ask"], [SITE], NOW).token.startswith("pk_")


def test_only_the_very_token_is_found(keyring):
    one, other = (make_key("x", ["ask"], [], NOW) for _ in range(2))
    keyring.add(one)
    keyring.add(other)
    assert keyring.find(one.token) == one.key
    number, theirs = one.token.split("_")[1], other.token.split("_", 2)[2]
    swapped = "A" if one.token[-1] != "A" else "B"
    for wrong in (
        "",
        "sk_",
        one.key.id,
        one.token[:-1],
        one.token[:-1] + swapped,
        one.token + "x",
        one.token + "\n",
        "pk" + one.token[2:],
        f"sk_{number}_{theirs}",
        make_key("x", ["ask"], [], NOW).token,
        "sk_é",
    ):
        assert keyring.find(wrong) is None


def test_a_key_expires_to_the_second():
    key = make_key("x", ["ask"], [], NOW, NOW + timedelta(days=1)).key
    assert key.state(NOW + timedelta(days=1, seconds=-1)) == "active"
    assert key.state(NOW + timedelta(days=1)) == "expired"
    assert make_key("x", ["ask"], [], NOW).key.state(NOW + timedelta(days=9999)) == "active"


def test_a_revoked_key_stays_listed_and_opens_nothing(keyring, database):
    assert not keyring.exist()
    new = make_key("x", ["ask"], [], NOW)
    keyring.add(new)
    revoked = keyring.revoke(new.key.id)
    assert revoked.revoked_at == NOW
    assert Keyring(database, lambda: NOW + timedelta(1)).revoke(new.key.id) == revoked
    assert keyring.state(revoked) == "revoked"
    assert keyring.all() == [revoked]
    assert keyring.exist()


def test_an_unknown_key_cannot_be_revoked(keyring):
    with pytest.raises(NotFoundError, match="keys list"):
        keyring.revoke("key_0")


def test_scopes_stand_alone_but_for_admin():
    key = make_key("x", ["write", "read", "read"], [], NOW).key
    assert key.scopes == ("read", "write")
    assert [key.allows(s) for s in ("ask", "read", "write", "admin")] == [False, True, True, False]
    admin = make_key("x", ["admin"], [], NOW).key
    assert all(admin.allows(s) for s in ("ask", "read", "write", "admin"))


def test_origins_are_those_of_publishable_keys_in_use(keyring, database):
    used = make_key("x", ["ask"], [SITE, SITE + "/"], NOW)
    short = make_key("y", ["ask"], ["https://b.example"], NOW, NOW + timedelta(1))
    gone = make_key("z", ["ask"], ["https://c.example"], NOW)
    for new in (used, short, gone, make_key("s", ["ask"], [], NOW)):
        keyring.add(new)
    keyring.revoke(gone.key.id)
    assert used.key.origins == (SITE,)
    assert keyring.origins() == {SITE, "https://b.example"}
    assert Keyring(database, lambda: NOW + timedelta(2)).origins() == {SITE}


def test_the_day_of_the_last_use_is_written_once_a_day(keyring, database):
    new = make_key("x", ["ask"], [], NOW)
    keyring.add(new)
    assert keyring.unnoted(new.key)
    keyring.note_use(new.key)
    assert not keyring.unnoted(new.key)  # though this value is from before
    found = keyring.find(new.token)
    assert found.last_used == date(2031, 5, 1)
    assert not Keyring(database, lambda: NOW).unnoted(found)
    assert Keyring(database, lambda: NOW + timedelta(1)).unnoted(found)


def test_keys_are_made_and_revoked_while_the_directory_is_held(tmp_path):
    settings = Settings(_env_file=None, data_dir=tmp_path)
    with hold(tmp_path), closing(Database(tmp_path / "library.db")) as held:
        theirs = Keyring(held)
        assert not theirs.exist()
        new = make_key("x", ["ask"], [], datetime.now(UTC))
        with open_keyring(settings) as ours:
            ours.add(new)
            assert theirs.find(new.token) == new.key
            ours.revoke(new.key.id)
        assert theirs.state(theirs.find(new.token)) == "revoked"


def test_the_schema_is_left_to_the_process_that_holds_the_directory(tmp_path):
    settings = Settings(_env_file=None, data_dir=tmp_path)
    with hold(tmp_path):
        Database(tmp_path / "library.db", MIGRATIONS[:1]).close()
        with pytest.raises(LibraryError, match="try again"), open_keyring(settings):
            pass
    with open_keyring(settings) as keyring:
        assert keyring.all() == []
