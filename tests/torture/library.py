"""What is killed: a service that takes articles in, and must be afterwards as if it was not."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import rag.backup
import rag.ingest
import rag.storage.chroma
from api.encoders import search_json
from rag.backup import LIBRARY, back_up, restore
from rag.bootstrap import Parts, open_service
from rag.chunking import chunk_article
from rag.library import SqliteLibrary
from rag.service import Service
from rag.settings import Settings
from rag.storage.database import Database
from rag.storage.integrity import inspect
from rag.storage.schema import MIGRATIONS
from rag.types import Article, Question
from tests.fakes import FakeAnalyser, FakeEmbedder
from tests.torture.aging import age
from tests.torture.forks import Tell, run_module

KINDS = ("write", "ingest", "reindex", "rebuild", "backup", "migrate")
ARTICLES = 24
OPERATIONS = 12
BACKUP = "backup.db"
MODELS = ("fake", "other")
FUTURE = "2100-01-01"
WORDS = "india pakistan terror chess sport trade rice monsoon budget railway".split()
QUESTIONS = ("india terror", "chess", "version 1 of 7", "rice monsoon budget")


@dataclass
class State:
    """What was acknowledged: the version of each stored article, the embedding model, and the
    versions in the backup; and in `doubt`, what may have come of the operation that was under way.
    """

    versions: dict[str, int] = field(default_factory=dict)
    model: str = MODELS[0]
    backup: dict[str, int] | None = None
    doubt: dict[str, Any] = field(default_factory=dict)

    def follow(self, told: list[dict[str, Any]]) -> None:
        """Take in what a process told: `begin` with an operation, `done` once that is."""
        for one in told:
            if "begin" in one:
                self.doubt = one["begin"]
            else:
                self.settle(self.doubt)

    def settle(self, known: Mapping[str, Any]) -> None:
        """Note what is so now, beyond doubt; the rest is as it was."""
        new = {**self.versions, **known.get("versions", {})}
        self.versions = {key: version for key, version in new.items() if version is not None}
        self.model = known.get("model", self.model)
        self.backup = known.get("backup", self.backup)
        self.doubt = {}

    def allows(self, article_id: str, version: int | None) -> bool:
        """Whether an article may be there in a version, None for absent."""
        changed: dict[str, int | None] = self.doubt.get("versions", {})
        allowed = [self.versions.get(article_id)]
        return version in allowed or (article_id in changed and version == changed[article_id])


def prepare() -> None:
    """Make this process, and what is forked from it, one that kills are cheap and many steps are
    taken in."""
    rag.ingest.GROUP = 6  # a folder of small articles is stored in several steps
    probing = SimpleNamespace(run=run_module, TimeoutExpired=subprocess.TimeoutExpired)
    rag.storage.chroma.subprocess = probing
    chunk_article(article("a0", 0))  # reads the vocabulary


def article(article_id: str, version: int) -> Article:
    """The article of that id, of some versions longer than of others."""
    picks = random.Random(f"{article_id} {version}")
    lines = [
        f"Version {version} of {article_id}: {' '.join(picks.choices(WORDS, k=9))} {line}.\n"
        for line in range(picks.randint(1, 40))
    ]
    return Article(article_id, "".join(lines), title=f"Version {version}")


def live(kind: str, data: Path, state: State, seed: int, tell: Tell) -> None:
    """Open the service, do some operations, telling of each before and after it, and close it."""
    picks = random.Random(seed)
    model = picks.choice(MODELS) if kind == "reindex" else state.model
    stored = dict(state.versions)
    if kind == "migrate":
        age(data / LIBRARY, picks.randrange(1, len(MIGRATIONS)))

    async def life() -> None:
        async with _opened(data, model) as service:
            if kind in ("write", "migrate"):
                await _write(service, stored, picks, tell)
            elif kind == "ingest":
                await _ingest(service, data.parent / "news.jsonl", picks, tell)
            elif kind == "backup":
                await _back_up(service, data, stored, picks, tell)
            else:
                tell({"begin": {"model": model}})
                await service.reindex()
                tell({"done": True})

    asyncio.run(life())
    if kind == "backup":
        _restore(data, stored, tell)


def _opened(data: Path, model: str) -> AbstractAsyncContextManager[Service]:
    settings = Settings(_env_file=None, data_dir=data, llm_model=None, chroma_url=None)
    return open_service(settings, Parts(embedder=FakeEmbedder(model), analyser=FakeAnalyser()))


async def _write(
    service: Service, stored: dict[str, int], picks: random.Random, tell: Tell
) -> None:
    for _ in range(OPERATIONS):
        key = f"a{picks.randrange(ARTICLES)}"
        version = None if key in stored and picks.random() < 0.3 else picks.randrange(10**6)
        tell({"begin": {"versions": {key: version}}})
        if version is None:
            await service.delete_article(key)
            del stored[key]
        else:
            await service.put_article(article(key, version))
            stored[key] = version
        tell({"done": True})


async def _ingest(service: Service, path: Path, picks: random.Random, tell: Tell) -> None:
    for _ in range(2):
        keys = picks.sample(range(ARTICLES), 10)
        versions = {f"a{key}": picks.randrange(10**6) for key in keys}
        found = [article(*one) for one in versions.items()]
        lines = [json.dumps({"id": a.id, "title": a.title, "text": a.text}) for a in found]
        path.write_text("\n".join(lines))
        tell({"begin": {"versions": versions}})
        report = await service.ingest([path])
        assert not report.failed, report.failed
        tell({"done": True})


async def _back_up(
    service: Service, data: Path, stored: dict[str, int], picks: random.Random, tell: Tell
) -> None:
    """Write, save it, and write on: `stored` is what is there at the end."""
    await _write(service, stored, picks, tell)
    tell({"begin": {"backup": stored}})
    await asyncio.to_thread(back_up, data, data.parent / BACKUP, force=True)
    tell({"done": True})
    await _write(service, stored, picks, tell)


def _restore(data: Path, stored: dict[str, int], tell: Tell) -> None:
    """Go back to what is saved."""
    saved, _ = _saved(data.parent / BACKUP)
    tell({"begin": {"versions": dict.fromkeys(stored) | saved}})
    restore(data, data.parent / BACKUP, force=True)
    tell({"done": True})


def check(data: Path, state: State) -> dict[str, Any]:
    """Open what is left, search it, and say what is there and what is wrong with it."""
    return asyncio.run(_check(data, state))


async def _check(data: Path, state: State) -> dict[str, Any]:
    for model in dict.fromkeys([state.model, state.doubt.get("model", state.model)]):
        async with _opened(data, model) as service:
            if (await service.readiness())["library"].startswith("down"):
                continue
            stored, _ = await service.article_page(None, 10 * ARTICLES)
            faults = [*_untrue(stored, state)]
            async with _clean(data.parent / "clean", stored, model) as clean:
                faults += [one async for one in _found(service, clean, bool(stored))]
            faults += _missed(service, model) if stored else []
        faults += _torn(data, stored, model)
        faults += ["what a restore began is left"] if [*data.glob("*.restoring*")] else []
        saved, wrong = _saved(data.parent / BACKUP)
        if saved not in (state.backup, state.doubt.get("backup", state.backup)):
            wrong.append(f"the backup holds {saved}, and was acknowledged as {state.backup}")
        versions = {one.id: _version(one.title) for one in stored}
        return {"versions": versions, "model": model, "backup": saved, "faults": faults + wrong}
    return {"versions": {}, "model": "", "faults": ["of no model that it should be of"]}


def _saved(file: Path) -> tuple[dict[str, int] | None, list[str]]:
    """The versions of the articles in a backup, if there is one, and what is damaged in it."""
    if not file.exists():
        return None, []
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        damages = [f"the backup: {damage.what}" for damage in inspect(db)]
        titles = db.execute("SELECT id, title FROM articles").fetchall()
    return {key: _version(title) for key, title in titles}, damages


def _version(title: str | None) -> int:
    return int((title or "").removeprefix("Version "))


def _untrue(stored: list[Article], state: State) -> Iterator[str]:
    """What of the articles was not acknowledged so."""
    there = {one.id: _version(one.title) for one in stored}
    for one in stored:
        if one.text != article(one.id, there[one.id]).text:
            yield f"{one.id} is not whole"
    for key in there | state.versions | state.doubt.get("versions", {}):
        if not state.allows(key, there.get(key)):
            said = state.versions.get(key), state.doubt.get("versions", {}).get(key, "unchanged")
            yield f"{key} is of version {there.get(key)}, and was acknowledged as {said}"


def _torn(data: Path, stored: list[Article], model: str) -> Iterator[str]:
    """Chunks and vectors that are not those of the articles."""
    expected = {chunk.id: chunk for one in stored for chunk in chunk_article(one)}
    library = SqliteLibrary(data / LIBRARY)
    ids, vectors = library.vectors(model)
    if sorted(ids) != sorted(expected):
        yield f"{len(ids)} vectors of {len(expected)} chunks"
    if library.chunks(ids) != {key: expected.get(key) for key in ids}:
        yield "chunks that are not the articles'"
    embedder = FakeEmbedder(model)
    for key, vector in zip(ids, vectors, strict=True):
        if key in expected and not np.array_equal(
            vector, embedder.encode_query(expected[key].text)
        ):
            yield f"the vector of {key} is another's"
    library.close()


def _clean(
    directory: Path, stored: list[Article], model: str
) -> AbstractAsyncContextManager[Service]:
    """A service over the same articles, none of which was ever killed."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    library = SqliteLibrary(directory / LIBRARY)
    embedder = FakeEmbedder(model)
    entries = [(one, chunk_article(one)) for one in stored]
    texts = [[chunk.text for chunk in chunks] for _, chunks in entries]
    library.put(
        [
            (*entry, embedder.encode_documents(own))
            for entry, own in zip(entries, texts, strict=True)
        ],
        model,
    )
    library.close()
    return _opened(directory, model)


async def _found(service: Service, clean: Service, some: bool) -> AsyncIterator[str]:
    """What searches find that they should not, or the other way round."""
    for text in QUESTIONS:
        expected = search_json(await clean.search(Question(text, as_of=FUTURE), 10))
        exact = search_json(await service.search(Question(text, as_of=FUTURE), 10))
        if exact != expected:
            yield f"{text!r} finds by exact search what a clean build does not"
        fast = await service.search(Question(text), 10)
        if some and fast.path != "index":
            yield f"{text!r} does not read the index"
        if {one["chunk_id"] for one in search_json(fast)["passages"]} != {
            one["chunk_id"] for one in expected["passages"]
        }:
            yield f"{text!r} finds by the index what a clean build does not"
    state = (await service.readiness())["index"]
    if state != "ok":
        yield f"the index is {state}"


def _missed(service: Service, model: str) -> Iterator[str]:
    """What the index alone, without the words, does not find as it should."""
    _, vectors = service._library.vectors(model)
    for text in QUESTIONS:
        vector = FakeEmbedder(model).encode_query(text)
        nearest = np.sort(vectors @ vector)[::-1][:10]
        found = [score for _, score in service._index.search(vector, 10)]
        if len(found) != len(nearest) or not np.allclose(found, nearest, atol=1e-4):
            yield f"the index does not find what is nearest to {text!r}"


# Defects, to see that they are found


def plant(defect: str, tell: Tell) -> Tell:
    """Make this process one that has the defect; how it tells."""
    if defect == "early":
        return lambda one: [tell(one), "begin" in one and tell({"done": True})]
    if defect == "torn":
        Database._connect = lambda self: sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, factory=_WithoutTransactions
        )
    if defect == "in place":
        rag.backup._part_of = _in_place
    return tell


class _WithoutTransactions(sqlite3.Connection):
    def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
        return super().execute("SELECT 1" if sql == "BEGIN IMMEDIATE" else sql, *given)


@contextmanager
def _in_place(file: Path) -> Iterator[Path]:
    file.unlink(missing_ok=True)
    yield file
