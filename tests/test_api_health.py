"""Alive, and able to answer."""

import pytest

from api.health import overall
from tests.fakes import FakeService
from tests.http_samples import client


async def test_a_part_that_is_down_makes_the_service_unavailable():
    parts = {"library": "down: the disk is gone", "index": "degraded: being rebuilt"}
    async with client(FakeService(parts=parts)) as http:
        response = await http.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "parts": parts}


async def test_a_degraded_part_leaves_it_ready_to_answer():
    parts = {"library": "ok: 3 articles", "index": "degraded: being rebuilt"}
    async with client(FakeService(parts=parts)) as http:
        response = await http.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")


async def test_an_empty_library_is_ready():
    async with client(FakeService()) as http:
        response = await http.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ready")


async def test_the_process_is_alive_whatever_its_parts_are():
    async with client(FakeService(parts={"library": "down: gone"})) as http:
        response = await http.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ({}, "ready"),
        ({"a": "ok", "b": "ok: fine"}, "ready"),
        ({"a": "ok", "b": "degraded: slow"}, "degraded"),
        ({"a": "degraded: slow", "b": "down"}, "unavailable"),
        ({"a": "ok: nothing is down"}, "ready"),
    ],
)
def test_the_whole_is_in_the_state_of_its_worst_part(parts, whole):
    assert overall(parts) == whole
