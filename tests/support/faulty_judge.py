"""A judge over HTTP whose verdict follows from the request alone, with every configured kind of failure."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections import Counter
from dataclasses import dataclass, field

FAULTS = (
    "429 with a pause", "429", "500", "silence", "dropped", "empty", "truncated", "not json", "refusal",
    "several verdicts", "no verdict",
)  # fmt: skip


@dataclass
class FaultyJudge:
    """Serves on loopback in a thread. A share of requests fails its first `times` calls, each in one way."""

    share: float = 0.0
    times: int = 0
    delay: float = 0.0
    faults: tuple[str, ...] = FAULTS
    calls: Counter[str] = field(default_factory=Counter)  # by the request's digest
    answered: int = 0
    reply: str = ""  # instead of a verdict that follows from the request
    url: str = ""

    def __enter__(self) -> FaultyJudge:
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)))
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self, started: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        connections: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._connection(reader, writer))
            connections.add(task)
            task.add_done_callback(connections.discard)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        started.set()
        await self._stop.wait()
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._call(reader, writer):
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the arena hung up
        finally:
            writer.close()

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection stays open."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        digest = hashlib.sha256(await reader.readexactly(length)).digest()
        if not length:  # a look at what the server is, nothing that is paid for
            writer.write(_http(404, {"error": "no such page"}))
            return True
        self.calls[digest.hex()] += 1
        await asyncio.sleep(self.delay)
        if digest[0] / 256 < self.share and self.calls[digest.hex()] <= self.times:
            return await _fail(self.faults[digest[1] % len(self.faults)], writer)
        self.answered += 1
        writer.write(_reply(self.reply or f"I compared them. [[{'AABBC'[digest[2] % 5]}]]"))
        return True


async def _fail(fault: str, writer: asyncio.StreamWriter) -> bool:
    if fault == "silence":
        await asyncio.sleep(30)
    elif fault == "dropped":
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n{")
    elif fault == "429 with a pause":
        writer.write(_http(429, {"error": "busy"}, "Retry-After: 0.05\r\n"))
    elif fault in ("401", "429", "500"):
        writer.write(_http(int(fault), {"error": "busy"}))
    elif fault == "not json":
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 8\r\n\r\n<html/>\n")
    else:
        writer.write(
            {
                "empty": _reply(""),
                "truncated": _reply("I think that", "length"),
                "refusal": _reply("no", "content_filter"),
                "several verdicts": _reply("It says [[A]] itself, so [[B]]"),
                "no verdict": _reply("Both are fine."),
            }[fault]
        )
    return fault not in ("silence", "dropped")


def _reply(text: str, finish: str = "stop") -> bytes:
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    return _http(200, {"choices": [{"message": {"content": text}, "finish_reason": finish}], "usage": usage})


def _http(status: int, body: object, headers: str = "") -> bytes:
    data = json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(data)}\r\n\r\n".encode() + data
