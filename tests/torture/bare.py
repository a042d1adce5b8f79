"""What the harness is tried out on: bare Chroma, embedded, written as its documentation shows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.fakes import FakeEmbedder
from tests.torture.forks import Tell
from tests.torture.library import State

KINDS = ("write",)
OPERATIONS, ARTICLES, TOGETHER = 20, 600, 200
"""So much that in each life Chroma writes its index to disk, as it does after 1,000 changes."""

_embedder = FakeEmbedder()


def live(kind: str, data: Path, state: State, seed: int, tell: Tell) -> None:
    """Add, replace and delete articles in a collection, telling of each before and after it."""
    picks = random.Random(seed)
    articles = _collection(data)
    stored = set(state.versions)
    for _ in range(OPERATIONS):
        keys = [f"a{key}" for key in picks.sample(range(ARTICLES), TOGETHER)]
        version = picks.randrange(10**6)
        gone = picks.random() < 0.3 and stored.issuperset(keys)
        tell({"begin": {"versions": dict.fromkeys(keys, None if gone else version)}})
        if gone:
            articles.delete(ids=keys)
            stored.difference_update(keys)
        else:
            texts = [_text(key, version) for key in keys]
            articles.upsert(
                ids=keys,
                documents=texts,
                embeddings=_embedder.encode_documents(texts),
                metadatas=[{"version": version}] * len(keys),
            )
            stored.update(keys)
        tell({"done": True})


def check(data: Path, state: State) -> dict[str, Any]:
    """Open what is left, search it, and say what is there and what is wrong with it."""
    articles = _collection(data)
    found = articles.get(include=["documents", "metadatas", "embeddings"])
    versions = {
        key: int(known["version"])
        for key, known in zip(found["ids"], found["metadatas"], strict=True)
    }
    return {
        "versions": versions,
        "model": state.model,
        "faults": [*_faults(articles, found, state)],
    }


def _faults(articles: Any, found: Any, state: State) -> Iterator[str]:
    there = {key: one["version"] for key, one in zip(found["ids"], found["metadatas"], strict=True)}
    for key in there | state.versions | state.doubt.get("versions", {}):
        if not state.allows(key, there.get(key)):
            yield f"{key} is of version {there.get(key)}"
    for key, text, vector in zip(
        found["ids"], found["documents"], found["embeddings"], strict=True
    ):
        expected = _text(key, there[key])
        if text != expected:
            yield f"{key} is not whole"
        if not np.allclose(vector, _embedder.encode_query(expected)):
            yield f"the vector of {key} is another's"
    if there:
        everything = articles.query(query_embeddings=found["embeddings"][:1], n_results=len(there))
        if set(everything["ids"][0]) != set(there):
            yield f"a search reaches {len(everything['ids'][0])} of {len(there)} articles"


def _text(key: str, version: int) -> str:
    return f"Version {version} of {key}"


def _collection(data: Path) -> Any:
    import chromadb

    return chromadb.PersistentClient(str(data)).get_or_create_collection(
        "articles", embedding_function=None
    )
