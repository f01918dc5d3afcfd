"""The fake judge of `reproduce/judges.py`: replies to every chat completion after a fixed delay, up to a rate.

    python reproduce/judge_server.py --delay 0.1 [--rate 100]

Prints its address. One process, plain asyncio, so that the server is not the bottleneck: it gives several
thousand replies per second. Above `--rate` per second (with a burst of one second) it replies 429 with
`Retry-After`. `GET /served` returns the number of replies and of 429s.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import time

TOP = [{"token": "m", "logprob": -0.3}, {"token": "M", "logprob": -1.35}]
COMPLETION = json.dumps(
    {
        "id": "0",
        "object": "chat.completion",
        "created": 0,
        "model": "fake",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "m"},
                "finish_reason": "stop",
                "logprobs": {"content": [{"token": "m", "logprob": -0.3, "bytes": None, "top_logprobs": TOP}]},
            }
        ],
        "usage": {"prompt_tokens": 500, "completion_tokens": 1, "total_tokens": 501},
    }
).encode()
BUSY = json.dumps({"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit"}}).encode()


class Server:
    def __init__(self, delay: float, rate: float | None) -> None:
        self.delay, self.rate = delay, rate
        self.allowance, self.looked = rate or 0.0, time.monotonic()
        self.served = self.turned_away = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._reply(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone, as clients do
        finally:
            writer.close()

    async def _reply(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = next((int(h[15:]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")), 0)
        await reader.readexactly(length)
        if head.startswith(b"GET"):
            counts = json.dumps({"served": self.served, "turned_away": self.turned_away, "data": []}).encode()
            writer.write(_http(200, counts))
        elif self._allowed():
            await asyncio.sleep(self.delay)
            self.served += 1
            writer.write(_http(200, COMPLETION))
        else:
            self.turned_away += 1
            wait = (1 - self.allowance) / self.rate
            writer.write(_http(429, BUSY, f"Retry-After: {wait:.3f}\r\n"))
        await writer.drain()

    def _allowed(self) -> bool:
        if self.rate is None:
            return True
        now = time.monotonic()
        self.allowance = min(self.rate, self.allowance + (now - self.looked) * self.rate)
        self.looked = now
        if self.allowance < 1:
            return False
        self.allowance -= 1
        return True


def _http(status: int, body: bytes, headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.1, help="seconds before each reply")
    parser.add_argument("--rate", type=float, help="replies per second; unlimited by default")
    given = parser.parse_args()
    server = await asyncio.start_server(Server(given.delay, given.rate).handle, "127.0.0.1", 0, backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
