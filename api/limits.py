"""How much one caller, and all of them together, may ask of the service.

Pure ASGI, so that a client's going away stays visible to the routes.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.ending import Ending
from api.problems import SHUTTING_DOWN, Kind, refusal
from api.security import LOCAL
from rag.settings import NO_LIMIT, Settings

TOO_MANY = Kind("too-many-requests", "Too many requests", 429)
TOO_MANY_AT_ONCE = Kind("too-many-at-once", "Too many requests at once", 429)
BUSY = Kind("busy", "The service is busy", 503)

COSTLY_METHODS = frozenset({"POST", "PUT", "DELETE"})
"""What asks, searches or writes. Reading is cheap, and is not limited."""

DEFAULT_RATES = {"key": "600/minute", "address": "60/minute"}
DEFAULT_AT_ONCE = 32
"""For one caller, where others than this machine can reach the service."""

RETRY_S = 1
"""When a place may be free again."""

IPV6_SITE_BITS = 64
"""One site has so many bits of an IPv6 address to choose from (RFC 6177): it is one caller."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits: `rates` of each sort of caller (key, address), requests under way of one caller
    and of all."""

    rates: Mapping[str, RateLimitItem]
    caller_at_once: float
    at_once: int

    @classmethod
    def of(cls, settings: Settings, *, on_loopback: bool) -> Self:
        """What the settings say; what they leave open has no limit on loopback."""
        named = {"key": settings.key_rate, "address": settings.address_rate}
        default = dict.fromkeys(named, NO_LIMIT) if on_loopback else DEFAULT_RATES
        chosen = {sort: rate or default[sort] for sort, rate in named.items()}
        return cls(
            {sort: parse(rate) for sort, rate in chosen.items() if rate != NO_LIMIT},
            settings.caller_requests or (math.inf if on_loopback else DEFAULT_AT_ONCE),
            settings.max_requests,
        )


class Limits:
    """Refuses costly requests beyond the policy: 429 for the caller's own, 503 for everybody's.

    Responses tell what is left (draft-ietf-httpapi-ratelimit-headers-10), and those of a refusal
    when to come again.
    """

    def __init__(
        self,
        app: ASGIApp,
        policy: Policy,
        ending: Ending,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self.policy = policy
        self.ending = ending
        self._clock = clock
        self._limiter = MovingWindowRateLimiter(Hits(clock))
        self._running: Counter[tuple[str, str]] = Counter()
        self._total = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] != "http" or scope["method"] not in COSTLY_METHODS:
            await self.app(scope, receive, send)
            return
        callers = callers_of(scope)
        if refused := self._crowded(callers):
            headers = {"Retry-After": str(RETRY_S)}
            await refusal(scope, *refused, headers)(scope, receive, send)
            return
        admitted = self._hit(callers)
        headers = self._headers(callers, admitted)
        if not admitted:
            await refusal(scope, TOO_MANY, self._detail(callers), headers)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        with self._place(callers):
            await self.app(scope, receive, send_with_headers)

    def _crowded(self, callers: Mapping[str, str]) -> tuple[Kind, str] | None:
        """Why there is no place for one more request."""
        if self.ending.began:
            return SHUTTING_DOWN, "The service is shutting down; ask again in a moment."
        for sort, caller in callers.items():
            if self._running[sort, caller] >= self.policy.caller_at_once:
                most = self.policy.caller_at_once
                return TOO_MANY_AT_ONCE, f"{most:g} requests of one {sort} may be under way."
        if self._total >= self.policy.at_once:
            return BUSY, f"{self.policy.at_once} requests are under way; ask again in a moment."
        return None

    @contextmanager
    def _place(self, callers: Mapping[str, str]) -> Iterator[None]:
        self._total += 1
        self._running.update(callers.items())
        try:
            yield
        finally:
            self._total -= 1
            self._running.subtract(callers.items())
            for caller in callers.items():
                if not self._running[caller]:
                    del self._running[caller]

    def _hit(self, callers: Mapping[str, str]) -> bool:
        """Count a request against all limits, or against none if one of them is reached."""
        counted = [(self.policy.rates[sort], sort, callers[sort]) for sort in self._sorts(callers)]
        limiter = self._limiter
        return all(limiter.test(*one) for one in counted) and all(limiter.hit(*c) for c in counted)

    def _sorts(self, callers: Mapping[str, str]) -> list[str]:
        return [sort for sort in self.policy.rates if sort in callers]

    def _headers(self, callers: Mapping[str, str], admitted: bool) -> dict[str, str]:
        """RateLimit-Policy, RateLimit, and for a refusal Retry-After."""
        policies, left, waits = [], [], [RETRY_S]
        for sort in self._sorts(callers):
            rate = self.policy.rates[sort]
            reset, remaining = self._limiter.get_window_stats(rate, sort, callers[sort])
            wait = max(math.ceil(reset - self._clock()), 1)
            waits += [] if remaining else [wait]
            policies.append(f'"{sort}";q={rate.amount};w={rate.get_expiry()}')
            left.append(f'"{sort}";r={remaining};t={wait}')
        if not policies:
            return {}
        told = {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(left)}
        return told if admitted else {**told, "Retry-After": str(max(waits))}

    def _detail(self, callers: Mapping[str, str]) -> str:
        rates = [f"{self.policy.rates[sort]} for one {sort}" for sort in self._sorts(callers)]
        return f"This service takes {' and '.join(rates)}; Retry-After says when to come again."


class Hits(MemoryStorage):
    """The times of each caller's requests.

    The storage of `limits` itself never forgets a caller, and goes through all of them in a thread
    of its own every few milliseconds; this one forgets as it goes.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._hits: dict[str, tuple[deque[float], int]] = {}  # the one of longest ago first

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` requests, unless the window then had more than `limit`."""
        now = self._clock()
        self._forget(now)
        hits = self._within(key, now - expiry)
        if len(hits) + amount > limit:
            return False
        hits.extend([now] * amount)
        self._hits.pop(key, None)
        self._hits[key] = hits, expiry
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """The time of the window's first request, and how many it has."""
        now = self._clock()
        hits = self._within(key, now - expiry)
        return (hits[0] if hits else now), len(hits)

    def reset(self) -> int:
        """Forget everybody; how many there were."""
        count = len(self._hits)
        self._hits.clear()
        return count

    def _within(self, key: str, since: float) -> deque[float]:
        hits = self._hits[key][0] if key in self._hits else deque()
        while hits and hits[0] <= since:
            hits.popleft()
        return hits

    def _forget(self, now: float) -> None:
        while self._hits:
            oldest = next(iter(self._hits))
            hits, expiry = self._hits[oldest]
            if hits and hits[-1] > now - expiry:
                return
            del self._hits[oldest]


def callers_of(scope: Scope) -> dict[str, str]:
    """Who asks: the key's id, if there is one, and the address, if it is known. This machine's
    own commands are nobody."""
    key, client = scope["state"].get("key"), scope.get("client")
    if key and key.id == LOCAL:
        return {}
    callers = {"key": key.id} if key else {}
    return {**callers, "address": address_of(client[0])} if client else callers


def address_of(host: str) -> str:
    """The address as one caller's: of IPv6 that of the site."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_SITE_BITS), strict=False))
