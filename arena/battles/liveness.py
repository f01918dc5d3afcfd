"""Turns that no server runs any more, closed with their texts so far.

Every server that shares a database with others gives a sign of life by the clock of the database, and interrupts the
turns of servers that give none. An SQLite file has one server, so at its start all others are gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from datetime import timedelta

from arena.store import Database, Session, running_turns

log = logging.getLogger(__name__)

CHECK_EVERY = 1.0  # second between two signs of life
SILENT_AFTER = timedelta(seconds=6)  # six signs missed: a pause that a server that lives does not make
LENIENT = 4  # checks after which every server that lives has given a sign
LOST_AFTER = 8  # checks in a row that find a battle of this server without its turn, which may be about to start


class Liveness:
    """The signs of life of the server with this id and of all others."""

    def __init__(self, database: Database, server: str) -> None:
        self._database, self._server = database, server
        self._shared = database.file is None
        self._lenient = 0
        self._without_turn: dict[int, int] = {}  # checks in a row, by battle of this server

    def enter(self, session: Session) -> int:
        """Give the first sign of life and interrupt the turns of servers that are gone. Returns their number."""
        if not self._shared:
            return running_turns.interrupt_all_but(session, self._server)
        running_turns.renew(session, self._server, SILENT_AFTER)
        return running_turns.interrupt_silent(session, self._server, SILENT_AFTER)

    async def check(self, running_here: Collection[int]) -> int:
        """Give a sign of life and interrupt the turns that no server runs any more; returns their number."""
        closed = await asyncio.to_thread(self._check, set(running_here))
        if closed:
            log.warning("Closed %d turns that no server runs any more. Their texts are kept.", closed)
        return closed

    async def leave(self) -> None:
        """Remove this server's row."""
        if self._shared:
            await asyncio.to_thread(self._withdraw)

    def _check(self, running_here: set[int]) -> int:
        if not self._shared:
            with self._database.read() as session:
                mine = running_turns.run_by(session, self._server)
            return self._close_lost(mine - running_here)
        with self._database.write() as session:
            if not running_turns.renew(session, self._server, SILENT_AFTER):
                self._lenient = LENIENT  # what kept this server silent, such as an outage, may have kept all
            mine = running_turns.run_by(session, self._server)
            closed = 0
            if self._lenient:
                self._lenient -= 1
            else:
                closed = running_turns.interrupt_silent(session, self._server, SILENT_AFTER)
        return closed + self._close_lost(mine - running_here)

    def _close_lost(self, without_turn: Collection[int]) -> int:
        """Close battles of this server whose turn has died or never started."""
        self._without_turn = {number: self._without_turn.get(number, 0) + 1 for number in without_turn}
        lost = [number for number, checks in self._without_turn.items() if checks > LOST_AFTER]
        if not lost:
            return 0
        with self._database.write() as session:
            return running_turns.interrupt_lost(session, self._server, lost)

    def _withdraw(self) -> None:
        with self._database.write() as session:
            running_turns.withdraw(session, self._server)
