"""Running turns: the only part of a battle that is in memory, until its completions are stored."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from arena.battles.streaming import LiveTurn, StreamTimeouts
from arena.battles.views import conversation
from arena.config import BattleSettings
from arena.rules.name_masking import NameMasker
from arena.rules.votes import SIDES
from arena.serving.models import Serving
from arena.store import Session
from arena.store import battles as stored
from arena.store.battles import StoredBattle
from arena.store.schema.battles import BattleStatus

log = logging.getLogger(__name__)

Write = Callable[[Callable[[Session], None]], Awaitable[None]]


class BattleRefused(Exception):
    """The request cannot be fulfilled now; nothing changed. The text is for the voter."""


@dataclass
class RunningTurn:
    """A battle with a running turn; `task` ends when the turn is stored."""

    battle: StoredBattle
    turn: LiveTurn
    task: asyncio.Task[None]


class RunningTurns:
    """The running turns of this server, by the battle's public id. `write` runs a write transaction."""

    def __init__(self, serving: Serving, limits: BattleSettings, name_masker: NameMasker, write: Write) -> None:
        self.serving, self.limits, self.name_masker = serving, limits, name_masker
        self._write = write
        self._live: dict[str, RunningTurn] = {}
        self._coming: list[str] = []  # voters whose turns are about to be under way

    def find(self, public_id: str, voter: str | None = None) -> RunningTurn | None:
        """The running turn of a battle, if there is one; with `voter`, only of theirs."""
        live = self._live.get(public_id)
        return live if live and voter in (None, live.battle.voter) else None

    async def stop(self, live: RunningTurn) -> None:
        """End a turn early and wait until it is stored."""
        live.turn.stop()
        await asyncio.wait([live.task])

    async def close(self) -> list[int]:
        """Cancel all turns; returns the ids of their battles."""
        interrupted = list(self._live.values())
        for live in interrupted:
            live.task.cancel()
        await asyncio.gather(*(live.task for live in interrupted), return_exceptions=True)
        return [live.battle.id for live in interrupted]

    @contextmanager
    def place(self, voter: str) -> Iterator[None]:
        """Reserve capacity for a turn until it runs. Raises `BattleRefused` when there is none."""
        running = Counter([live.battle.voter for live in self._live.values()] + self._coming)
        if running[voter] >= self.limits.running_per_voter:
            raise BattleRefused(
                f"You have {running[voter]} running battles, which is the maximum. Wait until one of them has finished."
            )
        if running.total() >= self.limits.running_at_once:
            raise BattleRefused("The arena is busy. Please try again in a moment. Your prompt is kept.")
        self._coming.append(voter)
        try:
            yield
        finally:
            self._coming.remove(voter)

    def start(self, battle: StoredBattle) -> RunningTurn:
        """Start the turn that the store has as running."""
        names = {"a": battle.model_a, "b": battle.model_b}
        turn = LiveTurn(
            conversations={side: conversation(battle, side) for side in SIDES},
            models={side: self.serving.models[names[side]] for side in SIDES},
            name_masker=self.name_masker,
            timeouts=StreamTimeouts(self.limits.first_token_timeout, self.limits.turn_timeout),
        )
        live = RunningTurn(battle, turn, asyncio.create_task(self._write_turn(battle, turn)))
        live.task.add_done_callback(lambda _task: self._turn_ended(live))
        self._live[battle.public_id] = live
        return live

    async def _write_turn(self, battle: StoredBattle, turn: LiveTurn) -> None:
        """Run the turn and store its completions and status."""
        await turn.run()
        self.serving.record_outcomes(turn.outcome())
        status = BattleStatus.FAILED if turn.failed else BattleStatus.OPEN
        await self._write(lambda session: stored.finish_turn(session, battle.id, turn.written(), status))

    def _turn_ended(self, live: RunningTurn) -> None:
        """Remove the turn, also after a failure or a cancellation before its start."""
        live.turn.done.set()
        del self._live[live.battle.public_id]
        if not live.task.cancelled() and (error := live.task.exception()):
            log.error("The turn of battle %s could not be stored.", live.battle.id, exc_info=error)
