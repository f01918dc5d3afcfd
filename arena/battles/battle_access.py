"""What every change to a battle needs: the store, the running turns, the limits, and one lock for each battle."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from random import Random, SystemRandom
from typing import TypeVar
from weakref import WeakValueDictionary

from arena.battles.battle_texts import BattleTexts
from arena.battles.control_draw import ControlDraw
from arena.battles.image_checks import most_images
from arena.battles.live_turns import UNMASKED, RunningTurn, RunningTurns
from arena.battles.liveness import Liveness
from arena.battles.model_choice import takes_images
from arena.battles.model_watch import ModelWatch
from arena.battles.refusals import NOT_YOURS, BattleRefused
from arena.battles.sampling import Sampling
from arena.battles.turn_saver import TurnSaver
from arena.battles.views import BattleView, view_of
from arena.battles.visitor_limits import VisitorLimits
from arena.config import BattleSettings, SamplingSettings
from arena.moderation.checks import Checks
from arena.rules.name_aliases import Family
from arena.rules.name_masking import NameMasker
from arena.serving.live_models import LiveModels
from arena.serving.models import Serving
from arena.store import Database, Session, running_turns
from arena.store.schema.battles import BattleStatus, CompletionStatus
from arena.store.stored_battles import StoredBattle, find_battle

STOP_TIMEOUT = 5.0  # seconds that a voter waits until another server has stopped a turn
STOP_POLL = 0.2  # seconds between two reads of such a turn

T = TypeVar("T")


class BattleAccess:
    """The parts of a server that its battles share. One event loop."""

    def __init__(
        self,
        database: Database,
        serving: Serving,
        limits: BattleSettings,
        random: Random | None = None,
        visitor_limits: VisitorLimits | None = None,
        checks: Checks | None = None,
        sampling: SamplingSettings | None = None,
    ) -> None:
        self.database = database
        self.serving = serving
        self.limits = limits
        self.random = random or SystemRandom()
        self._controls = ControlDraw(serving, limits, self.random, speeds=lambda: self.sampling.speeds)
        self._visitors = visitor_limits or VisitorLimits(serving)
        self._checks = checks or Checks()
        self._name_masker = self._masker()
        self._masked: frozenset[str] = frozenset()  # the names that it was made for, once it is compiled
        self.server = secrets.token_hex(8)  # owner of the turns that run here
        self._saver = TurnSaver(self.server, self._write)
        self._texts = BattleTexts(self._checks.texts, database, self._write, self._stop_withheld)
        self._running = RunningTurns(
            serving, limits, self._name_masker, self._saver, self._visitors.lag, self._texts.ended
        )
        self._liveness = Liveness(database, self.server)
        self.live_models = LiveModels(serving)
        self.sampling = Sampling(database, self.live_models, sampling or SamplingSettings())
        self._model_watch = ModelWatch(database, self.live_models, self.server)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def _masker(self) -> NameMasker:
        return self.serving.name_masker(Family(**alias.model_dump()) for alias in self.limits.name_aliases)

    def _lock(self, public_id: str) -> asyncio.Lock:
        """The lock that serialises changes to a battle."""
        return self._locks.setdefault(public_id, asyncio.Lock())

    def _stop_withheld(self, public_id: str) -> None:
        """Stop a turn that continues withheld texts."""
        if live := self._running.find(public_id):
            live.turn.stop(CompletionStatus.ABANDONED)

    def _view(self, battle: StoredBattle, live: RunningTurn | None = None) -> BattleView:
        name_masker = UNMASKED if battle.named else self._name_masker
        turn, earlier = (live.turn, live.earlier) if live else (None, None)
        takes = bool(most_images(self.serving, self.limits)) and takes_images(self.serving, battle)
        return view_of(battle, turn, name_masker, self.limits.max_turns, earlier, takes)

    async def _own(self, voter: str, public_id: str) -> StoredBattle:
        """The battle of this voter. Raises `BattleRefused`."""
        battle = await self._find(public_id)
        if battle is None or battle.voter != voter:
            raise BattleRefused(NOT_YOURS, code="not_found")
        return battle

    async def _stop_elsewhere(self, battle: StoredBattle) -> StoredBattle:
        """The battle after another server has stopped its turn, or as it is when that takes too long."""
        await self._write(lambda session: running_turns.request_stop(session, battle.id))
        for _ in range(round(STOP_TIMEOUT / STOP_POLL)):
            await asyncio.sleep(STOP_POLL)
            found = await self._find(battle.public_id)
            if found is None or found.status is not BattleStatus.RUNNING:
                return found or battle
        return battle

    async def _find(self, public_id: str) -> StoredBattle | None:
        def find() -> StoredBattle | None:
            with self.database.read() as session:
                return find_battle(session, public_id=public_id)

        return await asyncio.to_thread(find)

    async def _write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a write transaction, off the event loop."""

        def run() -> T:
            with self.database.write() as session:
                return work(session)

        return await asyncio.to_thread(run)
