"""A server on loopback that sends the bytes of a test, and an endpoint that calls it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from arena.endpoints.openai import OpenAI

KEY = "sk-very-secret-Zx81"
EVENTS = "Content-Type: text/event-stream\r\n"


def http(status: int, body: str | bytes, headers: str = "") -> bytes:
    data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(data)}\r\n\r\n".encode("latin-1") + data


def stream(*events: object) -> bytes:
    lines = [f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n" for event in events]
    return http(200, "".join(lines), EVENTS)


@asynccontextmanager
async def server(reply: bytes, endless: bytes = b"", **settings: object) -> AsyncIterator[OpenAI]:
    """An endpoint whose server sends `reply`, then `endless` again and again, until the client leaves."""
    calls: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"(?i)content-length: *(\d+)", head)
            await reader.readexactly(int(size[1]) if size else 0)  # a close before it would reset the connection
            writer.write(reply)
            while endless:
                writer.write(endless)
                await writer.drain()
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.add(asyncio.create_task(handle(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        options = {"key": KEY, "read_timeout": 5, "retries": 0, **settings}
        endpoint = OpenAI(f"http://127.0.0.1:{port}/v1", "some-model", **options)
        try:
            yield endpoint
        finally:
            await endpoint.close()
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
