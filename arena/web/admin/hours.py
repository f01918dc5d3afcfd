"""The votes of the last hours as bars: shapes for an SVG that needs no script."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from arena.rules.vote_states import VoteState

HOURS = 48
WIDTH, HEIGHT = 14, 120  # of a bar and of the chart, in the units of the picture
STATES = (VoteState.ACCEPTED, VoteState.PENDING, VoteState.QUARANTINED)  # from the bottom to the top
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Bar:
    """The votes of an hour in one state, as a part of a stack; `y` is its upper end from above."""

    hour: datetime
    state: VoteState
    votes: int
    x: int
    y: float
    height: float


@dataclass(frozen=True)
class Chart:
    """Stacked bars, one stack an hour."""

    bars: tuple[Bar, ...]
    most: int  # votes in an hour
    ticks: tuple[tuple[int, datetime], ...]  # where a day begins
    totals: Mapping[VoteState, int]
    reasons: Mapping[tuple[str, str], int]  # by state and reason, without accepted ones
    begin: datetime

    @property
    def width(self) -> int:
        return HOURS * WIDTH


def chart(votes: Mapping[tuple[datetime, str, str], int], now: datetime) -> Chart:
    """The bars of the last `HOURS` hours; `votes` is by hour, state and reason."""
    begin = now.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * HOUR
    by_hour = defaultdict[tuple[datetime, str], int](int)
    totals, reasons = defaultdict[VoteState, int](int), defaultdict[tuple[str, str], int](int)
    for (hour, state, reason), number in votes.items():
        if hour >= begin:
            by_hour[hour, state] += number
            totals[VoteState(state)] += number
            if reason:
                reasons[state, reason] += number
    hours = [begin + number * HOUR for number in range(HOURS)]
    most = max(1, *(sum(by_hour[hour, state] for state in STATES) for hour in hours))
    ticks = tuple((place * WIDTH, hour) for place, hour in enumerate(hours) if hour.hour == 0)
    bars = tuple(bar for place, hour in enumerate(hours) for bar in _stack(by_hour, hour, place * WIDTH, most))
    ordered = dict(sorted(reasons.items(), key=lambda item: -item[1]))
    return Chart(bars, most, ticks, {state: totals[state] for state in STATES}, ordered, begin)


def _stack(by_hour: Mapping[tuple[datetime, str], int], hour: datetime, x: int, most: int) -> Iterator[Bar]:
    top = float(HEIGHT)
    for state in STATES:
        if number := by_hour[hour, state]:
            height = HEIGHT * number / most
            top -= height
            yield Bar(hour, state, number, x, round(top, 2), round(height, 2))
