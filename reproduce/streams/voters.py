"""Voters of `reproduce/load.py`: each begins a battle, reads its stream to the end and votes."""

from __future__ import annotations

import asyncio
import json
import re
import time
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

SENT = re.compile(rb"@(\d+\.\d+)@")
OF_THE_RAW_PROXY = "/battle"
PATIENCE = 300.0  # seconds


@dataclass(frozen=True)
class Reading:
    """What a voter measured: the delay of the first text in seconds, the turn in seconds, bytes on the wire and of text."""

    delay: float
    seconds: float
    wire: int
    text: int
    voted: bool


class Failed(Exception):
    """The server refused a request."""


async def request(
    port: int, method: str, path: str, headers: Mapping[str, str] | None = None, body: object = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, dict[str, str]]:
    """The connection of a request after the head of the reply. Raises `Failed` unless it is a success."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    data = b"" if body is None else json.dumps(body).encode()
    head = {"host": f"127.0.0.1:{port}", "connection": "close", "content-length": str(len(data))}
    head |= {"content-type": "application/json"} if data else {}
    lines = [
        f"{method} {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in (head | dict(headers or {})).items()),
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode() + data)
    raw = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status, *rest = raw.strip().split("\r\n")
    if not status.split()[1].startswith("2"):
        raise Failed(f"{method} {path}: {status} {(await reader.read()).decode()[:300]}")
    return (
        reader,
        writer,
        {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)},
    )


async def call(port: int, method: str, path: str, token: str, body: object = None) -> dict[str, object]:
    """The JSON of a reply."""
    authorization = {"authorization": f"Bearer {token}"} if token else {}
    reader, writer, head = await request(port, method, path, authorization, body)
    data = await reader.read()
    writer.close()
    if head.get("transfer-encoding") == "chunked":
        data = b"".join(re.findall(rb"(?s)[0-9a-f]+\r\n(.+?)\r\n", data))
    reply: dict[str, object] = json.loads(data)
    return reply


async def pieces(reader: asyncio.StreamReader, head: Mapping[str, str]) -> AsyncIterator[tuple[bytes, int]]:
    """The decoded parts of a chunked reply, each with its bytes on the wire."""
    encoded = head.get("content-encoding", "identity")
    inflate = zlib.decompressobj(wbits=31 if encoded == "gzip" else 15) if encoded != "identity" else None
    while True:
        line = await reader.readline()
        size = int(line, 16) if line.strip() else 0
        chunk = await reader.readexactly(size + 2)
        if size == 0:
            return
        part = chunk[:-2]
        yield inflate.decompress(part) if inflate else part, len(line) + len(chunk)


async def read_stream(port: int, path: str, headers: Mapping[str, str]) -> tuple[float, int, float]:
    """The delay of the first text of both sides in seconds, the bytes, and the time of the end of a stream."""
    reader, writer, head = await request(port, "GET", path, {"accept-encoding": "gzip", **headers})
    sent: set[float] = set()
    delay, wire, recent = 0.0, 0, b""
    async for piece, size in pieces(reader, head):
        wire += size
        if len(sent) < 2 and b"@" in piece:
            recent += piece
            new = {float(found) for found in SENT.findall(recent)} - sent
            sent |= new
            delay = max([delay, *(time.monotonic() - moment for moment in new)])
    writer.close()
    return delay, wire, time.monotonic()


async def read_raw(port: int, text: int) -> Reading:
    """One battle through the raw proxy."""
    begun = time.monotonic()
    delay, wire, ended = await read_stream(port, OF_THE_RAW_PROXY, {})
    return Reading(delay, ended - begun, wire, text, voted=False)


async def vote(port: int, form: str) -> Reading:
    """One battle of a new voter in the arena."""
    session = await call(port, "POST", "/api/v1/sessions", "")
    token = str(session["token"])
    begun = time.monotonic()
    battle = await call(port, "POST", "/api/v1/battles", token, {"prompt": "Which one is better?"})
    here = f"/api/v1/battles/{battle['id']}"
    delay, wire, ended = await read_stream(
        port, f"{here}/stream?format={form}", {"authorization": f"Bearer {token}"}
    )
    state = await call(port, "GET", here, token)
    turns = state["turns"]
    assert isinstance(turns, list)
    text = sum(len(side["text"].encode()) for side in turns[0]["completions"].values())
    voted = await call(port, "POST", f"{here}/vote", token, {"winner": "tie", "final": True})
    return Reading(delay, ended - begun, wire, text, voted=bool(voted["vote"]))
