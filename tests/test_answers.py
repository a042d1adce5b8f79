import json
import sqlite3
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.encoders import answer_json
from rag.errors import LibraryError
from rag.storage.answers import (
    delete_answers,
    delete_outdated_answers,
    dump_answer,
    insert_answer,
    load_answer,
    prune_answers,
    select_answer,
)
from rag.storage.database import Database
from rag.storage.rows import insert_article
from rag.types import Answer, Article, Passage
from tests.fakes import abstention, quotation

LATER = "2025-08-21T10:00:00+00:00"
NOW = "2025-08-21T09:30:00+00:00"
BEFORE = "2025-08-21T09:00:00+00:00"
A = Article("a", "It cost a lot. It rained.")
B = Article("b", "A canary 🐤 sang — निश्चय ही. It ended.")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    database = Database(tmp_path / "library.db")
    with database.writing() as connection:
        for article in (A, B):
            insert_article(connection, article, [], 1)
        yield connection
    database.close()


def told(id_: str, *quoted: tuple[Article, str]) -> Answer:
    """An answer that quotes these."""
    found = [quotation("Why?", article, quote) for article, quote in quoted]
    citations = tuple(one for answer in found for one in answer.citations)
    return replace(abstention("Why?"), id=id_, citations=citations)


def near(id_: str, article: Article) -> Answer:
    """An abstention that shows a whole article as the nearest passage."""
    nearest = Passage(1, 0.5, article.id, "c", article.text, 0, len(article.text))
    return replace(abstention("Why?"), id=id_, nearest=(nearest,))


def stored(db: sqlite3.Connection) -> set[str]:
    return {answer_id for (answer_id,) in db.execute("SELECT id FROM answers")}


def links(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM answer_articles").fetchone()[0])


@pytest.mark.parametrize("damaged", ["", "no JSON", "[]", "null", '{"id": "a"}', '{"id": 7'])
def test_what_is_no_answer_is_told_as_damage(damaged: str) -> None:
    with pytest.raises(LibraryError, match=r"damaged.*backup"):
        load_answer(damaged)


@pytest.mark.parametrize(
    "answer",
    [
        told("x", (Article("c", "Gone."), "Gone.")),
        near("x", Article("c", "Gone.")),
        told("x", (A, "It rained."), (replace(B, text="Another canary."), "canary.")),
        near("x", replace(A, text="It cost nothing.")),
    ],
)
def test_an_answer_whose_article_changed_meanwhile_is_not_stored(
    db: sqlite3.Connection, answer: Answer
) -> None:
    assert not insert_answer(db, answer, NOW)
    assert (stored(db), links(db)) == (set(), 0)


def test_an_id_is_not_taken_twice(db: sqlite3.Connection) -> None:
    assert insert_answer(db, told("x"), NOW)
    with pytest.raises(sqlite3.IntegrityError, match=r"answers\.id"):
        insert_answer(db, told("x"), NOW)


@pytest.mark.parametrize("odd_id", ["", "' OR 1=1 --", "%", "x\0", "X", "x ", "ans_\N{SNOWMAN}"])
def test_what_is_not_stored_is_neither_found_nor_deleted(
    db: sqlite3.Connection, odd_id: str
) -> None:
    insert_answer(db, told("x", (A, "It rained.")), NOW)
    assert select_answer(db, odd_id, BEFORE) is None
    assert delete_answers(db, [odd_id]) == 0
    assert stored(db) == {"x"}


def test_an_answer_too_old_is_neither_found_nor_kept(db: sqlite3.Connection) -> None:
    insert_answer(db, told("old", (A, "It rained.")), BEFORE)
    insert_answer(db, told("new", (A, "It rained.")), NOW)
    assert select_answer(db, "old", NOW) is None
    assert select_answer(db, "new", NOW) is not None
    assert prune_answers(db, NOW) == 1
    assert (stored(db), links(db)) == ({"new"}, 1)
    assert prune_answers(db, LATER) == 1
    assert (stored(db), links(db)) == (set(), 0)


def test_an_answer_goes_with_any_article_that_it_has_text_from(db: sqlite3.Connection) -> None:
    both = told("both", (A, "It cost a lot."), (B, "canary 🐤"), (A, "It rained."))
    for answer in (both, told("a", (A, "It rained.")), near("near", B), abstention("Why?")):
        assert insert_answer(db, answer, NOW)
    assert links(db) == 4
    assert delete_answers(db, ["none", "b"]) == 2
    assert stored(db) == {"a", "ans_1"}
    assert links(db) == 1


def test_answers_from_a_text_that_is_rewritten_go_and_from_the_same_text_stay(
    db: sqlite3.Connection,
) -> None:
    for answer in (told("a", (A, "It rained.")), told("b", (B, "It ended."))):
        insert_answer(db, answer, NOW)
    assert delete_outdated_answers(db, replace(A, title="New", published_at="2025-01-01")) == 0
    assert delete_outdated_answers(db, Article("new", A.text)) == 0
    assert stored(db) == {"a", "b"}
    # The quotation still stands there, but not what the answer was verified against.
    assert delete_outdated_answers(db, replace(A, text=A.text + "\nCorrection: it did not.")) == 1
    assert stored(db) == {"b"}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM answers WHERE rowid IN (SELECT answer FROM answer_articles "
        "WHERE article IN (SELECT value FROM json_each('[]')))",
        "DELETE FROM answers WHERE created_at < ''",
        "DELETE FROM answer_articles WHERE answer = 1",  # what the foreign key does
    ],
)
def test_answers_are_deleted_without_reading_them_all(
    db: sqlite3.Connection, statement: str
) -> None:
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert any(step.startswith("SEARCH answer") for step in plan)
    assert not any(step.startswith("SCAN answer") for step in plan)


def _strategy(of: type) -> st.SearchStrategy:
    """Values of a dataclass with every field drawn, half surrogate pairs in the texts too."""
    hints = get_type_hints(of)
    return st.builds(of, **{field.name: _of_hint(hints[field.name]) for field in fields(of)})


def _of_hint(hint: object) -> st.SearchStrategy:
    if hint is str:
        return st.text(st.characters())
    if hint is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    parts = getattr(hint, "__args__", ())
    if parts and parts[-1] is Ellipsis:
        return st.lists(_of_hint(parts[0]), max_size=3).map(tuple)
    if hasattr(hint, "__dataclass_fields__"):
        return _strategy(hint)
    if type(None) in parts:
        return st.none() | st.one_of(*(_of_hint(p) for p in parts if p is not type(None)))
    return st.from_type(hint)


@given(_strategy(Answer))
def test_every_answer_comes_back_as_it_was(answer: Answer) -> None:
    text = dump_answer(answer)
    assert text.isascii()
    assert load_answer(text) == answer
    assert json.dumps(answer_json(load_answer(text))) == json.dumps(answer_json(answer))


def test_a_stored_answer_comes_back_as_it_was(db: sqlite3.Connection) -> None:
    answer = replace(told("x", (B, "canary 🐤"), (A, "It rained.")), question="Wh\ud800y?\0")
    insert_answer(db, answer, NOW)
    assert select_answer(db, "x", NOW) == answer
