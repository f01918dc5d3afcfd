"""The sessions of Gradio's queue, which are made up by the client: dropped when nobody reads them.

Gradio keeps the messages of the last 2,000 sessions and drops the oldest, read or not: without this, 2,000 requests
with made-up sessions cut the stream of every voter.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import gradio as gr

MAX_SESSIONS = 8192  # about 40 MB; more are refused, so that no open stream is dropped
MAX_STREAMS = 2  # of one session: a page has one, and a moment before its end another
UNREAD = 30.0  # seconds from an event until its session is dropped if no stream reads it


class QueueSessions:
    """The sessions of `pages`, those that are read, and those that wait for their stream."""

    def __init__(self, pages: gr.Blocks, clock: Callable[[], float] = time.monotonic) -> None:
        self._queue: Any = pages._queue
        self._queue.pending_messages_per_session.max_size = MAX_SESSIONS + 1
        self._clock = clock
        self._streams: Counter[str] = Counter()
        self._joined: OrderedDict[str, float] = OrderedDict()

    def __contains__(self, session: str) -> bool:
        return session in self._queue.pending_messages_per_session

    def is_full(self) -> bool:
        return len(self._queue.pending_messages_per_session) >= MAX_SESSIONS

    def is_read(self, session: str) -> bool:
        """Whether the session has as many streams as it may have."""
        return self._streams[session] >= MAX_STREAMS

    async def join(self, session: str) -> None:
        """Note an event of the session, and drop the sessions that nobody came to read."""
        self._joined[session] = now = self._clock()
        self._joined.move_to_end(session)
        while (first := next(iter(self._joined))) != session and now - self._joined[first] > UNREAD:
            del self._joined[first]
            if not self._streams[first]:
                await self._drop(first)

    @asynccontextmanager
    async def reading(self, session: str) -> AsyncIterator[None]:
        """A stream of the session; at its end an idle session is dropped."""
        self._streams[session] += 1
        try:
            yield
        finally:
            self._streams[session] -= 1
            if not self._streams[session]:
                del self._streams[session]
                if not self._is_busy(session):
                    self._forget(session)

    def _is_busy(self, session: str) -> bool:
        """Whether an event of the session waits or runs for a client that is there."""
        events = self._queue.pending_event_ids_session.get(session, ())
        known = self._queue.event_ids_to_events
        return any(known[event].alive for event in events if event in known)

    async def _drop(self, session: str) -> None:
        await self._queue.clean_events(session_hash=session)  # its events end: nothing is sent to it
        self._forget(session)

    def _forget(self, session: str) -> None:
        self._joined.pop(session, None)
        self._queue.pending_messages_per_session.pop(session, None)
        self._queue.pending_event_ids_session.pop(session, None)
