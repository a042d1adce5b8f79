"""One process, and within it one service, holds a data directory."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import LibraryError, LibraryInUseError

_LOCK = "lock"
_HOLDER = "holder.json"  # who holds the lock; of no account once the lock is free


@contextmanager
def hold(directory: Path, command: str | None = None) -> Iterator[None]:
    """Hold the data directory, made if it is not there, while the block runs.

    Raises `LibraryInUseError` at once while someone else holds it, be it this process. The
    operating system lets go of it for a process that dies. Others are told `command`, by
    default the program's name and its subcommand.
    """
    lock = _acquire(directory, command or _command())
    try:
        yield
    finally:
        (directory / _HOLDER).unlink(missing_ok=True)
        lock.release()


def _acquire(directory: Path, command: str) -> FileLock:
    lock = FileLock(directory / _LOCK, thread_local=False)
    holder = {
        "pid": os.getpid(),
        "command": command,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
        (directory / _HOLDER).write_text(json.dumps(holder), encoding="utf-8")
    except Timeout:
        raise LibraryInUseError(_in_use(directory)) from None
    except OSError as error:
        lock.release()
        raise LibraryError(
            f"the data directory {directory} cannot be used: {error.strerror or error}; "
            "make it yours to write, or name another in DATELINE_DATA_DIR"
        ) from error
    return lock


def _in_use(directory: Path) -> str:
    try:
        holder = json.loads((directory / _HOLDER).read_text(encoding="utf-8"))
        pid, command, since = holder["pid"], holder["command"], holder["since"]
    except (OSError, ValueError, KeyError, TypeError):  # it has just begun or just ended
        return f"the data directory {directory} is in use by another process; try again"
    if pid == os.getpid():
        return f"the data directory {directory} is open already in this process, since {since}"
    return (
        f"the data directory {directory} is in use by `{command}` (process {pid}, since {since}): "
        "wait for it or stop it, or name another directory in DATELINE_DATA_DIR"
    )


def _command() -> str:
    """The program and its subcommand, without arguments: these may be private."""
    subcommand = [word for word in sys.argv[1:2] if not word.startswith("-")]
    return " ".join([Path(sys.argv[0]).name, *subcommand])
