"""The lag of the event loop: how late it runs what is due. A lagging loop makes every model look slow."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from arena.battles.streaming import LiveTurn
from arena.endpoints import Failure
from arena.endpoints.endpoint import Blame

PROBE_EVERY = 0.1  # seconds
MEMORY = 5.0  # seconds over which the lag is averaged: one stall of a second must not turn voters away
EXCUSED_SHARE = 0.1  # of a turn lost to lag: from here on a timeout says nothing about the model


class LoopLag:
    """Measures the lag while `probe` is called every `PROBE_EVERY` seconds; until then the lag is 0."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due = math.inf  # when the next probe should come
        self._average = 0.0
        self._total = 0.0

    async def probe(self) -> None:
        """Measure how late this call is."""
        self.note(self._overdue())
        self._due = self._clock() + PROBE_EVERY

    def note(self, lag: float) -> None:
        """Add one measurement, in seconds."""
        weight = 1 - math.exp(-(PROBE_EVERY + lag) / MEMORY)
        self._average += weight * (lag - self._average)
        self._total += lag

    @property
    def average(self) -> float:
        """The lag of the last seconds, as seconds; at least the part that is not measured yet."""
        weight = 1 - math.exp(-self._overdue() / MEMORY)
        return max(self._average, weight * self._overdue())

    @property
    def total(self) -> float:
        """All seconds that were lost to lag; the difference of two is what was lost in between."""
        return self._total + self._overdue()

    def _overdue(self) -> float:
        return max(0.0, self._clock() - self._due)


def outcome_without_lag(turn: LiveTurn, lost: float) -> dict[str, Blame | None]:
    """The outcome of a turn by model, less the timeouts that `lost` seconds of lag may have caused."""
    excused = {
        turn.models[side].name
        for side, writing in turn.sides.items()
        if writing.failure is Failure.TIMEOUT and lost >= EXCUSED_SHARE * (writing.seconds or 0)
    }
    return {name: blame for name, blame in turn.outcome().items() if name not in excused}
