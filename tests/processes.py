"""The `dateline` command and its server as processes of their own, for tests of the true stack."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMAND = (sys.executable, "-m", "rag")


def environment(data: Path, **more: str) -> dict[str, str]:
    """This environment without what configures Dateline or its LLM, over a data directory."""
    own = {
        k: v for k, v in os.environ.items() if not k.upper().startswith(("DATELINE_", "OPENAI_"))
    }
    return {**own, "PYTHONPATH": str(ROOT), "DATELINE_DATA_DIR": str(data), **more}


def dateline(
    *arguments: str | Path, data: Path, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, in a folder without `.env`."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd or data.parent,
        env=environment(data, **env),
        timeout=120,
        check=False,
    )


@dataclass
class Served:
    """A running server: where it listens, what it serves, and what it has said on stderr so far."""

    url: str
    process: subprocess.Popen[str]
    data: Path
    said: list[str] = field(default_factory=list)


@contextmanager
def serving(data: Path, launcher: tuple[str, ...] = (), **env: str) -> Iterator[Served]:
    """`dateline serve` on a free port, by a launcher if given; ended by SIGTERM unless it has ended
    before."""
    process = subprocess.Popen(
        [*launcher, *COMMAND, "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=data.parent,
        env=environment(data, **env),
    )
    assert process.stderr
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("Dateline listens on "):
            break
    else:
        raise AssertionError(f"the server did not start: {said}")
    listening = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    listening.start()
    try:
        yield Served(said[-1].split()[-1], process, data, said)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()
            process.wait()
            listening.join(10)
            process.stderr.close()
