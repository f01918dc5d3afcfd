"""Server-sent events as an ASGI response: written when they happen, compressed one by one, watched while they are sent."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Protocol

from starlette.background import BackgroundTask
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from arena.web.compression import VARY, accepts_gzip

# A window of 4 KB and a hash table of 4 KB hold the text of a few frames, which is where an event repeats itself:
# 38 KB of memory a stream instead of 262 KB, by tracemalloc with zlib 1.2.13. All of a stream of HTML takes 67 KB.
WINDOW_BITS, MEMORY_LEVEL, LEVEL = 12, 5, 6
GZIP = 16  # added to the window bits: a gzip header and trailer

EVENT_STREAM = "text/event-stream"
HEADERS = {
    "content-type": f"{EVENT_STREAM}; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # nginx passes each event on at once
    **VARY,
}
RETRY = "retry: 1000\n\n"
LINE_BREAKS = {ord(character): f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029"}
HEARTBEAT = ":\n\n"


def event(name: str, data: Any, event_id: str = "") -> str:
    """One event; `data` becomes JSON on one line, also for clients that split lines as Unicode does."""
    line = f"id: {event_id}\n" if event_id else ""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    if not body.isascii():
        body = body.translate(LINE_BREAKS)
    return f"event: {name}\n{line}data: {body}\n\n"


class Encoder(Protocol):
    """Turns each text into bytes that the client can read at once."""

    def encode(self, text: str) -> bytes: ...
    def end(self) -> bytes: ...


class Plain:
    """UTF-8."""

    def encode(self, text: str) -> bytes:
        return text.encode("utf-8", "replace")

    def end(self) -> bytes:
        return b""


class Gzip:
    """UTF-8 in gzip, flushed after each text."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP + WINDOW_BITS, MEMORY_LEVEL)

    def encode(self, text: str) -> bytes:
        return self._packer.compress(text.encode("utf-8", "replace")) + self._packer.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._packer.flush()


class EventStream(Response):
    """Sends the texts of `events` until they end, the client disconnects or `cut` is called.

    `watched` wraps `send`, to note whether the client takes what is sent. `at_end` is called in any case.
    """

    def __init__(
        self,
        events: AsyncGenerator[str],
        watched: Callable[[Send], Send] = lambda send: send,
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.status_code = 200
        self.background: BackgroundTask | None = None
        self.init_headers(HEADERS)
        self._events, self._watched, self._at_end = events, watched, at_end
        self._encoder: Encoder = Plain()
        self._sending: asyncio.Task[None] | None = None
        self._last_words: str | None = None

    def cut(self, last_words: str) -> None:
        """End the stream now, with this as its last text."""
        self._last_words = last_words
        if self._sending:
            self._sending.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._serve(scope, receive, self._watched(send))
        finally:
            self._at_end()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._start(scope, send)
        self._sending = sending = asyncio.create_task(self._send_all(send))
        if self._last_words is not None:  # it was cut before it began
            sending.cancel()
        leaving = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if self._last_words is not None and not leaving.done():
                await asyncio.gather(sending, return_exceptions=True)
                await _send(send, self._encoder.encode(self._last_words) + self._encoder.end(), more=False)
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        if not sending.cancelled() and (error := sending.exception()):
            raise error

    async def _start(self, scope: Scope, send: Send) -> None:
        if accepts_gzip(Headers(scope=scope)):
            self.headers["content-encoding"] = "gzip"
            self._encoder = Gzip()
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await _send(send, self._encoder.encode(RETRY))

    async def _send_all(self, send: Send) -> None:
        async with aclosing(self._events) as events:
            async for text in events:
                await _send(send, self._encoder.encode(text))
        await _send(send, self._encoder.end(), more=False)


async def _send(send: Send, body: bytes, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
