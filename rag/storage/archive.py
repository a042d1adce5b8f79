"""The answers that were given and what readers said of them, kept in the library's database."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from rag.errors import NotFoundError
from rag.storage.answers import insert_answer, prune_answers, select_answer
from rag.storage.database import Database
from rag.storage.feedback import Feedback, Rating, insert_feedback, select_feedback
from rag.types import Answer


def _now() -> datetime:
    return datetime.now(UTC)


class Archive:
    """Keeps answers for so many `days`, and feedback for good.

    An answer that is older is not shown any more, and deleted when the next one is kept, or by
    `prune`. With 0 days nothing is kept. Every method raises `LibraryError`.
    """

    def __init__(self, database: Database, days: int, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._days = days
        self._clock = clock

    def keep(self, answer: Answer) -> bool:
        """Store an answer, unless an article that it quotes is gone by now; whether it is kept."""
        if not self._days:
            return False
        with self._database.writing() as db:
            prune_answers(db, self._oldest())
            return insert_answer(db, answer, _iso(self._clock()))

    def prune(self) -> int:
        """Delete the answers that are too old; how many these were."""
        with self._database.writing() as db:
            return prune_answers(db, self._oldest())

    def answer(self, answer_id: str) -> Answer:
        """The answer as it was given; raises `NotFoundError`."""
        with self._database.reading() as db:
            return self._known(answer_id, select_answer(db, answer_id, self._oldest()))

    def add_feedback(
        self, answer_id: str, rating: Rating, reason: str | None, note: str | None
    ) -> Feedback:
        """Store what a reader says of an answer; raises `NotFoundError` if that is not kept."""
        with self._database.writing() as db:
            answer = self._known(answer_id, select_answer(db, answer_id, self._oldest()))
            feedback = Feedback(
                id=f"fb_{secrets.token_hex(10)}",
                answer_id=answer_id,
                rating=rating,
                created_at=_iso(self._clock()),
                reason=reason,
                note=note,
                question=answer.question,
                status=answer.status,
            )
            insert_feedback(db, feedback)
        return feedback

    def feedback_page(self, after: str | None, limit: int) -> tuple[list[Feedback], str | None]:
        """Up to `limit` pieces of feedback, the newest first, and the cursor for those after them,
        None at the end. `after` is an earlier call's cursor, which is a number."""
        with self._database.reading() as db:
            found = select_feedback(db, self._oldest(), int(after) if after else None, limit + 1)
        page = found[:limit]
        more = page and len(found) > limit
        return [feedback for _, feedback in page], str(page[-1][0]) if more else None

    def _oldest(self) -> str:
        """The time before which answers are too old; with 0 days all are."""
        return _iso(self._clock() - timedelta(days=self._days)) if self._days else "~"

    def _known(self, answer_id: str, answer: Answer | None) -> Answer:
        if answer is None:
            raise NotFoundError(
                f"no answer has the id {answer_id!r}; answers are kept for {self._days} days "
                "(DATELINE_ANSWER_RETENTION_DAYS), and go when an article that they quote is "
                "deleted or gets another text"
            )
        return answer


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")
