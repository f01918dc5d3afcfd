"""Which pages read their events: the streams of Gradio's queue that are open and take what is sent."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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


class OpenStreams:
    """The open event streams by the session of their page, which is a number that Gradio gives each page."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._streams: dict[str, list[Stream]] = {}

    def is_read(self, session: str) -> bool:
        """Whether a page reads its events now."""
        return any(stream.is_read for stream in self._streams.get(session, ()))

    def count(self, session: str) -> int:
        """The number of open streams of a session."""
        return len(self._streams.get(session, ()))

    @contextmanager
    def reading(self, session: str) -> Iterator[Stream]:
        """A stream of the session, open until the block ends."""
        stream = Stream(self._clock)
        self._streams.setdefault(session, []).append(stream)
        try:
            yield stream
        finally:
            self._streams[session].remove(stream)
            if not self._streams[session]:
                del self._streams[session]

    def __len__(self) -> int:
        return sum(map(len, self._streams.values()))
