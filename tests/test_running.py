"""Commands beside a running server of the same data directory: they go through it, or say why not.

The tests of one server stand in the order in which they use it up.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from api.server import _listen
from rag.storage.holder import Door
from tests.conftest import CopyOfSeeded
from tests.processes import COMMAND, Served, dateline, environment, serving

ATTEMPTS = int(os.environ.get("ATTEMPTS", "2"))
TERRORISM = "what did India say about terrorism?"


def unlike_itself(output: str) -> str:
    """An output without what no two runs have in common: times."""
    return re.sub(r"· [0-9.]+ s\n", "· s\n", output)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("ask", TERRORISM),
        ("search", "UN Security Council", "--explain", "--json"),
        ("articles", "list", "--json"),
        ("articles", "show", "nope"),
        ("feedback",),
    ],
)
def test_a_command_prints_the_same_through_a_server(
    command: tuple[str, ...], server: Served, seeded: Path
) -> None:
    asked = dateline(*command, data=server.data)
    alone = dateline(*command, data=seeded)
    assert asked.returncode == alone.returncode
    assert unlike_itself(asked.stdout) == unlike_itself(alone.stdout)
    assert asked.stderr == alone.stderr


@pytest.mark.slow
def test_a_conversation_goes_through_a_server(server: Served) -> None:
    done = subprocess.run(
        [*COMMAND, "chat", "--json"],
        input=f"{TERRORISM}\nWho said that?\n",
        capture_output=True,
        text=True,
        cwd=server.data.parent,
        env=environment(server.data),
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["citations"]
    assert second["question"] == "Who said that?"


@pytest.fixture(scope="module")
def writable(copy_of_seeded: CopyOfSeeded):
    """A server to be written to, with limits that its commands do not meet; in the end killed."""
    with serving(copy_of_seeded(), DATELINE_ADDRESS_RATE="1/hour") as served:
        yield served


@pytest.mark.slow
def test_its_key_is_its_owners_alone(writable: Served) -> None:
    holder = writable.data / "holder.json"
    assert stat.S_IMODE(holder.stat().st_mode) == 0o600
    key = json.loads(holder.read_text())["door"]["key"]
    assert dateline("articles", "list", data=writable.data).returncode == 0
    assert key not in "".join(writable.said)
    others = [path for path in writable.data.rglob("*") if path.is_file() and path != holder]
    assert others
    assert not any(key.encode() in path.read_bytes() for path in others)


@pytest.mark.slow
def test_what_commands_write_through_a_server_is_written(writable: Served, tmp_path: Path) -> None:
    data = writable.data
    (tmp_path / "rain.txt").write_text("Rain fell on the market.\n")
    done = dateline("ingest", "rain.txt", "nope.txt", "--json", data=data, cwd=tmp_path)
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["added"], len(report["failed"])) == (1, 1)
    assert f"not taken in {tmp_path}/nope.txt: does not exist\n" in done.stderr
    assert done.stderr.endswith("\nArticles: 1 added, 1 failed.\n")
    listed = json.loads(dateline("articles", "list", "--json", data=data).stdout)["articles"]
    (new,) = [one["id"] for one in listed if one["title"] is None]
    done = dateline("articles", "delete", new, "nope", data=data)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "Articles: 1 deleted."
    left = json.loads(dateline("articles", "list", "--json", data=data).stdout)["articles"]
    assert [one["id"] for one in left] == [one["id"] for one in listed if one["id"] != new]


@pytest.mark.slow
def test_what_cannot_go_through_a_server_is_told_within_a_second(writable: Served) -> None:
    for _ in range(ATTEMPTS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = dateline("reindex", data=writable.data)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: the data directory {writable.data} is in use by `")
        assert f"serve` (process {writable.process.pid}, since 20" in done.stderr
        assert "wait for it or stop it" in done.stderr
        # Of the machine's time, so that others that use it are not counted.
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1


@pytest.mark.slow
def test_keys_are_made_beside_a_server_and_close_it_to_all_but_its_commands(
    writable: Served,
) -> None:
    made = dateline("keys", "create", "--name", "x", data=writable.data)
    assert made.returncode == 0
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{writable.url}/v1/articles")
    listed = dateline("articles", "list", "--json", data=writable.data)
    assert listed.returncode == 0
    assert json.loads(listed.stdout)["articles"]


@pytest.mark.slow
def test_a_server_of_another_version_is_told(writable: Served) -> None:
    holder = writable.data / "holder.json"
    said = holder.read_text()
    other = json.loads(said)
    other["door"]["version"] = "0.0.9"
    holder.write_text(json.dumps(other))
    done = dateline("articles", "list", data=writable.data)
    holder.write_text(said)
    assert done.returncode == 1
    assert "is Dateline 0.0.9, and this is" in done.stderr


@pytest.mark.slow
def test_what_a_killed_server_left_confuses_nobody(writable: Served) -> None:
    writable.process.send_signal(signal.SIGKILL)
    writable.process.wait()
    holder = writable.data / "holder.json"
    assert "door" in holder.read_text()
    assert dateline("articles", "list", data=writable.data).returncode == 0
    assert not holder.exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost", "::1", "::"])
def test_a_door_leads_to_where_the_server_listens(host: str) -> None:
    with _listen(host, 0) as listener:
        url = Door.at(*listener.getsockname()[:2]).url
        found = re.fullmatch(r"http://\[?([0-9.:a-f]+?)\]?:(\d+)", url)
        assert found, url
        assert found[1] in ("127.0.0.1", "::1")
        socket.create_connection((found[1], int(found[2])), timeout=5).close()
