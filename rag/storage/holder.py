"""One process, and within it one service, holds a data directory.

It says there who it is. A server also says how commands of the same user reach it: they go through
it instead of opening the directory.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rag.errors import LibraryError, LibraryInUseError

_LOCK = "lock"
_HOLDER = "holder.json"  # who holds the lock; of no account once the lock is free
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class Door:
    """How a server that holds a data directory is reached: its address, a key that is good for
    this process alone, and its version."""

    url: str
    version: str
    key: str = field(repr=False)

    @classmethod
    def at(cls, host: str, port: int) -> Door:
        """A new one, for a server of this program that listens there."""
        host = _EVERYWHERE.get(host, host)
        name = f"[{host}]" if ":" in host else host
        return cls(f"http://{name}:{port}", program_version(), secrets.token_urlsafe(32))


class Hold:
    """A data directory that is held, and what is said of it there."""

    def __init__(self, directory: Path, command: str) -> None:
        self._directory = directory
        self._holder: dict[str, Any] = {
            "pid": os.getpid(),
            "command": command,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def announce(self, door: Door | None = None) -> None:
        """Say who holds it and, from now on, how that one is reached; its owner alone can read it.
        Raises `LibraryError`."""
        new = self._directory / f"{_HOLDER}.new"
        said = {**self._holder, "door": asdict(door) if door else None}
        try:
            new.unlink(missing_ok=True)
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(said, file)
            new.replace(self._directory / _HOLDER)
        except OSError as error:
            raise _unusable(self._directory, error) from error


@contextmanager
def hold(directory: Path, command: str | None = None) -> Iterator[Hold]:
    """Hold the data directory, made if it is not there, while the block runs.

    Raises `LibraryInUseError` at once while someone else holds it, be it this process. The
    operating system lets go of it for a process that dies. Others are told `command`, by
    default the program's name and its subcommand.
    """
    lock = FileLock(directory / _LOCK, thread_local=False)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        raise LibraryInUseError(_in_use(directory)) from None
    except OSError as error:
        raise _unusable(directory, error) from error
    try:
        held = Hold(directory, command or _command())
        held.announce()
        yield held
    finally:
        (directory / _HOLDER).unlink(missing_ok=True)
        lock.release()


def find_door(directory: Path) -> Door | None:
    """How the server is reached that holds the directory; None if its holder is none, or is not
    for this user to reach. What a killed one has left says nothing: the lock tells who holds."""
    try:
        return Door(**_holder(directory)["door"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def program_version() -> str:
    """The version of Dateline that runs here."""
    try:
        return metadata.version("dateline")
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "unknown"


def _holder(directory: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((directory / _HOLDER).read_text(encoding="utf-8"))
    return found


def _in_use(directory: Path) -> str:
    try:
        holder = _holder(directory)
        pid, command, since = holder["pid"], holder["command"], holder["since"]
    except (OSError, ValueError, KeyError, TypeError):  # it has just begun or just ended
        return f"the data directory {directory} is in use by another process; try again"
    if pid == os.getpid():
        return f"the data directory {directory} is open already in this process, since {since}"
    return (
        f"the data directory {directory} is in use by `{command}` (process {pid}, since {since}): "
        "wait for it or stop it, or name another directory in DATELINE_DATA_DIR"
    )


def _unusable(directory: Path, error: OSError) -> LibraryError:
    return LibraryError(
        f"the data directory {directory} cannot be used: {error.strerror or error}; "
        "make it yours to write, or name another in DATELINE_DATA_DIR"
    )


def _command() -> str:
    """The program and its subcommand, without arguments: these may be private."""
    subcommand = [word for word in sys.argv[1:2] if not word.startswith("-")]
    return " ".join([Path(sys.argv[0]).name, *subcommand])
