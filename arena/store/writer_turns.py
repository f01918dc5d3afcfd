"""Writers of one process write to SQLite one after the other, in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from sqlalchemy import Connection


class WriterTurns:
    """Gives one connection at a time the turn to write.

    SQLite lets one of them write, and the others look again after up to 0.1 s: with twelve writers that write again and
    again, one in a hundred waited for more than five seconds. `timeout` is in seconds.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    def begin(self, connection: Connection) -> bool:
        """Wait for the turn of a connection, which has it until it is back in its pool; whether it came in time."""
        with self._lock:
            turn = threading.Event()
            if self._taken:
                self._waiting.append(turn)
            else:
                self._taken = True
                turn.set()
        if not turn.wait(self._timeout) and not self._came_late(turn):
            return False
        connection.info[self] = True
        return True

    def end(self, _connection: Any, record: Any) -> None:
        """End the turn of a connection, if it has it."""
        if record.info.pop(self, False):
            with self._lock:
                if self._waiting:
                    self._waiting.popleft().set()
                else:
                    self._taken = False

    def _came_late(self, turn: threading.Event) -> bool:
        """Leave the queue; whether the turn came at the last moment."""
        with self._lock:
            if not turn.is_set():
                self._waiting.remove(turn)
            return turn.is_set()
