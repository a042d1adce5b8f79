"""Requests that come again: recognised for a day, by caller and key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.errors import RepeatDiffersError, UnderWayError
from rag.storage.database import Database
from rag.storage.receipts import RETENTION, Receipt, Receipts, Repeatable

NOW = datetime(2025, 8, 21, tzinfo=UTC)
REQUEST = Repeatable("key_1", "k", b"digest")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "library.db")) as opened:
        yield opened


def claimed(receipts: Receipts, request: Repeatable = REQUEST, article_id: str = "a1") -> Receipt:
    with receipts.claim(request, article_id) as receipt:
        return receipt


def test_another_request_under_the_same_key_is_refused(database):
    receipts = Receipts(database)
    claimed(receipts)
    with pytest.raises(RepeatDiffersError, match="k came with another request"):
        claimed(receipts, replace(REQUEST, digest=b"other"))


def test_the_same_request_is_refused_while_it_is_worked_on_and_no_longer(database):
    receipts = Receipts(database)
    with (
        receipts.claim(REQUEST, "a1"),
        pytest.raises(UnderWayError, match="being worked on"),
        receipts.claim(REQUEST, "a2"),
    ):
        pass
    assert claimed(receipts) == Receipt("a1", done=True)


def test_a_request_that_fails_is_tried_again_for_the_same_article(database):
    receipts = Receipts(database)
    with pytest.raises(ZeroDivisionError), receipts.claim(REQUEST, "a1"):
        raise ZeroDivisionError
    assert claimed(receipts, article_id="a2") == Receipt("a1", done=False)
    assert claimed(receipts, article_id="a3") == Receipt("a1", done=True)


def test_keys_of_different_callers_have_nothing_to_do_with_each_other(database):
    receipts = Receipts(database)
    assert claimed(receipts) == Receipt("a1", done=False)
    other = replace(REQUEST, caller="", digest=b"other")
    assert claimed(receipts, other, "a2") == Receipt("a2", done=False)


def test_a_request_is_known_for_a_day_also_after_a_restart(database):
    times = [NOW, NOW + RETENTION - timedelta(seconds=1), NOW + RETENTION]
    found = [
        claimed(Receipts(database, lambda now=now: now), article_id=f"a{number}")
        for number, now in enumerate(times)
    ]
    assert found == [Receipt("a0", False), Receipt("a0", True), Receipt("a2", False)]
