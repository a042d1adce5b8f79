"""Documents of strangers → the fields of their articles, read in a process that can be ended.

A parser may be made to loop, to nest without end, or to fill the memory; then only its own process
is hurt.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

from rag.articles import ArticleFields, parse_fields
from rag.errors import ArticleError, BusyError

SECONDS = 20
MEMORY_BYTES = 2 << 30  # of address space; a page of 20 MB needs a tenth of it
AT_ONCE = 2
WAITING = 16

_SOURCE = "the document"
_SECRETS = ("DATELINE_", "OPENAI_")


class DocumentReader:
    """Reads documents as `rag.readers` reads files, at most `AT_ONCE` of them at a time.

    Each has `seconds` (of the clock, and of its CPU) and `memory_bytes`.
    """

    def __init__(
        self, max_chars: int, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._max_chars = max_chars
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def read(self, data: bytes, suffix: str, charset: str | None) -> ArticleFields:
        """The fields of the document that would be a file with that suffix; `charset` if its
        sender declared one.

        Raises `ArticleError`, and `BusyError` while too many others wait.
        """
        if self._waiting >= WAITING:
            raise BusyError(f"{WAITING} documents wait to be read; send this one again soon")
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            said = await self._run(data, suffix, charset)
        finally:
            self._turns.release()
        read = json.loads(said)
        if "problem" in read:
            raise ArticleError(_SOURCE, read["problem"])
        return parse_fields(_SOURCE, read["fields"])

    async def _run(self, data: bytes, suffix: str, charset: str | None) -> bytes:
        limits = (str(int(self._seconds) + 1), str(self._memory_bytes), str(self._max_chars))
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rag.readers.worker", suffix, charset or "", *limits),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            start_new_session=True,
            env={k: v for k, v in os.environ.items() if not k.upper().startswith(_SECRETS)},
        )
        try:
            async with asyncio.timeout(self._seconds):
                said, _ = await worker.communicate(data)
        except TimeoutError:
            raise self._too_much(f"{self._seconds:g} s") from None
        finally:
            await _end(worker)
        if worker.returncode != 0:
            raise self._too_much(f"{self._seconds:g} s or {self._memory_bytes / 1e9:.1f} GB")
        return said

    def _too_much(self, bound: str) -> ArticleError:
        return ArticleError(
            _SOURCE, f"cannot be read within {bound}; send its text alone, as JSON or text/plain"
        )


async def _end(worker: Process) -> None:
    """End a worker that still runs, with all that it may have started."""
    if worker.returncode is None:
        os.killpg(worker.pid, signal.SIGKILL)
        await worker.communicate()
