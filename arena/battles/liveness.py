"""Turns of servers that are gone, found without comparing the clocks of two machines.

Every server that shares a database with others renews its row. Whoever sees no change in several checks in a row
interrupts the turns of that server. An SQLite file has one server, so at its start all others are gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable
from dataclasses import replace

from arena.store import Database, Session, running_turns
from arena.store.running_turns import Sign

log = logging.getLogger(__name__)

CHECK_EVERY = 2.0  # seconds between two signs of life, and between two checks of those of others
MISSED = 4  # checks in a row without a new sign; with CHECK_EVERY, turns of a dead server are closed within 10 s


class Liveness:
    """The signs of life of the server with this id and of all others.

    Checks that fail do not count, so an outage of the database, in which no server can give a sign, closes nothing.
    """

    def __init__(self, database: Database, server: str) -> None:
        self._database, self._server = database, server
        self._shared = database.file is None
        self._checks: dict[Sign, int] = {}  # in a row, by sign: a new sign starts from 0

    def enter(self, session: Session) -> int:
        """Give the first sign of life; on a file, interrupt the turns of the last server. Returns their number."""
        if not self._shared:
            return running_turns.interrupt_all_but(session, self._server)
        running_turns.renew(session, self._server)
        return 0

    async def check(self, running_here: Collection[int]) -> int:
        """Give a sign of life and interrupt the turns that no server runs any more; returns their number."""
        orphans = self.orphans(await asyncio.to_thread(self._signs), running_here)
        if not orphans:
            return 0
        closed = await asyncio.to_thread(self._interrupt, orphans)
        log.warning("Closed %d turns that no server runs any more. Their texts are kept.", closed)
        return closed

    def orphans(self, signs: Iterable[Sign], running_here: Collection[int]) -> list[Sign]:
        """Those of all running battles, as found by one check, that are to be closed."""
        watched = [self._watched(sign) for sign in signs if sign.battle_id not in running_here]
        self._checks = {sign: self._checks.get(sign, -1) + 1 for sign in watched}
        return [sign for sign, checks in self._checks.items() if checks >= MISSED]

    async def leave(self) -> None:
        """Remove this server's row."""
        if self._shared:
            await asyncio.to_thread(self._withdraw)

    def _watched(self, sign: Sign) -> Sign:
        """A battle of this server that does not run here: a sign of life says nothing about it."""
        return replace(sign, seen_at=None) if sign.owner == self._server else sign

    def _signs(self) -> list[Sign]:
        if not self._shared:
            with self._database.read() as session:
                return running_turns.signs(session)
        with self._database.write() as session:
            running_turns.renew(session, self._server)
            return running_turns.signs(session)

    def _interrupt(self, orphans: Collection[Sign]) -> int:
        with self._database.write() as session:
            return running_turns.interrupt_orphans(session, orphans)

    def _withdraw(self) -> None:
        with self._database.write() as session:
            running_turns.withdraw(session, self._server)
