"""The sessions of Gradio's queue, which are made up by the client: dropped when nobody reads them.

Gradio keeps the messages of the last 2,000 sessions and drops the oldest, read or not: without this, 2,000 requests
with made-up sessions cut the stream of every voter.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr

from arena.web.client_address import address_of_request
from arena.web.open_streams import OpenStreams, Stream

MAX_SESSIONS = 8192  # about 40 MB; more are refused, so that no open stream is dropped
MAX_EVENTS = 6  # of one session that have not ended; a page has at most four
MAX_JOBS = 1024  # events of all sessions at once; Gradio runs 40, so that 40 running turns stopped every vote
MAX_STREAMS = 2  # of one session: a page has one, and a moment before its end another
UNREAD = 30.0  # seconds from an event until its session is dropped if no stream reads it


class QueueSessions:
    """The sessions of `pages`, those that are read, and those that wait for their stream."""

    def __init__(
        self, pages: gr.Blocks, streams: OpenStreams, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._queue: Any = pages._queue
        self._queue.pending_messages_per_session.max_size = MAX_SESSIONS + 1
        self._queue.max_thread_count = MAX_JOBS  # handlers are coroutines: a job takes no thread
        self._clock = clock
        self._streams = streams
        self._joined: OrderedDict[str, float] = OrderedDict()
        self._joining: Counter[str] = Counter()  # by session and address: on their way into the queue

    def __contains__(self, session: str) -> bool:
        return session in self._queue.pending_messages_per_session

    def is_full(self) -> bool:
        return len(self._queue.pending_messages_per_session) >= MAX_SESSIONS

    def too_many_events(self, session: str, address: str, per_address: int) -> str | None:
        """Why a further event of the session cannot join, for its visitor."""
        if self._joining[session] + self._unread_events(session) >= MAX_EVENTS:
            return "This page has too many unfinished events. Wait until they have finished, or reload the page."
        if per_address and self._joining[address] + self._events_of(address) >= per_address:
            return "Your network has too many unfinished events. Try again in a moment."
        return None

    @contextmanager
    def joining(self, session: str, address: str) -> Iterator[None]:
        """Count an event that is on its way into the queue."""
        self._joining.update((session, address))
        try:
            yield
        finally:
            self._joining.subtract((session, address))
            self._joining += Counter()  # drops the zeros

    def is_read(self, session: str) -> bool:
        """Whether the session has as many streams as it may have."""
        return self._streams.count(session) >= MAX_STREAMS

    async def join(self, session: str) -> None:
        """Note an event of the session, and drop the sessions that nobody came to read."""
        self._joined[session] = now = self._clock()
        self._joined.move_to_end(session)
        while (first := next(iter(self._joined))) != session and now - self._joined[first] > UNREAD:
            del self._joined[first]
            if not self._streams.count(first):
                await self._drop(first)

    @contextmanager
    def reading(self, session: str) -> Iterator[Stream]:
        """A stream of the session; at its end an idle session is dropped."""
        try:
            with self._streams.reading(session) as stream:
                yield stream
        finally:
            if not self._streams.count(session) and not self._is_busy(session):
                self._forget(session)

    def _is_busy(self, session: str) -> bool:
        """Whether an event of the session waits or runs for a client that is there."""
        events = self._queue.pending_event_ids_session.get(session, ())
        known = self._queue.event_ids_to_events
        return any(known[event].alive for event in events if event in known)

    def _unread_events(self, session: str) -> int:
        """Events of the session whose end its page has not read."""
        return len(self._queue.pending_event_ids_session.get(session, ()))

    def _events_of(self, address: str) -> int:
        """Events of all sessions of an address that wait or run."""
        waiting = (event for queue in self._queue.event_queue_per_concurrency_id.values() for event in queue.queue)
        running = (event for job in self._queue.active_jobs for event in job or ())
        requests = (event.request for event in (*waiting, *running))
        return sum(request is not None and address_of_request(request) == address for request in requests)

    async def _drop(self, session: str) -> None:
        await self._queue.clean_events(session_hash=session)  # its events end: nothing is sent to it
        self._forget(session)

    def _forget(self, session: str) -> None:
        self._joined.pop(session, None)
        self._queue.pending_messages_per_session.pop(session, None)
        self._queue.pending_event_ids_session.pop(session, None)
