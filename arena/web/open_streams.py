"""Whether a client reads its stream: it is open and takes what is sent."""

from __future__ import annotations

import math
from collections.abc import Callable

from starlette.types import Message, Send

STALLED = 10.0  # seconds; a stream that takes no data for so long is not read


class Stream:
    """One open stream."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sending_since = math.inf

    def watched(self, send: Send) -> Send:
        """`send`, with a note of the time while data waits for the page to take it."""

        async def send_watched(message: Message) -> None:
            self._sending_since = self._clock()
            await send(message)
            self._sending_since = math.inf

        return send_watched

    @property
    def is_read(self) -> bool:
        return self._clock() - self._sending_since < STALLED
