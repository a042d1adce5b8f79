"""Two servers, each a process with a data directory of its own, over one Chroma server."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import anyio
import httpx
import pytest

from rag.remote import through
from rag.storage.holder import find_door
from rag.types import Question
from tests.chroma_server import ChromaServer, running
from tests.conftest import CopyOfSeeded
from tests.processes import Served, serving

pytestmark = pytest.mark.slow

PATIENCE_S = 120.0
ARTICLES = {
    "bridge": "The harbour bridge of Veldhaven cost 84 million crowns, the council said.\n",
    "mill": "The old mill of Veldhaven burned down on Monday, the fire brigade said.\n",
    "dike": "The dike of Veldhaven held during the storm, the mayor said.\n",
}


def put(served: Served, article_id: str) -> None:
    url = f"{served.url}/v1/articles/{article_id}"
    done = httpx.put(url, json={"text": ARTICLES[article_id]}, timeout=PATIENCE_S)
    assert done.status_code == 201, done.text


async def becomes(served: Served, status: str) -> str:
    """What is said of the index once the server is as it is to be, without any question."""
    deadline = time.monotonic() + PATIENCE_S
    url = f"{served.url}/readyz"
    while (ready := httpx.get(url, timeout=PATIENCE_S).json())["status"] != status:
        assert time.monotonic() < deadline, ready
        await anyio.sleep(0.2)  # asked without a pause, it would be the slower
    return str(ready["parts"]["index"])


async def found(served: Served, path: str) -> set[str]:
    """Which of the articles the server finds once it does so by this path; while an index is being
    opened it searches exactly."""
    door = find_door(served.data)
    assert door
    deadline, question = time.monotonic() + PATIENCE_S, Question("What happened in Veldhaven?")
    async with through(door) as service:
        while (evidence := await service.search(question, 10)).path != path:
            assert time.monotonic() < deadline, evidence.path
            await anyio.sleep(0.2)
    return {passage.article_id for passage in evidence.passages} & ARTICLES.keys()


def answers(served: Served) -> bool:
    question = {"question": "what did India say about terrorism?"}
    reply = httpx.post(f"{served.url}/v1/ask", json=question, timeout=PATIENCE_S)
    return bool(reply.json()["status"] == "answered")


async def test_two_servers_share_a_chroma_server(
    copy_of_seeded: CopyOfSeeded, tmp_path: Path
) -> None:
    with running(tmp_path / "chroma") as chroma, ExitStack() as started:

        def serve(data: Path) -> Served:
            return started.enter_context(serving(data, DATELINE_CHROMA_URL=chroma.url))

        one, two = serve(copy_of_seeded()), serve(copy_of_seeded())
        put(one, "bridge")
        put(two, "mill")
        for served, own in ((one, "bridge"), (two, "mill")):
            assert await becomes(served, "ready") == "ok"
            assert await found(served, "index") == {own}
        one.process.kill()
        one.process.wait()
        assert await found(two, "index") == {"mill"}
        one = serve(one.data)
        assert await becomes(one, "ready") == "ok"
        assert await found(one, "index") == {"bridge"}
        await outlive(chroma, one, two)


async def outlive(chroma: ChromaServer, one: Served, two: Served) -> None:
    """Both go on without the Chroma server, and use it when it is back, also what was written."""
    chroma.stop()
    for served, own in ((one, "bridge"), (two, "mill")):
        assert "the Chroma server is away" in await becomes(served, "degraded")
        assert await found(served, "exact") == {own}
        assert answers(served)
    put(one, "dike")
    assert await found(one, "exact") == {"bridge", "dike"}
    chroma.start()
    for served, written in ((one, {"bridge", "dike"}), (two, {"mill"})):
        assert await becomes(served, "ready") == "ok"
        assert await found(served, "index") == written
        assert answers(served)
