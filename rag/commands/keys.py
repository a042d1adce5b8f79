"""`dateline keys`: make, list or revoke the keys that say who may ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, TypeVar, cast

import typer

from rag import options
from rag.commands.running import DONE, exit_with, print_json, printing, read_settings, warn
from rag.storage.keyring import Keyring
from rag.storage.keys import SCOPES, Key, Scope, make_key

Result = TypeVar("Result")

app = typer.Typer(help="Make, list or revoke the keys of the service.", no_args_is_help=True)


@app.command(epilog="Example: dateline keys create --name laptop --scope ask --expires 90")
def create(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            metavar="|".join(SCOPES),
            help="What it may do; may be repeated; default: ask. admin: everything.",
        ),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(metavar="DATE|DAYS", help="Last day that it is good (UTC), or for how long."),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="https://SITE",
            help="Make a publishable key, for pages of this site only; may be repeated.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Make a key and print it, this once. With the first one the service asks everybody for a key.

    Without --origin it is a secret one (sk_…), with it one that may stand in a page (pk_…).
    """
    now = datetime.now(UTC).replace(microsecond=0)
    scopes = cast("list[Scope]", scope or ["ask"])
    try:
        new = make_key(name, scopes, origin or (), now, _expiry(expires, now) if expires else None)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None

    def show(_: None) -> None:
        if as_json:
            print_json({**_json(new.key), "key": new.token})
        else:
            print(new.token)
        warn(f"Keys: {new.key.id} created. Keep it now: it is stored hashed and never shown again.")

    _run(lambda keys: keys.add(new), show)


@app.command(name="list", epilog="Example: dateline keys list --json")
def list_keys(as_json: options.Json = False) -> None:
    """List every key that was ever made, without its secret."""
    from rag.terminal import print_keys

    def read(keys: Keyring) -> list[tuple[Key, str]]:
        return [(key, keys.state(key)) for key in keys.all()]

    def encode(found: list[tuple[Key, str]]) -> object:
        return {"keys": [{**_json(key), "state": state} for key, state in found]}

    _run(read, printing(as_json, encode, print_keys))


@app.command(epilog="Example: dateline keys revoke key_0123456789ab")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as listed.")],
    as_json: options.Json = False,
) -> None:
    """Refuse a key from now on, also by a server that runs. Revoking the last one opens nothing."""

    def show(key: Key) -> None:
        if as_json:
            print_json(_json(key))
        warn(f"Keys: {key.id} revoked.")

    _run(lambda keys: keys.revoke(key_id), show)


def _run(work: Callable[[Keyring], Result], show: Callable[[Result], None]) -> None:
    """Do the work with the keys alone, which a server that runs does not prevent."""

    async def opened() -> int:
        from rag.bootstrap import open_keyring

        with open_keyring(read_settings()) as keys:
            result = work(keys)
        show(result)
        return DONE

    exit_with(opened())


def _expiry(text: str, now: datetime) -> datetime:
    """The moment from which a key is no longer good: after that many days, or after a last day."""
    try:
        if re.fullmatch("[0-9]{1,5}", text):
            return now + timedelta(days=int(text))
        return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError):
        raise ValueError("--expires: should be a date as YYYY-MM-DD, or a number of days") from None


def _json(key: Key) -> dict[str, Any]:
    """A key as a document."""

    def iso(moment: date | None) -> str | None:
        return moment.isoformat() if moment else None

    return {
        "id": key.id,
        "name": key.name,
        "kind": "publishable" if key.publishable else "secret",
        "scopes": key.scopes,
        "origins": key.origins,
        "created_at": iso(key.created_at),
        "expires_at": iso(key.expires_at),
        "revoked_at": iso(key.revoked_at),
        "last_used": iso(key.last_used),
    }
