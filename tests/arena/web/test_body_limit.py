"""Requests that are too large or too slow, on a real server."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from arena.web.body_limit import BodyLimit
from arena.web.rendering import templates
from tests.support.server import Arena
from tests.support.timing import NO_HANG

CONFIG = "".join(f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0\n' for name in ("one", "two"))
BATTLES = "/api/v1/battles"


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    one = Arena(tmp_path_factory.mktemp("limits"), CONFIG)
    yield one
    one.stop(signal.SIGKILL)


def megabytes(arena: Arena) -> float:
    status = Path(f"/proc/{arena.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def connection(arena: Arena) -> socket.socket:
    target = urlsplit(arena.url)
    return socket.create_connection((target.hostname, target.port), timeout=60)


def sent(arena: Arena, head: str, chunk: bytes = b"", times: int = 0) -> tuple[str, int]:
    """The first line of the reply, and how many chunks were accepted before the server stopped reading."""
    with connection(arena) as one:
        done = 0
        try:
            one.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
            while done < times:
                one.sendall(chunk)
                done += 1
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        try:
            return one.recv(4096).decode().splitlines()[0], done
        except (ConnectionResetError, IndexError):
            return "closed", done


@pytest.mark.slow
@pytest.mark.parametrize("path", [BATTLES, "/explain/x", "/gradio_api/upload", "/nosuch"])
def test_a_body_that_is_declared_too_large_is_refused_at_once(arena, path):
    line, _ = sent(
        arena, f"POST {path} HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 9000000000\nContent-Type: application/json"
    )
    assert re.search("413|404", line), line  # not 408: it does not wait for the body


@pytest.mark.parametrize("path", [BATTLES, "/explain/x", "/gradio_api/process_recording", "/nosuch"])
@pytest.mark.parametrize("way", ["chunked", "declared"])
@pytest.mark.slow
def test_the_memory_stays_flat_while_a_large_body_is_sent(arena, path, way):
    before, size = megabytes(arena), 1 << 20
    how = "Transfer-Encoding: chunked" if way == "chunked" else "Content-Length: 9000000000"
    chunk = b"%x\r\n" % size + b"x" * size + b"\r\n" if way == "chunked" else b"x" * size
    line, accepted = sent(
        arena, f"POST {path} HTTP/1.1\nHost: 127.0.0.1\n{how}\nContent-Type: application/json", chunk, 200
    )
    assert re.search("413|404|closed", line), line
    assert accepted < 200, "the server read everything"
    assert megabytes(arena) - before < 20


@pytest.mark.slow
def test_a_body_within_the_limit_is_read_in_chunks(arena):
    token = httpx.post(f"{arena.url}/api/v1/sessions", trust_env=False).json()["token"]
    pieces = (piece for piece in (b'{"pro', b'mpt": ', b'" "}'))
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    reply = httpx.post(arena.url + BATTLES, content=pieces, headers=headers, trust_env=False)
    assert (reply.status_code, reply.json()["code"]) == (422, "prompt_empty")


@pytest.mark.slow
def test_a_body_above_the_limit_says_how_large_it_may_be(arena):
    reply = httpx.post(arena.url + BATTLES, json={"data": ["x" * 1_000_001]}, trust_env=False)
    assert reply.status_code == 413
    assert "at most 1,000,000 bytes" in reply.json()["detail"]


@pytest.mark.parametrize("path", ["/battles", "/leaderboard", "/api/v1/leaderboard", "/", "/models/x", "/nosuch"])
@pytest.mark.slow
def test_a_long_query_is_refused(arena, path):
    for length, statuses in ((9_000, "414|404"), (60_000, "414|404"), (300_000, "400|closed")):
        line, _ = sent(arena, f"GET {path}?q={'x' * length} HTTP/1.1\nHost: 127.0.0.1")
        assert re.search(statuses, line), (length, line)


@pytest.mark.slow
def test_large_headers_are_refused(arena):
    for length, statuses in ((40_000, " 431 "), (300_000, "400|closed")):
        line, _ = sent(arena, f"GET / HTTP/1.1\nHost: 127.0.0.1\nX-Large: {'x' * length}")
        assert re.search(statuses, line), (length, line)


@pytest.mark.slow
def test_a_length_that_is_no_number_is_refused(arena):
    for length in ("-1", "1e3", "²", "0x10"):
        line, _ = sent(arena, f"POST {BATTLES} HTTP/1.1\nHost: 127.0.0.1\nContent-Length: {length}")
        assert " 400 " in line


@pytest.mark.slow
def test_a_get_request_has_no_body(arena):
    line, _ = sent(arena, "GET /leaderboard HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 5")
    assert " 400 " in line


async def test_a_slow_body_is_refused_after_its_time():
    async def never(scope, receive, send):
        raise AssertionError("the application was called")

    async def trickle():
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    replies = []

    async def send(message):
        replies.append(message)

    limits = BodyLimit(never, templates("Arena"), 1000, body_timeout=0.2)
    headers = [(b"transfer-encoding", b"chunked")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": BATTLES,
        "raw_path": BATTLES.encode(),
        "query_string": b"",
        "headers": headers,
    }
    async with asyncio.timeout(NO_HANG):
        await limits(scope, trickle, send)
    assert replies[0]["status"] == 408
    assert "0.2 s" in json.loads(replies[1]["body"])["detail"]
