"""Work waits for a core, in order, and never for another event loop's."""

import os
import threading

import anyio
import pytest

from rag.cores import compute, waiting

CORES = os.cpu_count() or 1


async def test_as_many_pieces_of_work_run_at_once_as_there_are_cores_and_the_others_wait() -> None:
    go = threading.Event()
    running, most = 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        go.wait(20)
        with lock:
            running -= 1

    async with anyio.create_task_group() as group:
        for _ in range(CORES + 3):
            group.start_soon(compute, work)
        with anyio.fail_after(20):
            while waiting() < 3 or running < CORES:
                await anyio.sleep(0)
        go.set()
    assert most == CORES
    assert waiting() == 0


def test_each_event_loop_has_its_own() -> None:
    async def double() -> int:
        return await compute(lambda: 2 * 21)

    assert [anyio.run(double), anyio.run(double)] == [42, 42]


async def test_what_fails_says_so() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await compute(fail)
