"""A circuit breaker: while the database is out, one caller tries and the others fail at once.

Without it, every reader waits for the whole timeout, and the waiting readers occupy every thread of the server.
Pattern: Nygard, Release It! (2nd edition, 2018), chapter 5.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from arena.errors import DatabaseUnavailable

REST = 1.0  # seconds between a failure and the next try: an arena that recovers is not refused for longer


class CircuitBreaker:
    """Open after a failure, until one try succeeds. Thread-safe."""

    def __init__(self, rest: float = REST) -> None:
        self._rest = rest
        self._lock = threading.Lock()
        self._failure: DatabaseUnavailable | None = None
        self._next_try = 0.0  # on the monotonic clock
        self._trying = False

    @contextmanager
    def attempt(self, failure_of: Callable[[Exception], DatabaseUnavailable | None]) -> Iterator[None]:
        """Run the block, or raise the last failure if the breaker is open.

        `failure_of` returns the outage that an exception of the block means, which opens the breaker, or None.
        """
        trying = self._enter()
        try:
            yield
        except Exception as error:
            if failure := failure_of(error):
                self._open(failure)
                raise failure from error
            raise
        else:
            self._failure = None
        finally:
            if trying:
                self._trying = False

    def _enter(self) -> bool:
        """Whether this caller is the one that tries an open breaker."""
        with self._lock:
            if self._failure is None:
                return False
            if self._trying or time.monotonic() < self._next_try:
                raise DatabaseUnavailable(str(self._failure), self._failure.reason)
            self._trying = True
            return True

    def _open(self, failure: DatabaseUnavailable) -> None:
        with self._lock:
            self._failure, self._next_try = failure, time.monotonic() + self._rest
