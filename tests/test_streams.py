"""The true server over real sockets: clients that leave, and signals that end it."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import CopyOfSeeded
from tests.http_samples import assert_problem, server_sent
from tests.processes import Served, serving
from tests.scripted_llm import Reply, Request, ScriptedLLM, Silence, Step

pytestmark = pytest.mark.slow

TERRORISM = "what did India say about terrorism?"
SAID = (
    "India conveyed its strong resolve to adopt a zero tolerance policy against all forms and "
    "manifestations of terrorism, EAM Jaishankar said. [A1]"
)
BODIES = {
    "/v1/ask": {"question": TERRORISM},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": TERRORISM}]},
    "/v1/responses": {"input": TERRORISM},
}
LEAVING_S = 0.5
"""So soon after its client left does an answer let go of the LLM."""


class Hanging:
    """A script whose every reply begins and then hangs; `asked` counts the requests."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.asked = threading.Semaphore(0)

    def __call__(self, request: Request) -> Step:
        self.asked.release()
        return self.step


@contextmanager
def server_with(
    copy_of_seeded: CopyOfSeeded, script: Any, **env: str
) -> Iterator[tuple[Served, ScriptedLLM]]:
    with (
        ScriptedLLM([script]) as llm,
        serving(
            copy_of_seeded(), DATELINE_LLM_MODEL="scripted", OPENAI_BASE_URL=llm.base_url, **env
        ) as served,
    ):
        yield served, llm


@pytest.fixture(scope="module")
def hanging() -> Hanging:
    return Hanging(Reply("India", end="hang"))


@pytest.fixture(scope="module")
def hung(copy_of_seeded: CopyOfSeeded, hanging: Hanging) -> Iterator[tuple[Served, ScriptedLLM]]:
    proxies = {"DATELINE_TRUSTED_PROXIES": "127.0.0.2/31", "DATELINE_ADDRESS_RATE": "30/hour"}
    with server_with(copy_of_seeded, hanging, **proxies) as both:
        yield both


def send_request(url: str, path: str, body: dict[str, Any]) -> socket.socket:
    """A connection on which a request was sent and nothing is read."""
    address = urlsplit(url)
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    client = socket.create_connection((address.hostname, address.port), timeout=60)
    client.sendall(head.encode() + content)
    return client


@pytest.mark.parametrize(
    "step", [Reply("India", end="hang"), Silence("hang")], ids=["mid", "before"]
)
@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("path", BODIES)
def test_a_client_that_leaves_stops_the_llm_within_half_a_second(
    hung: tuple[Served, ScriptedLLM], hanging: Hanging, path: str, streaming: bool, step: Step
) -> None:
    served, llm = hung
    hanging.step = step
    with send_request(served.url, path, {**BODIES[path], "stream": streaming}):
        assert hanging.asked.acquire(timeout=60)
        request = llm.requests[-1]
        assert not request.gone.is_set()
    left = time.monotonic()
    assert request.gone.wait(10)
    assert time.monotonic() - left < LEAVING_S


def test_a_proxy_is_believed_only_if_it_is_named(hung: tuple[Served, ScriptedLLM]) -> None:
    served, _ = hung

    def post(proxy: str, said: str) -> httpx.Response:
        with httpx.Client(transport=httpx.HTTPTransport(local_address=proxy)) as http:
            headers = {"X-Forwarded-For": said}
            return http.post(f"{served.url}/v1/search", json={}, headers=headers)

    for _ in range(30):
        assert post("127.0.0.2", "198.51.100.9, 198.51.100.1").status_code == 422
    assert post("127.0.0.2", "198.51.100.8, 198.51.100.1").status_code == 429
    assert post("127.0.0.2", "198.51.100.1, 198.51.100.2").status_code == 422
    assert post("127.0.0.1", "198.51.100.1").status_code == 422, "it counts as itself"


def test_nothing_of_it_is_in_the_log(hung: tuple[Served, ScriptedLLM]) -> None:
    served, _ = hung
    assert httpx.get(f"{served.url}/readyz").status_code == 200
    assert [line for line in served.said if "Traceback" in line or "Error" in line] == []


@asynccontextmanager
async def asking(
    served: Served, hanging: Hanging
) -> AsyncIterator[tuple[httpx.AsyncClient, dict[tuple[str, bool], asyncio.Task[httpx.Response]]]]:
    """A client whose questions, of every form, streaming and not, wait for the LLM."""
    async with httpx.AsyncClient(base_url=served.url, timeout=60) as http:
        tasks = {
            (path, streaming): asyncio.create_task(
                http.post(path, json={**body, "stream": streaming})
            )
            for path, body in BODIES.items()
            for streaming in (True, False)
        }
        for _ in tasks:
            assert await asyncio.to_thread(hanging.asked.acquire, timeout=60)
        yield http, tasks


async def not_ready(http: httpx.AsyncClient) -> httpx.Response:
    """What /readyz says as soon as it says no, on connections of its own."""
    async with asyncio.timeout(10):
        while True:
            async with httpx.AsyncClient(base_url=http.base_url) as other:
                if (response := await other.get("/readyz")).status_code == 503:
                    return response


def assert_ended_by_an_error(path: str, response: httpx.Response) -> None:
    """A stream's one terminal event, in the form of its route, is the error."""
    last = response.text.rstrip().rsplit("\n\n", 1)[-1]
    assert response.status_code == 200
    assert "shutting down" in last
    if path == "/v1/ask":
        events = server_sent(response.text)
        assert [name for name, _ in events] == ["start", "passages", "error"]
        assert events[-1][1]["problem"]["type"] == "urn:dateline:problem:shutting-down"
    elif path == "/v1/responses":
        assert last.startswith("event: error\n")
        assert "response.completed" not in response.text
    else:
        assert json.loads(last.removeprefix("data: "))["error"]["code"] == "shutting_down"
        assert "[DONE]" not in response.text


async def test_a_signal_drains_and_a_second_one_ends_at_once(copy_of_seeded: CopyOfSeeded) -> None:
    hanging = Hanging(Reply("India", end="hang"))
    with server_with(copy_of_seeded, hanging, DATELINE_SHUTDOWN_GRACE_S="600") as (served, llm):
        async with asking(served, hanging) as (http, tasks):
            served.process.send_signal(signal.SIGTERM)
            ready = await not_ready(http)
            assert ready.json()["status"] == "unavailable"
            assert ready.json()["parts"]["server"] == "down: shutting down"
            refused = await http.post("/v1/ask", json=BODIES["/v1/ask"])
            assert_problem(refused, 503, "shutting down")
            assert refused.headers["retry-after"]
            assert not any(task.done() for task in tasks.values())
            served.process.send_signal(signal.SIGTERM)
            ended = {form: await task for form, task in tasks.items()}
        assert await asyncio.to_thread(served.process.wait, 20) == 0
        assert all(request.gone.wait(10) for request in llm.requests)
    for (path, streaming), response in ended.items():
        if streaming:
            assert_ended_by_an_error(path, response)
        else:
            assert response.status_code == 503
            assert "shutting down" in response.text
    assert [line for line in served.said if "Traceback" in line] == []


async def test_what_outlasts_the_grace_ends_with_its_terminal_event(
    copy_of_seeded: CopyOfSeeded,
) -> None:
    hanging = Hanging(Reply("India", end="hang"))
    with server_with(copy_of_seeded, hanging, DATELINE_SHUTDOWN_GRACE_S="0.5") as (served, _):
        async with asking(served, hanging) as (_, tasks):
            served.process.send_signal(signal.SIGTERM)
            for (path, streaming), task in tasks.items():
                response = await task
                if streaming:
                    assert_ended_by_an_error(path, response)
                else:
                    assert response.status_code == 503
        assert await asyncio.to_thread(served.process.wait, 20) == 0


async def test_a_stream_that_ends_within_the_grace_ends_as_ever(
    copy_of_seeded: CopyOfSeeded,
) -> None:
    asked, released = threading.Event(), threading.Event()

    def script(request: Request) -> Step:
        asked.set()
        assert released.wait(60)
        return Reply(SAID)

    with server_with(copy_of_seeded, script, DATELINE_SHUTDOWN_GRACE_S="600") as (served, _):
        async with httpx.AsyncClient(base_url=served.url, timeout=60) as http:
            body = {**BODIES["/v1/ask"], "stream": True}
            stream = asyncio.create_task(http.post("/v1/ask", json=body))
            assert await asyncio.to_thread(asked.wait, 60)
            served.process.send_signal(signal.SIGTERM)
            await not_ready(http)
            released.set()
            names = [name for name, _ in server_sent((await stream).text)]
        assert await asyncio.to_thread(served.process.wait, 20) == 0
    assert names == ["start", "passages", "sentence", "done"]
