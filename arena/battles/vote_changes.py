"""The vote of a battle as its voter gives it: cast, undone, counted when it is due; consent, and leaving."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from arena.battles.battle_access import BattleAccess
from arena.battles.check_holds import hold_of
from arena.battles.refusals import NOT_BEGUN, NOT_SAVED, WITHHELD, BattleRefused, VoteRefused
from arena.battles.views import BattleView
from arena.battles.visitor_limits import LimitReached
from arena.battles.votes import (
    Check,
    check_counted,
    check_vote,
    check_voter,
    count_pending,
    count_vote,
    save_vote,
)
from arena.errors import DatabaseUnavailable
from arena.rules.modes import Mode
from arena.serving.availability import Visitor
from arena.store import Session, pending_votes, shared_battles
from arena.store import battles as stored
from arena.store.schema.battles import BattleStatus, now
from arena.store.stored_battles import StoredBattle, find_battle
from arena.store.text_checks import Texts
from arena.store.vote_holds import NewHold
from arena.store.votes import AlreadyVoted
from judges.visible_text import has_visible_text

log = logging.getLogger(__name__)


class VoteChanges(BattleAccess):
    """What a voter decides about a battle."""

    async def vote(
        self,
        voter: str,
        public_id: str,
        winner: str,
        address: str | None = None,
        reasons: Sequence[str] | None = None,
        final: bool = False,
    ) -> BattleView:
        """Cast the one vote of a battle; when this returns, the vote is on disk.

        It counts, and the models are named, after `battles.undo_seconds`, or at once if it is `final`. A repeated vote
        renews this time, and has other reasons if they are given (an empty sequence: none); once the vote counts it
        changes nothing. A vote counts for all turns of the battle, also from a tab that shows fewer of them. Raises
        `VoteRefused`, `LimitReached`, and `DatabaseUnavailable` when it is unknown whether the vote is saved.
        """
        check_vote(winner, reasons or ())
        async with self._lock(public_id):
            voted = await self._voted(voter, public_id, winner, address, reasons, final)
            if voted.status is BattleStatus.OPEN and not _has_vote(voted):
                # The change that came first has opened the battle, such as the end of a turn of another server.
                voted = await self._voted(voter, public_id, winner, address, reasons, final)
        check_counted(voted, winner)
        return self._view(voted)

    async def _voted(
        self,
        voter: str,
        public_id: str,
        winner: str,
        address: str | None,
        reasons: Sequence[str] | None,
        final: bool,
    ) -> StoredBattle:
        """The battle with its vote: this one, or an earlier one; without any if another change came first."""
        battle = await self._stopped_for_vote(voter, public_id)
        try:
            return await self._save_vote(battle, winner, address, reasons, final)
        except (AlreadyVoted, stored.WrongStatus):
            # A second click or tab, or a closing of the battle; `check_counted` decides what the voter is shown.
            log.info("Another change to battle %s came first.", battle.id)
            return check_voter(await self._find(public_id), voter)
        except (DatabaseUnavailable, LimitReached):
            # The connection may have been cut after the commit: the store knows whether the vote is in it. And a
            # repeated vote is no further vote.
            voted = check_voter(await self._find(public_id), voter)
            if not _has_vote(voted):
                raise
            return voted

    async def undo(self, voter: str, public_id: str) -> BattleView:
        """Remove a vote that does not count yet; a battle without a vote stays as it is. Raises `VoteRefused`."""
        number = check_voter(await self._find(public_id), voter).id

        def remove(session: Session) -> StoredBattle:
            pending_votes.remove_pending(session, number)
            return check_voter(find_battle(session, public_id=public_id), voter)

        battle = await self._write(remove)
        if battle.winner is not None:
            raise VoteRefused("Your vote counts already, so it cannot be undone.", code="too_late")
        return self._view(battle)

    async def count_due_votes(self) -> int:
        """Count the votes that can no longer be undone, also those of other servers; returns their number.

        Call it about twice a second.
        """
        at = now()

        def due() -> Sequence[str]:
            with self.database.read() as session:
                return pending_votes.due_battles(session, at)

        counted = 0
        for public_id in await asyncio.to_thread(due):
            try:
                counted += await self._write(lambda s, name=public_id: count_pending(s, name, at, self._held))  # type: ignore[misc]
            except (stored.WrongStatus, AlreadyVoted) as error:
                log.info("The vote on battle %s was counted or closed by another change: %s", public_id, error)
        return counted

    async def leave(self, voter: str, public_id: str) -> None:
        """Close an open battle without a vote; a pending vote is counted."""
        async with self._lock(public_id):
            if live := self._running.find(public_id, voter):
                await self._running.stop(live)
            battle = await self._find(public_id)
            if battle is None or battle.voter != voter:
                return
            if battle.status is BattleStatus.RUNNING and live is None:
                battle = await self._stop_elsewhere(battle)
            with suppress(stored.WrongStatus):  # already voted on or closed
                await self._write(lambda session: _close(session, battle, self._held))

    async def share(self, voter: str, public_id: str, agreed: bool) -> BattleView:
        """Share one's own battle with other readers once the vote counts, or stop sharing it.

        Raises `BattleRefused`.
        """
        battle = await self._own(voter, public_id)
        if battle.mode is not Mode.BLIND:
            raise BattleRefused(
                "You chose the models of this battle, so it is not published.", code="wrong_status"
            )
        if battle.texts == Texts.WITHHELD:
            raise BattleRefused(WITHHELD, code="withheld")
        await self._write(lambda session: shared_battles.share(session, battle.id, agreed))
        if live := self._running.find(public_id):
            live.battle = replace(live.battle, shared=agreed)
            return self._view(live.battle, live)
        return self._view(await self._own(voter, public_id))

    async def _save_vote(
        self, battle: StoredBattle, winner: str, address: str | None, reasons: Sequence[str] | None, final: bool
    ) -> StoredBattle:
        """The battle with the vote, as the transaction has locked and changed it."""
        voter, public_id = battle.voter, battle.public_id
        due_at = now() + timedelta(seconds=self.limits.undo_seconds)

        def write(session: Session) -> StoredBattle:
            if battle.pending is None:  # else it was counted when it was cast
                self._visitors.count_vote(session, Visitor(voter, address))
            if final or not self.limits.undo_seconds:
                return count_vote(session, voter, public_id, winner, reasons, self._held)
            return save_vote(session, voter, public_id, winner, reasons, due_at)

        return await self._write(write)

    def _held(self, session: Session, battle: StoredBattle) -> NewHold | None:
        """Why the vote on a battle does not count, as it was when it was cast."""
        undo = timedelta(seconds=self.limits.undo_seconds)
        cast_at = battle.pending.due_at - undo if battle.pending else None
        return self._visitors.held(session, battle, cast_at) or hold_of(battle)

    async def _stopped_for_vote(self, voter: str, public_id: str) -> StoredBattle:
        """The battle after both models are stopped. Raises `VoteRefused` while nothing can be judged or saved."""
        if live := self._running.find(public_id):
            check_voter(live.battle, voter)
            if not live.turn.both_have_begun:
                raise VoteRefused(NOT_BEGUN, code="not_begun")
            if not await self._running.stop(live):
                raise VoteRefused(NOT_SAVED, code="not_saved")
        await self._texts.settled(public_id)
        battle = check_voter(await self._find(public_id), voter)
        if battle.status is not BattleStatus.RUNNING:
            return battle
        written = battle.turns[-1].completions.values()
        if not all(has_visible_text(completion.text) for completion in written):
            raise VoteRefused(NOT_BEGUN, code="not_begun")
        return await self._stop_elsewhere(battle)


def _has_vote(battle: StoredBattle) -> bool:
    return battle.winner is not None or battle.pending is not None


def _close(session: Session, battle: StoredBattle, check: Check) -> None:
    if not count_pending(session, battle.public_id, check=check):
        stored.move(session, battle.id, BattleStatus.OPEN, BattleStatus.ABANDONED)
