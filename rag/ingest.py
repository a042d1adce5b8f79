"""Articles into the library, and after it into the index: chunked, embedded, each whole."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from rag.chunking import chunk_article
from rag.errors import EmbeddingError, IndexUnavailableError
from rag.library import Change, SqliteLibrary
from rag.ports import Embedder, Progress, VectorIndex, Vectors
from rag.readers import Ignored, read_articles
from rag.scrubbing import Scrubber
from rag.storage.rows import content_hash
from rag.types import Article, Chunk, IngestReport, Skipped

GROUP = 512
"""Chunks that are embedded and committed together: enough for the encoder to sort by length."""

Outcome = Literal["added", "replaced", "unchanged"]
_LINE = re.compile(r":[0-9]+$")  # of a source that is a line of a file
_Chunked = tuple[Article, list[Chunk]]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Reading:
    """What reading the given paths brought."""

    seen: set[str] = field(default_factory=set)
    changed: list[_Chunked] = field(default_factory=list)  # or new
    unchanged: int = 0
    ignored: int = 0
    failed: list[Skipped] = field(default_factory=list)


class Ingester:
    """Puts articles into the library and deletes them; the only writer of both stores.

    An article is acknowledged, and safe, once the library has it. The index follows; should it
    fail, it is made good later and nothing is lost.
    """

    def __init__(
        self,
        library: SqliteLibrary,
        index: VectorIndex,
        embedder: Embedder,
        *,
        max_file_bytes: int = 200_000_000,
        max_article_chars: int = 2_000_000,
        chunker: Callable[[Article], list[Chunk]] = chunk_article,
    ) -> None:
        self._library = library
        self._index = index
        self._embedder = embedder
        self._max_file_bytes = max_file_bytes
        self._max_article_chars = max_article_chars
        self._chunker = chunker
        self._writing = threading.Lock()  # the index follows the library write by write
        self.scrubber = Scrubber(library, index)

    def ingest(
        self, paths: Sequence[Path], *, prune: bool = False, progress: Progress | None = None
    ) -> IngestReport:
        """Take in the articles of files and folders; those that are stored already stay as
        they are. `prune` deletes articles whose files are gone from there.

        Articles that cannot be read are reported. Raises `EmbeddingError`, `LibraryError`; what
        was put before stays.
        """
        self._library.check_model(self._embedder.model)
        reading = self._read(paths, progress)
        chunks, outcomes = self._put_all(reading.changed, progress)
        while self._library.find_copies():
            pass  # piece by piece, so that other writers get their turn
        return IngestReport(
            added=outcomes["added"],
            replaced=outcomes["replaced"],
            unchanged=reading.unchanged + outcomes["unchanged"],
            pruned=self._prune(paths, reading) if prune else 0,
            chunks=chunks,
            ignored=reading.ignored,
            failed=tuple(reading.failed),
        )

    def put(self, article: Article) -> Outcome:
        """Store one article under its id. Raises `EmbeddingError`, `LibraryError`."""
        if _outcome(article, self._library.content_hashes([article.id])) == "unchanged":
            return "unchanged"
        self._library.check_model(self._embedder.model)
        return self._put_group([(article, self._chunker(article))])[0]

    def delete(self, ids: Collection[str]) -> int:
        """Forget the articles among `ids` that are stored; how many these were."""
        with self._writing:
            change = self._library.delete(ids)
            self._follow(change, np.empty((0, 0), dtype=np.float32))
        if change.articles:
            self.scrubber.later()
        return change.articles

    def reindex(self, progress: Progress | None = None) -> None:
        """Embed what the embedder's model has not embedded yet, search by that model from then
        on, and build the index anew. Interrupted, it goes on where it was.

        Raises `EmbeddingError`, `LibraryError`, `IndexUnavailableError`.
        """
        while missing := self._library.switch_model(self._embedder.model):
            self._embed_missing(missing, progress)
        self._index.rebuild(progress)

    def renew(self, ids: Collection[str]) -> None:
        """Store the articles among `ids` once more as they are, with all that is made of them.

        Raises `EmbeddingError`, `LibraryError`.
        """
        for article in self._library.articles(ids).values():
            chunks = self._chunker(article)
            vectors = self._embed(chunks)
            with self._writing:
                change = self._library.put([(article, chunks, vectors)], self._embedder.model)
                self._follow(change, vectors)

    def _embed_missing(self, missing: int, progress: Progress | None) -> None:
        model, done = self._embedder.model, 0
        after: int | None = 0
        while after is not None:
            chunks, after = self._library.chunks_without_vectors(model, after, GROUP)
            if chunks:
                vectors = self._embed(chunks)
                self._library.add_vectors([chunk.id for chunk in chunks], vectors, model)
                done += len(chunks)
                _tell(progress, done, missing, "chunks")

    def _read(self, paths: Sequence[Path], progress: Progress | None) -> _Reading:
        """Read everything, and chunk what is new or changed: then it is known how much it is."""
        reading = _Reading()
        results = read_articles(
            paths, max_file_bytes=self._max_file_bytes, max_article_chars=self._max_article_chars
        )
        for batch in _batches(results, GROUP):
            self._sort([one for one in batch if isinstance(one, Article)], reading)
            reading.failed += [one for one in batch if isinstance(one, Skipped)]
            reading.ignored += sum(isinstance(one, Ignored) for one in batch)
            _tell(progress, len(reading.seen), None, "articles")
        return reading

    def _sort(self, articles: Sequence[Article], reading: _Reading) -> None:
        """Note what is new, changed or stored as it is; the latter's files may have moved."""
        stored = self._library.content_hashes([article.id for article in articles])
        same: dict[str, str | None] = {}
        for article in articles:
            reading.seen.add(article.id)
            if _outcome(article, stored) == "unchanged":
                reading.unchanged += 1
                same[article.id] = article.source
            else:
                reading.changed.append((article, self._chunker(article)))
        before = self._library.articles(same)  # but for what was deleted meanwhile
        moved = {key: same[key] for key, one in before.items() if one.source != same[key]}
        if moved:
            self._library.set_sources(moved)

    def _put_all(
        self, articles: Sequence[_Chunked], progress: Progress | None
    ) -> tuple[int, Counter[Outcome]]:
        """Put articles group by group; how many chunks they have, and what was done."""
        done, total = 0, sum(len(chunks) for _, chunks in articles)
        outcomes: Counter[Outcome] = Counter()
        for group in _groups(articles):
            outcomes.update(self._put_group(group))
            done += sum(len(chunks) for _, chunks in group)
            _tell(progress, done, total, "chunks")
        return done, outcomes

    def _put_group(self, group: Sequence[_Chunked]) -> list[Outcome]:
        """Store what another thread has not stored in the same words meanwhile."""
        vectors = self._embed([chunk for _, chunks in group for chunk in chunks])
        ends = np.cumsum([len(chunks) for _, chunks in group])[:-1]
        entries = [(*one, own) for one, own in zip(group, np.split(vectors, ends), strict=True)]
        with self._writing:
            stored = self._library.content_hashes([article.id for article, _ in group])
            outcomes = [_outcome(article, stored) for article, _ in group]
            new = [e for e, out in zip(entries, outcomes, strict=True) if out != "unchanged"]
            if new:
                change = self._library.put(new, self._embedder.model)
                self._follow(change, np.concatenate([own for *_, own in new]))
        return outcomes

    def _embed(self, chunks: Sequence[Chunk]) -> Vectors:
        vectors = self._embedder.encode_documents([chunk.text for chunk in chunks])
        if len(vectors) != len(chunks) or not np.isfinite(vectors).all():
            raise EmbeddingError(
                f"the embedding model {self._embedder.model!r} gave {len(vectors)} vectors for "
                f"{len(chunks)} chunks, or values that are no numbers; use another model"
            )
        return vectors

    def _follow(self, change: Change, vectors: Vectors) -> None:
        """Have the index follow a write; `vectors` are those of `change.added`."""
        if not change.articles:
            return
        try:
            self._index.update((change.added, vectors), change.removed)
        except IndexUnavailableError as error:
            _log.warning("%s; exact search serves until the index is rebuilt", error)

    def _prune(self, paths: Sequence[Path], reading: _Reading) -> int:
        """Delete the articles whose files were under `paths` and are gone.

        Not those that this run has seen elsewhere, nor any under a path that could not be read:
        a disk that is not mounted is no deleted file.
        """
        given = [os.path.abspath(path) for path in paths]
        unreadable = [one.source for one in reading.failed]
        gone = [
            article_id
            for article_id, source in self._library.sources().items()
            if article_id not in reading.seen
            and _is_under(source, given)
            and not _is_under(source, unreadable)
            and not os.path.lexists(source)
            and not os.path.lexists(_LINE.sub("", source))
        ]
        return self.delete(gone)


def _outcome(article: Article, stored: Mapping[str, str]) -> Outcome:
    """What storing an article does beside what is stored, by content hash."""
    known = stored.get(article.id)
    if known is None:
        return "added"
    return "unchanged" if known == content_hash(article) else "replaced"


def _is_under(source: str, folders: Iterable[str]) -> bool:
    """Whether a source is one of the folders or files, a line of one, or in one."""
    place = _LINE.sub("", source)
    return any(
        folder in (source, place) or place.startswith(folder.rstrip(os.sep) + os.sep)
        for folder in folders
    )


def _batches(
    results: Iterator[Article | Skipped | Ignored], size: int
) -> Iterator[list[Article | Skipped | Ignored]]:
    while batch := list(islice(results, size)):
        yield batch


def _groups(articles: Iterable[_Chunked]) -> Iterator[list[_Chunked]]:
    """Whole articles, of about `GROUP` chunks together."""
    group: list[_Chunked] = []
    size = 0
    for article, chunks in articles:
        group.append((article, chunks))
        size += len(chunks)
        if size >= GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group


def _tell(progress: Progress | None, done: int, total: int | None, unit: str) -> None:
    if progress:
        progress(done, total, unit)
