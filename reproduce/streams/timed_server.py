"""The fake model of `reproduce/load_tests.py`: streams completions at known times, and keeps when it sent what.

    python reproduce/streams/timed_server.py --first 0.2 --gap 0.02 [--shape 4] [--seed 1]

Prints its address. A completion has as many one-word pieces as the request's token limit: the first one `--first` seconds
after the request arrived, each later one `--gap` seconds after the one before. With `--shape` the times are drawn from the
gamma distribution of this shape with those means, the same ones for the same seed. Times are absolute: a late piece delays
no later one. `GET /record?forget=1` returns the seconds at which each request arrived and each of its pieces was written.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import time
from dataclasses import asdict, dataclass, field

END_OF_CHUNKS = b"0\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nCache-Control: no-cache\r\n\r\n"
MODELS = {"object": "list", "data": [{"id": "timed", "object": "model", "created": 0, "owned_by": "arena"}]}


@dataclass
class Served:
    """One completion: the seconds at which the request had arrived, each piece was written, and it ended."""

    tokens: int
    arrived: float
    written: list[float] = field(default_factory=list)
    ended: float = 0.0
    lag: float = 0.0  # the most that a piece was written after its time


class Server:
    def __init__(self, first: float, gap: float, shape: float, seed: int) -> None:
        self.first, self.gap, self.shape, self.seed = first, gap, shape, seed
        self.record: list[Served] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await self._reply(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone, as clients do
        finally:
            writer.close()

    async def _reply(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = next((int(h[15:]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")), 0)
        body = await reader.readexactly(length)
        arrived = time.perf_counter()
        if head.startswith(b"POST"):
            await self._stream(json.loads(body), arrived, writer)
            return
        reply = {"served": [asdict(one) for one in self.record]} if b"/record" in head else MODELS
        if b"forget=1" in head:
            self.record = []
        text = json.dumps(reply).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text)
        )
        writer.write(text)
        await writer.drain()

    async def _stream(self, request: dict[str, object], arrived: float, writer: asyncio.StreamWriter) -> None:
        limit = request.get("max_completion_tokens") or request.get("max_tokens") or 16
        tokens = int(str(limit))
        served = Served(tokens, arrived)
        rng = random.Random(f"{self.seed}-{len(self.record)}")
        self.record.append(served)
        due = arrived
        for number in range(tokens):
            due += self._drawn(rng, self.gap if number else self.first)
            await asyncio.sleep(due - time.perf_counter())
            delta = {"content": "word "} if number else {"role": "assistant", "content": "word "}
            writer.write((b"" if number else HEAD) + _event({"choices": [_choice(delta)]}))
            served.written.append(time.perf_counter())
            served.lag = max(served.lag, served.written[-1] - due)
        usage = {"prompt_tokens": 8, "completion_tokens": tokens, "total_tokens": tokens + 8}
        writer.write(_event({"choices": [_choice({}, "length")]}) + _event({"choices": [], "usage": usage}))
        writer.write(_chunk(b"data: [DONE]\n\n") + END_OF_CHUNKS)
        served.ended = time.perf_counter()
        await writer.drain()

    def _drawn(self, rng: random.Random, mean: float) -> float:
        return mean if math.isinf(self.shape) else rng.gammavariate(self.shape, mean / self.shape)


def _choice(delta: dict[str, str], reason: str | None = None) -> dict[str, object]:
    return {"index": 0, "delta": delta, "finish_reason": reason}


def _event(value: dict[str, object]) -> bytes:
    whole = {"id": "0", "object": "chat.completion.chunk", "created": 0, "model": "timed", **value}
    return _chunk(b"data: " + json.dumps(whole).encode() + b"\n\n")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=float, default=0.2, help="mean seconds to the first piece")
    parser.add_argument("--gap", type=float, default=0.02, help="mean seconds between pieces")
    parser.add_argument(
        "--shape", type=float, default=math.inf, help="of the gamma distribution; constant without it"
    )
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    server = Server(given.first, given.gap, given.shape, given.seed)
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
