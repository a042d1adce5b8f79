"""The library and its index against a plain dictionary, step by step, whatever the steps are.

`EXAMPLES=500 STEPS=50` (`make model-check`) takes more of them.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

import rag.storage.chroma
from rag.backup import back_up, restore
from rag.errors import LibraryError
from rag.index import ChromaIndex
from rag.ingest import Ingester
from rag.library import SqliteLibrary
from rag.storage.holder import hold
from rag.types import Article, Chunk
from tests.fakes import FakeEmbedder

EXAMPLES = int(os.environ.get("EXAMPLES", "6"))
STEPS = int(os.environ.get("STEPS", "25"))
WORDS = "india pakistan terror chess sport trade rice monsoon budget railway".split()

ids = st.integers(0, 7).map(lambda number: f"a{number}")
texts = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), min_size=1, max_size=5
).map("\n".join)
models = st.sampled_from(["fake", "other"])


def lines_of(article: Article) -> list[Chunk]:
    """A chunk a line."""
    chunks, start = [], 0
    for line in article.text.splitlines(keepends=True):
        key = f"{article.id}/{start}/{line.strip()}"
        chunks.append(Chunk(key, article.id, start, start + len(line), line))
        start += len(line)
    return chunks


def probe_here(command: list[str], *, input: bytes = b"", **_: Any) -> SimpleNamespace:
    """`subprocess.run` for the probe, which is told of sound files only, without a process."""
    told = io.StringIO()
    sent = SimpleNamespace(buffer=io.BytesIO(input))
    with contextlib.redirect_stdout(told):
        before, sys.stdin = sys.stdin, sent  # type: ignore[assignment]
        try:
            rag.storage.chroma._main(*command[3:])
        finally:
            sys.stdin = before
    return SimpleNamespace(returncode=0, stdout=told.getvalue())


class Stores:
    """The library, its index and what writes both, over a directory that is held."""

    def __init__(self, directory: Path, model: str) -> None:
        self.directory, self.model = directory, model
        self._opened = contextlib.ExitStack()
        self._opened.enter_context(hold(directory))
        self.embedder = FakeEmbedder(model)
        self.library = SqliteLibrary(directory / "library.db")
        self._opened.callback(self.library.close)
        self.index = ChromaIndex(self.library, model, directory / "index")
        self._opened.callback(self.index.close)
        self.ingester = Ingester(self.library, self.index, self.embedder, chunker=lines_of)

    def close(self) -> None:
        """Close them in order."""
        self._opened.close()

    def killed(self) -> Path:
        """What a SIGKILL leaves, in a directory of its own."""
        left = self.directory.with_name(f"{self.directory.name}+")
        shutil.copytree(self.directory, left)
        self.close()
        shutil.rmtree(self.directory)
        return left


class LibraryMachine(RuleBasedStateMachine):
    """Takes steps with the stores, and the same ones with a dictionary."""

    saved: tuple[dict[str, str], str] | None = None

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.expected: dict[str, str] = {}
        self.stores = Stores(self.folder / "data", "fake")

    def teardown(self) -> None:
        if hasattr(self, "stores"):
            self.stores.close()
            shutil.rmtree(self.folder)

    @rule(article_id=ids, text=texts)
    def put(self, article_id: str, text: str) -> None:
        known = self.expected.get(article_id)
        outcome = "added" if known is None else "unchanged" if known == text else "replaced"
        assert self.stores.ingester.put(Article(article_id, text)) == outcome
        self.expected[article_id] = text

    @rule(articles=st.dictionaries(ids, texts, min_size=1, max_size=4))
    def ingest(self, articles: dict[str, str]) -> None:
        news = self.folder / "news.jsonl"
        news.write_text("\n".join(json.dumps({"id": k, "text": t}) for k, t in articles.items()))
        report = self.stores.ingester.ingest([news])
        new = articles.keys() - self.expected.keys()
        same = [key for key, text in articles.items() if self.expected.get(key) == text]
        assert (report.added, report.unchanged) == (len(new), len(same))
        assert report.replaced == len(articles) - len(new) - len(same)
        assert not report.failed
        self.expected |= articles

    @rule(article_id=ids)
    def delete(self, article_id: str) -> None:
        assert self.stores.ingester.delete([article_id]) == (article_id in self.expected)
        self.expected.pop(article_id, None)

    @rule(query=st.sampled_from(WORDS))
    def search(self, query: str) -> None:
        embedder, chunks = self.stores.embedder, self.chunks()
        vector = embedder.encode_query(query)
        scores = {key: float(embedder.encode_query(text) @ vector) for key, text in chunks.items()}
        found = dict(self.stores.index.search(vector, 10))
        assert [*found.values()] == pytest.approx(sorted(scores.values())[::-1][:10], abs=1e-4)
        assert {key: scores[key] for key in found} == pytest.approx(found, abs=1e-4)
        lexical = {key for key, _ in self.stores.library.lexical([query], 100)}
        assert lexical == {key for key, text in chunks.items() if query in text.split()}

    @rule()
    def restart(self) -> None:
        self.stores.close()
        self.stores = Stores(self.stores.directory, self.stores.model)

    @rule()
    def kill(self) -> None:
        self.stores = Stores(self.stores.killed(), self.stores.model)

    @rule(model=models)
    def reindex(self, model: str) -> None:
        self.stores.close()
        self.stores = Stores(self.stores.directory, model)
        self.stores.ingester.reindex()
        assert self.stores.index.state() == "ok"

    @rule()
    def back_up(self) -> None:
        snapshot = back_up(self.stores.directory, self.folder / "backup.db", force=True)
        self.saved = dict(self.expected), self.stores.model
        assert snapshot.articles == len(self.expected)

    @precondition(lambda self: self.saved)
    @rule()
    def restore(self) -> None:
        self.stores.close()
        restore(self.stores.directory, self.folder / "backup.db", force=True)
        expected, model = self.saved
        self.expected = dict(expected)
        self.stores = Stores(self.stores.directory, model)

    @rule()
    def lose_the_index(self) -> None:
        self.stores.close()
        shutil.rmtree(self.stores.directory / "index", ignore_errors=True)
        self.stores = Stores(self.stores.directory, self.stores.model)

    @invariant()
    def the_library_has_what_it_should(self) -> None:
        if not hasattr(self, "stores"):
            return
        page, _ = self.stores.library.article_page(None, 100)
        assert {one.id: one.text for one in page} == self.expected
        chunks = self.chunks()
        ids, vectors = self.stores.library.vectors(self.stores.model)
        assert sorted(ids) == sorted(chunks)
        for key, vector in zip(ids, vectors, strict=True):
            assert np.array_equal(vector, self.stores.embedder.encode_query(chunks[key]))

    def chunks(self) -> dict[str, str]:
        """The texts of the chunks that there should be, by id."""
        articles = [Article(*one) for one in self.expected.items()]
        return {chunk.id: chunk.text for one in articles for chunk in lines_of(one)}


def check(examples: int, **options: Any) -> None:
    """Take steps, in so many examples."""
    machine = LibraryMachine.TestCase
    machine.settings = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        **options,
    )
    machine().runTest()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    here = SimpleNamespace(run=probe_here, TimeoutExpired=subprocess.TimeoutExpired)
    monkeypatch.setattr(rag.storage.chroma, "subprocess", here)


@pytest.mark.slow
def test_no_steps_lead_to_where_the_dictionary_is_not() -> None:
    check(EXAMPLES, derandomize=EXAMPLES < 100)


def deletes_nothing(db: object, ids: list[str]) -> tuple[int, tuple[str, ...]]:
    """A deletion that is told and not done."""
    return len(ids), ()


def restores_nothing(directory: Path, file: Path, *, force: bool) -> None:
    """A backup that is not put back."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "defect"),
    [
        ("rag.library.delete_articles", deletes_nothing),
        (f"{__name__}.restore", restores_nothing),
    ],
)
def test_a_planted_defect_is_found(
    place: str, defect: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, defect)
    with pytest.raises((AssertionError, LibraryError)):
        check(200, derandomize=True, phases=[Phase.generate], report_multiple_bugs=False)
