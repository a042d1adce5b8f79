"""Articles of one chunk a text, in a library and its index, for the tests of all kinds of index."""

import numpy as np

from rag.exact import ExactIndex
from rag.index import ChromaIndex
from rag.library import Entry, SqliteLibrary
from rag.ports import Rows
from rag.types import Article, Chunk
from tests.fakes import FakeEmbedder

embedder = FakeEmbedder()
WORDS = "india pakistan terror chess sport trade rice monsoon budget railway".split()


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
