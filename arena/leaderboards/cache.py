"""Results worth keeping between readers: made again when a vote has come, and not more often than they are worth."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from arena.store import Database, Session
from arena.store.votes import last_vote

T = TypeVar("T")

MOST = 256  # results kept; a board of 300 models holds a few megabytes
REST = 1.0  # a result that took t seconds of a core is good for t more: one kind of page costs half a core at most
OLDEST = 60.0  # seconds after which a result is made again without a vote: counts can be repaired meanwhile


@dataclass(frozen=True)
class Entry:
    value: Any
    vote: int  # the newest vote that it knows
    made: float
    seconds: float  # of a core that it took; time spent waiting must not make boards older on a busy machine

    def serves(self, vote: int, now: float) -> bool:
        age = now - self.made
        return age < REST * self.seconds or (vote == self.vote and age < OLDEST)


class Kept:
    """Results by key, shared by the threads of this process. Readers of one key wait for each other."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, key: Hashable, make: Callable[[Session], T]) -> T:
        """The result of `make`, at most as old as said above. What `make` raises is not kept."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock, self.database.read() as session:
            vote = last_vote(session)
            entry = self._entries.get(key)
            if entry is None or not entry.serves(vote, time.monotonic()):
                start = time.thread_time()
                value = make(session)
                entry = Entry(value, vote, time.monotonic(), time.thread_time() - start)
                self._put(key, entry)
            result: T = entry.value
            return result

    def _put(self, key: Hashable, entry: Entry) -> None:
        with self._guard:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            while len(self._entries) > MOST:
                gone, _ = self._entries.popitem(last=False)
                self._locks.pop(gone, None)
