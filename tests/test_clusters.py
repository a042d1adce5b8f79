from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.library import SqliteLibrary
from rag.storage.clusters import BACKLOG
from rag.storage.database import Database
from rag.storage.schema import MIGRATIONS
from rag.types import Article, Chunk, Copy, Filters
from tests.wire import CORRECTED, EDITED, FOLLOW_UP, ORIGINAL, RIVAL, STORY, text

AGENCY = Article("wire", ORIGINAL, outlet="Seawire", published_at="2031-09-02T08:00:00Z")
COURIER = Article("courier", EDITED, outlet="Courier", published_at="2031-09-02T09:30:00Z")
GAZETTE = Article("gazette", text(*STORY), outlet="Gazette", published_at="2031-09-03")
ALL = ["wire", "courier", "gazette"]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SqliteLibrary]:
    opened = SqliteLibrary(tmp_path / "library.db")
    yield opened
    opened.close()


def put(library: SqliteLibrary, *articles: Article) -> None:
    vector = np.ones((1, 2), dtype=np.float32)
    library.put(
        [(a, [Chunk(a.id, a.id, 0, len(a.text), a.text)], vector) for a in articles], "fake"
    )


def copies(
    library: SqliteLibrary,
    article_id: str,
    filters: Filters | None = None,
    as_of: str | None = None,
) -> list[str]:
    found = library.copies_of([article_id], filters or Filters(), as_of)
    return [copy.article_id for copy in found.get(article_id, ())]


def rows(library: SqliteLibrary, table: str) -> int:
    with library._database.reading() as db:
        count: int = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return count


# What must not be taken for a copy


def test_a_rival_and_a_follow_up_have_no_copies(library: SqliteLibrary) -> None:
    put(library, AGENCY, Article("rival", RIVAL), Article("follow-up", text(*FOLLOW_UP)))
    assert library.copies_of(["wire", "rival", "follow-up"], Filters(), None) == {}


def test_unknown_articles_have_no_copies(library: SqliteLibrary) -> None:
    assert library.copies_of(["none"], Filters(), None) == {}
    assert library.copies_of([], Filters(), None) == {}


def test_a_replaced_article_leaves_its_cluster_when_its_text_does(library: SqliteLibrary) -> None:
    put(library, AGENCY, GAZETTE)
    put(library, replace(GAZETTE, text=RIVAL))
    assert copies(library, "wire") == copies(library, "gazette") == []
    put(library, GAZETTE)
    assert copies(library, "gazette") == ["wire", "gazette"]


def test_nothing_of_a_deleted_article_stays(library: SqliteLibrary) -> None:
    put(library, AGENCY, GAZETTE)
    library.delete(["wire"])
    assert copies(library, "gazette") == []
    assert (rows(library, "clusters"), rows(library, "bands")) == (1, 42)
    library.delete(["gazette"])
    assert (rows(library, "clusters"), rows(library, "bands")) == (0, 0)


def test_a_new_article_is_in_no_strangers_cluster_after_a_deletion(library: SqliteLibrary) -> None:
    put(library, AGENCY)
    put(library, Article("rival", RIVAL))
    library.delete(["wire"])
    put(library, Article("follow-up", text(*FOLLOW_UP)))
    assert library.copies_of(["rival", "follow-up"], Filters(), None) == {}


# What must


def test_copies_are_found_in_whatever_order_they_come(library: SqliteLibrary) -> None:
    put(library, GAZETTE)
    put(library, COURIER, AGENCY)
    whole = (Copy("wire", "Seawire"), Copy("courier", "Courier"), Copy("gazette", "Gazette"))
    assert library.copies_of([*ALL, "none"], Filters(), None) == dict.fromkeys(ALL, whole)


def test_a_correction_is_in_the_cluster_of_what_it_corrects(library: SqliteLibrary) -> None:
    put(library, GAZETTE, Article("corrected", CORRECTED, published_at="2031-09-04"))
    assert copies(library, "corrected") == ["gazette", "corrected"]


def test_the_original_is_the_earliest_with_a_date(library: SqliteLibrary) -> None:
    put(
        library,
        Article("undated", text(*STORY)),
        Article("east", text(*STORY), published_at="2031-09-02T08:00:00+02:00"),
        Article("west", text(*STORY), published_at="2031-09-02T07:00:00+00:00"),
        Article("a-twin", text(*STORY), published_at="2031-09-02T07:00:00Z"),
    )
    assert copies(library, "undated") == ["east", "a-twin", "west", "undated"]


def test_filters_and_as_of_keep_members_out(library: SqliteLibrary) -> None:
    put(library, AGENCY, COURIER, GAZETTE)
    assert copies(library, "gazette", as_of="2031-09-02") == ["wire", "courier"]
    assert copies(library, "wire", Filters(outlets=("courier", "GAZETTE"))) == [
        "courier",
        "gazette",
    ]
    assert copies(library, "wire", Filters(published_from="2031-09-03")) == []


def test_a_text_with_many_copies_is_one_cluster(library: SqliteLibrary) -> None:
    put(library, *(Article(f"page-{number:03}", "Page not found.") for number in range(50)))
    assert len(copies(library, "page-049")) == 50


# Libraries from before there were clusters


def old_library(path: Path, *articles: Article) -> None:
    """A database of schema version 1."""
    database = Database(path, MIGRATIONS[:1])
    with database.writing() as db:
        db.executemany(
            "INSERT INTO articles (id, text, outlet, published_at, content_hash, revision, "
            "ingested_at) VALUES (?, ?, ?, ?, '', 1, '2031-09-05T00:00:00+00:00')",
            [(a.id, a.text, a.outlet, a.published_at) for a in articles],
        )
    database.close()


def test_an_old_library_is_searched_for_copies_piece_by_piece(tmp_path: Path) -> None:
    many = [Article(f"note-{number}", f"Note {number}.") for number in range(BACKLOG)]
    old_library(tmp_path / "library.db", AGENCY, *many, COURIER)
    library = SqliteLibrary(tmp_path / "library.db")
    assert library.articles(["wire"]) == {"wire": AGENCY}
    assert copies(library, "wire") == []
    assert [library.find_copies() for _ in range(3)] == [BACKLOG, 2, 0]
    assert copies(library, "wire") == ["wire", "courier"]
    library.close()


def test_a_put_goes_on_with_an_old_library(tmp_path: Path) -> None:
    old_library(tmp_path / "library.db", AGENCY, COURIER)
    library = SqliteLibrary(tmp_path / "library.db")
    put(library, GAZETTE)
    assert copies(library, "courier") == ALL
    assert library.find_copies() == 0
    library.close()
