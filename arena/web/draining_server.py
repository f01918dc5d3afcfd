"""A server that stops in two steps: first no new turns while those that run end, then no connections."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable
from types import FrameType

import uvicorn

log = logging.getLogger(__name__)

CUT_SHORT = 3  # signals after which nothing is waited for


class DrainingServer(uvicorn.Server):
    """Calls `drain` with `seconds` at the first SIGTERM or Ctrl-C, with 0 at the second, and stops when it returns.

    The arena answers requests until then, so that voters can vote and pages show the last words of their turns.
    """

    def __init__(self, config: uvicorn.Config, drain: Callable[[float], Awaitable[None]], seconds: float) -> None:
        super().__init__(config)
        self._drain, self._seconds = drain, seconds
        self._signals: list[int] = []
        self._loop: asyncio.AbstractEventLoop
        self._draining: asyncio.Future[None] | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def raise_again(self) -> None:
        """End the process as the first signal would have: threads, such as a download, are not waited for."""
        if self._signals:
            signal.raise_signal(self._signals[0])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by a signal, between any two instructions: only wakes the event loop."""
        self._signals.append(sig)
        self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        if len(self._signals) >= CUT_SHORT:
            self.should_exit = self.force_exit = True
            return
        if self._draining:
            self._draining.cancel()
        self._draining = asyncio.ensure_future(self._drain(self._seconds if len(self._signals) == 1 else 0))
        self._draining.add_done_callback(self._drained)

    def _drained(self, drained: asyncio.Future[None]) -> None:
        if not drained.cancelled():
            self.should_exit = True
            if error := drained.exception():
                log.error("The running turns could not be ended.", exc_info=error)
