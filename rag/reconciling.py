"""An index that was away, or missed writes, serves again without anyone asking for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from rag.errors import IndexUnavailableError, LibraryError
from rag.index import ChromaIndex

PERIOD_S = 5.0

SHARE = 0.1
"""Of the time that attempts in vain may take, so that none of many vectors fails without end."""

_log = logging.getLogger(__name__)


def keep_up(
    index: ChromaIndex,
    period_s: float = PERIOD_S,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Repair the index at once, and whenever it needs that until it is closed; each new reason why
    it cannot be is logged."""
    told = ""
    rest_s = 0.0
    while not index.closed_within(rest_s):
        began = clock()
        try:
            index.repair()
            told, rest_s = "", period_s
        except (IndexUnavailableError, LibraryError) as error:
            if str(error) != told and not index.closed_within(0):
                _log.warning("the vector index could not be repaired: %s", error)
            told = str(error)
            rest_s = max(period_s, (clock() - began) / SHARE)
