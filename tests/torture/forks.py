"""Processes that cost next to nothing: forks of this one, which has imported everything and opened
nothing. One kind is killed, by its parent or by itself; the other reports what it found."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

Tell = Callable[[object], None]
Point = str
"""A crash point, as `module.function call` or `… return`."""

STORES = ("rag.storage.", "rag.backup", "rag.index", "rag.ingest", "rag.library")
"""What writes: a point is where a function of it, or one called by it, begins or ends."""


@dataclass(frozen=True)
class Killed:
    """What a process told before it died, and whether it was a kill that ended it."""

    told: list[Any]
    by_kill: bool
    error: str = ""


def killed(work: Callable[[Tell], None], *, after: float, at: tuple[Point, int] | None) -> Killed:
    """Run some work in a fork, and kill it after so many seconds, or at the nth time that it comes
    to a point."""

    def run(tell: Tell) -> None:
        if at:
            _watch(_Bomb(*at))
        work(tell)

    pid, reading = _fork(run)
    told, _ = _read(reading, after)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    rest, _ = _read(reading, None)
    _, status = os.waitpid(pid, 0)
    os.close(reading)
    lines = [json.loads(line) for line in (told + rest).decode().split("\n")[:-1]]
    errors = [line["error"] for line in lines if isinstance(line, dict) and "error" in line]
    return Killed(lines, os.WIFSIGNALED(status), "".join(errors))


def reported(work: Callable[[], object], timeout: float) -> Any:
    """What some work in a fork gives, as JSON; an error, a crash or a hang is given as text."""

    def run(tell: Tell) -> None:
        tell(work())

    pid, reading = _fork(run)
    told, ended = _read(reading, timeout)
    if not ended:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(reading)
    if not ended:
        return f"hung for {timeout:g} s"
    if os.WIFSIGNALED(status):
        return f"crashed by signal {os.WTERMSIG(status)}"
    result = json.loads(told)
    return result["error"] if isinstance(result, dict) and "error" in result else result


def points(work: Callable[[Tell], None], timeout: float) -> Counter[Point]:
    """The crash points that some work comes to, and how often."""

    def run() -> object:
        seen: Counter[Point] = Counter()
        _watch(lambda point: seen.update([point]))
        work(lambda _: None)
        _watch(None)
        return seen

    found = reported(run, timeout)
    assert isinstance(found, dict), found
    return Counter(found)


class _Bomb:
    """Kills this process at the nth time that it comes to a point."""

    def __init__(self, point: Point, times: int) -> None:
        self._point = point
        self._left = times

    def __call__(self, point: Point) -> None:
        if point == self._point:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


def _watch(arrive: Callable[[Point], object] | None) -> None:
    """Call `arrive` at each crash point, in every thread that begins from now on, too."""

    def profile(frame: FrameType, event: str, arg: Any) -> None:
        here, back = _module(frame), _module(frame.f_back)
        if event.startswith("c_"):  # a function in C, called by the frame
            if here.startswith(STORES):
                owner = arg.__module__ or type(arg.__self__).__module__
                if owner in ("sqlite3", "posix"):
                    arrive(f"{here} {owner}.{arg.__qualname__} {event[2:]}")
        elif here.startswith(STORES) or (
            back.startswith(STORES)
            and (here.startswith(("rag.", "chromadb.", "shutil")) or _moves(frame))
        ):
            arrive(f"{here}.{frame.f_code.co_qualname} {event}")

    threading.setprofile(profile if arrive else None)
    sys.setprofile(profile if arrive else None)


def _moves(frame: FrameType) -> bool:
    """Whether it is where a file gets or loses a name."""
    return _module(frame) == "pathlib" and frame.f_code.co_name in ("replace", "unlink")


def _module(frame: FrameType | None) -> str:
    return str(frame.f_globals.get("__name__", "")) if frame else ""


def _fork(work: Callable[[Tell], None]) -> tuple[int, int]:
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    os.close(reading)
    gc.freeze()

    def tell(what: object) -> None:
        os.write(writing, json.dumps(what).encode() + b"\n")

    try:
        work(tell)
    finally:
        sys.setprofile(None)
        if failed := sys.exc_info()[0]:
            tell({"error": traceback.format_exc(limit=-6)})
        os._exit(bool(failed))


def _read(reading: int, timeout: float | None) -> tuple[bytes, bool]:
    """What comes until the other end is closed, or so many seconds have passed; and which."""
    until = None if timeout is None else time.monotonic() + timeout
    found = b""
    while True:
        left = None if until is None else max(0.0, until - time.monotonic())
        ready, _, _ = select.select([reading], [], [], left)
        if not ready:
            return found, False
        some = os.read(reading, 1 << 16)
        if not some:
            return found, True
        found += some


def run_module(
    command: list[str], *, input: bytes = b"", text: bool = False, timeout: float, **_: object
) -> subprocess.CompletedProcess[Any]:
    """`subprocess.run` for `python -m module …` without the imports, which take a second."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(writing, 1)
        os.close(2)
        sys.argv = command[2:]
        sys.stdin = io.TextIOWrapper(io.BytesIO(input))
        sys.stdout = os.fdopen(1, "w")
        try:
            runpy.run_module(command[2], run_name="__main__")
            sys.stdout.flush()
        finally:
            os._exit(sys.exc_info()[0] is not None)
    os.close(writing)
    told, ended = _read(reading, timeout)
    os.close(reading)
    if not ended:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if not ended:
        raise subprocess.TimeoutExpired(command, timeout)
    code = os.waitstatus_to_exitcode(status)
    return subprocess.CompletedProcess(command, code, told.decode() if text else told)
