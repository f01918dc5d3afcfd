"""An OpenAI-compatible model server that writes one text at a fixed pace, for many streams at once.

    python -m reproduce.streams.model_server PORT TOKENS PER_SECOND

Each completion begins with the time at which its first token was sent, such as `@123.456789@`, on the clock that all
processes of the machine share (`time.monotonic`).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import cycle, islice

TEXT = (
    "The **short answer** is that both ways work , but they differ in what they cost . "
    "First , look at the size of the data , then choose :\n\n"
    "- a `list` when the order matters\n- a `set` when it does not\n- a *tree* when both grow\n\n"
    "In practice the second one is enough for most people who read only a part of it at a time .\n\n"
)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def tokens(number: int) -> list[str]:
    """The tokens of every completion after the first: about four characters each."""
    words = [word + " " for word in TEXT.split(" ")]
    return list(islice(cycle(words), number - 1))


class Connection(asyncio.Protocol):
    """One client; its requests come one after the other."""

    def __init__(self, number: int, per_second: float) -> None:
        self.tokens = [_event(token) for token in tokens(number)]
        self.pause = 1 / per_second
        self.received = b""
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if separator and len(body) >= int(lengths[0].partition(b":")[2] if lengths else 0):
            self.received = b""
            self.transport.write(HEAD + _event(f"@{time.monotonic():.6f}@ "))
            self._write(0)

    def _write(self, position: int) -> None:
        if position:
            self.transport.write(self.tokens[position - 1])
        if position < len(self.tokens):
            self.timer = asyncio.get_running_loop().call_later(self.pause, self._write, position + 1)
        else:
            self.transport.write(_event(None) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _event(token: str | None) -> bytes:
    delta = {} if token is None else {"content": token}
    choice = {"index": 0, "delta": delta, "finish_reason": "stop" if token is None else None}
    return _chunk(
        b"data: " + json.dumps({"object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"
    )


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def serve(port: int, number: int, per_second: float) -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(number, per_second), "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
