"""Running turns: the only part of a battle that is in memory, until its completions are stored."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from arena.battles.loop_lag import LoopLag, outcome_without_lag
from arena.battles.pacing import Pacer
from arena.battles.readers import Readers
from arena.battles.refusals import BUSY, RESTARTING, BattleRefused
from arena.battles.replay import Replay
from arena.battles.stored_stream import StoredStream
from arena.battles.streaming import LiveTurn, StreamTimeouts
from arena.battles.turn_costs import Reservation
from arena.battles.turn_saver import TurnSaver
from arena.battles.views import Exchange, conversation, exchanges_of
from arena.config import BattleSettings
from arena.rules.modes import Mode
from arena.rules.name_masking import NameMasker
from arena.rules.votes import SIDES, Side
from arena.serving.availability import Visitor
from arena.serving.models import Serving
from arena.store.running_turns import EndedTurn, TextSoFar
from arena.store.schema.battles import BattleStatus, CompletionStatus
from arena.store.stored_battles import StoredBattle, Written

log = logging.getLogger(__name__)

SAVING_TIMEOUT = 5.0  # seconds that a voter, and the end of the server, wait for the database

UNMASKED = NameMasker(())


@dataclass(frozen=True)
class ReadyTurn:
    """A turn that the store has as running, with what it may cost, and the data URLs of its images by id.

    `stored` are completions that are shown instead of calls of the models.
    """

    battle: StoredBattle
    reservation: Reservation
    images: Mapping[str, str] = field(default_factory=dict)
    stored: Mapping[Side, Written] = field(default_factory=dict)


@dataclass
class RunningTurn:
    """A battle with a running turn; `task` ends when the turn is stored."""

    battle: StoredBattle
    turn: LiveTurn
    task: asyncio.Task[None]
    readers: Readers = field(default_factory=Readers)
    saved: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))  # characters

    @cached_property
    def earlier(self) -> tuple[Exchange, ...]:
        """The exchanges as they were when the turn began, masked once."""
        return exchanges_of(self.battle, self.turn.name_masker)

    @cached_property
    def kept(self) -> dict[Side, str]:
        """What the voter saw of each side before the turn; a side that is not run again keeps its text."""
        return {side: shown.text for side, shown in self.earlier[-1].completions.items()}

    @property
    def can_vote(self) -> bool:
        """Whether the voter can vote while the turn runs."""
        return self.battle.mode is Mode.BLIND and self.turn.both_have_begun

    def read_by(self, is_read: Callable[[], bool]) -> AbstractContextManager[None]:
        """Count a reader, who reads while `is_read` says so."""
        return self.readers.with_reader(is_read)

    def unsaved(self) -> list[TextSoFar]:
        """The texts that have grown since they were saved.

        Both sides of a paced turn have one length: the voter may see them after a crash, and not which was faster.
        """
        last = self.battle.turns[-1]
        written = {side: writing.text for side, writing in self.turn.sides.items()}
        most = min(map(len, written.values())) if self.turn.pacer else None
        texts = ((side, text[:most]) for side, text in written.items())
        return [
            TextSoFar(last.id, last.attempt, side, text) for side, text in texts if len(text) > self.saved[side]
        ]

    def mark_saved(self, texts: Sequence[TextSoFar]) -> None:
        self.saved |= {text.side: len(text.text) for text in texts}


class RunningTurns:
    """The running turns of this server, by the battle's public id."""

    def __init__(
        self,
        serving: Serving,
        limits: BattleSettings,
        name_masker: NameMasker,
        saver: TurnSaver,
        lag: LoopLag,
        stored: Callable[[StoredBattle], None] = lambda _battle: None,
    ) -> None:
        self.serving, self.limits, self.name_masker = serving, limits, name_masker
        self.closing = False  # no turn may start
        self._saver = saver
        self._lag = lag
        self._stored_turn = stored  # called with the battle of each turn that is in the store
        self._live: dict[str, RunningTurn] = {}
        self._coming: list[str] = []  # voters whose turns are about to be under way
        self._idle = asyncio.Event()
        self._note_idle()

    def __len__(self) -> int:
        return len(self._live)

    def find(self, public_id: str, voter: str | None = None) -> RunningTurn | None:
        """The running turn of a battle, if there is one; with `voter`, only of theirs."""
        live = self._live.get(public_id)
        return live if live and voter in (None, live.battle.voter) else None

    def of_voter(self, voter: str) -> list[RunningTurn]:
        """The running turns of a voter."""
        return [live for live in self._live.values() if live.battle.voter == voter]

    @property
    def ids(self) -> set[int]:
        """The ids of the battles."""
        return {live.battle.id for live in self._live.values()}

    async def stop(self, live: RunningTurn) -> bool:
        """End a turn early; returns whether it could be stored soon."""
        live.turn.stop()
        return await self._stored(live)

    async def _stored(self, live: RunningTurn) -> bool:
        done, _ = await asyncio.wait([live.task], timeout=SAVING_TIMEOUT)
        return bool(done)

    async def stop_early(self, live: RunningTurn) -> bool:
        """End a turn for its voter; returns whether it could be stored soon."""
        live.turn.stop_early()
        return await self._stored(live)

    async def save_texts(self) -> None:
        """Save the texts that have grown, and stop turns that another server has closed or asks to stop."""
        unsaved = {live.battle.id: (live, live.unsaved()) for live in self._live.values()}
        if not unsaved:
            return
        texts = [text for _, of_turn in unsaved.values() for text in of_turn]
        lost, asked = await self._saver.save_texts(texts, list(unsaved))
        for number, (live, of_turn) in unsaved.items():
            live.mark_saved(of_turn)
            if number in lost:
                live.turn.stop(CompletionStatus.ABANDONED)
            elif number in asked:
                live.turn.stop_early()

    def unread(self) -> list[RunningTurn]:
        """The turns that nobody has read here for `unread_seconds`.

        A turn whose models have finished costs no more: it is shown to its end.
        """
        limit = self.limits.unread_seconds
        running = [live for live in self._live.values() if live.turn.running]
        return [live for live in running if limit and live.readers.absent_for() >= limit]

    def stop_unread(self, read_elsewhere: Collection[int] = ()) -> int:
        """Stop turns that nobody has read, and keep their texts; returns their number.

        `read_elsewhere` are battles that somebody reads on another server.
        """
        stopped = 0
        for live in self.unread():
            if live.battle.id in read_elsewhere:
                live.readers.note()
                continue
            log.info("Nobody reads the turn of battle %d, so it is stopped.", live.battle.id)
            live.turn.stop_early()
            stopped += 1
        return stopped

    async def ended(self) -> None:
        """Wait until no turn runs or is about to."""
        await self._idle.wait()

    async def interrupt(self) -> None:
        """End all turns now and store their texts so far. Gives up when the database does not take them in time."""
        self.closing = True
        interrupted = list(self._live.values())
        for live in interrupted:
            live.turn.stop(CompletionStatus.ABANDONED)
        if not interrupted:
            return
        _, unsaved = await asyncio.wait([live.task for live in interrupted], timeout=SAVING_TIMEOUT)
        for task in unsaved:
            task.cancel()
        await asyncio.gather(*unsaved, return_exceptions=True)
        if unsaved:
            log.error("%d turns could not be saved: the database did not answer in time.", len(unsaved))

    @contextmanager
    def place(self, voter: str) -> Iterator[None]:
        """Reserve capacity for a turn until it runs. Raises `BattleRefused` when there is none."""
        if self.closing:
            raise BattleRefused(RESTARTING, code="restarting")
        running = Counter([live.battle.voter for live in self._live.values()] + self._coming)
        if running[voter] >= self.limits.running_per_voter:
            raise BattleRefused(
                "You have {count} running battles, which is the maximum. Wait until one of them has finished.",
                code="limit",
                count=running[voter],
            )
        if running.total() >= self.limits.running_at_once:
            raise BattleRefused(BUSY, code="busy")
        self._coming.append(voter)
        self._note_idle()
        try:
            yield
        finally:
            self._coming.remove(voter)
            self._note_idle()

    def start(self, ready: ReadyTurn, address: str | None = None) -> RunningTurn:
        """Start the turn that the store has as running, for a voter who comes from this address."""
        battle = ready.battle
        turn = self._live_turn(battle, ready.images, ready.stored)
        ending = self._write_turn(ready, turn, Visitor(battle.voter, address))
        live = RunningTurn(battle, turn, asyncio.create_task(ending))
        live.task.add_done_callback(lambda _task: self._turn_ended(live))
        self._live[battle.public_id] = live
        return live

    def _live_turn(
        self, battle: StoredBattle, images: Mapping[str, str], stored: Mapping[Side, Written]
    ) -> LiveTurn:
        """The turn of the sides that the store has as running; the others keep their completions."""
        last = battle.turns[-1].completions
        running = [side for side, written in last.items() if written.status is CompletionStatus.RUNNING]
        blind = battle.mode is Mode.BLIND
        return LiveTurn(
            conversations={side: conversation(battle, side, images) for side in running},
            models={
                side: StoredStream(name, stored[side]) if side in stored else self.serving.models[name]
                for side, name in battle.models.items()
                if side in running
            },
            name_masker=self.name_masker if blind else UNMASKED,
            timeouts=StreamTimeouts(self.limits.first_token_timeout, self.limits.turn_timeout),
            pacer=Pacer() if blind and self.limits.pacing == "equal" else None,
            replays=[Replay.of(written) for side, written in last.items() if side not in running],
        )

    async def _write_turn(self, ready: ReadyTurn, turn: LiveTurn, visitor: Visitor) -> None:
        """Run the turn and store its completions and status, as soon as the database takes them."""
        battle, lag = ready.battle, self._lag.total
        await turn.run()
        called = {side: writing for side, writing in turn.sides.items() if side not in ready.stored}
        if called:
            self.serving.record_outcomes(outcome_without_lag(turn, self._lag.total - lag), visitor)
        status = BattleStatus.FAILED if turn.failed else BattleStatus.OPEN
        settlement = ready.reservation.settlement(called)
        if not await self._saver.finish(EndedTurn(battle.id, turn.written(), status, settlement=settlement)):
            # Another server took this one for dead, or an earlier write succeeded although the database reported a failure.
            log.warning("Battle %d was no longer running when its turn was to be saved.", battle.id)
        elif status is BattleStatus.OPEN:
            self._stored_turn(battle)

    def _turn_ended(self, live: RunningTurn) -> None:
        """Remove the turn, also after a failure or a cancellation before its start."""
        live.turn.end()
        del self._live[live.battle.public_id]
        self._note_idle()
        if not live.task.cancelled() and (error := live.task.exception()):
            log.error("The turn of battle %s could not be stored.", live.battle.id, exc_info=error)

    def _note_idle(self) -> None:
        if self._live or self._coming:
            self._idle.clear()
        else:
            self._idle.set()
