"""Results for the interface: made once after each vote, however many ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from arena.leaderboards.leaderboard import Published, publish_choice
from arena.leaderboards.query import BoardChoice
from arena.store import Database, Session
from arena.store.content_version import content_version

T = TypeVar("T")
MOST = 64  # results kept: every source, category and method that anybody reads


class Fresh:
    """Results by key, each for as long as no vote, seal or model comes.

    An entity tag says that a reply is current, so nothing older will do; and one result is made at a time, so that
    readers who ask for heavy ones, such as boards of past days, cannot take the machine from those who vote.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._kept: dict[Hashable, tuple[str, Any]] = {}
        self._making = threading.Lock()

    def state(self) -> str:
        with self.database.read() as session:
            return content_version(session)

    def published(self, choice: BoardChoice) -> Published:
        """Raises `NoSuchBoard`."""
        return self.get(choice, lambda session: publish_choice(session, choice))

    def get(self, key: Hashable, make: Callable[[Session], T]) -> T:
        """The result of `make`, which is called when there is none for what the store holds now."""
        with self._making, self.database.read() as session:
            now = content_version(session)
            known = self._kept.pop(key, None)
            if known is None or known[0] != now:
                known = (now, make(session))
            self._kept[key] = known  # the newest last
            while len(self._kept) > MOST:
                del self._kept[next(iter(self._kept))]
            result: T = known[1]
            return result
