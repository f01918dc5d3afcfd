"""Server-sent events, from bytes to the text of a completion; at no time more than one event is in memory.

The format is that of the HTML standard, section 9.2.6 "Interpreting an event stream". httpx-sse has it too, but
reads lines of any length.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from arena.endpoints.endpoint import EndpointError, Failure, Finish, Thinking, Usage
from arena.endpoints.reply_schema import Chunk, checked, finish_reason, message, parsed, read_json, usage, valid
from arena.endpoints.size_limits import too_long

DONE = "[DONE]"

Event = dict[str, Any] | str  # an object, or the end mark


@dataclass
class Lines:
    """Lines of a stream of bytes, ended by LF, CRLF or CR; bytes that are not UTF-8 are replaced."""

    _partial: bytearray = field(default_factory=bytearray)

    def push(self, chunk: bytes) -> list[str]:
        """The lines that the chunk ends."""
        head, found, tail = chunk.rpartition(b"\n")
        if not found:
            self._partial += chunk
            return []
        whole, self._partial = bytes(self._partial) + head, bytearray(tail)
        return _lines(whole)

    def rest(self) -> list[str]:
        """The lines of a stream that ended without a line end."""
        whole, self._partial = bytes(self._partial), bytearray()
        return _lines(whole)


@dataclass
class Events:
    """The JSON objects of events, from their lines. Raises `EndpointError` for an event named `error`."""

    _name: str = ""
    _pending: list[str] = field(default_factory=list)

    def push(self, line: str) -> Event | None:
        """The event that this line completes.

        A line that is a whole object is complete at once: some servers write no empty line behind it.
        """
        if not line:
            return self.rest()
        name, _, value = line.removeprefix("\ufeff").partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value.strip()
        elif name == "data":
            self._pending.append(value)
            return self._whole(value) if len(self._pending) == 1 else None
        return None

    def rest(self) -> Event | None:
        """The event that is pending at an empty line or at the end of the stream."""
        data, name = "\n".join(self._pending).strip(), self._name
        self._pending, self._name = [], ""
        if not data:
            return None
        self._check(name, data)
        return parsed(data)

    def _whole(self, data: str) -> Event | None:
        """The event of a single line, if it needs no further line."""
        data = data.strip()
        if not (data == DONE or (data.startswith("{") and data.endswith("}"))):
            return None
        try:
            value = DONE if data == DONE else read_json(data)
        except ValueError:
            return None
        self._check(self._name, data)
        self._pending = []
        return DONE if data == DONE else checked(value, data)

    def _check(self, name: str, data: str) -> None:
        if name.casefold() == "error":
            raise EndpointError(Failure.BROKEN, f"the server failed midway: {message(data)}")


async def events(chunks: AsyncIterable[bytes]) -> AsyncGenerator[dict[str, Any]]:
    """The JSON objects of a stream of bytes, up to its end mark. Raises `EndpointError`."""
    lines, pending = Lines(), Events()
    async for chunk in chunks:
        for line in lines.push(chunk):
            event = pending.push(line)
            if event == DONE:
                return
            if isinstance(event, dict):
                yield event
    for line in [*lines.rest(), ""]:
        if isinstance(event := pending.push(line), dict):
            yield event


async def completion_events(
    chunks: AsyncIterable[bytes], most_characters: int, *, thinking: bool = False
) -> AsyncGenerator[str | Finish]:
    """Text deltas of the first choice, then its `Finish`; with `thinking` also its `Thinking`. Raises `EndpointError`."""
    reason: str | None = None
    used, characters, count = Usage(), 0, 0
    async with aclosing(events(chunks)) as objects:
        async for value in objects:
            count += 1
            chunk = valid(Chunk, value)
            used = usage(chunk.usage) or used
            for choice in (chunk.choices or [])[:1]:
                reason = finish_reason(choice.finish_reason) or reason
                text = choice.delta.text if choice.delta else choice.text or ""
                characters += len(text)
                too_long(characters, most_characters, "characters")
                if thinking and choice.delta is not None and choice.delta.has_thinking:
                    yield Thinking(choice.delta.thinking)
                if text:
                    yield text
    if reason is None:
        ended = "the stream ended before the completion was complete"
        raise EndpointError(Failure.BROKEN, ended if count else "the reply has no server-sent event")
    yield Finish(reason, used)


async def bounded(chunks: AsyncIterable[bytes], most_bytes: int) -> AsyncGenerator[bytes]:
    """The chunks, as long as they are within the limit. Raises `EndpointError`."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        too_long(size, most_bytes, "bytes")
        yield chunk


async def whole_text(chunks: AsyncIterable[bytes], most_bytes: int) -> str:
    """The text of all chunks. Raises `EndpointError` for more bytes than the limit."""
    return b"".join([chunk async for chunk in bounded(chunks, most_bytes)]).decode("utf-8", "replace")


async def start_of(chunks: AsyncIterable[bytes], most_bytes: int) -> str:
    """The text of the first bytes; the rest is not read."""
    data = bytearray()
    async for chunk in chunks:
        data += chunk[: most_bytes - len(data)]
        if len(data) >= most_bytes:
            break
    return data.decode("utf-8", "replace")


def _lines(data: bytes) -> list[str]:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").decode("utf-8", "replace").split("\n")
