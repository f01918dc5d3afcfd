"""Time in tests. A loaded machine is slow, not wrong: a bound only tells what comes late from what never comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PATIENCE = 60.0  # seconds for what must come: they cost nothing when it comes
NO_HANG = 20.0  # seconds that something quick may take; the fault that a test looks for takes far longer
TRIES = 4


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until a condition holds; fails after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it did not come within {seconds:g} s"
        time.sleep(0.02)


async def until_async(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """`until` for conditions on the event loop of the test."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it did not come within {seconds:g} s"
        await asyncio.sleep(0.01)


def cpu_seconds(run: Callable[[], object], enough: float) -> float:
    """The least processor time of this thread for one of `TRIES` runs; a run below `enough` seconds is the last."""
    least = float("inf")
    for _ in range(TRIES):
        began = time.thread_time()
        run()
        least = min(least, time.thread_time() - began)
        if least < enough:
            break
    return least
