"""The built-in challenge: proof of work, which a browser does in a second or two and nobody else learns about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from arena.config.challenge import ChallengeSettings
from arena.moderation.visitor_checks import Spend
from arena.rules import proof_of_work
from arena.serving.availability import Visitor
from arena.store import Database, visitor_passes
from arena.store.schema.battles import now
from arena.store.usage import address_hashes

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class WorkChallenges:
    """Puzzles signed with `key`. They are harder while `loaded`, and for an address that asks for many."""

    database: Database
    settings: ChallengeSettings
    key: bytes
    loaded: Callable[[], bool] = lambda: False
    clock: Callable[[], datetime] = now

    async def new(self, visitor: Visitor) -> Mapping[str, Any]:
        """A puzzle for the visitor. It counts when it is given, so that easy ones cannot be collected."""
        issued = await asyncio.to_thread(self._issued, visitor.address) if visitor.address else 0
        settings = self.settings
        times = proof_of_work.hardness(issued, settings.free_per_address, settings.hardest, loaded=self.loaded())
        until = int(self.clock().timestamp()) + settings.seconds
        return proof_of_work.puzzle(self.key, visitor.voter, settings.work * times, until).document()

    async def check(self, visitor: Visitor, answer: str) -> Spend:
        at = self.clock().timestamp()
        salt, until = proof_of_work.checked_answer(self.key, visitor.voter, answer, at)
        end = datetime.fromtimestamp(until, UTC)
        return lambda session: visitor_passes.spend(session, salt, end)

    async def close(self) -> None:
        """Nothing is open."""

    def _issued(self, address: str) -> int:
        at = self.clock()
        with self.database.write() as session:
            names = [f"address {hashed}" for hashed in address_hashes(session, address, at)]
            return visitor_passes.note_challenge(session, names, at - HOUR, at)
