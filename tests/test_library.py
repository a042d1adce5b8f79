import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.errors import LibraryError, ModelMismatchError
from rag.library import Entry, SqliteLibrary
from rag.storage.database import Database
from rag.types import Article, Chunk, Filters
from tests.fakes import FakeEmbedder

MODEL = "fake"


def entry(article: Article, size: int = 40, model: str = MODEL) -> Entry:
    """An article with its text cut into chunks of `size` characters, and their vectors."""
    chunks = [
        Chunk(f"{article.id}/{start}", article.id, start, start + size, article.text[start:][:size])
        for start in range(0, len(article.text), size)
    ]
    vectors = FakeEmbedder(model).encode_documents([chunk.text for chunk in chunks])
    return article, chunks, vectors


@pytest.fixture
def library(tmp_path):
    opened = SqliteLibrary(tmp_path / "library.db")
    yield opened
    opened.close()


def put(library: SqliteLibrary, *articles: Article) -> None:
    library.put([entry(article) for article in articles], MODEL)


def rows(library: SqliteLibrary, table: str) -> int:
    with library._database.reading() as db:
        return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


# What must fail


def test_a_library_of_a_newer_dateline_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    SqliteLibrary(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(LibraryError, match=r"version 99.*upgrade Dateline"):
        SqliteLibrary(path)


def test_a_file_that_is_no_database_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(LibraryError, match=r"library\.db.*not a database"):
        SqliteLibrary(path)


def test_a_directory_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="unable to open"):
        SqliteLibrary(tmp_path / "nowhere" / "library.db")


def test_a_failed_migration_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    steps = [["CREATE TABLE one (a)"], ["CREATE TABLE two (a)", "CREATE TABLE one (a)"]]
    Database(path, steps[:1]).close()
    with pytest.raises(LibraryError, match="already exists"):
        Database(path, steps)
    database = Database(path, steps[:1])
    with database.reading() as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_schema")]
        assert names == ["one", "migrations"]
    database.close()


def test_a_put_that_fails_half_way_leaves_nothing(library: SqliteLibrary) -> None:
    put(library, Article("a", "The old text."))
    article, chunks, vectors = entry(Article("b", "Another text."))
    twice = (replace(article, id="c"), chunks, vectors)  # the ids of its chunks are taken
    revision = library.revision()
    with pytest.raises(LibraryError, match="UNIQUE"):
        library.put(
            [entry(Article("a", "The new text.")), (article, chunks, vectors), twice], MODEL
        )
    assert library.articles(["a", "b", "c"]) == {"a": Article("a", "The old text.")}
    assert library.lexical(["new", "another"], 9) == []
    assert (library.counts(), library.revision()) == ((1, 1), revision)


def test_another_model_is_refused_with_both_names_and_the_ways_out(library: SqliteLibrary) -> None:
    library.check_model("anything")  # nothing is embedded yet
    put(library, Article("a", "Some text."))
    library.check_model(MODEL)
    for attempt in (
        lambda: library.check_model("other"),
        lambda: library.put([entry(Article("b", "More."))], "other"),
    ):
        with pytest.raises(ModelMismatchError, match=r"fake.*other.*reindex.*EMBEDDING_MODEL"):
            attempt()
    assert library.counts() == (1, 1)


def test_vectors_of_another_length_are_refused(library: SqliteLibrary) -> None:
    put(library, Article("a", "Some text."))
    article, chunks, _ = entry(Article("b", "More text."))
    with pytest.raises(ModelMismatchError, match="8 and 16"):
        library.put([(article, chunks, np.ones((1, 8), dtype=np.float32))], MODEL)


def test_a_closed_library_says_so(library: SqliteLibrary) -> None:
    library.close()
    with pytest.raises(LibraryError, match="closed"):
        library.counts()
    with pytest.raises(LibraryError, match="closed"):
        library.delete(["a"])


# Articles and chunks


def test_an_article_comes_back_as_it_went_in(library: SqliteLibrary) -> None:
    text = "“Zero tolerance” 🇮🇳 e\u0301\r\nहिन्दी — " * 9
    article = Article("a", text, "u", "t", "o", "w", "2025-08-21T09:30:00+02:00", "d", "en", "s")
    put(library, article)
    assert library.articles(["a", "none"]) == {"a": article}
    chunks = library.chunks([f"a/{start}" for start in range(0, len(text), 40)])
    in_order = sorted(chunks.values(), key=lambda chunk: chunk.start)
    assert "".join(chunk.text for chunk in in_order) == text
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in chunks.values())


def test_a_changed_article_replaces_all_that_it_was(library: SqliteLibrary) -> None:
    put(library, Article("a", "terrorism " * 12), Article("b", "other"))
    change = library.put([entry(Article("a", "chess " * 7))], MODEL)
    assert change.articles == 1
    assert set(change.added) == {"a/0", "a/40"}
    assert set(change.removed) == {"a/80"}
    assert library.lexical(["terrorism"], 9) == []
    assert [key for key, _ in library.lexical(["chess"], 9)][:1] == ["a/0"]
    assert [rows(library, table) for table in ("articles", "chunks", "vectors", "words")] == [
        2, 3, 3, 3,
    ]  # fmt: skip


def test_a_deleted_article_leaves_nothing(library: SqliteLibrary) -> None:
    put(library, Article("a", "terrorism " * 12), Article("b", "other"))
    change = library.delete(["a", "none"])
    assert change.articles == 1
    assert sorted(change.removed) == ["a/0", "a/40", "a/80"]
    assert [rows(library, table) for table in ("articles", "chunks", "vectors", "words")] == [1] * 4


def test_deleting_nothing_changes_nothing(library: SqliteLibrary) -> None:
    before = library.revision()
    assert library.delete(["none"]).articles == 0
    assert library.revision() == before


def test_each_change_raises_the_revision(library: SqliteLibrary) -> None:
    revisions = [library.revision()]
    for change in (
        lambda: put(library, Article("a", "text")),
        lambda: put(library, Article("a", "text")),
        lambda: library.delete(["a"]),
    ):
        change()
        revisions.append(library.revision())
    assert revisions == [0, 1, 2, 3]
    library.set_meta("index", "{}")
    assert library.revision() == 3


def test_pages_hold_every_article_once(library: SqliteLibrary) -> None:
    put(library, *[Article(f"a{number}", "text") for number in range(5)])
    ids: list[str] = []
    after = None
    while True:
        page, after = library.article_page(after, 2)
        ids += [article.id for article in page]
        if after is None:
            break
    assert ids == ["a0", "a1", "a2", "a3", "a4"]
    assert library.article_page("a4", 2) == ([], None)


def test_sources_follow_files_that_moved(library: SqliteLibrary) -> None:
    put(library, Article("a", "text", source="here"), Article("b", "text"))
    assert library.sources() == {"a": "here"}
    library.set_sources({"a": "there"})
    assert library.sources() == {"a": "there"}


# Filters and lexical search

DATED = (
    Article("march", "news", outlet="The Hindu", published_at="2025-03-01T23:59:00+05:30"),
    Article("april", "news", outlet="ÖSTERREICH", published_at="2025-04-10"),
    Article("undated", "news", outlet="the hindu"),
)


@pytest.mark.parametrize(
    ("filters", "as_of", "expected"),
    [
        (Filters(published_from="2025-03-01"), None, {"march", "april"}),
        (Filters(published_from="2025-03-02"), None, {"april"}),
        (Filters(published_to="2025-03-01"), None, {"march"}),
        (Filters(published_to="2025-02-28"), None, set()),
        (Filters(outlets=("THE HINDU ",)), None, {"march", "undated"}),
        (Filters(outlets=("österreich", "none")), None, {"april"}),
        (Filters(article_ids=("april", "none")), None, {"april"}),
        (Filters(article_ids=("APRIL",)), None, set()),
        (Filters(), "2025-03-01", {"march", "undated"}),
        (Filters(), "2025-01-01", {"undated"}),
        (Filters(outlets=("the hindu",), published_from="2020-01-01"), "2030-01-01", {"march"}),
        (Filters(outlets=("x' OR 1=1 --",)), None, set()),
    ],
)
def test_filters_let_through(library: SqliteLibrary, filters, as_of, expected) -> None:
    put(library, *DATED)
    candidates = library.candidates(filters, as_of)
    assert {key.split("/")[0] for key in library.vectors_at(candidates, MODEL)[1]} == expected
    found = library.lexical(["news"], 9, candidates)
    assert {key.split("/")[0] for key, _ in found} == expected


def test_without_filters_nothing_is_filtered(library: SqliteLibrary) -> None:
    put(library, *DATED)
    assert library.candidates(Filters(), None) is None


@pytest.mark.parametrize(
    "term",
    ['"', "a OR b", "NEAR(", "col:x", "*", "-", "—", "", "\0", "\ud800", "header:news", "x*", "^a"],
)
def test_no_term_is_read_as_syntax(library: SqliteLibrary, term: str) -> None:
    put(library, Article("a", "news of the day"), Article("b", "nothing"))
    assert [key for key, _ in library.lexical([term, "day"], 9)] == ["a/0"]


def test_no_terms_find_nothing(library: SqliteLibrary) -> None:
    put(library, Article("a", "news"))
    assert library.lexical([], 9) == []


def test_lexical_search_ranks_rare_words_first_and_scores_above_zero(
    library: SqliteLibrary,
) -> None:
    put(
        library,
        Article("a", "India spoke of trade"),
        Article("b", "India spoke of terrorism"),
        Article("c", "India spoke of sport"),
    )
    found = library.lexical(["India", "terrorism"], 2)
    assert found[0][0] == "b/0"
    assert len(found) == 2
    assert found[0][1] > found[1][1] >= 0


def test_words_are_found_by_their_stem_without_accents_and_in_hindi(library: SqliteLibrary) -> None:
    put(library, Article("a", "He was running to the Café"), Article("b", "हिन्दी समाचार"))
    for term, expected in (("run", "a/0"), ("cafe", "a/0"), ("हिन्दी", "b/0")):
        assert [key for key, _ in library.lexical([term], 9)] == [expected], term
    assert library.lexical(["हिन"], 9) == []  # the word was not cut apart


def test_the_header_is_searched(library: SqliteLibrary) -> None:
    put(library, Article("a", "text", title="Terror", outlet="Hindu", author="Rao"))
    for term in ("terror", "hindu", "rao"):
        assert library.lexical([term], 9), term


def test_the_number_of_a_chunk_that_is_gone_is_not_given_again(library: SqliteLibrary) -> None:
    put(library, Article("a", "x" * 100), Article("b", "y" * 50))
    assert library.rows().tolist() == [1, 2, 3, 4, 5]
    stale = library.candidates(Filters(article_ids=("b",)), None)
    library.delete(["b"])
    put(library, Article("c", "y" * 50), Article("a", "x"))
    assert library.rows().tolist() == [6, 7, 8]
    assert library.lexical(["y" * 40], 9)
    assert library.lexical(["y" * 40], 9, stale) == []
    assert library.vectors_at(stale, MODEL)[1] == []


def test_scores_of_given_chunks_are_those_of_the_search(library: SqliteLibrary) -> None:
    put(library, *(Article(f"a{n}", f"trade {'chess ' * n} in India") for n in range(5)))
    found = dict(library.lexical(["chess", "trade"], 9))
    some = ["a3/0", "a1/0", "gone"]
    assert library.lexical_scores(["chess", "trade"], some) == {key: found[key] for key in some[:2]}
    assert library.lexical_scores(["chess"], ["a0/0"]) == {}
    assert library.lexical_scores([], some) == {}
    assert library.lexical_scores(["chess"], []) == {}


# Vectors


def test_vectors_come_back_bit_for_bit(library: SqliteLibrary) -> None:
    a, b = entry(Article("a", "one two " * 20)), entry(Article("b", "three"))
    library.put([a, b], MODEL)
    ids, vectors = library.vectors(MODEL)
    assert ids == [chunk.id for chunk in (*a[1], *b[1])]
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, np.concatenate([a[2], b[2]]))
    some, rest = library.vectors_of(["b/0", "none"], MODEL)
    assert some == ["b/0"]
    assert np.array_equal(rest, b[2])


def test_an_empty_library_has_no_vectors(library: SqliteLibrary) -> None:
    assert library.vectors(MODEL)[0] == []
    assert len(library.vectors(MODEL)[1]) == 0


def test_a_new_model_is_switched_to_once_all_is_embedded(library: SqliteLibrary) -> None:
    put(library, Article("a", "x" * 200))
    other = FakeEmbedder("other")
    after: int | None = 0
    seen: list[Chunk] = []
    while after is not None:
        assert library.switch_model("other") == 5 - len(seen)
        chunks, after = library.chunks_without_vectors("other", after, 2)
        if chunks:
            vectors = other.encode_documents([chunk.text for chunk in chunks])
            library.add_vectors([chunk.id for chunk in chunks], vectors, "other")
            seen += chunks
        if len(seen) == 5:
            break
        library.check_model(MODEL)  # still searched by the old one
    assert len({chunk.id for chunk in seen}) == 5
    assert library.switch_model("other") == 0
    library.check_model("other")
    assert library.vectors(MODEL)[0] == []
    assert len(library.vectors("other")[0]) == 5


def test_vectors_of_deleted_chunks_are_not_added(library: SqliteLibrary) -> None:
    put(library, Article("a", "text"))
    library.add_vectors(["gone/0"], np.ones((1, 16), dtype=np.float32), "other")
    assert rows(library, "vectors") == 1


# Threads


def test_readers_see_whole_articles_while_they_are_replaced(library: SqliteLibrary) -> None:
    texts = ["a" * 200, "b" * 120]
    put(library, Article("a", texts[0]))
    stop = threading.Event()
    torn: list[object] = []

    def read() -> None:
        while not stop.is_set():
            chunks = library.chunks([f"a/{start}" for start in range(0, 200, 40)])
            text = library.articles(["a"])["a"].text
            if text not in texts or any(len(set(chunk.text)) != 1 for chunk in chunks.values()):
                torn.append((text, chunks))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for turn in range(30):
        put(library, Article("a", texts[turn % 2]))
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []


def test_threads_that_put_the_same_article_make_one(library: SqliteLibrary) -> None:
    writers = [
        threading.Thread(target=put, args=(library, Article("a", "text " * 30))) for _ in range(8)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert library.counts() == (1, 4)
    assert rows(library, "words") == 4
