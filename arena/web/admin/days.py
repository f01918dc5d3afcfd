"""Counts of days that are read again only now and then: those of a past day hardly change."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta

from arena.store import Database
from arena.store.funnel import DayCounts, day_counts

FRESH, PAST = 2.0, 60.0  # seconds that the counts of today and of a past day are used
DAYS = 7  # on the overview


class CountedDays:
    """The counts of the last days. Thread-safe: at worst a day is counted twice."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[date, tuple[float, DayCounts]] = {}

    def last(self, today: date, days: int = DAYS) -> list[DayCounts]:
        """The counts of the last days, today first."""
        wanted = [today - timedelta(days=number) for number in range(days)]
        for day in set(self._known) - set(wanted):
            self._known.pop(day, None)
        return [self._of(day, FRESH if day == today else PAST) for day in wanted]

    def _of(self, day: date, seconds: float) -> DayCounts:
        until, counts = self._known.get(day, (0.0, None))
        if counts is None or self._clock() >= until:
            with self._database.read() as session:
                counts = day_counts(session, day)
            self._known[day] = (self._clock() + seconds, counts)
        return counts
