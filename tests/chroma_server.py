"""Chroma's own server, which `chroma run` starts, as a process of the tests."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ChromaServer:
    """A server that keeps its files in a directory, and its address however often it is started."""

    def __init__(self, directory: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._address = free.getsockname()
        self.url = "http://{}:{}".format(*self._address)
        host, port = map(str, self._address)
        command = shutil.which("chroma", path=str(Path(sys.executable).parent)) or "chroma"
        where = ["--path", str(directory), "--host", host, "--port", port]
        self._command = [command, "run", *where]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        while self.process.poll() is None:
            try:
                return socket.create_connection(self._address, timeout=1).close()
            except OSError:
                continue
        raise AssertionError(f"{self._command} ended with {self.process.returncode}")

    def stop(self) -> None:
        """Kill it, as a crash does, if it runs."""
        if self.process:
            self.process.kill()
            self.process.wait()


@contextmanager
def running(directory: Path) -> Iterator[ChromaServer]:
    """A server that runs, unless the block stops it."""
    server = ChromaServer(directory)
    server.start()
    try:
        yield server
    finally:
        server.stop()
