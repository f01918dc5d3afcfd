"""Events of a thread for the readers of an event loop: the loop is woken once for all that wait, not for each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from arena.endpoints.endpoint import EndpointError, Finish

Event = str | Finish | EndpointError
Events = asyncio.Queue[Event]
Send = Callable[[Event], None]


class Outbox:
    """Puts events into queues of `loop`, from one other thread or several."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: deque[tuple[Events, Event]] = deque()
        self._woken = False

    def sender(self, events: Events) -> Send:
        """A function for another thread that puts what it is given into `events`."""

        def send(event: Event) -> None:
            self._waiting.append((events, event))
            if not self._woken and not self.loop.is_closed():  # a closed loop has no reader
                self._woken = True
                self.loop.call_soon_threadsafe(self._deliver)

        return send

    def _deliver(self) -> None:
        self._woken = False  # first: what comes from now on wakes the loop again
        while self._waiting:
            events, event = self._waiting.popleft()
            events.put_nowait(event)


def at_the_end(send: Send) -> Send:
    """A function that keeps texts until the event that ends them."""
    texts: list[str] = []

    def hold(event: Event) -> None:
        if isinstance(event, str):
            texts.append(event)
            return
        if texts:
            send("".join(texts))
        send(event)

    return hold
