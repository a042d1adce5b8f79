import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.storage.answers import insert_answer, prune_answers
from rag.storage.database import Database
from rag.storage.feedback import Feedback, insert_feedback, select_feedback
from tests.fakes import abstention

LATER = "2025-08-21T10:00:00+00:00"
NOW = "2025-08-21T09:30:00+00:00"
GIVEN = Feedback("fb_1", "ans_1", "down", NOW, "wrong", "निश्चय — 'quoted'\n\0 \N{SNOWMAN}")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    database = Database(tmp_path / "library.db")
    with database.writing() as connection:
        yield connection
    database.close()


def test_an_id_is_not_taken_twice(db: sqlite3.Connection) -> None:
    insert_feedback(db, GIVEN)
    with pytest.raises(sqlite3.IntegrityError, match=r"feedback\.id"):
        insert_feedback(db, GIVEN)


def test_nothing_of_the_answer_is_copied(db: sqlite3.Connection) -> None:
    insert_answer(db, abstention("A canary?"), NOW)
    insert_feedback(db, replace(GIVEN, question="A canary?", status="abstained"))
    ((_, shown),) = select_feedback(db, NOW, None, 9)
    assert shown == replace(GIVEN, question="A canary?", status="abstained")
    ((_, late),) = select_feedback(db, LATER, None, 9)
    assert late == GIVEN, "the answer is too old, though not deleted yet"
    prune_answers(db, LATER)
    ((_, kept),) = select_feedback(db, NOW, None, 9)
    assert kept == GIVEN


def test_the_newest_comes_first_and_every_piece_once(db: sqlite3.Connection) -> None:
    for number in range(5):
        insert_feedback(db, Feedback(f"fb_{number}", "gone", "up", NOW))
    first = select_feedback(db, NOW, None, 2)
    then = select_feedback(db, NOW, first[-1][0], 9)
    ids = [one.id for _, one in first + then]
    assert ids == ["fb_4", "fb_3", "fb_2", "fb_1", "fb_0"]
    assert select_feedback(db, NOW, then[-1][0], 9) == []
