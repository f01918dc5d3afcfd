"""A battle from the voter's side: begin, continue, regenerate, vote, leave, come back.

A battle is in the store; only its running turn is in memory. Voters see a `BattleView`, which names the models of a blind
battle only after the vote. `Turns`, `VoteChanges`, `Frames`, `Reports`, `Appeals` and `Images` have the requests of voters.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import datetime, timedelta

from arena.battles.appeals import Appeals
from arena.battles.frames import Frames
from arena.battles.images import Images
from arena.battles.matchmaking import why_no_battle
from arena.battles.refusals import BattleRefused, VoteRefused
from arena.battles.reports import Reports
from arena.battles.turns import Turns
from arena.battles.vote_changes import VoteChanges
from arena.errors import DatabaseUnavailable
from arena.moderation.text_checks import TextChecks
from arena.rules.messages import Phrase
from arena.store import battles as stored
from arena.store import running_turns
from arena.store.schema.battles import now

__all__ = ["BattleRefused", "Battles", "VoteRefused"]

log = logging.getLogger(__name__)

DEADLINE_MARGIN = 60.0  # seconds for storing a turn, and for clocks that differ


class Battles(Turns, VoteChanges, Frames, Reports, Appeals, Images):
    """All battles of this server. One event loop."""

    async def open(self) -> int:
        """Register the models, count due votes and interrupt the turns of a stopped server; returns their number.

        A file has one server at most. On a shared database `check_servers` finds stopped ones.
        """

        await self._model_watch.enter()
        await self._renew_masker()
        await self.sampling.refresh()
        interrupted = await self._write(self._liveness.enter)
        await self.count_due_votes()
        return interrupted

    async def follow_models(self) -> None:
        """Use what operators have set for models since the last call. Call it about once a second."""
        if await self._model_watch.follow():
            await self._renew_masker()
            await self.sampling.refresh()

    async def reload_models(self) -> str | None:
        """Read the settings file again, on this server alone; returns why nothing has changed, or None."""
        problem = await self._model_watch.reload()
        await self._renew_masker()
        return problem

    async def _renew_masker(self) -> None:
        """Mask the names of the models that are served now. Running turns keep the masker that they began with."""
        names = frozenset(self.serving.names_to_hide())
        if names == self._masked:
            return
        self._masked, masker = names, self._masker()
        await asyncio.to_thread(masker.compile)
        self._name_masker = self._running.name_masker = masker

    @property
    def closing(self) -> bool:
        """Whether this server is about to stop and starts no turns."""
        return self._running.closing

    async def drain(self, seconds: float) -> None:
        """Start no more turns and let those that run end; after `seconds`, keep the texts so far."""
        self._running.closing = True
        if self._running.ids:
            log.info(
                "Waiting up to %g s for %d running turns; a second signal ends them at once.",
                seconds,
                len(self._running.ids),
            )
        with suppress(TimeoutError):
            await asyncio.wait_for(self._running.ended(), seconds)
        await self._running.interrupt()

    async def close(self) -> None:
        """End all turns now; their battles stay open with the texts so far."""
        await self._running.interrupt()
        await self._texts.close()
        await self.live_models.close()
        await self._liveness.leave()

    async def save_texts(self) -> None:
        """Save what the running turns have written by now. Call it about once a second."""
        await self._running.save_texts()

    async def check_servers(self) -> int:
        """Give this server's sign of life and interrupt turns that no server runs; returns their number.

        Call it every `liveness.CHECK_EVERY` seconds.
        """
        return await self._liveness.check(self._running.ids)

    async def stop_unread(self) -> int:
        """Stop turns that nobody reads, and keep their texts; returns their number. Call it about once a second."""
        unread = [live.battle.id for live in self._running.unread()]
        if not unread:
            return 0
        since = now() - timedelta(seconds=self.limits.unread_seconds)

        def read_elsewhere() -> set[int]:
            with self.database.read() as session:
                return running_turns.read_since(session, unread, since)

        elsewhere: set[int] = set()
        with suppress(DatabaseUnavailable):  # then no other server can show the turn either
            elsewhere = await asyncio.to_thread(read_elsewhere)
        return self._running.stop_unread(elsewhere)

    async def forget_visitors(self) -> int:
        """Delete what is known of visitors after a day; returns the number of counted actions deleted."""
        return await self._write(self._visitors.forget)

    @property
    def text_checks(self) -> TextChecks | None:
        """What checks texts, None where they are not checked."""
        return self._checks.texts

    async def use_saved_rules(self) -> None:
        """Apply the rules for texts that an operator has saved, on any server. Call it every other second."""
        await self._texts.use_saved_rules()

    async def check_texts_again(self) -> int:
        """Check texts that could not be checked; returns the number of their battles."""
        return await self._texts.retry()

    async def close_stale(self) -> int:
        """Close old open battles and turns that a server of an older version left; returns their number."""
        before, deadline = now() - timedelta(hours=self.limits.abandon_after_hours), self._deadline()
        return await self._write(
            lambda session: (
                stored.close_stale(session, before) + running_turns.interrupt_unowned(session, deadline)
            )
        )

    async def stop_all(self, voter: str) -> None:
        """Stop the voter's turns on this server and store their texts so far."""
        for live in self._running.of_voter(voter):
            await self._running.stop(live)

    def masked(self, text: str, whole: bool = True) -> str:
        """A text of a battle that is still blind, with the names of models hidden."""
        return self._name_masker.hide(text, whole=whole)

    def why_no_battle(self) -> Phrase | None:
        """The reason why no battle can start, without names of models; `None` when one can."""
        return why_no_battle(self.serving)

    def _deadline(self) -> datetime:
        """The time before which every turn, on any server, has ended by now."""
        return now() - timedelta(seconds=self.limits.turn_timeout + DEADLINE_MARGIN)
