"""Whether the files at the paths of an SQLite database are still the files that are open.

A file that was moved, replaced or deleted stays open: the program goes on writing to it, and what it writes is not in
the file that the operator sees, backs up and starts from next time.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

from arena.errors import DatabaseUnavailable
from arena.rules.messages import gettext_noop

MOVED = gettext_noop("The database file was moved, replaced or deleted.")
NO_LOG = gettext_noop("The write-ahead log of the database was moved, replaced or deleted.")
PUT_IT_BACK = (
    "Move the file back to its place; if it was deleted or replaced, stop the arena and restore a backup."
)
RESTART = "Nothing that was acknowledged is lost; restart the arena to go on."

Identity = tuple[int, int]  # device and inode


class FileGuard:
    """The identity of an open database file, of its write-ahead log and of the log's index. Thread-safe.

    A connection that opens a new log or index does not see what the older connections write, and overwrites it.
    """

    def __init__(self, path: str, shown: str) -> None:
        self.path = Path(path)
        self.shown = shown
        self._logs: dict[Path, Identity] = {}
        self._lock = threading.Lock()
        self._file: Identity | None = None
        self._anchor: sqlite3.Connection | None = None

    @property
    def opened(self) -> bool:
        return self._file is not None

    def open(self, anchor: sqlite3.Connection) -> None:
        """Remember the files that are there now.

        `anchor` is kept open: the last connection that closes deletes the log, so without it a log that is absent
        would not mean that somebody removed it.
        """
        with self._lock:
            if self._anchor is not None:
                anchor.close()
                return
            anchor.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the log
            self._anchor = anchor
            found = {log: _identity(log) for log in (Path(f"{self.path}-wal"), Path(f"{self.path}-shm"))}
            self._logs = {log: identity for log, identity in found.items() if identity}
            self._file = _identity(self.path)

    def check(self) -> None:
        """Raise `DatabaseUnavailable` unless the paths lead to the files that are open."""
        if self._file is None:
            return
        if _identity(self.path) != self._file:
            raise DatabaseUnavailable(f"{self.shown}: {MOVED} {PUT_IT_BACK}", MOVED)
        if any(_identity(log) != identity for log, identity in tuple(self._logs.items())):
            self._rescue()
            raise DatabaseUnavailable(f"{self.shown}: {NO_LOG} {RESTART}", NO_LOG)

    def _rescue(self) -> None:
        """Copy the removed log, which is still open here, into the database file."""
        with self._lock:
            if self._anchor is not None:
                self._anchor.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        with self._lock:
            if self._anchor is not None:
                self._anchor.close()
            self._anchor = self._file = None
            self._logs = {}


def _identity(path: Path) -> Identity | None:
    try:
        found = os.stat(path)
    except OSError:  # absent, or in a folder that is: not the open file
        return None
    return found.st_dev, found.st_ino
