"""Boards for the interface: made once after each vote, however many ask."""

from __future__ import annotations

import threading

from arena.board_choice import BoardChoice
from arena.leaderboard import Published, publish_choice
from arena.store import Database
from arena.web.v1.records import state

MOST = 64  # boards kept: every source, category and method that anybody reads


class Fresh:
    """The newest board of each choice. An entity tag says that a reply is current, so nothing older will do."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._boards: dict[BoardChoice, tuple[str, Published]] = {}
        self._making = threading.Lock()

    def state(self) -> str:
        with self.database.read() as session:
            return state(session)

    def published(self, choice: BoardChoice) -> Published:
        """Raises `NoSuchBoard`."""
        with self._making, self.database.read() as session:
            now = state(session)
            known = self._boards.pop(choice, None)
            if known is None or known[0] != now:
                known = (now, publish_choice(session, choice))
            self._boards[choice] = known  # the newest last
            while len(self._boards) > MOST:
                del self._boards[next(iter(self._boards))]
            return known[1]
