"""Answers as rows of the library's database, each with the articles that its text is from.

Each function works within the caller's transaction. Times are ISO 8601 in UTC, in whole seconds.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import asdict

from pydantic import TypeAdapter, ValidationError

from rag.errors import LibraryError
from rag.types import Answer, Article

_ANSWER = TypeAdapter(Answer)


def dump_answer(answer: Answer) -> str:
    """The whole answer as ASCII JSON, which carries even half a surrogate pair."""
    return json.dumps(asdict(answer))


def load_answer(text: str) -> Answer:
    """What `dump_answer` made of an answer; raises `LibraryError` if it is something else."""
    try:
        return _ANSWER.validate_python(json.loads(text))
    except (ValueError, ValidationError):
        raise LibraryError(
            "a stored answer is damaged: restore the library from a backup"
        ) from None


def insert_answer(db: sqlite3.Connection, answer: Answer, now: str) -> bool:
    """Store an answer, unless an article that it quotes was deleted or rewritten meanwhile;
    whether it was stored."""
    if not _holds(db, answer):
        return False
    cursor = db.execute(
        "INSERT INTO answers (id, created_at, answer) VALUES (?, ?, ?)",
        [answer.id, now, dump_answer(answer)],
    )
    db.executemany(
        "INSERT INTO answer_articles (article, answer) VALUES (?, ?)",
        [
            (article_id, cursor.lastrowid)
            for article_id in {quoted[0] for quoted in _quoted(answer)}
        ],
    )
    return True


def select_answer(db: sqlite3.Connection, answer_id: str, since: str) -> Answer | None:
    """The answer of that id, if it is stored and was given at `since` or later."""
    row = db.execute(
        "SELECT answer FROM answers WHERE id = ? AND created_at >= ?", [answer_id, since]
    ).fetchone()
    return load_answer(row[0]) if row else None


def delete_answers(db: sqlite3.Connection, article_ids: Collection[str]) -> int:
    """Delete every answer with text from one of these articles; how many these were."""
    return db.execute(
        "DELETE FROM answers WHERE rowid IN (SELECT answer FROM answer_articles "
        "WHERE article IN (SELECT value FROM json_each(?)))",
        [json.dumps(list(article_ids))],
    ).rowcount


def delete_outdated_answers(db: sqlite3.Connection, article: Article) -> int:
    """Delete the answers with text from an article about to be stored, unless the text that is
    stored is the same; how many these were.

    Any other text may lack the quotations, or what else an answer was verified against.
    """
    return db.execute(
        "DELETE FROM answers WHERE rowid IN (SELECT answer FROM answer_articles WHERE article = ?) "
        "AND NOT EXISTS (SELECT 1 FROM articles WHERE id = ? AND text = ?)",
        [article.id, article.id, article.text],
    ).rowcount


def prune_answers(db: sqlite3.Connection, before: str) -> int:
    """Delete the answers that were given before that time; how many these were."""
    return db.execute("DELETE FROM answers WHERE created_at < ?", [before]).rowcount


def _quoted(answer: Answer) -> Iterator[tuple[str, int, int, str]]:
    """Every piece of an article in the answer: article id, start, end, text."""
    for citation in answer.citations:
        yield citation.article_id, citation.start, citation.end, citation.quote
    for passage in answer.nearest:
        yield passage.article_id, passage.start, passage.end, passage.text


def _holds(db: sqlite3.Connection, answer: Answer) -> bool:
    """Whether all that the answer quotes stands at its place in a stored article."""
    texts: dict[str, str] = {}
    for article_id, start, end, text in _quoted(answer):
        if article_id not in texts:
            row = db.execute("SELECT text FROM articles WHERE id = ?", [article_id]).fetchone()
            if row is None:
                return False
            texts[article_id] = row[0]
        if texts[article_id][start:end] != text:
            return False
    return True
