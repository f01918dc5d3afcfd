"""Running out of connections or of time: half-sent requests, streams of one turn, ambiguous heads."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx

from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.page import BATTLES, Page
from reproduce.attacks.spending import SLOW
from reproduce.attacks.target import Target, target

HOST = b"Host: 127.0.0.1\r\n"
HALF = b"GET / HTTP/1.1\r\n" + HOST + b"X-"
NEXT = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"
BOTH = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
SLOWEST = 3.0  # seconds that another visitor may wait
AMBIGUOUS = {
    "length and encoding": b"POST /api/v1/battles HTTP/1.1\r\n" + HOST + BOTH,
    "bare line feeds": b"GET /livez HTTP/1.1\nHost: 127.0.0.1\n\n",
    "a folded line": b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
}


def half_sent_requests(arena: Target) -> Outcome:
    """1,100 connections with half a request each, then a visitor of the same address, then the time of a head."""
    with ExitStack() as stack:
        halves = [stack.enter_context(_connection(arena)) for _ in range(1100)]
        for one in halves:
            try:
                one.sendall(HALF)
            except OSError:
                continue  # closed in favour of a later one
        tries = [_late(arena) for _ in range(5)]
        time.sleep(12)
        tries += ["still open" if _is_open(one) else None for one in halves]
    return outcome("half-sent requests", tries)


def streams_of_one_turn(_: Target) -> Outcome:
    """43 streams of one running turn; then another visitor loads a page and begins a battle."""
    with target(SLOW) as arena, arena.visitor() as http, arena.visitor() as other, ExitStack() as stack:
        page = Page(http)
        battle = page.begin("hello")
        for _number in range(43):
            stack.enter_context(http.stream("GET", f"{BATTLES}/{battle}/stream"))
        tries = [_late(arena) for _ in range(5)]
        began = time.monotonic()
        answered = Page(other).send("POST", prompt="hello").is_success
        tries.append(None if answered and time.monotonic() - began < SLOWEST else "no answer in time")
    return outcome("streams of one turn", tries)


def ambiguous_heads(arena: Target) -> Outcome:
    """Heads that a proxy could read in another way, each with a second request behind it."""
    tries = []
    for name, head in AMBIGUOUS.items():
        reply = _reply(arena, head + NEXT)
        through = reply.count(b"HTTP/1.1 ") != 1 or not reply.startswith(b"HTTP/1.1 400")
        tries.append(name if through else None)
    return outcome("ambiguous heads", tries)


def _late(arena: Target) -> str | None:
    """Whether a visitor waits too long."""
    try:
        httpx.get(f"{arena.url}/livez", timeout=SLOWEST, trust_env=False).raise_for_status()
    except httpx.HTTPError as error:
        return f"a visitor: {type(error).__name__}"
    return None


def _connection(arena: Target) -> socket.socket:
    address = urlsplit(arena.url)
    return socket.create_connection((address.hostname or "", address.port or 80), timeout=10)


def _is_open(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        return one.recv(1000) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def _reply(arena: Target, request: bytes) -> bytes:
    with _connection(arena) as one:
        one.settimeout(2)
        one.sendall(request)
        received = b""
        try:
            while data := one.recv(65536):
                received += data
        except TimeoutError:
            pass  # the connection is kept
    return received
