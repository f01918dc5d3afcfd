"""A battle from the voter's side: begin, continue, regenerate, vote, leave, come back.

A battle is in the store; only its running turn is in memory. Voters see a `BattleView`, which names the models only
after the vote.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random, SystemRandom
from typing import TypeVar
from weakref import WeakValueDictionary

from arena.battles.conversation_length import check_length
from arena.battles.live_turns import BattleRefused, RunningTurn, RunningTurns
from arena.battles.liveness import Liveness
from arena.battles.matchmaking import TooFewModels, draw_pair, why_no_battle
from arena.battles.turn_costs import Reservation
from arena.battles.turn_frames import IDLE, Frame, news_of
from arena.battles.turn_saver import TurnSaver
from arena.battles.views import BattleView, interrupted, view_of
from arena.battles.visitor_limits import LimitReached, VisitorLimits
from arena.battles.votes import (
    INTERRUPTED,
    NOT_SAVED,
    VoteRefused,
    cast_vote,
    check_counted,
    check_voter,
    check_winner,
)
from arena.config import BattleSettings
from arena.errors import DatabaseUnavailable
from arena.rules.name_aliases import Family
from arena.rules.name_masking import NameMasker
from arena.rules.prompt_limits import checked_prompt
from arena.serving.availability import Visitor
from arena.serving.models import Serving
from arena.store import Database, Session, running_turns, shared_battles
from arena.store import battles as stored
from arena.store.battles import StoredBattle
from arena.store.models import register_models
from arena.store.schema.battles import BattleStatus, now
from arena.store.votes import AlreadyVoted

__all__ = ["BattleRefused", "Battles"]

log = logging.getLogger(__name__)

UNMASKED = NameMasker(())
READ_EVERY = 1.0  # seconds between two reads of a turn that another server runs
DEADLINE_MARGIN = 60.0  # seconds for storing a turn, and for clocks that differ

T = TypeVar("T")


class Battles:
    """All battles of this server. One event loop."""

    def __init__(
        self,
        database: Database,
        serving: Serving,
        limits: BattleSettings,
        random: Random | None = None,
        visitor_limits: VisitorLimits | None = None,
    ) -> None:
        self.database = database
        self.serving = serving
        self.limits = limits
        self.random = random or SystemRandom()
        self._visitors = visitor_limits or VisitorLimits(serving)
        self._name_masker = serving.name_masker(Family(**alias.model_dump()) for alias in limits.name_aliases)
        self.server = secrets.token_hex(8)  # owner of the turns that run here
        self._saver = TurnSaver(self.server, self._write)
        self._running = RunningTurns(serving, limits, self._name_masker, self._saver, self._visitors.lag)
        self._liveness = Liveness(database, self.server)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def open(self) -> int:
        """Register the models and interrupt the turns of a stopped server; returns their number.

        A file has one server at most. On a shared database `check_servers` finds stopped ones.
        """

        def prepare(session: Session) -> int:
            register_models(session, self.serving.models)
            return self._liveness.enter(session)

        await asyncio.to_thread(self._name_masker.compile)
        return await self._write(prepare)

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
        return self._running.stop_unread()

    async def forget_visitors(self) -> int:
        """Delete what is known of visitors after a day; returns the number of counted actions deleted."""
        return await self._write(self._visitors.forget)

    async def close_stale(self) -> int:
        """Close old open battles and turns that a server of an older version left; returns their number."""
        before, deadline = now() - timedelta(hours=self.limits.abandon_after_hours), self._deadline()
        return await self._write(
            lambda session: (
                stored.close_stale(session, before) + running_turns.interrupt_unowned(session, deadline)
            )
        )

    async def begin(self, voter: str, prompt: str, address: str | None = None) -> BattleView:
        """Draw two models and run both on the prompt. Raises `PromptRejected`, `BattleRefused`."""
        self._visitors.check_load()
        prompt = checked_prompt(prompt, self.limits.max_prompt_characters)
        check_length(self.serving, (), prompt)
        try:
            pair = draw_pair(self.serving.available_weights(), self.random)
        except TooFewModels:
            raise BattleRefused(self.why_no_battle()) from None

        def write(session: Session) -> tuple[StoredBattle, Reservation]:
            self._visitors.count_turn(session, Visitor(voter, address), begins=True)
            battle = stored.add_battle(session, voter, pair.model_a, pair.model_b, pair.probability, self.server)
            stored.add_turn(session, battle.id or 0, prompt)
            running = stored.find_running(session, battle.public_id)
            return running, self._visitors.reserve(session, running)

        with self._running.place(voter):
            return self._run_turn(*await self._write(write), address)

    async def continue_(self, voter: str, public_id: str, prompt: str, address: str | None = None) -> BattleView:
        """Run the same two models on the next prompt. Raises `PromptRejected`, `BattleRefused`."""
        prompt = checked_prompt(prompt, self.limits.max_prompt_characters)
        async with self._lock(public_id):
            battle = await self._settled(voter, public_id)
            if interrupted(battle):
                raise BattleRefused(INTERRUPTED)
            if len(battle.turns) >= self.limits.max_turns:
                raise BattleRefused(
                    f"A battle has at most {self.limits.max_turns} turns. Vote, then start a new battle."
                )
            check_length(self.serving, battle.turns, prompt)
            return await self._another_turn(
                battle, address, lambda session: stored.add_turn(session, battle.id, prompt)
            )

    async def regenerate(self, voter: str, public_id: str, address: str | None = None) -> BattleView:
        """Run both models again on the last prompt. Raises `BattleRefused`."""
        async with self._lock(public_id):
            battle = await self._settled(voter, public_id)
            check_length(self.serving, battle.turns[:-1], battle.turns[-1].prompt)
            return await self._another_turn(
                battle, address, lambda session: stored.add_attempt(session, battle.id)
            )

    async def vote(self, voter: str, public_id: str, winner: str, address: str | None = None) -> BattleView:
        """Cast the one vote of a battle and reveal the models; when this returns, the vote is on disk.

        A repeated vote returns the same view as the first. A vote counts for all turns of the battle, also from a tab
        that shows fewer of them. Raises `VoteRefused`, `LimitReached`, and `DatabaseUnavailable` when it is unknown
        whether it counts.
        """
        check_winner(winner)
        battle = check_voter(await self._find(public_id), voter)

        def write(session: Session) -> None:
            self._visitors.count_vote(session, Visitor(voter, address))
            cast_vote(session, voter, public_id, winner)

        async with self._lock(public_id):
            await self._stop_for_vote(public_id)
            try:
                await self._write(write)
            except (AlreadyVoted, stored.WrongStatus):
                # A second click or tab, or a closing of the battle; `check_counted` decides what the voter is shown.
                log.info("Another change to battle %s came first.", battle.id)
            except (DatabaseUnavailable, LimitReached):
                # The connection may have been cut after the commit: the store knows whether the vote is in it. And a
                # repeated vote is no further vote.
                if check_voter(await self._find(public_id), voter).winner is None:
                    raise
        battle = check_voter(await self._find(public_id), voter)
        check_counted(battle, winner)
        return self._view(battle)

    async def leave(self, voter: str, public_id: str) -> None:
        """Close an open battle without a vote."""
        async with self._lock(public_id):
            if live := self._running.find(public_id, voter):
                await self._running.stop(live)
            battle = await self._find(public_id)
            if battle and battle.voter == voter:
                with suppress(stored.WrongStatus):  # already voted on or closed
                    await self._write(
                        lambda s: stored.move(s, battle.id, BattleStatus.OPEN, BattleStatus.ABANDONED)
                    )

    async def share(self, voter: str, public_id: str, agreed: bool) -> BattleView:
        """Share one's own battle with other readers after the vote, or stop sharing it. Raises `BattleRefused`."""
        battle = await self._find(public_id)
        if battle is None or battle.voter != voter:
            raise BattleRefused("This battle is not yours or no longer exists.")
        if battle.status is not BattleStatus.VOTED:
            raise BattleRefused("You can share a battle only after your vote.")
        await self._write(lambda session: shared_battles.share(session, battle.id, agreed))
        return self._view(replace(battle, shared=agreed))

    async def view(self, voter: str, public_id: str) -> BattleView | None:
        """The current state of a battle, or `None` when it is not this voter's."""
        live = self._running.find(public_id)
        battle = live.battle if live else await self._find(public_id)
        if battle is None or battle.voter != voter:
            return None
        return self._view(battle, live)

    async def watch(
        self,
        voter: str,
        public_id: str,
        is_read: Callable[[], bool] = lambda: True,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[BattleView]:
        """Frames of the running turn, then the battle after the turn is stored.

        `is_read` tells whether the frames still reach a browser: a turn without readers is stopped. A turn that
        another server runs is read from the store until it has ended. Nothing more comes when `is_wanted` is false.
        """
        if live := self._running.find(public_id, voter):
            with live.read_by(is_read):
                async for _ in live.turn.frames(is_wanted):
                    yield self._view(live.battle, live)
        shown = None
        while is_wanted() and (view := await self.view(voter, public_id)) is not None:
            if view != shown:
                yield view
            if view.status is not BattleStatus.RUNNING:
                return
            shown = view
            await asyncio.sleep(READ_EVERY)

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
                async for is_new in news_of(live.turn):
                    texts = live.turn.released()
                    yield Frame(last.number, last.attempt, texts, live.turn.both_have_begun) if is_new else None
        async for view in self._states(voter, public_id):
            yield view

    async def _states(self, voter: str, public_id: str) -> AsyncIterator[BattleView | None]:
        """The battle from the store when it has changed, until no turn runs or this server stops."""
        shown: BattleView | None = None
        waited = 0.0
        while True:
            with suppress(DatabaseUnavailable):
                view = await self.view(voter, public_id)
                if view is None:
                    return
                if view != shown:
                    yield view
                    shown, waited = view, 0.0
                if view.status is not BattleStatus.RUNNING:
                    return
            if self.closing:
                return
            await asyncio.sleep(READ_EVERY)
            waited += READ_EVERY
            if waited >= IDLE:
                yield None
                waited = 0.0

    def why_no_battle(self) -> str | None:
        """The reason why no battle can start, without names of models; `None` when one can."""
        return why_no_battle(self.serving)

    def _deadline(self) -> datetime:
        """The time before which every turn, on any server, has ended by now."""
        return now() - timedelta(seconds=self.limits.turn_timeout + DEADLINE_MARGIN)

    def _lock(self, public_id: str) -> asyncio.Lock:
        """The lock that serialises changes to a battle."""
        return self._locks.setdefault(public_id, asyncio.Lock())

    async def _another_turn(
        self, battle: StoredBattle, address: str | None, write: Callable[[Session], None]
    ) -> BattleView:
        """Write the change to an open battle and start its next turn. Raises `BattleRefused`."""
        self._visitors.check_load()

        def begin(session: Session) -> tuple[StoredBattle, Reservation]:
            self._visitors.count_turn(session, Visitor(battle.voter, address), begins=False)
            running_turns.take(session, battle.id, self.server)
            write(session)
            running = stored.find_running(session, battle.public_id)
            return running, self._visitors.reserve(session, running)

        with self._running.place(battle.voter):
            try:
                return self._run_turn(*await self._write(begin), address)
            except stored.WrongStatus:
                raise BattleRefused(
                    "This battle has changed in the meantime. Reload the page to see it."
                ) from None

    async def _settled(self, voter: str, public_id: str) -> StoredBattle:
        """The voter's own battle, open and with no turn running. Raises `BattleRefused`."""
        if self._running.find(public_id, voter):
            raise BattleRefused("Both models are still writing. Wait until they finish, or vote now.")
        battle = await self._find(public_id)
        if battle is None or battle.voter != voter:
            raise BattleRefused("This battle is not yours or no longer exists. Start a new battle.")
        if battle.status is not BattleStatus.OPEN:
            raise BattleRefused("This battle is over. Start a new battle.")
        if not {battle.model_a, battle.model_b} <= self.serving.models.keys():
            advice = "Start a new battle." if interrupted(battle) else "Vote, or start a new battle."
            raise BattleRefused(f"A model of this battle is no longer served. {advice}")
        return battle

    def _run_turn(self, battle: StoredBattle, reservation: Reservation, address: str | None) -> BattleView:
        """Start the turn that the store has as running."""
        return self._view(battle, self._running.start(battle, reservation, address))

    async def _stop_for_vote(self, public_id: str) -> None:
        """Stop both models for a vote. Raises `VoteRefused` while nothing can be judged or saved."""
        live = self._running.find(public_id)
        if live is None:
            return
        if not live.turn.both_have_begun:
            raise VoteRefused("Wait until both models have started to write.")
        if not await self._running.stop(live):
            raise VoteRefused(NOT_SAVED)

    def _view(self, battle: StoredBattle, live: RunningTurn | None = None) -> BattleView:
        name_masker = UNMASKED if battle.status is BattleStatus.VOTED else self._name_masker
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
