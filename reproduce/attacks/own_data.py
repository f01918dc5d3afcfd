"""What visitors do with their own data: downloads that nobody takes, and requests that race with a deletion."""

from __future__ import annotations

import random
import socket
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx

from reproduce.attacks.battle_api import tracebacks
from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.page import BATTLES, Page
from reproduce.attacks.target import MODELS, Target, target

DOWNLOADS = 34  # above `database.pool_size` + `database.pool_overflow`
BATTLES_OF_A_HISTORY = 8
LONG = "\u4e2d" * 200_000  # 600 KB for each battle, together more than the buffers of a connection take
TERSE = "\n".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0\nreplies = ["Fine."]\n' for name in MODELS
)
UNLIMITED = "[limits]\n" + "\n".join(
    f"{action}s_per_{scope} = 0" for action in ("battle", "turn", "vote") for scope in ("voter", "address")
)
LATE = 5.0  # seconds for a page or a vote
ROUNDS = 8


def slow_downloads(_: Target) -> Outcome:
    """Downloads of a large history that their clients do not take, while another visitor reads, asks and votes."""
    tries: list[str | None] = []
    with target(TERSE, UNLIMITED) as arena, ExitStack() as stack:
        http, other = (stack.enter_context(arena.visitor()) for _ in range(2))
        page, visitor = Page(http), Page(other)
        for _number in range(BATTLES_OF_A_HISTORY):
            page.answered("Hello?")
        _make_long(arena)
        battle = visitor.answered("Hello?")
        for _number in range(DOWNLOADS):
            stack.enter_context(_download(arena, http.cookies["arena_session"]))
        time.sleep(3)
        for request in (
            partial(other.get, "/leaderboard"),
            partial(other.get, "/readyz"),
            partial(other.get, f"{BATTLES}/{battle}"),
            partial(visitor.send, "POST", prompt="Hello?"),
            partial(visitor.vote, battle, "tie"),
        ):
            tries.append(_refused_or_late(request))
    return outcome("downloads that nobody takes", tries)


def _make_long(arena: Target) -> None:
    """Give each battle the words that its voter would have sent within an hour or two."""
    with closing(sqlite3.connect(arena.folder / "arena.db", timeout=20)) as connection, connection:
        connection.execute("UPDATE turn SET prompt = ?", (LONG,))


def racing_deletions(_: Target) -> Outcome:
    """A deletion at the same moment as other requests of the voter: a server error, or data that nobody can delete."""
    tries: list[str | None] = []
    with target(tables=UNLIMITED) as arena, arena.visitor() as http, ThreadPoolExecutor(9) as pool:
        for _round in range(ROUNDS):
            headers = {"authorization": f"Bearer {http.post('/api/v1/sessions').json()['token']}"}
            send = partial(_sent, arena.url, headers)
            battles = [send("POST", BATTLES, prompt="Hello?").json()["id"] for _ in range(2)]
            for battle in battles:
                http.get(f"{BATTLES}/{battle}/stream", headers=headers)
            requests = [partial(send, method, path, **body) for method, path, body in _requests(*battles)]
            random.shuffle(requests)
            replies = [future.result() for future in [pool.submit(request) for request in requests]]
            tries += [f"{reply.url}: {reply.status_code}" if reply.is_server_error else None for reply in replies]
            _deleted(send)
        tries += [_left(arena, table) for table in ("battle", "report", "recovery_code", "pending_vote")]
        tries.append(tracebacks(arena))
    return outcome("requests that race with a deletion", tries)


def _requests(first: str, second: str) -> list[tuple[str, str, dict[str, Any]]]:
    one, two = f"{BATTLES}/{first}", f"{BATTLES}/{second}"
    return [
        ("DELETE", "/api/v1/me", {}), ("POST", f"{one}/vote", {"winner": "tie"}), ("DELETE", f"{one}/vote", {}),
        ("POST", f"{two}/vote", {"winner": "tie", "final": True}), ("PUT", f"{one}/shared", {"shared": True}),
        ("POST", f"{one}/report", {"kind": "other"}), ("POST", "/api/v1/me/code", {}), ("POST", f"{two}/leave", {}),
        ("POST", BATTLES, {"prompt": "Hello?"}),
    ]  # fmt: skip


def _sent(url: str, headers: dict[str, str], method: str, path: str, **body: Any) -> httpx.Response:
    return httpx.request(method, url + path, headers=headers, json=body or None, timeout=20, trust_env=False)


def _deleted(send: Any) -> None:
    """Delete the voter, who is gone already unless a turn was running."""
    while send("DELETE", "/api/v1/me").status_code == 409:
        time.sleep(0.2)


def _left(arena: Target, table: str) -> str | None:
    """Evidence of rows of voters who were deleted."""
    former = " WHERE voter NOT LIKE 'former%'"
    with closing(sqlite3.connect(f"file:{arena.folder / 'arena.db'}?mode=ro", uri=True)) as connection:
        rows = connection.execute(f"SELECT count(*) FROM {table}{former}").fetchone()[0]
    return f"{rows} rows of {table}" if rows else None


def _download(arena: Target, cookie: str) -> socket.socket:
    """A request for the download whose reply is not read."""
    address = urlsplit(arena.url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((address.hostname, address.port))
    head = f"GET /api/v1/me/export HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: arena_session={cookie}\r\n\r\n"
    client.sendall(head.encode())
    return client


def _refused_or_late(request: Any) -> str | None:
    began = time.monotonic()
    try:
        reply = request()
    except httpx.TimeoutException:
        return "no reply"
    seconds = time.monotonic() - began
    refused = reply.is_server_error or seconds > LATE
    return f"{reply.url.path}: {reply.status_code} after {seconds:.1f} s" if refused else None
