"""Which pages read their events: the streams of Gradio's queue that are open and take what is sent."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATH = "/gradio_api/queue/data"
STALLED = 10.0  # seconds; a stream that takes no data for so long is not read


@dataclass(eq=False)
class _Stream:
    sending_since: float = math.inf


class OpenStreams:
    """The open event streams by the session of their page, which is a number that Gradio gives each page."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._streams: dict[str, list[_Stream]] = {}

    def is_read(self, session: str) -> bool:
        """Whether a page reads its events now."""
        now = self._clock()
        return any(now - stream.sending_since < STALLED for stream in self._streams.get(session, ()))

    def opened(self, session: str) -> _Stream:
        stream = _Stream()
        self._streams.setdefault(session, []).append(stream)
        return stream

    def closed(self, session: str, stream: _Stream) -> None:
        self._streams[session].remove(stream)
        if not self._streams[session]:
            del self._streams[session]

    def started(self, stream: _Stream) -> None:
        """Note that data waits for the page to take it."""
        stream.sending_since = self._clock()

    def __len__(self) -> int:
        return sum(map(len, self._streams.values()))


class WatchedStreams:
    """ASGI middleware that notes in `streams` when an event stream opens, stalls and closes."""

    def __init__(self, app: ASGIApp, streams: OpenStreams) -> None:
        self.app, self.streams = app, streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
            return
        session = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[-1]
        stream = self.streams.opened(session)

        async def send_watched(message: Message) -> None:
            self.streams.started(stream)
            await send(message)
            stream.sending_since = math.inf

        try:
            await self.app(scope, receive, send_watched)
        finally:
            self.streams.closed(session, stream)
