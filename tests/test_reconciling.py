import threading
from pathlib import Path
from typing import cast

import pytest

from rag.errors import IndexUnavailableError
from rag.index import ChromaIndex
from rag.reconciling import SHARE, keep_up
from tests.indexed import WORDS, Home, assert_equals_exact, put

PERIOD_S = 5.0


class Scripted:
    """An index whose repairs take so long and come to that, one after the other; then it is
    closed."""

    def __init__(self, *repairs: tuple[float, str | None]) -> None:
        self._repairs = list(repairs)
        self.now = 0.0
        self.rests: list[float] = []

    def closed_within(self, seconds: float) -> bool:
        if seconds:
            self.rests.append(seconds)
        return not self._repairs and seconds > 0

    def repair(self) -> None:
        seconds, reason = self._repairs.pop(0)
        self.now += seconds
        if reason:
            raise IndexUnavailableError(reason)


def kept_up(*repairs: tuple[float, str | None]) -> list[float]:
    """How long it rested after each."""
    index = Scripted(*repairs)
    keep_up(cast(ChromaIndex, index), PERIOD_S, lambda: index.now)
    return index.rests


def test_an_index_is_repaired_until_it_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    assert kept_up((0, None), (0, None), (0, None)) == [PERIOD_S] * 3
    assert caplog.messages == []


def test_each_new_reason_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    reasons = ["away", "away", "full", "away", "away", None, "away"]
    kept_up(*((0.0, reason) for reason in reasons))
    said = [message.rsplit(": ")[1] for message in caplog.messages]
    assert said == ["away", "full", "away", "away"]


def test_a_long_attempt_in_vain_is_followed_by_a_longer_rest() -> None:
    assert kept_up((0.1, "away"), (60, "full"), (60, None)) == [PERIOD_S, 60 / SHARE, PERIOD_S]


def test_an_index_that_missed_a_write_is_repaired_without_being_asked(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with home.opened() as index:
        put(home.library, index, "a", *WORDS)
    put(home.library, None, "b", "chess")
    index = home.index()
    assert index.state().startswith("degraded")
    repairing = threading.Thread(target=keep_up, args=(index, 0.01))
    repairing.start()
    while index.state() != "ok":
        assert repairing.is_alive()
    assert_equals_exact(index, home.library)
    index.close()
    repairing.join(60)
    assert not repairing.is_alive()
    home.library.close()
