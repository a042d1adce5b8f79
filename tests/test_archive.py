from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.errors import LibraryError, NotFoundError
from rag.library import SqliteLibrary
from rag.storage.archive import Archive
from rag.types import Article
from tests.fakes import abstention, quotation
from tests.test_library import MODEL, entry

ARTICLE = Article("a", "A canary sang. It ended.")
ANSWER = quotation("What sang?", ARTICLE, "A canary sang.")


class Clock:
    """A time that tests move on."""

    def __init__(self) -> None:
        self.now = datetime(2025, 8, 21, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SqliteLibrary]:
    opened = SqliteLibrary(tmp_path / "library.db")
    opened.put([entry(ARTICLE)], MODEL)
    yield opened
    opened.close()


@pytest.fixture
def archive(library: SqliteLibrary, clock: Clock) -> Archive:
    return Archive(library.database, 30, clock)


def rows(library: SqliteLibrary, table: str) -> int:
    with library.database.reading() as db:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_an_unknown_answer_is_told_with_what_may_have_happened(archive: Archive) -> None:
    for call in (
        lambda: archive.answer("ans_9"),
        lambda: archive.add_feedback("ans_9", "up", None, None),
    ):
        with pytest.raises(NotFoundError, match=r"'ans_9'.*30 days \(DATELINE_ANSWER_RETENTION"):
            call()
    assert archive.feedback_page(None, 9) == ([], None)


def test_a_closed_library_says_so(archive: Archive, library: SqliteLibrary) -> None:
    library.close()
    for call in (lambda: archive.keep(ANSWER), archive.prune, lambda: archive.answer("ans_1")):
        with pytest.raises(LibraryError, match="closed"):
            call()


def test_an_answer_is_kept_for_its_days_and_not_longer(
    archive: Archive, library: SqliteLibrary, clock: Clock
) -> None:
    assert archive.keep(ANSWER)
    clock.now += timedelta(days=30)
    assert archive.answer("ans_1") == ANSWER
    archive.add_feedback("ans_1", "up", None, None)
    clock.now += timedelta(seconds=1)
    for call in (archive.answer, lambda one: archive.add_feedback(one, "up", None, None)):
        with pytest.raises(NotFoundError):
            call("ans_1")
    assert rows(library, "answers") == 1
    assert archive.prune() == 1
    assert rows(library, "answers") == rows(library, "answer_articles") == 0


def test_what_is_too_old_goes_when_the_next_answer_is_kept(
    archive: Archive, library: SqliteLibrary, clock: Clock
) -> None:
    archive.keep(ANSWER)
    clock.now += timedelta(days=31)
    archive.keep(abstention("Why?"))  # has the same id, which is free again
    assert rows(library, "answers") == 1
    assert archive.answer("ans_1").question == "Why?"


def test_with_no_days_nothing_is_kept_and_what_was_goes(
    archive: Archive, library: SqliteLibrary, clock: Clock
) -> None:
    archive.keep(ANSWER)
    archive.add_feedback("ans_1", "up", None, None)
    none = Archive(library.database, 0, clock)
    assert not none.keep(abstention("Why?"))
    with pytest.raises(NotFoundError):
        none.answer("ans_1")
    assert none.feedback_page(None, 9)[0][0].question is None
    assert none.prune() == 1
    assert rows(library, "answers") == 0


def test_feedback_outlives_its_answer_without_its_question(
    archive: Archive, library: SqliteLibrary
) -> None:
    archive.keep(ANSWER)
    given = archive.add_feedback("ans_1", "down", "wrong", "It did not.")
    assert given.id.startswith("fb_")
    assert (given.question, given.status) == ("What sang?", "answered")
    assert given.created_at == "2025-08-21T09:30:00+00:00"
    assert archive.feedback_page(None, 9) == ([given], None)
    library.delete(["a"])
    ((kept,), _) = archive.feedback_page(None, 9)
    assert (kept.note, kept.question, kept.status) == ("It did not.", None, None)


def test_pages_of_feedback_end(archive: Archive) -> None:
    archive.keep(ANSWER)
    ids = [archive.add_feedback("ans_1", "up", None, None).id for _ in range(4)]
    first, after = archive.feedback_page(None, 2)
    second, end = archive.feedback_page(after, 2)
    assert [one.id for one in (*first, *second)] == ids[::-1]
    assert end is None
    assert len(set(ids)) == 4


# Articles that change under an answer


def test_a_deleted_article_takes_its_answers_along(
    archive: Archive, library: SqliteLibrary
) -> None:
    archive.keep(ANSWER)
    library.delete(["none"])
    assert archive.answer("ans_1") == ANSWER
    library.delete(["a"])
    with pytest.raises(NotFoundError):
        archive.answer("ans_1")
    assert rows(library, "answers") == rows(library, "answer_articles") == 0


def test_a_rewritten_article_takes_its_answers_along_and_new_metadata_does_not(
    archive: Archive, library: SqliteLibrary
) -> None:
    archive.keep(ANSWER)
    library.put([entry(Article("a", ARTICLE.text, title="New")), entry(Article("b", "x"))], MODEL)
    assert archive.answer("ans_1") == ANSWER
    library.put([entry(Article("a", f"{ARTICLE.text} Or not."))], MODEL)
    with pytest.raises(NotFoundError):
        archive.answer("ans_1")


def test_an_answer_from_an_article_that_is_gone_is_not_kept(
    archive: Archive, library: SqliteLibrary
) -> None:
    library.delete(["a"])
    assert not archive.keep(ANSWER)
    assert rows(library, "answers") == 0


def test_a_write_that_fails_leaves_the_answers(archive: Archive, library: SqliteLibrary) -> None:
    archive.keep(ANSWER)
    article, chunks, vectors = entry(Article("b", "x"))
    with pytest.raises(LibraryError, match="UNIQUE"):
        library.put([entry(Article("a", "Other.")), (article, [*chunks, *chunks], vectors)], MODEL)
    assert archive.answer("ans_1") == ANSWER


def test_nothing_of_a_deleted_answer_stays_in_the_files(
    archive: Archive, library: SqliteLibrary, tmp_path: Path
) -> None:
    def files() -> bytes:
        return b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())

    def checkpoint() -> None:
        library.database._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    canaries = [f"SECRETQUESTION{number}" for number in range(40)]
    for number, canary in enumerate(canaries):
        answer = quotation(f"{canary} " * 400, ARTICLE, "It ended.")
        archive.keep(replace(answer, id=f"ans_{number}"))
    checkpoint()
    assert all(canary.encode() in files() for canary in canaries)
    library.delete(["a"])
    checkpoint()
    assert not any(canary.encode() in files() for canary in canaries)
