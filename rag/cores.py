"""Work for the processor: as many threads at a time as there are cores, in the order asked for.

Threads that compute share one interpreter lock with the event loop. With a crowd of them it would
wait behind each, and every stream with it; with as many as there are cores none is idle either.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

T = TypeVar("T")

_limiter: RunVar[CapacityLimiter] = RunVar("the limiter of this event loop's work")


async def compute(work: Callable[[], T]) -> T:
    """What `work` returns, run in a thread once a core is free for it."""
    return await anyio.to_thread.run_sync(work, limiter=_of_this_loop())


def waiting() -> int:
    """How many pieces of work wait for a core."""
    return _of_this_loop().statistics().tasks_waiting


def _of_this_loop() -> CapacityLimiter:
    limiter = _limiter.get(None)
    if limiter is None:
        limiter = CapacityLimiter(os.cpu_count() or 1)
        _limiter.set(limiter)
    return limiter
