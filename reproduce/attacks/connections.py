"""Running out of connections or of time: half-sent requests, events on one turn, ambiguous heads, repeated parameters."""

from __future__ import annotations

import re
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx

from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.page import Page
from reproduce.attacks.spending import SLOW
from reproduce.attacks.target import Target, target

HOST = b"Host: 127.0.0.1\r\n"
HALF = b"GET / HTTP/1.1\r\n" + HOST + b"X-"
NEXT = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"
BOTH = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
SLOWEST = 3.0  # seconds that another visitor may wait
AMBIGUOUS = {
    "length and encoding": b"POST /gradio_api/queue/join HTTP/1.1\r\n" + HOST + BOTH,
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


def events_on_one_turn(_: Target) -> Outcome:
    """43 events that show one running turn; then another visitor loads a page and asks."""
    with target(SLOW) as arena, arena.visitor() as http, arena.visitor() as other:
        page, found = Page(http), ""
        page.join(page.events["send"], ["hello", ""])
        tries: list[str | None] = []
        for message in page.messages():
            battle = re.search(r'data-battle=\\?"([\w-]+)', str(message))
            if battle and not found:
                found = battle.group(1)
                for _number in range(43):
                    page.join(page.events["resume"], [found])
                tries = [_late(arena) for _ in range(5)]
                began = time.monotonic()
                tab = Page(other)
                answered = "process_completed" in tab.call(tab.events["resume"], [""])
                tries.append(None if answered and time.monotonic() - began < SLOWEST else "no answer in time")
                break
    return outcome("events on one turn", tries)


def ambiguous_heads(arena: Target) -> Outcome:
    """Heads that a proxy could read in another way, each with a second request behind it."""
    tries = []
    for name, head in AMBIGUOUS.items():
        reply = _reply(arena, head + NEXT)
        through = reply.count(b"HTTP/1.1 ") != 1 or not reply.startswith(b"HTTP/1.1 400")
        tries.append(name if through else None)
    return outcome("ambiguous heads", tries)


def repeated_parameters(arena: Target) -> Outcome:
    """Streams of a session that exists and one that does not."""
    with arena.visitor() as http:
        page = Page(http)
        page.join(page.events["resume"], [""])
        sessions = ((page.session, "made-up"), ("made-up", page.session), (page.session, page.session))
        tries = [_unrefused(http, both) for both in sessions]
    return outcome("repeated parameters", [*tries, "a traceback" if "Traceback" in arena.log else None])


def _unrefused(http: httpx.Client, sessions: tuple[str, str]) -> str | None:
    """What happens to a stream with two sessions, if it is not refused."""
    try:
        reply = http.get("/gradio_api/queue/data", params=[("session_hash", one) for one in sessions])
    except httpx.TransportError as error:
        return type(error).__name__
    return None if reply.status_code == 400 else str(reply.status_code)


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
