"""The attack meter of a running server: one measurement a day, in the background."""

from __future__ import annotations

import asyncio
import logging

from arena.config import Settings
from arena.errors import InputError
from arena.serving.models import Serving
from arena.store import Database
from arena.store.attack_costs import has_attack_cost, save_attack_cost
from arena.store.schema.battles import now
from arena.trust.attack_meter import attack_cost, terms_of

log = logging.getLogger(__name__)

LOOK_EVERY = 600.0  # seconds between two looks whether the day has its measurement


class DailyAttackCost:
    """Measures what an attack costs once a day (UTC). Of several servers the first one does it."""

    def __init__(self, database: Database, serving: Serving, settings: Settings) -> None:
        self._database, self._serving = database, serving
        self._terms = terms_of(settings)

    async def measure(self) -> bool:
        """Measure if today has none yet; returns whether it did. An arena without votes on two models has no cost."""
        return await asyncio.to_thread(self._measure)

    def _measure(self) -> bool:
        at = now()
        day = at.date().isoformat()
        weights = self._serving.available_weights()  # as the operator has them now, without paused models
        with self._database.read() as session:
            if has_attack_cost(session, day):
                return False
            try:
                cost = attack_cost(session, weights, self._terms, at)
            except InputError as reason:
                log.debug("The cost of an attack is not measured: %s", reason)
                return False
        with self._database.write() as session:
            save_attack_cost(session, day, cost.to_dict())
        return True
