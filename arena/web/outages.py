"""Outages of the database as readers and voters see them: words, and one line in the log."""

from __future__ import annotations

import logging
import threading
import time

from arena.errors import DatabaseUnavailable
from arena.rules.messages import gettext_noop

log = logging.getLogger(__name__)

HEADERS = {"retry-after": "5", "cache-control": "no-store"}  # of every reply with 503 during an outage
LOG_EVERY = 10.0  # seconds between two lines: every reader meets the same outage
TRY_AGAIN = gettext_noop("The arena cannot reach its data at the moment. Try again in a few seconds.")


class OutageLog:
    """Writes outages to the log, one line in `LOG_EVERY` seconds. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0  # on the monotonic clock
        self._more = 0  # outages without a line

    def report(self, error: DatabaseUnavailable) -> None:
        with self._lock:
            if time.monotonic() < self._next:
                self._more += 1
                return
            self._next, more = time.monotonic() + LOG_EVERY, self._more
            self._more = 0
        log.error("%s%s", error, f" ({more} more requests failed before this one)" if more else "")


OUTAGES = OutageLog()
