import json
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from rag.errors import EmbeddingError, IndexUnavailableError, ModelMismatchError
from rag.ingest import Ingester
from rag.library import SqliteLibrary
from rag.ports import Progress, Vectors
from rag.types import Article, Chunk, Filters, IngestReport
from tests.fakes import FakeEmbedder


class MemoryIndex:
    """The `VectorIndex` as a dict; `down` makes it fail. It has to be told of every write."""

    def __init__(self, library: SqliteLibrary, model: str = "fake") -> None:
        self.library = library
        self.model = model
        self.vectors: dict[str, Vectors] = {}
        self.revision = library.revision()
        self.down = False
        self.meanwhile: Callable[[], None] | None = None

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        raise NotImplementedError

    def update(self, add: tuple[Sequence[str], Vectors], remove: Collection[str]) -> None:
        if self.down:
            raise IndexUnavailableError("the index is down")
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        self.revision += 1
        assert self.library.revision() == self.revision
        for key in remove:
            del self.vectors[key]
        self.vectors |= dict(zip(*add, strict=True))

    def rebuild(self, progress: Progress | None = None) -> None:
        self.vectors = dict(zip(*self.library.vectors(self.model), strict=True))

    def scrub(self) -> None:
        pass


def paragraphs(article: Article) -> list[Chunk]:
    """A chunk a line: simple enough to count."""
    chunks, start = [], 0
    for line in article.text.splitlines(keepends=True):
        key = f"{article.id}/{start}/{line}"
        chunks.append(Chunk(key, article.id, start, start + len(line), line))
        start += len(line)
    return chunks


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SqliteLibrary]:
    opened = SqliteLibrary(tmp_path / "library.db")
    yield opened
    opened.close()


@pytest.fixture
def index(library: SqliteLibrary) -> MemoryIndex:
    return MemoryIndex(library)


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def ingester(library: SqliteLibrary, index: MemoryIndex, embedder: FakeEmbedder) -> Ingester:
    return Ingester(library, index, embedder, chunker=paragraphs)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "articles"
    made.mkdir()
    for name in ("a", "b", "c"):
        (made / f"{name}.txt").write_text(f"About {name}.\nMore on {name}.\n")
    return made


def write_lines(path: Path, *ids: str) -> None:
    lines = [json.dumps({"id": key, "text": f"About {key}.\nMore on {key}."}) for key in ids]
    path.write_text("\n".join(lines))


def sources(library: SqliteLibrary) -> set[str]:
    return {Path(source).name for source in library.sources().values()}


def assert_in_step(library: SqliteLibrary, index: MemoryIndex) -> None:
    ids, vectors = library.vectors("fake")
    assert set(index.vectors) == set(ids)
    assert all(np.array_equal(index.vectors[k], v) for k, v in zip(ids, vectors, strict=True))


# What goes wrong


def test_a_bad_file_is_reported_and_the_others_go_in(
    ingester: Ingester, library: SqliteLibrary, folder: Path
) -> None:
    (folder / "empty.txt").write_text("")
    (folder / "latin.txt").write_bytes("Café".encode("latin-1"))
    (folder / "picture.png").write_bytes(b"\x89PNG")
    report = ingester.ingest([folder, folder / "gone.txt"])
    assert (report.added, report.ignored) == (3, 1)
    assert {Path(one.source).name for one in report.failed} == {
        "empty.txt",
        "latin.txt",
        "gone.txt",
    }
    assert library.counts() == (3, 6)


def test_an_encoder_that_fails_leaves_what_was_put_before(
    library: SqliteLibrary, index: MemoryIndex, tmp_path: Path
) -> None:
    for number in range(20):
        lines = "".join(f"Line {n} of {number}.\n" for n in range(100))
        (tmp_path / f"{number:02}.txt").write_text(lines)
    ingester = Ingester(library, index, FakeEmbedder(refused="of 17"), chunker=paragraphs)
    with pytest.raises(EmbeddingError, match="of 17"):
        ingester.ingest([tmp_path])
    articles, chunks = library.counts()
    assert 0 < articles < 18
    assert chunks == 100 * articles
    assert_in_step(library, index)
    report = Ingester(library, index, FakeEmbedder(), chunker=paragraphs).ingest([tmp_path])
    assert (report.added, report.unchanged) == (20 - articles, articles)


def test_vectors_that_are_no_numbers_are_refused(
    library: SqliteLibrary, index: MemoryIndex
) -> None:
    class Broken(FakeEmbedder):
        def encode_documents(self, texts: Sequence[str]) -> Vectors:
            return np.full((len(texts), 16), np.nan, dtype=np.float32)

    with pytest.raises(EmbeddingError, match="fake"):
        Ingester(library, index, Broken(), chunker=paragraphs).put(Article("a", "Text."))
    assert library.counts() == (0, 0)


def test_an_index_that_fails_loses_nothing(
    ingester: Ingester,
    library: SqliteLibrary,
    index: MemoryIndex,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    index.down = True
    assert ingester.ingest([folder]).added == 3
    assert ingester.put(Article("x", "Text.")) == "added"
    assert ingester.delete(["x"]) == 1
    assert library.counts() == (3, 6)
    assert "the index is down; exact search serves" in caplog.text


def test_another_model_is_refused_before_anything_is_encoded(
    ingester: Ingester, library: SqliteLibrary, index: MemoryIndex, folder: Path
) -> None:
    ingester.ingest([folder])
    other = FakeEmbedder("other")
    foreign = Ingester(library, index, other, chunker=paragraphs)
    for attempt in (
        lambda: foreign.ingest([folder]),
        lambda: foreign.put(Article("x", "Text.")),
    ):
        with pytest.raises(ModelMismatchError, match="reindex"):
            attempt()
    assert other.encoded == []
    assert library.counts() == (3, 6)


# Articles in


def test_a_second_run_encodes_nothing_and_says_so(
    ingester: Ingester, library: SqliteLibrary, embedder: FakeEmbedder, folder: Path
) -> None:
    assert ingester.ingest([folder]) == IngestReport(added=3, chunks=6)
    encoded, revision = len(embedder.encoded), library.revision()
    assert ingester.ingest([folder]) == IngestReport(unchanged=3)
    assert (len(embedder.encoded), library.revision()) == (encoded, revision)


def test_a_run_without_news_finds_the_copies_of_an_old_library(
    ingester: Ingester, library: SqliteLibrary, folder: Path
) -> None:
    ingester.put(Article("one", "The same text."))
    ingester.put(Article("two", "The same text."))
    ingester.ingest([folder])
    with library._database.writing() as db:  # as before there were clusters
        db.execute("DELETE FROM clusters")
        db.execute("DELETE FROM bands")
    assert library.copies_of(["one"], Filters(), None) == {}
    assert ingester.ingest([folder]).added == 0
    assert [copy.article_id for copy in library.copies_of(["one"], Filters(), None)["one"]] == [
        "one",
        "two",
    ]


def test_a_changed_article_replaces_its_chunks(
    ingester: Ingester, library: SqliteLibrary, index: MemoryIndex, folder: Path
) -> None:
    ingester.ingest([folder])
    (folder / "a.txt").write_text("Wholly rewritten.\n")
    assert ingester.ingest([folder]) == IngestReport(replaced=1, unchanged=2, chunks=1)
    assert library.counts() == (3, 5)
    assert library.lexical(["about"], 9)[0][0].count("a.txt") == 0
    assert_in_step(library, index)


def test_metadata_that_changed_is_a_change(ingester: Ingester, folder: Path) -> None:
    ingester.ingest([folder])
    (folder / "a.yaml").write_text("outlet: The Hindu\n")
    assert ingester.ingest([folder]).replaced == 1


def test_articles_of_one_text_stay_apart(ingester: Ingester, library: SqliteLibrary) -> None:
    assert [ingester.put(Article(key, "The same.")) for key in ("a", "b")] == ["added", "added"]
    assert library.counts() == (2, 2)


def test_large_and_small_articles_are_put_whole(
    ingester: Ingester, library: SqliteLibrary, index: MemoryIndex, tmp_path: Path
) -> None:
    sizes = (3, 1500, 1, 511, 2, 600)
    for number, size in enumerate(sizes):
        (tmp_path / f"{number}.txt").write_text("".join(f"{number} {n}\n" for n in range(size)))
    told: list[tuple[int, int | None, str]] = []
    ingester.ingest([tmp_path], progress=lambda *step: told.append(step))
    assert library.counts() == (len(sizes), sum(sizes))
    assert [step for step in told if step[2] == "chunks"] == [
        (1503, 2617, "chunks"),
        (2015, 2617, "chunks"),
        (2617, 2617, "chunks"),
    ]
    assert told[0] == (6, None, "articles")
    assert_in_step(library, index)
    stored = library.chunks(library.vectors("fake")[0])
    expected = FakeEmbedder()
    for chunk in list(stored.values())[::97]:
        assert np.array_equal(index.vectors[chunk.id], expected.encode_query(chunk.text))


def test_put_tells_what_it_did(
    ingester: Ingester, library: SqliteLibrary, index: MemoryIndex, embedder: FakeEmbedder
) -> None:
    assert ingester.put(Article("a", "One.\n")) == "added"
    assert ingester.put(Article("a", "One.\n")) == "unchanged"
    assert ingester.put(Article("a", "Two.\n")) == "replaced"
    assert embedder.encoded == ["One.\n", "Two.\n"]
    assert library.articles(["a"])["a"].text == "Two.\n"
    assert_in_step(library, index)


def test_delete_counts_what_was_there(
    ingester: Ingester, library: SqliteLibrary, index: MemoryIndex
) -> None:
    ingester.put(Article("a", "One.\nTwo.\n"))
    ingester.put(Article("b", "Three.\n"))
    assert ingester.delete(["a", "none"]) == 1
    assert ingester.delete(["a"]) == 0
    assert library.counts() == (1, 1)
    assert_in_step(library, index)


def test_a_write_waits_until_the_index_has_followed_the_one_before(
    ingester: Ingester, library: SqliteLibrary, index: MemoryIndex
) -> None:
    other = threading.Thread(target=ingester.put, args=(Article("b", "Two.\n"),))

    def write_meanwhile() -> None:
        other.start()
        other.join(timeout=0.2)

    index.meanwhile = write_meanwhile
    ingester.put(Article("a", "One.\n"))
    other.join()
    assert library.counts() == (2, 2)
    assert_in_step(library, index)


# Pruning


def test_files_that_are_gone_are_kept_unless_pruned(
    ingester: Ingester, library: SqliteLibrary, index: MemoryIndex, folder: Path
) -> None:
    ingester.ingest([folder])
    (folder / "a.txt").unlink()
    assert ingester.ingest([folder]) == IngestReport(unchanged=2)
    assert ingester.ingest([folder], prune=True) == IngestReport(unchanged=2, pruned=1)
    assert sources(library) == {"b.txt", "c.txt"}
    assert_in_step(library, index)


def test_only_files_of_the_given_paths_are_pruned(
    ingester: Ingester, library: SqliteLibrary, folder: Path, tmp_path: Path
) -> None:
    beside = tmp_path / "articles-2"  # its name begins with the folder's
    beside.mkdir()
    (beside / "d.txt").write_text("About d.\n")
    ingester.ingest([folder, beside])
    ingester.put(Article("posted", "It came without a file."))
    for path in (folder / "a.txt", beside / "d.txt"):
        path.unlink()
    assert ingester.ingest([folder], prune=True).pruned == 1
    assert sources(library) == {"b.txt", "c.txt", "d.txt"}
    assert "posted" in library.articles(["posted"])


def test_an_article_whose_file_cannot_be_read_now_is_not_pruned(
    ingester: Ingester, library: SqliteLibrary, folder: Path
) -> None:
    ingester.ingest([folder])
    (folder / "a.txt").write_bytes(b"\xff\xfe\x00")
    report = ingester.ingest([folder], prune=True)
    assert (report.pruned, len(report.failed)) == (0, 1)
    assert library.counts()[0] == 3


def test_a_folder_that_is_away_is_no_deletion(
    ingester: Ingester, library: SqliteLibrary, folder: Path
) -> None:
    ingester.ingest([folder])
    folder.rename(folder.parent / "unmounted")
    report = ingester.ingest([folder], prune=True)
    assert (report.pruned, len(report.failed)) == (0, 1)
    assert library.counts()[0] == 3


def test_an_article_that_moved_is_not_pruned(
    ingester: Ingester, library: SqliteLibrary, folder: Path
) -> None:
    old, new = folder / "old.jsonl", folder / "new.jsonl"
    write_lines(old, "one", "two")
    ingester.ingest([old])
    write_lines(new, "zero", "one")
    old.unlink()
    report = ingester.ingest([folder], prune=True)
    assert (report.added, report.unchanged, report.pruned) == (4, 1, 1)
    assert library.articles(["one", "two"]).keys() == {"one"}
    # From now on it belongs to its new file.
    assert library.sources()["one"] == f"{new}:2"


def test_articles_of_a_line_file_that_is_there_are_not_pruned(
    ingester: Ingester, library: SqliteLibrary, folder: Path
) -> None:
    lines = folder / "feed.jsonl"
    write_lines(lines, "one", "two")
    ingester.ingest([lines])
    write_lines(lines, "one")
    assert ingester.ingest([lines], prune=True).pruned == 0
    lines.unlink()
    assert ingester.ingest([folder], prune=True).pruned == 2


# Another model


def test_reindex_embeds_by_the_new_model_and_goes_on_where_it_was(
    ingester: Ingester, library: SqliteLibrary, tmp_path: Path
) -> None:
    for number in range(3):
        text = "".join(f"Line {n} of {number}.\n" for n in range(400))
        (tmp_path / f"{number}.txt").write_text(text)
    ingester.ingest([tmp_path])
    index = MemoryIndex(library, "other")
    with pytest.raises(EmbeddingError):
        Ingester(library, index, FakeEmbedder("other", refused="Line 7 of 2")).reindex()
    library.check_model("fake")  # searched by the old model as before
    assert len(library.vectors("fake")[0]) == 1200
    done = len(library.vectors("other")[0])
    assert 0 < done < 1200

    other = FakeEmbedder("other")
    told: list[tuple[int, int | None, str]] = []
    Ingester(library, index, other).reindex(lambda *step: told.append(step))
    library.check_model("other")
    assert len(other.encoded) == 1200 - done
    assert told[-1] == (1200 - done, 1200 - done, "chunks")
    assert library.vectors("fake")[0] == []
    assert len(index.vectors) == 1200


def test_threads_that_put_the_same_article_make_one(
    library: SqliteLibrary, index: MemoryIndex
) -> None:
    gate = threading.Barrier(16)
    outcomes: list[str] = []

    class Together(FakeEmbedder):
        def encode_documents(self, texts: Sequence[str]) -> Vectors:
            gate.wait(10)  # none was stored when the last one begins
            return super().encode_documents(texts)

    ingester = Ingester(library, index, Together(), chunker=paragraphs)
    article = Article("a", "Markets rose.\nRain fell.\n")
    threads = [
        threading.Thread(target=lambda: outcomes.append(ingester.put(article))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["added"] + 15 * ["unchanged"]
    assert library.counts() == (1, 2)
    assert library.revision() == index.revision == 1
    assert len(index.vectors) == 2


def test_of_two_that_ingest_a_folder_at_once_one_adds(ingester: Ingester, folder: Path) -> None:
    second: list[IngestReport] = []

    def meanwhile(done: int, total: int | None, unit: str) -> None:
        if unit == "articles" and not second:  # read, and not yet stored
            second.append(ingester.ingest([folder]))

    first = ingester.ingest([folder], progress=meanwhile)
    assert first.added == 0
    assert first.unchanged == second[0].added > 0


def test_an_article_that_is_deleted_while_it_is_read_breaks_no_ingest(
    tmp_path: Path, folder: Path
) -> None:
    class Losing(SqliteLibrary):
        """Loses an article as soon as it was looked for."""

        def content_hashes(self, ids: Collection[str]) -> dict[str, str]:
            found = super().content_hashes(ids)
            self.delete(list(found)[:1])
            return found

    library = Losing(tmp_path / "losing.db")
    ingester = Ingester(library, MemoryIndex(library), FakeEmbedder(), chunker=paragraphs)
    added = ingester.ingest([folder]).added
    assert ingester.ingest([folder]).unchanged == added
    library.close()
