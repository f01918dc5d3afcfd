"""A battle from the voter's side: begin, continue, regenerate, vote, leave, come back.

A battle lives in the store; only the turn being written lives in memory. What a voter may see of it is a
`View`, and a view names the models only after the vote.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random, SystemRandom
from typing import TypeVar
from weakref import WeakValueDictionary

from arena.battles.live_turns import BattleRefused, Live, RunningTurns
from arena.battles.matchmaking import TooFewModels, draw_pair
from arena.battles.views import View, spoken, view_of
from arena.config import BattleSettings
from arena.rules.name_masking import NameMasker
from arena.rules.prompt_limits import accept
from arena.rules.votes import HUMAN, WINNERS
from arena.serving.models import Serving
from arena.store import Database, Session, shared_battles
from arena.store import battles as stored
from arena.store.battles import StoredBattle
from arena.store.models import register_models
from arena.store.schema.battles import BattleStatus, CompletionStatus, now
from arena.store.votes import AlreadyVoted, add_vote

__all__ = ["BattleRefused", "Battles", "VoteRefused"]

log = logging.getLogger(__name__)

NO_BLINDFOLD = NameMasker(())
DEADLINE_MARGIN = 60.0  # seconds for writing a turn down, and for clocks that differ

T = TypeVar("T")


class VoteRefused(BattleRefused):
    """The vote does not count; nothing changed. The text is for the voter."""


class Battles:
    """All battles of this server. One event loop."""

    def __init__(
        self, database: Database, serving: Serving, limits: BattleSettings, random: Random | None = None
    ) -> None:
        self.database = database
        self.serving = serving
        self.limits = limits
        self.random = random or SystemRandom()
        self._blindfold = NameMasker(serving.names_to_hide())
        self._running = RunningTurns(serving, limits, self._blindfold, self._write)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def open(self) -> int:
        """Register the models and close what a stopped server left running: returns how many battles."""
        before = now() if self.database.file else self._deadline()  # a file has one server, at most

        def prepare(session: Session) -> int:
            register_models(session, self.serving.models)
            return stored.close_interrupted(session, before)

        return await self._write(prepare)

    async def close(self) -> None:
        """Stop every turn; what was not finished is closed as abandoned."""
        ids = await self._running.close()
        await self._write(lambda session: stored.close_running(session, ids))

    async def close_stale(self) -> int:
        """Abandon open battles that were left alone for too long, and running ones past every deadline."""
        before, deadline = now() - timedelta(hours=self.limits.abandon_after_hours), self._deadline()
        return await self._write(
            lambda session: stored.close_stale(session, before) + stored.close_interrupted(session, deadline)
        )

    async def begin(self, voter: str, prompt: str) -> View:
        """Draw two models and ask both. Raises `PromptRejected`, `BattleRefused`."""
        prompt = accept(prompt, self.limits.max_prompt_characters)
        try:
            pair = draw_pair(self.serving.drawable(), self.random)
        except TooFewModels:
            raise BattleRefused(self.why_no_battle()) from None

        def write(session: Session) -> str:
            battle = stored.add_battle(session, voter, pair.model_a, pair.model_b, pair.probability)
            stored.add_turn(session, battle.id or 0, prompt)
            return battle.public_id

        with self._running.place(voter):
            return await self._run_turn(await self._write(write))

    async def continue_(self, voter: str, public_id: str, prompt: str) -> View:
        """The next prompt to the same two models. Raises `PromptRejected`, `BattleRefused`."""
        prompt = accept(prompt, self.limits.max_prompt_characters)
        async with self._lock(public_id):
            battle = await self._settled(voter, public_id)
            if len(battle.turns) >= self.limits.max_turns:
                raise BattleRefused(f"A battle has at most {self.limits.max_turns} turns. Vote, then begin anew.")
            return await self._another_turn(battle, lambda session: stored.add_turn(session, battle.id, prompt))

    async def regenerate(self, voter: str, public_id: str) -> View:
        """Both completions of the last turn once more. Raises `BattleRefused`."""
        async with self._lock(public_id):
            battle = await self._settled(voter, public_id)
            return await self._another_turn(battle, lambda session: stored.add_attempt(session, battle.id))

    async def vote(self, voter: str, public_id: str, winner: str) -> View:
        """Cast the one vote of a battle and reveal the models; when this returns, the vote is on disk.

        The same vote sent again is answered as the first was. Raises `VoteRefused`.
        """
        if winner not in WINNERS:
            raise VoteRefused(f"{winner!r} is not a vote; expected {', '.join(WINNERS)}.")
        battle = await self._votable_by(voter, public_id)
        async with self._lock(public_id):
            await self._stop_for_vote(public_id)
            try:
                await self._write(lambda session: _cast(session, voter, public_id, winner))
            except (AlreadyVoted, stored.WrongStatus):
                log.info("another change to battle %s came first", battle.id)
        battle = await self._votable_by(voter, public_id)
        if battle.winner is None:
            raise VoteRefused(_WHY_NOT.get(battle.status, "This vote did not get through. Please vote again."))
        if battle.winner != winner:
            raise VoteRefused(f"You have voted on this battle already: {spoken(battle.winner)}.")
        return self._view(battle)

    async def leave(self, voter: str, public_id: str) -> None:
        """Start afresh: an open battle that gets no vote is closed."""
        async with self._lock(public_id):
            if live := self._running.find(public_id, voter):
                await self._running.stop(live)
            battle = await self._find(public_id)
            if battle and battle.voter == voter:
                with suppress(stored.WrongStatus):  # it has been voted on, or closed already
                    await self._write(
                        lambda s: stored.move(s, battle.id, BattleStatus.OPEN, BattleStatus.ABANDONED)
                    )

    async def share(self, voter: str, public_id: str, agreed: bool) -> View:
        """Let others read one's own battle after the vote, or take that back. Raises `BattleRefused`."""
        battle = await self._find(public_id)
        if battle is None or battle.voter != voter:
            raise BattleRefused("This battle is not yours, or no longer exists.")
        if battle.status is not BattleStatus.VOTED:
            raise BattleRefused("Others can read a battle only after your vote.")
        await self._write(lambda session: shared_battles.share(session, battle.id, agreed))
        return self._view(replace(battle, shared=agreed))

    async def view(self, voter: str, public_id: str) -> View | None:
        """The battle as it stands, or `None` when it is not this voter's."""
        live = self._running.find(public_id)
        battle = live.battle if live else await self._find(public_id)
        if battle is None or battle.voter != voter:
            return None
        return self._view(battle, live)

    async def watch(self, voter: str, public_id: str) -> AsyncIterator[View]:
        """Frames of the running turn, then the battle as it stands when the turn is in the store."""
        if live := self._running.find(public_id, voter):
            async for _ in live.turn.frames():
                yield self._view(live.battle, live)
        final = await self.view(voter, public_id)
        if final is not None:
            yield final

    def why_no_battle(self) -> str | None:
        """What keeps battles from starting, in words that name no model; `None` when nothing does."""
        ready, waiting = len(self.serving.drawable()), self.serving.waiting()
        if ready >= 2:
            return None
        if waiting:
            steps = "; ".join(model.progress for model in waiting)
            return f"The arena is getting its models ready ({ready} of {ready + len(waiting)}): {steps}."
        if len(self.serving.models) < 2:
            return (
                f"A battle needs two models, and {len(self.serving.models)} "
                "is enabled here. The operator can add one in arena.toml."
            )
        return "Too few models can be used now. The operator can see why with `arena models --probe`."

    def _deadline(self) -> datetime:
        """A turn that began before this has ended, on whatever server it ran."""
        return now() - timedelta(seconds=self.limits.turn_timeout + DEADLINE_MARGIN)

    def _lock(self, public_id: str) -> asyncio.Lock:
        """One change to a battle at a time."""
        return self._locks.setdefault(public_id, asyncio.Lock())

    async def _another_turn(self, battle: StoredBattle, write: Callable[[Session], None]) -> View:
        """Open battle, running battle: write the change and start the turn. Raises `BattleRefused`."""

        def begin(session: Session) -> None:
            stored.move(session, battle.id, BattleStatus.OPEN, BattleStatus.RUNNING)
            write(session)

        with self._running.place(battle.voter):
            try:
                await self._write(begin)
            except stored.WrongStatus:
                raise BattleRefused("This battle has changed meanwhile. Reload the page to see it.") from None
            return await self._run_turn(battle.public_id)

    async def _settled(self, voter: str, public_id: str) -> StoredBattle:
        """The voter's own battle, open and with no turn running. Raises `BattleRefused`."""
        if self._running.find(public_id, voter):
            raise BattleRefused("Both models are still writing. Wait for them, or vote now.")
        battle = await self._find(public_id)
        if battle is None or battle.voter != voter:
            raise BattleRefused("This battle is not yours, or no longer exists. Start a new one.")
        if battle.status is not BattleStatus.OPEN:
            raise BattleRefused("This battle is over. Start a new one.")
        if not {battle.model_a, battle.model_b} <= self.serving.models.keys():
            raise BattleRefused("A model of this battle is no longer served. Vote, or start a new one.")
        return battle

    async def _votable_by(self, voter: str, public_id: str) -> StoredBattle:
        """The voter's own battle, in any status. Raises `VoteRefused`."""
        battle = await self._find(public_id)
        if battle is None:
            raise VoteRefused("There is no such battle. Start a new one.")
        if battle.voter != voter:
            raise VoteRefused("This battle belongs to another voter. Start one of your own.")
        return battle

    async def _run_turn(self, public_id: str) -> View:
        """Start writing the turn that the store has as running."""
        battle = await self._find(public_id)
        assert battle is not None
        return self._view(battle, self._running.start(battle))

    async def _stop_for_vote(self, public_id: str) -> None:
        """A vote while the models write stops both. Raises `VoteRefused` while there is nothing to judge."""
        live = self._running.find(public_id)
        if live is None:
            return
        if not live.turn.both_have_begun:
            raise VoteRefused("Wait until both models have begun to write.")
        await self._running.stop(live)

    def _view(self, battle: StoredBattle, live: Live | None = None) -> View:
        name_masker = NO_BLINDFOLD if battle.status is BattleStatus.VOTED else self._blindfold
        return view_of(battle, live.turn if live else None, name_masker, self.limits.max_turns)

    async def _find(self, public_id: str) -> StoredBattle | None:
        def find() -> StoredBattle | None:
            with self.database.read() as session:
                return stored.find_battle(session, public_id=public_id)

        return await asyncio.to_thread(find)

    async def _write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a write transaction, off the event loop."""

        def run() -> T:
            with self.database.write() as session:
                return work(session)

        return await asyncio.to_thread(run)


def _cast(session: Session, voter: str, public_id: str, winner: str) -> None:
    """Check once more inside the transaction, then count the vote."""
    battle = stored.find_battle(session, public_id=public_id)
    assert battle is not None
    if battle.status is not BattleStatus.OPEN:
        raise stored.WrongStatus(battle.status)
    last = battle.turns[-1].completions.values()
    stopped_early = any(written.status is CompletionStatus.STOPPED for written in last)
    add_vote(session, battle.id, HUMAN, voter, winner, stopped_early)


_WHY_NOT = {
    BattleStatus.RUNNING: "Both models are still writing. Wait for them to finish.",
    BattleStatus.FAILED: "A model could not answer, so this battle does not count. Start a new one.",
    BattleStatus.ABANDONED: "This battle was closed without a vote. Start a new one.",
}
