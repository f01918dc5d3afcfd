"""The limits of one endpoint: rates, and the number of concurrent calls."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable

BURST = 1.0  # seconds of its rate that may be used at once after a rest
LEAST = 1  # concurrent calls, however busy the endpoint is
SHRINK = 0.5  # factor of the concurrency limit when the endpoint is too busy


class RateLimiter:
    """At most `per_minute` units, as evenly as the caller's delays allow (the virtual scheduling algorithm).

    Source: ITU-T I.371, generic cell rate algorithm: each unit has its earliest time, a unit that comes late
    lets at most `BURST` seconds' worth follow without delay.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = 60.0 / per_minute  # for one unit
        self._clock = clock
        self._next = clock()

    def delay(self, units: float = 1) -> float:
        """Take `units` and return the seconds to wait before using them."""
        now = self._clock()
        begins = max(self._next, now - min(BURST, 60.0))
        self._next = begins + units * self._seconds
        return max(0.0, begins - now)

    def give_back(self, units: float) -> None:
        """Return unused units; negative for units used in excess."""
        self._next -= units * self._seconds


class ConcurrencyLimiter:
    """At most `limit` concurrent calls: fewer while the endpoint is too busy, more as it recovers.

    Additive increase, multiplicative decrease, as in Jacobson, Congestion Avoidance and Control (1988). During
    a pause that the endpoint requests no call begins.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.limit = float(most)
        self.running = 0
        self.paused_until = 0.0
        self._clock = clock
        self._shrunk_at = -1e9
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._over = asyncio.Event()

    async def enter(self) -> None:
        while True:
            rest = self.paused_until - self._clock()
            if rest > 0 and not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(rest):
                        await self._over.wait()
            elif self.running < int(self.limit):
                self.running += 1
                return
            else:
                await self._turn()

    def end_pauses(self) -> None:
        """End all pauses, as no call will follow."""
        self._over.set()

    def leave(self) -> None:
        self.running -= 1
        self._wake()

    def went_well(self) -> None:
        if self.limit < self.most:
            self.limit = min(float(self.most), self.limit + 1 / self.limit)
            self._wake()

    def too_busy(self, pause: float, began: float) -> None:
        """Note a rejected call that `began` then: no call begins for `pause` seconds, then fewer run at once.

        Calls that ran together have the same cause, so they shrink the limit once.
        """
        now = self._clock()
        self.paused_until = max(self.paused_until, now + pause)
        if began > self._shrunk_at:
            self.limit = max(float(LEAST), self.limit * SHRINK)
            self._shrunk_at = now

    async def _turn(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake()  # the turn was given to a caller that went away
            raise

    def _wake(self) -> None:
        free = int(self.limit) - self.running
        while free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1
