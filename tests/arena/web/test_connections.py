"""Connections that send nothing, or heads that two programs could read in two ways, on a real server."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn

from arena.web.connections import RESERVED, Connections, protocol
from tests.support.server import Arena
from tests.support.timing import NO_HANG, until, until_async

pytestmark = pytest.mark.service

CONFIG = "".join(f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0\n' for name in ("one", "two"))
CONFIG = "[limits]\nconnections_per_address = 20\n" + CONFIG
HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-"
HOST = b"Host: 127.0.0.1\r\n"
BOTH = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    one = Arena(tmp_path_factory.mktemp("connections"), CONFIG)
    yield one
    one.stop(signal.SIGKILL)


def connection(url: str) -> socket.socket:
    target = urlsplit(url)
    return socket.create_connection((target.hostname or "", target.port or 80), timeout=60)


def ended(one: socket.socket) -> bool:
    """Whether the server has closed the connection."""
    one.settimeout(0.2)
    try:
        return one.recv(10) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.slow
def test_half_sent_requests_hold_up_nobody_of_their_network(arena):
    with ExitStack() as stack:
        halves = [stack.enter_context(connection(arena.url)) for _ in range(60)]
        for one in halves:
            one.sendall(HALF)
        until(lambda: sum(not ended(one) for one in halves) <= 20)
        for _ in range(5):
            assert httpx.get(f"{arena.url}/livez", trust_env=False, timeout=NO_HANG).status_code == 200


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"POST /api/v1/battles HTTP/1.1\r\n" + HOST + BOTH + b"\r\n", b"0\r\n\r\n"),
        (b"GET /livez HTTP/1.1\nHost: 127.0.0.1\n\n", b""),
        (b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n", b""),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_a_head_that_can_be_read_in_two_ways_is_refused_and_the_connection_closed(arena, head, body):
    with connection(arena.url) as one:
        one.sendall(head + body + b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n")
        received = b""
        while data := one.recv(65536):
            received += data
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1 ") == 1


async def served(limits: Connections) -> tuple[uvicorn.Server, asyncio.Task[None], str]:
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"served"})

    config = uvicorn.Config(app, port=0, http=protocol(limits), lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    return server, task, f"http://127.0.0.1:{port}"


async def asked(url: str, count: int, sent: bytes) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    target = urlsplit(url)
    found = [await asyncio.open_connection(target.hostname, target.port) for _ in range(count)]
    for _, writer in found:
        writer.write(sent)
    return found


@pytest.mark.parametrize("sent", [b"", HALF, b"GET / HTTP/1.1\r\n" + HOST + b"\r\n" + HALF])
async def test_a_head_has_ten_seconds(monkeypatch, sent):
    monkeypatch.setattr("arena.web.connections.HEAD_TIMEOUT", 0.3)
    server, task, url = await served(Connections(10, 1000))
    began = time.monotonic()
    [(reader, writer)] = await asked(url, 1, sent)
    with suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), NO_HANG)
    assert time.monotonic() - began > 0.2
    writer.close()
    server.should_exit = True
    await task


@pytest.mark.parametrize(("trusted", "open_ones"), [((), 3), (("127.0.0.0/8",), 10)])
async def test_an_address_has_so_many_connections_and_a_trusted_proxy_more(trusted, open_ones):
    limits = Connections(3, 1000, trusted)
    server, task, url = await served(limits)
    found = await asked(url, 10, HALF)
    await until_async(lambda: limits._open.total() >= open_ones)
    await asyncio.sleep(0.1)
    assert limits._open.total() == open_ones
    for _, writer in found:
        writer.close()
    await until_async(lambda: (limits._open.total(), limits._waiting) == (0, {}))
    server.should_exit = True
    await task


def test_some_files_are_left_for_the_database():
    assert Connections(0, 1024).total == 1024 - RESERVED
    assert Connections(0, 256).total == 128
