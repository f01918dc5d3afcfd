"""A battle as its voter sees it: now, and as it changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from arena.battles.battle_access import BattleAccess
from arena.battles.turn_frames import IDLE, Frame, news_of
from arena.battles.views import BattleView
from arena.errors import DatabaseUnavailable
from arena.store import running_turns
from arena.store.schema.battles import BattleStatus

READ_EVERY = 1.0  # seconds between two reads of a turn that another server runs


class Frames(BattleAccess):
    """The views of battles."""

    async def view(self, voter: str, public_id: str) -> BattleView | None:
        """The current state of a battle, or `None` when it is not this voter's."""
        live = self._running.find(public_id)
        battle = live.battle if live else await self._find(public_id)
        if battle is None or battle.voter != voter:
            return None
        return self._view(battle, live)

    async def follow(
        self, voter: str, public_id: str, is_read: Callable[[], bool] = lambda: True
    ) -> AsyncIterator[Frame | BattleView | None]:
        """Frames of the turn that runs here, then each new state of the battle until no turn runs.

        `None` says after `IDLE` seconds that there is nothing new. An outage of the database ends nothing. Nothing
        comes for a battle of another voter.
        """
        if live := self._running.find(public_id, voter):
            last = live.battle.turns[-1]
            with live.read_by(is_read):
                async for texts in news_of(live.turn, lambda: len(self._running)):
                    yield Frame(last.number, last.attempt, live.kept | texts, live.can_vote) if texts else None
        async for view in self._states(voter, public_id, is_read):
            yield view

    async def _states(
        self, voter: str, public_id: str, is_read: Callable[[], bool]
    ) -> AsyncIterator[BattleView | None]:
        """The battle from the store when it has changed, until no turn runs or this server stops.

        The server that runs the turn finds in the store that it is read here.
        """
        shown: BattleView | None = None
        waited = unnoted = 0.0
        while True:
            with suppress(DatabaseUnavailable):
                view = await self.view(voter, public_id)
                if view is None:
                    return
                if view != shown:
                    yield view
                    shown, waited = view, 0.0
                if view.status is not BattleStatus.RUNNING:
                    if self._texts.is_checking(public_id):
                        await self._texts.settled(public_id)
                        checked = await self.view(voter, public_id)
                        if checked is not None and checked != view:
                            yield checked
                    return
                if is_read() and unnoted >= self.limits.unread_seconds / 3 > 0:
                    await self._write(lambda session: running_turns.note_reader(session, public_id))
                    unnoted = 0.0
            if self._running.closing:
                return
            await asyncio.sleep(READ_EVERY)
            waited += READ_EVERY
            unnoted += READ_EVERY
            if waited >= IDLE:
                yield None
                waited = 0.0
