"""The AI SDK and deep-chat, as npm has them, get what /v1/ask says, citations included."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeService
from tests.node import INSTALL, node, npm
from tests.openai_samples import QUESTION, SPANS, TWO, TWO_EVENTS, served

CLIENTS = Path(__file__).parent / "clients"


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(node() < 20, reason="no Node of version 20 or newer, with npm, on the PATH"),
]


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts with what they need, as the lock file pins it."""
    folder = shutil.copytree(
        CLIENTS, tmp_path_factory.mktemp("npm") / "clients", ignore=lambda *_: ["node_modules"]
    )
    npm(folder, *INSTALL)
    return folder


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(FakeService(script=TWO_EVENTS)) as url:
        yield url


def run(script: str, folder: Path, address: str) -> dict:
    done = subprocess.run(
        ["node", script, address, QUESTION],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_ai_sdk_gets_the_text_and_the_sources(clients, address):
    got = run("ai-sdk.js", clients, address)
    assert list(got) == ["chat", "chat, streamed", "responses", "responses, streamed"]
    for way in got.values():
        assert way["text"] == TWO.text
        assert way["finish"] == "stop"
        assert not way.get("errors")
        sources = [(one["title"], one["url"].removeprefix(address)) for one in way["sources"]]
        assert sources == [(title, url) for _, _, title, url in SPANS]


def test_deep_chat_shows_the_answer(clients, address):
    assert run("deep-chat.js", clients, address) == {"whole": TWO.text, "streamed": TWO.text}
