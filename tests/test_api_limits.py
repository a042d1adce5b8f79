"""How much may be asked: rates of keys and addresses, requests under way, and what refusals say."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx
import pytest
from limits import parse

from api.app import create_app
from api.ending import Ending
from api.limits import DEFAULT_AT_ONCE, Hits, Limits, Policy, address_of
from rag.settings import Settings
from rag.storage.keys import Key
from tests.fakes import FakeService
from tests.http_samples import BASE, EVENTS, EVIDENCE, assert_problem, post_scope

ASKED = {"question": "Why?"}
KEYS = [Key(f"key_{n:012x}", "x", ("ask",), (), datetime.now(UTC)) for n in range(100)]


class Clock:
    """Stands still until it is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class App:
    """Serves every request, once `go` is set; `most` counts the most requests at once."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.go.set()
        self.running = self.most = 0

    async def __call__(self, scope, receive, send) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.go.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.running -= 1


def policy(at_once: int = 10**9, caller_at_once: float = 10**9, **rates: str) -> Policy:
    return Policy({sort: parse(rate) for sort, rate in rates.items()}, caller_at_once, at_once)


async def sent(limits: Limits, key: Key | None = None, address: str = "192.0.2.1", **scope: object):
    """The status of one request, and its headers."""
    messages = []

    async def send(message):
        messages.append(message)

    state = {"request_id": "r", "key": key}
    scope = {**post_scope("/v1/ask"), "state": state, "client": (address, 1), **scope}
    await limits(scope, None, send)
    return messages[0]["status"], httpx.Headers(messages[0]["headers"])


async def statuses(limits: Limits, keys: Sequence[Key]) -> Counter[tuple[str, int]]:
    async def one(key: Key) -> tuple[str, int]:
        return key.id, (await sent(limits, key))[0]

    return Counter(await asyncio.gather(*map(one, keys)))


def fake(**settings: object) -> FakeService:
    return FakeService(script=EVENTS, evidence=EVIDENCE, **settings)


def http(service: FakeService, client: tuple[str, int] = ("192.0.2.7", 1), **served: object):
    transport = httpx.ASGITransport(create_app(service, **served), client=client)
    return httpx.AsyncClient(transport=transport, base_url=BASE)


async def test_of_20_000_requests_of_100_keys_none_is_over_admitted():
    limits = Limits(App(), policy(key="60/minute"), Ending(), Clock())
    many = [key for key in KEYS for _ in range(200)]
    random.Random(7).shuffle(many)
    seen = await statuses(limits, many)
    assert {seen[key.id, 200] for key in KEYS} == {60}
    assert {seen[key.id, 429] for key in KEYS} == {140}


async def test_no_window_wherever_it_begins_has_more_than_the_rate():
    clock, chance = Clock(), random.Random(7)
    limits = Limits(App(), policy(key="7/minute"), Ending(), clock)
    admitted: dict[str, list[float]] = {key.id: [] for key in KEYS}
    for _ in range(20_000):
        clock.now += chance.expovariate(10)
        key = chance.choice(KEYS)
        if (await sent(limits, key))[0] == 200:
            admitted[key.id].append(clock.now)
    for times in admitted.values():
        assert len(times) > 7
        assert all(b - a >= 60 for a, b in zip(times, times[7:], strict=False))


async def test_requests_under_way_are_counted_when_they_begin():
    app = App()
    app.go.clear()
    limits = Limits(app, policy(key="5/minute"), Ending(), Clock())
    asking = asyncio.create_task(statuses(limits, KEYS[:10] * 200))
    while app.running < 50:
        await asyncio.sleep(0)
    app.go.set()
    seen = await asking
    assert {seen[key.id, 200] for key in KEYS[:10]} == {5}


async def test_a_refusal_says_when_to_come_again_and_then_it_is_so():
    clock = Clock()
    limits = Limits(App(), policy(key="2/minute", address="9/hour"), Ending(), clock)
    await sent(limits, KEYS[0])
    clock.now += 20
    status, headers = await sent(limits, KEYS[0])
    assert status == 200
    assert headers["ratelimit-policy"] == '"key";q=2;w=60, "address";q=9;w=3600'
    assert headers["ratelimit"] == '"key";r=0;t=40, "address";r=7;t=3580'
    assert "retry-after" not in headers
    status, headers = await sent(limits, KEYS[0])
    assert (status, headers["retry-after"]) == (429, "40")
    assert headers["ratelimit"] == '"key";r=0;t=40, "address";r=7;t=3580', "a refusal costs nothing"
    clock.now += 40
    assert (await sent(limits, KEYS[0]))[0] == 200


def test_a_window_that_is_full_takes_nothing_more():
    hits = Hits(Clock())
    assert [hits.acquire_entry("k", 3, 60) for _ in range(5)] == [True] * 3 + [False] * 2
    assert hits.get_moving_window("k", 3, 60) == (1000, 3)


async def test_an_address_is_limited_whatever_its_keys():
    limits = Limits(App(), policy(key="9/minute", address="3/minute"), Ending(), Clock())
    assert [(await sent(limits, key))[0] for key in KEYS[:5]] == [200, 200, 200, 429, 429]
    assert (await sent(limits, KEYS[0], "192.0.2.2"))[0] == 200


async def test_one_callers_requests_at_once_leave_room_for_others():
    app = App()
    app.go.clear()
    limits = Limits(app, policy(at_once=3, caller_at_once=2), Ending(), Clock())
    first = [asyncio.create_task(sent(limits, address="192.0.2.1")) for _ in range(2)]
    while app.running < 2:
        await asyncio.sleep(0)
    status, headers = await sent(limits, address="192.0.2.1")
    assert (status, headers["retry-after"]) == (429, "1")
    other = asyncio.create_task(sent(limits, address="192.0.2.2"))
    while app.running < 3:
        await asyncio.sleep(0)
    status, headers = await sent(limits, address="192.0.2.3")
    assert (status, headers["retry-after"]) == (503, "1")
    app.go.set()
    assert [(await one)[0] for one in (*first, other)] == [200, 200, 200]
    assert (await sent(limits, address="192.0.2.1"))[0] == 200
    assert app.most == 3


async def test_a_request_that_fails_gives_its_place_back():
    async def broken(scope, receive, send):
        raise KeyError

    limits = Limits(broken, policy(at_once=1), Ending(), Clock())
    for _ in range(3):
        with pytest.raises(KeyError):
            await sent(limits)


async def test_a_service_that_ends_takes_nothing_new_on():
    ending = Ending()
    limits = Limits(App(), policy(), ending)
    ending.begin()
    status, headers = await sent(limits)
    assert (status, headers["retry-after"]) == (503, "1")
    assert (await sent(limits, method="GET"))[0] == 200


async def test_refusals_are_problems_and_have_openais_shape_on_its_routes():
    async with http(fake(address_rate="1/minute")) as client:
        assert (await client.post("/v1/ask", json=ASKED)).status_code == 200
        refused = await client.post("/v1/search", json=ASKED)
        assert_problem(refused, 429, "1 per 1 minute", "one address")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        chat = await client.post("/v1/chat/completions", json={})
    assert chat.status_code == 429
    assert chat.json()["error"]["type"] == "rate_limit_error"
    assert chat.json()["error"]["code"] == "rate_limit_exceeded"


async def test_reading_is_not_limited():
    async with http(fake(address_rate="1/minute")) as client:
        for path in ("/healthz", "/readyz", "/", "/v1/articles", "/v1/models") * 3:
            assert "ratelimit" not in (found := await client.get(path)).headers
            assert found.status_code == 200
        assert (
            (await client.post("/v1/ask", json=ASKED))
            .headers["ratelimit"]
            .startswith('"address";r=0;')
        )


async def test_an_address_said_by_the_client_itself_is_not_believed():
    async with http(fake(address_rate="1/minute")) as client:
        for last in range(3):
            headers = {"X-Forwarded-For": f"198.51.100.{last}", "Forwarded": f"for=10.0.0.{last}"}
            response = await client.post("/v1/ask", json=ASKED, headers=headers)
    assert response.status_code == 429


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_site_of_ipv6_is_one_caller(host: str, expected: str):
    assert address_of(host) == expected


def test_callers_whose_windows_have_passed_are_forgotten():
    clock = Clock()
    hits = Hits(clock)
    for number in range(1000):
        clock.now += 1
        assert hits.acquire_entry(f"caller {number}", 5, 60)
    assert hits.reset() <= 61


def test_what_is_not_set_is_unlimited_on_loopback_only():
    bare = Settings(_env_file=None)
    local, public = Policy.of(bare, on_loopback=True), Policy.of(bare, on_loopback=False)
    assert (local.rates, local.caller_at_once) == ({}, float("inf"))
    assert {sort: str(rate) for sort, rate in public.rates.items()} == {
        "key": "600 per 1 minute",
        "address": "60 per 1 minute",
    }
    assert public.caller_at_once == DEFAULT_AT_ONCE


def test_what_is_set_holds_everywhere():
    chosen = Settings(
        _env_file=None, key_rate="none", address_rate="5 per 2 hours", caller_requests=3
    )
    for on_loopback in (True, False):
        found = Policy.of(chosen, on_loopback=on_loopback)
        assert {sort: rate.get_expiry() for sort, rate in found.rates.items()} == {"address": 7200}
        assert found.caller_at_once == 3
