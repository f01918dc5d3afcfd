"""Whole replies over HTTP from a server that says exactly what a test wants it to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from arena.endpoints import EndpointError, Failure
from arena.endpoints.endpoint import answer
from arena.endpoints.openai import OpenAI
from arena.endpoints.scripted import Scripted

pytestmark = pytest.mark.service

REQUEST = {"messages": [{"role": "user", "content": "Hello? \ud800"}], "max_tokens": 5}
WHOLE = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
KEY = "sk-very-secret"


def http(status: int, body: str, headers: str = "") -> bytes:
    data = body.encode()
    return f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(data)}\r\n\r\n".encode() + data


@asynccontextmanager
async def server(reply: bytes | None) -> AsyncIterator[tuple[OpenAI, list[bytes]]]:
    """An endpoint whose server sends these bytes and closes; None never says anything."""
    seen: list[bytes] = []
    calls: list[asyncio.Task[None]] = []

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(asyncio.create_task(handle(reader, writer)))

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        seen.append(head + await reader.readexactly(length))
        if reply is not None:
            writer.write(reply)
            await writer.drain()
        else:
            await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        endpoint = OpenAI(
            f"http://127.0.0.1:{port}/v1", "some-model", key=KEY, read_timeout=0.2 if reply is None else 30
        )
        try:
            yield endpoint, seen
        finally:
            await endpoint.close()
            await asyncio.gather(*calls)


async def failure(reply: bytes | None) -> EndpointError:
    async with server(reply) as (endpoint, _):
        with pytest.raises(EndpointError) as caught:
            await answer(endpoint, REQUEST)
    return caught.value


async def test_the_body_of_the_reply_comes_back_whole():
    async with server(http(200, json.dumps(WHOLE))) as (endpoint, seen):
        assert await answer(endpoint, REQUEST) == WHOLE
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert f"Bearer {KEY}".encode() in head
    assert json.loads(body) | {"messages": []} == {
        "model": "some-model", "stream": False, "max_tokens": 5, "messages": []
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "expected", "message"),
    [
        (
            http(401, '{"error": {"message": "no key sk-very-secret"}}'),
            Failure.UNAUTHORISED,
            "no key •••",
        ),
        (http(400, '{"error": "context too long"}'), Failure.REFUSED, "context too long"),
        (http(429, "slow down"), Failure.RATE_LIMITED, "slow down"),
        (http(500, "oops"), Failure.BROKEN, "oops"),
        (http(200, "not json"), Failure.BROKEN, "not JSON"),
        (http(200, '{"choices": []}'), Failure.BROKEN, "without a message"),
        (b"HTTP/1.1 200 X\r\nContent-Length: 500\r\n\r\n{", Failure.BROKEN, "127.0.0.1"),
        (b"", Failure.BROKEN, "127.0.0.1"),
        (None, Failure.TIMEOUT, "silent for 0.2 s"),
    ],
)
async def test_what_is_no_reply_is_a_typed_error(reply, expected, message):
    error = await failure(reply)
    assert error.failure is expected
    assert message in error.detail
    assert KEY not in error.detail


async def test_a_server_that_is_not_there_is_unreachable():
    endpoint = OpenAI("http://127.0.0.1:9/v1", "some-model")
    with pytest.raises(EndpointError) as caught:
        await answer(endpoint, REQUEST)
    assert caught.value.failure is Failure.UNREACHABLE
    await endpoint.close()


LATER: list[tuple[Callable[[], str], float | None]] = [
    (lambda: "7", 7),
    (lambda: "0.5", 0.5),
    (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True), 60),
    (lambda: "soon", None),
]


@pytest.mark.parametrize(("header", "seconds"), LATER)
async def test_retry_after_is_read_in_both_of_its_forms(header, seconds):
    error = await failure(http(429, "slow down", f"Retry-After: {header()}\r\n"))
    assert error.retry_after == (pytest.approx(seconds, rel=0.3) if seconds else None)


async def test_an_endpoint_that_only_streams_is_joined():
    reply = await answer(Scripted(replies=("one two three",), delay=0), {**REQUEST, "max_tokens": 2})
    assert reply["choices"][0]["message"]["content"] == "one two"
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["usage"]["completion_tokens"] == 2
