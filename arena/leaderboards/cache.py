"""Results that several readers share, each computed once until the votes change."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from arena.store import Database, Session
from arena.store.content_version import content_version
from arena.store.set_aside import aside_version
from arena.store.votes import last_vote_id

T = TypeVar("T")

MOST = 256  # results in memory; a board of 300 models holds a few megabytes
REST = 1.0  # a result that took t seconds of a core serves for t more: one kind of page costs half a core at most
OLDEST = 60.0  # seconds until a result is computed again without a new vote: pair counts can be repaired meanwhile


@dataclass(frozen=True)
class Entry:
    """A result, the content of the store that it was computed from, and its cost."""

    value: Any
    vote: int  # the newest vote
    version: str  # see `content_version`
    made: float
    seconds: float  # of a core; time spent waiting must not make boards older on a busy machine
    aside: tuple[int, ...] = ()  # see `aside_version`

    def rests(self, now: float, rest: float = REST, least: float = 0.0) -> bool:
        """Whether the result is so new that votes after it are not looked for: by its cost, and `least` seconds."""
        return now - self.made < max(least, rest * self.seconds)

    def serves(self, vote: int, now: float, aside: tuple[int, ...] = ()) -> bool:
        """Whether a page may show the result after its rest."""
        return (vote, aside) == (self.vote, self.aside) and now - self.made < OLDEST


class ResultCache:
    """Results by key, shared by the threads of this process.

    Each key has its own lock: readers of one key wait for its computation, and readers of other keys do not.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._locks: WeakValueDictionary[Hashable, threading.Lock] = WeakValueDictionary()
        self._guard = threading.Lock()
        self._computing_exactly = threading.Lock()

    def get(
        self,
        key: Hashable,
        compute: Callable[[Session], T],
        *,
        exact: bool = False,
        rest: float = REST,
        least: float = 0.0,
    ) -> T:
        """The result of `compute` for a key; what `compute` raises is not cached.

        A result that took t seconds of a core serves for `rest` * t more, and for `least` seconds, without a look at
        the votes.
        `exact` is for replies whose entity tag states that they are current: the result follows from the content
        of the store now. Such results are computed one at a time, so that readers who request heavy ones, such as
        boards of past days, cannot take the machine from those who vote.
        """
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            entry = (None if exact else self._recent(key, rest, least)) or self._valid(key, exact)
            if entry is None:
                with self._computing_exactly if exact else nullcontext():
                    entry = self._computed(key, compute)
        result: T = entry.value
        return result

    def version(self) -> str:
        """The version of the content of the store."""
        with self.database.read() as session:
            return content_version(session)

    def _recent(self, key: Hashable, rest: float, least: float) -> Entry | None:
        with self._guard:
            entry = self._entries.get(key)
        return entry if entry and entry.rests(time.monotonic(), rest, least) else None

    def _valid(self, key: Hashable, exact: bool) -> Entry | None:
        with self._guard:
            entry = self._entries.get(key)
        if entry is None:
            return None
        with self.database.read() as session:
            valid = (
                entry.version == content_version(session)
                if exact
                else entry.serves(last_vote_id(session), time.monotonic(), aside_version(session))
            )
        return entry if valid else None

    def _computed(self, key: Hashable, compute: Callable[[Session], Any]) -> Entry:
        with self.database.read() as session:
            vote, aside, version = last_vote_id(session), aside_version(session), content_version(session)
            start = time.thread_time()
            value = compute(session)
            entry = Entry(value, vote, version, time.monotonic(), time.thread_time() - start, aside)
        with self._guard:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            while len(self._entries) > MOST:
                self._entries.popitem(last=False)
        return entry
