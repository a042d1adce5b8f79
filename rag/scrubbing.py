"""What is deleted is gone at once for whoever asks, and a little later from every byte on disk."""

from __future__ import annotations

import logging
import threading
import time

from rag.errors import IndexUnavailableError, LibraryError
from rag.library import SqliteLibrary
from rag.ports import VectorIndex

QUIET_S = 5.0
"""So long after the last deletion files are freed of what was deleted: once for many, since that
takes .8 s for the words of 50,000 chunks, and 50 s for their vectors, while exact search serves."""

LATEST_S = 300.0
"""So long after the first of many deletions at the latest, should they never pause."""

_UNDONE = "what was deleted is not yet overwritten everywhere: %s"

_log = logging.getLogger(__name__)


class Scrubber:
    """Frees the files of library and index of what was deleted, some time after `later`.

    That it has to be done is written down in both by the deletion itself: what a process that dies
    leaves undone, the next one does.
    """

    def __init__(
        self,
        library: SqliteLibrary,
        index: VectorIndex,
        quiet_s: float = QUIET_S,
        latest_s: float = LATEST_S,
    ) -> None:
        self._library = library
        self._index = index
        self._quiet_s = quiet_s
        self._latest_s = latest_s
        self._due: float | None = None  # the latest moment, of the monotonic clock
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._closed = False

    def later(self) -> None:
        """Do it once nothing was deleted for a while, or too long has passed."""
        now = time.monotonic()
        with self._lock:
            if self._timer:
                self._timer.cancel()
            if not self._closed:
                self._due = self._due or now + self._latest_s
                wait_s = min(self._quiet_s, max(0.0, self._due - now))
                self._timer = threading.Timer(wait_s, self._in_time)
                self._timer.daemon = True
                self._timer.start()

    def now(self) -> None:
        """Do it at once, but for what readers of an older state still need: that is for later."""
        with self._lock:
            self._due = None
        if not self._library.scrub():
            self.later()
        self._index.scrub()

    def catch_up(self) -> None:
        """Do in the library what an earlier process left undone; the index is built anew when it is
        first used."""
        try:
            self._library.scrub()
        except LibraryError as error:
            _log.warning(_UNDONE, error)

    def close(self) -> None:
        """Do what is still to do. The index, when it is closed, leaves no such file behind."""
        with self._lock:
            self._closed = True
            if self._timer:
                self._timer.cancel()
        self.catch_up()

    def _in_time(self) -> None:
        try:
            self.now()
        except (LibraryError, IndexUnavailableError) as error:  # they may just be being closed
            _log.warning(_UNDONE, error)
