"""Chroma's collections: ids and vectors, without text; its types and errors stay in this file.

Run as a program (`python -m rag.storage.chroma DIRECTORY NAME`, a vector on stdin) it tries out an
embedded collection and prints what a search for the vector reaches: a broken one may crash or hang
the process that opens it.
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import numpy as np

from rag.errors import IndexUnavailableError, SettingsError

if TYPE_CHECKING:  # it takes a second to import, so only what uses it does
    import chromadb
    import httpx
    from chromadb.api.client import Client

    from rag.ports import Vectors

Place = Path | str
"""Where collections are kept: a directory, or the address of a Chroma server."""

PROBE_TIMEOUT_S = 60.0
HEARTBEAT_S = 2.0
REPLY_S = 30.0
"""So long a Chroma server may take to say that it is there, and to do what it is asked; by default
its client waits for a hung one for ever. What takes longest, a search that reaches all of 100,000
vectors, takes some seconds."""

BATCH = 1000  # Chroma takes at most 5,461 in one call

WHOLE = 5000
"""In a collection of so many, each write is followed by a look whether a search reaches all of
them: 16 ms at most."""


class ChromaCollection:
    """One open collection. Every method raises `IndexUnavailableError` for Chroma's failures."""

    def __init__(self, place: Place, name: str, *, create: bool = False) -> None:
        self._place = place
        with _translated(place):
            self._client = _connect(place)
            with ExitStack() as opened:
                opened.callback(_close, self._client)
                self._collection = self._open(name, create)
                opened.pop_all()

    def _open(self, name: str, create: bool) -> chromadb.Collection:
        """The collection; a new one with a recall@10 of .99 or more on clustered news vectors."""
        if not create:
            return self._client.get_collection(name, embedding_function=None)
        return self._client.create_collection(
            name,
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine", "max_neighbors": 32, "ef_search": 400}},
        )

    def count(self) -> int:
        """How many vectors it holds."""
        with _translated(self._place):
            return self._collection.count()

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """The nearest ids with their cosine similarity, best first."""
        with _translated(self._place):
            found = self._collection.query(
                query_embeddings=vector[None, :], n_results=limit, include=["distances"]
            )
        distances = found["distances"] or [[]]
        return [(key, 1.0 - far) for key, far in zip(found["ids"][0], distances[0], strict=True)]

    def similarities(self, vector: Vectors) -> dict[str, float]:
        """All that a search can reach, with its cosine similarity: .15 s for 20,000 vectors."""
        return dict(self.search(vector, self.count())) if self.count() else {}

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors, replacing those of equal ids; at most `BATCH` at a time is best."""
        with _translated(self._place):
            for start in range(0, len(ids), BATCH):
                end = start + BATCH
                self._collection.upsert(ids=list(ids[start:end]), embeddings=vectors[start:end])
            if ids:
                self._reach_all(vectors[:1])

    def _reach_all(self, vector: Vectors) -> None:
        """Add anew what no search reaches: Chroma 1.5.9 at times loses a vector of a small
        collection when searches run between the writes."""
        for _ in range(3):
            count = self._collection.count()
            if count > WHOLE:
                return
            found = self._collection.query(query_embeddings=vector, n_results=count, include=[])
            if len(found["ids"][0]) == count:
                return
            lost = set(self._collection.get(include=[])["ids"]) - set(found["ids"][0])
            stored = self._collection.get(ids=list(lost), include=["embeddings"])
            self._collection.upsert(ids=stored["ids"], embeddings=stored["embeddings"])
        raise IndexUnavailableError(f"the vector index in {self._place} does not reach all vectors")

    def remove(self, ids: Collection[str]) -> None:
        """Remove vectors; unknown ids are ignored."""
        keys = list(ids)
        with _translated(self._place):
            for start in range(0, len(keys), BATCH):
                self._collection.delete(ids=keys[start : start + BATCH])

    def others(self, prefix: str) -> list[str]:
        """The names of all other collections there that begin with `prefix`."""
        with _translated(self._place):
            names = [other.name for other in self._client.list_collections()]
        return [one for one in names if one.startswith(prefix) and one != self._collection.name]

    def drop_others(self, prefix: str) -> None:
        """Delete all other collections there whose names begin with `prefix`."""
        for name in self.others(prefix):
            with _translated(self._place):
                self._client.delete_collection(name)

    def drop(self) -> None:
        """Delete it; it is of no more use."""
        with _translated(self._place):
            self._client.delete_collection(self._collection.name)

    def close(self) -> None:
        """Let go of the files, or of the connections."""
        with _translated(self._place):
            _close(self._client)


def server_address(url: str) -> tuple[str, int, bool]:
    """Host, port and whether it is https, of a Chroma server's URL; raises `SettingsError`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is none
        host = port = None
    if not host or parts.scheme not in ("http", "https"):
        raise SettingsError(f"DATELINE_CHROMA_URL={url!r} is no address: write http://HOST:PORT")
    secure = parts.scheme == "https"
    return host, port or (443 if secure else 80), secure


def reach(place: Place, name: str, vector: Vectors) -> dict[str, float] | None:
    """The `similarities` of a collection, which is tried out first if it is embedded; None if it
    cannot be used."""
    if isinstance(place, Path):
        return probe(place, name, vector)
    try:
        with closing(ChromaCollection(place, name)) as collection:
            return collection.similarities(vector)
    except IndexUnavailableError:
        return None


def probe(
    directory: Path, name: str, vector: Vectors, timeout: float = PROBE_TIMEOUT_S
) -> dict[str, float] | None:
    """The `similarities` of an embedded collection, found in a process of its own; None if that
    crashes, hangs or finds the collection unusable."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "rag.storage.chroma", str(directory.resolve()), name],
            cwd=Path(__file__).parents[2],  # where `rag` can be imported from
            input=vector.astype(np.float32).tobytes(),
            capture_output=True,
            timeout=timeout,
        )
        return dict(json.loads(done.stdout)) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, OSError, ValueError):
        return None


def _main(directory: str, name: str) -> None:
    vector = np.frombuffer(sys.stdin.buffer.read(), dtype=np.float32)
    collection = ChromaCollection(Path(directory), name)
    found = collection.similarities(vector)
    collection.close()
    print(json.dumps(found))


def _connect(place: Place) -> Client:
    import chromadb
    from chromadb.config import Settings

    # Without `_env_file` Chroma reads the user's `.env`.
    quiet: dict[str, Any] = {"_env_file": None, "anonymized_telemetry": False}
    if isinstance(place, Path):
        return cast("Client", chromadb.PersistentClient(str(place), Settings(**quiet)))
    import httpx

    host, port, secure = server_address(place)
    name = f"[{host}]" if ":" in host else host
    alive = httpx.get(f"http{'s' * secure}://{name}:{port}/api/v2/heartbeat", timeout=HEARTBEAT_S)
    alive.raise_for_status()
    settings = Settings(chroma_server_host=host, chroma_server_http_port=port, **quiet)
    client = cast("Client", chromadb.HttpClient(host, port, ssl=secure, settings=settings))
    for session in _sessions(client):
        session.timeout = httpx.Timeout(REPLY_S, connect=HEARTBEAT_S)
    return client


def _close(client: Client) -> None:
    """Close a client, and the connections to a server, which Chroma leaves open."""
    sessions = _sessions(client)
    client.close()
    for session in sessions:
        session.close()


def _sessions(client: Client) -> list[httpx.Client]:
    """A client's connections to a server, if it is one."""
    servers = [getattr(one, "_server", None) for one in (client, client._admin_client)]
    return [session for one in servers if (session := getattr(one, "_session", None))]


_zeroing = threading.Lock()
_zeroed = 0  # calls under way that want it
_M_PERTURB = -6  # of glibc's mallopt(3)


@contextmanager
def _zeroed_memory() -> Iterator[None]:
    """Have memory that is allocated be zeroed, where the C library can: hnswlib writes arrays that
    it has not filled to disk, and with them whatever was freed before, be it deleted text."""
    _zero_memory(+1)
    try:
        yield
    finally:
        _zero_memory(-1)


@lru_cache(maxsize=1)
def _mallopt() -> Callable[[int, int], int] | None:
    """The C library's, looked up once: every search needs it."""
    return getattr(ctypes.CDLL(None), "mallopt", None)


def _zero_memory(change: int) -> None:
    global _zeroed
    mallopt = _mallopt()
    if mallopt is None:
        return
    with _zeroing:
        before, _zeroed = _zeroed, _zeroed + change
        if bool(before) != bool(_zeroed):
            mallopt(_M_PERTURB, 255 if _zeroed else 0)  # 255: the complement of what is filled in


@contextmanager
def _translated(place: Place) -> Iterator[None]:
    import httpx
    from chromadb.errors import ChromaError

    try:
        with _zeroed_memory():
            yield
    # AttributeError: what Chroma raises in a search whose client was closed by another thread;
    # ValueError, RuntimeError: what it makes of refused connections and of unreadable files.
    except (ChromaError, httpx.HTTPError, OSError, ValueError, RuntimeError, AttributeError) as e:
        raise IndexUnavailableError(f"the vector index in {place} failed: {e}") from e


if __name__ == "__main__":
    _main(*sys.argv[1:])
