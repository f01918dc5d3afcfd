"""Connections: how many one address has, how long each may take to send a request, and heads that are read one way.

A connection that sends nothing takes a file descriptor, and a process has few: 1,100 of them closed an arena.
"""

from __future__ import annotations

import asyncio
import re
import resource
from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from arena.web.client_address import counted_address

HEAD_TIMEOUT = 10.0  # seconds from the connection, or the end of the last reply, to the end of a head
RESERVED = 200  # descriptors for the database, files and models' servers
MOST_FILES = 65_536  # descriptors that a process asks for; the hard limit may be a billion
BARE_LF, FOLDED = re.compile(rb"(?<!\r)\n"), re.compile(rb"\n[ \t]")
FULL = (
    b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: 5\r\n"
    b"connection: close\r\n\r\nYour network has too many connections open. Close some pages and try again.\n"
)


def raise_file_limit() -> int:
    """Raise the soft limit of open files to the hard one; returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return MOST_FILES if soft == resource.RLIM_INFINITY else soft


class Connections:
    """The open connections of a server by address. One event loop.

    An address that has all its connections loses the one that has waited longest for a request, so that half-sent
    requests hold up neither others nor their own network. 0 is no limit.
    """

    def __init__(self, per_address: int, files: int, trusted: Sequence[str] = ()) -> None:
        self.per_address, self.total = per_address, max(files - RESERVED, files // 2)
        self._trusted = [ip_network(proxy) for proxy in trusted]
        self._open: Counter[str] = Counter()
        self._waiting: dict[ArenaProtocol, str] = {}  # in the order in which they began to wait

    def admit(self, one: ArenaProtocol) -> bool:
        """Count a new connection; False when there is no room for it."""
        address = one.address
        if self.per_address and self._open[address] >= self.per_address and not self._is_proxy(one):
            room = self._close_longest_waiting(address)
        else:
            room = self._open.total() < self.total or self._close_longest_waiting(None)
        if room:
            self._open[address] += 1
        return room

    def closed(self, one: ArenaProtocol) -> None:
        self._waiting.pop(one, None)
        self._open[one.address] -= 1
        if self._open[one.address] <= 0:
            del self._open[one.address]

    def waits(self, one: ArenaProtocol, for_request: bool) -> None:
        """Note that a connection waits for a request, or no longer does."""
        self._waiting.pop(one, None)
        if for_request:
            self._waiting[one] = one.address

    def _close_longest_waiting(self, address: str | None) -> bool:
        """Close the connection, of any address for None, that has waited longest; False when none waits."""
        found = next((one for one, of in self._waiting.items() if address in (None, of)), None)
        if found is None:
            return False
        del self._waiting[found]
        found.transport.abort()
        return True

    def _is_proxy(self, one: ArenaProtocol) -> bool:
        if one.client is None:
            return False
        client = ip_address(one.client[0])
        return any(client in network for network in self._trusted)


class StrictConnection(h11.Connection):
    """Refuses heads that a proxy in front could read in another way: a request would hide in another's body."""

    def next_event(self) -> Any:
        if self.their_state is h11.IDLE:
            head = self.trailing_data[0].partition(b"\r\n\r\n")[0]
            if BARE_LF.search(head) or FOLDED.search(head):
                raise h11.RemoteProtocolError("A line of the head does not end with CR LF, or is folded.")
        event = super().next_event()
        if isinstance(event, h11.Request):
            names = {name.lower() for name, _ in event.headers}
            if {b"content-length", b"transfer-encoding"} <= names:
                raise h11.RemoteProtocolError("Content-Length and Transfer-Encoding are given together.")
        return event


class ArenaProtocol(H11Protocol):
    """HTTP of one connection. `limits` is set in a subclass for each server: see `protocol`."""

    limits: Connections

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        limit = self.config.h11_max_incomplete_event_size or 65_536
        self.conn = StrictConnection(h11.SERVER, limit)
        self.address = counted_address(None)
        self._admitted = False
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = counted_address(self.client[0] if self.client else None)
        self._admitted = self.limits.admit(self)
        if self._admitted:
            self._note_wait()
        else:
            transport.write(FULL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._admitted:
            self.limits.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._admitted:
            super().data_received(data)
            self._note_wait()

    def on_response_complete(self) -> None:
        self._stop_timer()
        super().on_response_complete()
        self._note_wait()

    def _should_upgrade(self) -> bool:
        return False  # no page uses a WebSocket

    def _note_wait(self) -> None:
        """Start the time of a head, or end it when the request is there."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_timer()
            self.limits.waits(self, False)
        elif self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT, self.transport.abort)
            self.limits.waits(self, True)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def protocol(limits: Connections) -> type[ArenaProtocol]:
    """The protocol of a server with these limits."""
    return type("LimitedProtocol", (ArenaProtocol,), {"limits": limits})
