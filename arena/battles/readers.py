"""The readers of a running turn: browsers that have its battle open."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Readers:
    """Knows for how long nobody has read. A reader is a function that tells whether they still read."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._readers: list[Callable[[], bool]] = []
        self._read_at = clock()

    @contextmanager
    def with_reader(self, is_read: Callable[[], bool]) -> Iterator[None]:
        """Count a reader until the block ends."""
        self._readers.append(is_read)
        try:
            yield
        finally:
            self.absent_for()
            self._readers.remove(is_read)

    def note(self) -> None:
        """Somebody reads now, on another server."""
        self._read_at = self._clock()

    def absent_for(self) -> float:
        """Seconds since somebody was last seen reading, or since the start."""
        if any(is_read() for is_read in self._readers):
            self._read_at = self._clock()
        return self._clock() - self._read_at
