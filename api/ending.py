"""How answers end from outside: at their deadline, and when the service is told to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TypeVar

from rag.errors import DeadlineError, ShuttingDownError

Event = TypeVar("Event")


class Ending:
    """The end of a service: once it is told of it, answers under way go on until they are cut off.

    One is made for each application, whose event loop alone calls it.
    """

    def __init__(self) -> None:
        self.began = False
        self._over = False
        self._waits: set[asyncio.Timeout] = set()

    def begin(self) -> None:
        """Take nothing new on: `/readyz` says so, and what costs something is refused."""
        self.began = True

    def cut(self) -> None:
        """End the answers that are still under way, with `ShuttingDownError`."""
        self._over = True
        now = asyncio.get_running_loop().time()
        for wait in self._waits:
            if not wait.expired():
                wait.reschedule(now)

    async def bounded(
        self, events: AsyncGenerator[Event], deadline_s: float
    ) -> AsyncGenerator[Event]:
        """The events, for at most so many seconds; raises `DeadlineError` or `ShuttingDownError`.

        Closing it closes the events.
        """
        deadline = asyncio.get_running_loop().time() + deadline_s
        async with aclosing(events):
            while True:
                try:
                    event = await self._next(events, deadline)
                except TimeoutError:
                    raise self._reason(deadline_s) from None
                if event is None:
                    return
                yield event

    async def _next(self, events: AsyncIterator[Event], deadline: float) -> Event | None:
        if self._over:
            raise TimeoutError
        async with asyncio.timeout_at(deadline) as wait:
            self._waits.add(wait)
            try:
                return await anext(events, None)
            finally:
                self._waits.discard(wait)

    def _reason(self, deadline_s: float) -> DeadlineError | ShuttingDownError:
        if self._over:
            return ShuttingDownError("The service is shutting down; ask again in a moment.")
        return DeadlineError(
            f"No answer within {deadline_s:g} s; ask again, or raise DATELINE_ANSWER_DEADLINE_S."
        )
