"""What readers said of answers, as rows of the library's database.

Each function works within the caller's transaction. Nothing of an answer is copied: its question
and status are read out of it for as long as it is stored itself.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, replace
from typing import Literal

Rating = Literal["up", "down"]

_MAX_ROW = 2**63 - 1
_SELECT = (
    "SELECT f.rowid, f.id, f.answer_id, f.rating, f.created_at, f.reason, f.note, a.answer "
    "FROM feedback f LEFT JOIN answers a ON a.id = f.answer_id AND a.created_at >= ?"
)


@dataclass(frozen=True, slots=True)
class Feedback:
    """A reader's rating of an answer; `question` and `status` are None once that is gone."""

    id: str
    answer_id: str
    rating: Rating
    created_at: str  # ISO 8601 in UTC
    reason: str | None = None
    note: str | None = None
    question: str | None = None
    status: str | None = None


def insert_feedback(db: sqlite3.Connection, feedback: Feedback) -> None:
    """Store feedback, but for the question and the status."""
    db.execute(
        "INSERT INTO feedback (id, answer_id, rating, created_at, reason, note) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [
            *(feedback.id, feedback.answer_id, feedback.rating, feedback.created_at),
            *(feedback.reason, feedback.note),
        ],
    )


def select_feedback(
    db: sqlite3.Connection, since: str, before: int | None, limit: int
) -> list[tuple[int, Feedback]]:
    """Up to `limit` pieces of feedback with their row numbers, the newest first, those numbered
    below `before`, if given; with question and status of answers given at `since` or later."""
    rows = db.execute(
        f"{_SELECT} WHERE f.rowid < ? ORDER BY f.rowid DESC LIMIT ?",
        [since, _MAX_ROW if before is None else before, limit],
    )
    return [(number, _with_answer(Feedback(*values), answer)) for number, *values, answer in rows]


def _with_answer(feedback: Feedback, stored: str | None) -> Feedback:
    if stored is None:
        return feedback
    answer = json.loads(stored)
    return replace(feedback, question=answer["question"], status=answer["status"])
