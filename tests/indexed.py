"""Articles of one chunk a text, in a library and its index, for the tests of all kinds of index."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from rag.exact import ExactIndex
from rag.index import ChromaIndex
from rag.library import Entry, SqliteLibrary
from rag.ports import Rows
from rag.storage.chroma import ChromaCollection, _close, _connect
from rag.types import Article, Chunk
from tests.fakes import FakeEmbedder

embedder = FakeEmbedder()
WORDS = "india pakistan terror chess sport trade rice monsoon budget railway".split()


class Home:
    """A data directory's library, and its index there or in the Chroma server at `url`."""

    def __init__(self, directory: Path, url: str | None = None) -> None:
        directory.mkdir(exist_ok=True)
        self.library = SqliteLibrary(directory / "library.db")
        self.directory = directory / "index"
        self.url = url
        self._key = f"index {url}" if url else "index"

    @contextmanager
    def opened(self) -> Iterator[ChromaIndex]:
        """Its index, closed in the end."""
        index = self.index()
        yield index
        index.close()

    def index(self) -> ChromaIndex:
        """Its index as a process sees it that has just begun."""
        return ChromaIndex(self.library, embedder.model, self.directory, self.url)

    def collection(self, generation: str) -> ChromaCollection:
        """A generation, opened beside the index."""
        return ChromaCollection(*self.index()._site.where(generation))

    def generations(self) -> list[str]:
        """Those that there are, be they recorded or not."""
        if self.url is None:
            return sorted(path.name for path in self.directory.glob("*"))
        client = _connect(self.url)
        names = [collection.name for collection in client.list_collections()]
        _close(client)
        prefix = self.index()._site._prefix()
        return sorted(name.rsplit("-", 1)[1] for name in names if name.startswith(prefix))

    def record(self, **changes: object) -> None:
        """Change the record of the index; what is to be `...` is left out."""
        record = json.loads(self.library.meta(self._key) or "") | changes
        left = {key: value for key, value in record.items() if value is not ...}
        self.library.set_meta(self._key, json.dumps(left))

    def kill(self, index: ChromaIndex, **changes: object) -> None:
        """Leave the record as a process does that dies after it wrote: not closed, and
        `changes`."""
        index.close()
        self.record(**{"closed": False, "files": None, **changes})


def entry(article_id: str, texts: list[str]) -> Entry:
    """An article of one chunk a text."""
    starts = np.cumsum([0, *map(len, texts)]).tolist()
    chunks = [
        Chunk(f"{article_id}/{number}", article_id, start, start + len(text), text)
        for number, (start, text) in enumerate(zip(starts, texts, strict=False))
    ]
    return Article(article_id, "".join(texts)), chunks, embedder.encode_documents(texts)


def put(library: SqliteLibrary, index: ChromaIndex | None, article_id: str, *texts: str) -> None:
    """Put an article, and have the index follow, if one is given."""
    article = entry(article_id, list(texts))
    change = library.put([article], embedder.model)
    if index:
        index.update((change.added, article[2]), change.removed)


def search(index: ChromaIndex | ExactIndex, query: str, limit: int = 3, *within: Rows) -> list[str]:
    """The ids found for a query."""
    return [key for key, _ in index.search(embedder.encode_query(query), limit, *within)]


def assert_equals_exact(index: ChromaIndex, library: SqliteLibrary) -> None:
    exact = ExactIndex(library, embedder.model)
    for word in WORDS:
        vector = embedder.encode_query(word)
        found, expected = index.search(vector, 10), exact.search(vector, 10)
        assert [round(score, 4) for _, score in found] == [round(s, 4) for _, s in expected]
        assert {key for key, _ in found} == {key for key, _ in expected}
