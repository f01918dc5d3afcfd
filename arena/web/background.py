"""Background tasks that outlive their failures, and a shutdown that runs every step whatever failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

log = logging.getLogger(__name__)

CLOSING_TIMEOUT = 10.0  # seconds of one step: a database or model that hangs must not keep the others from closing

Work = Callable[[], Awaitable[object]]


@dataclass
class Periodic:
    """Work that is done every `seconds`, for ever. `failures` counts those in a row since `failure` began."""

    name: str
    seconds: float
    work: Work
    failures: int = 0
    failure: str | None = None
    worked_at: datetime | None = None  # the last time without a failure

    async def run(self) -> None:
        """Wait, work, and go on whatever the work raises."""
        while True:
            await asyncio.sleep(self.seconds)
            try:
                await self.work()
            except Exception as error:  # noqa: BLE001  (the top of a loop: it must not die)
                self._failed(error)
            else:
                self._worked()

    def _failed(self, error: Exception) -> None:
        """Log a failure once, not each time it repeats."""
        failure = f"{type(error).__name__}: {error}"
        self.failures += 1
        if failure != self.failure:
            log.error(
                "Failed to %s (%s). It is tried again every %g s.",
                self.name,
                failure,
                self.seconds,
                exc_info=error,
            )
        self.failure = failure

    def _worked(self) -> None:
        if self.failures:
            log.info("It is possible again to %s, after %d failures.", self.name, self.failures)
        self.failures, self.failure, self.worked_at = 0, None, datetime.now(UTC)


@asynccontextmanager
async def running(tasks: Sequence[Periodic]) -> AsyncIterator[None]:
    """Run the tasks until the block ends."""
    started = [asyncio.create_task(task.run(), name=task.name) for task in tasks]
    try:
        yield
    finally:
        for task in started:
            task.cancel()
        await asyncio.gather(*started, return_exceptions=True)


@asynccontextmanager
async def closing(*steps: tuple[str, Work]) -> AsyncIterator[None]:
    """Run the steps in this order at the end of the block. A step that fails or hangs is logged; the next one runs."""
    async with AsyncExitStack() as stack:
        for name, close in reversed(steps):
            stack.push_async_callback(_close, name, close)
        yield


async def _close(name: str, close: Work) -> None:
    try:
        await asyncio.wait_for(close(), CLOSING_TIMEOUT)
    except Exception:
        log.exception("Failed to close %s.", name)
