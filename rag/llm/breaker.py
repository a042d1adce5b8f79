"""What keeps an LLM's outage small: a circuit breaker, and a budget of retries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.errors import LanguageModelError

FAILURES = 5
PAUSE_S = 15.0
_RETRIES_IN_RESERVE = 10
_REQUESTS_PER_RETRY = 10


class CircuitBreaker:
    """Opens after `failures` replies in a row that an outage broke; then none is tried.

    After `pause_s` one reply at a time is tried again, and closes it when it comes whole. Faults
    of a request itself, and replies that nobody waits for any more, count as neither.
    """

    def __init__(
        self,
        failures: float = FAILURES,
        pause_s: float = PAUSE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._pause_s = pause_s
        self._clock = clock
        self._failures = 0
        self._retry_at: float | None = None  # None while it is closed
        self._probing = False

    @property
    def open(self) -> bool:
        """Whether the outage lasts, as far as is known."""
        return self._retry_at is not None

    @contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """One reply of `name`, from its request to its end; refused by `LanguageModelError`."""
        probe = self._retry_at is not None
        if self._retry_at is not None and (self._probing or self._clock() < self._retry_at):
            raise LanguageModelError(f"{name}: {self._failures} failures in a row, so it is spared")
        self._probing = self._probing or probe
        try:
            yield
        except LanguageModelError as error:
            if error.outage:
                self._failed(probe)
            raise
        else:
            self._failures, self._retry_at = 0, None
        finally:
            if probe:
                self._probing = False

    def _failed(self, probe: bool) -> None:
        if self._retry_at is not None and not probe:
            return  # it began before the outage was known
        self._failures += 1
        if probe or self._failures >= self._limit:
            self._retry_at = self._clock() + self._pause_s


class RetryBudget:
    """At most one retry to ten requests, with ten in reserve: an outage is not multiplied."""

    def __init__(self) -> None:
        self._credit = _RETRIES_IN_RESERVE * _REQUESTS_PER_RETRY

    def earn(self) -> None:
        """A request was made."""
        self._credit = min(self._credit + 1, _RETRIES_IN_RESERVE * _REQUESTS_PER_RETRY)

    def spend(self) -> bool:
        """Whether one may be made again."""
        if self._credit < _REQUESTS_PER_RETRY:
            return False
        self._credit -= _REQUESTS_PER_RETRY
        return True
