"""Requests to one model server, many at once, through aiohttp.

httpx looks through its whole pool for each call: 13 ms of processor time at 256 connections, against 0.3 ms here; and it
takes three times as long to read a token of a stream (docs/decisions/aiohttp-for-models.md).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from arena.endpoints.endpoint import EndpointError, Failure
from arena.endpoints.event_stream import whole_text


@dataclass(frozen=True)
class HttpReply:
    """The status, headers and text of one reply."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True)
class HttpStream:
    """The status, headers and bytes of one reply as they come. Reading `chunks` raises `EndpointError`."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


@dataclass
class HttpClient:
    """A client of `url`. Posts share their connections, a stream has its own. Times in seconds."""

    url: str
    headers: Mapping[str, str] = field(repr=False)  # one of them has the key
    connect_timeout: float
    read_timeout: float
    use_proxy: bool
    _sessions: dict[bool, aiohttp.ClientSession] = field(default_factory=dict)  # by whether connections stay open

    async def post(self, path: str, body: Mapping[str, Any], most_bytes: int) -> HttpReply:
        """The reply to a posted body, after no redirect. Raises `EndpointError` without a complete reply."""
        async with self._reply("POST", path, encoded(body), keeps_open=True) as reply:
            check_encoding(reply.headers)
            return HttpReply(reply.status, reply.headers, await whole_text(reply.chunks, most_bytes))

    def stream(self, method: str, path: str, data: bytes | None = None) -> AbstractAsyncContextManager[HttpStream]:
        """The reply to a request once its head is there, after no redirect. Raises `EndpointError`.

        Its connection is not used again: llama.cpp closes it at the end of a stream and does not say so before.
        """
        return self._reply(method, path, data, keeps_open=False)

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    @asynccontextmanager
    async def _reply(
        self, method: str, path: str, data: bytes | None, *, keeps_open: bool
    ) -> AsyncIterator[HttpStream]:
        session = self._session(keeps_open)
        with self._failures():
            # The read timeout begins again with each informational response, and a server may send them for ever.
            async with asyncio.timeout(self.connect_timeout + self.read_timeout):
                reply = await session.request(method, self.url + path, data=data, allow_redirects=False)
        async with reply:
            yield HttpStream(reply.status, reply.headers, self._chunks(reply))

    async def _chunks(self, reply: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        with self._failures():
            async for chunk in reply.content.iter_any():
                yield chunk

    def _session(self, keeps_open: bool) -> aiohttp.ClientSession:
        if keeps_open not in self._sessions:
            timeout = aiohttp.ClientTimeout(None, sock_connect=self.connect_timeout, sock_read=self.read_timeout)
            self._sessions[keeps_open] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, force_close=not keeps_open),
                headers={"Content-Type": "application/json", **self.headers},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=timeout,
                trust_env=self.use_proxy,
            )
        return self._sessions[keeps_open]

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """A context in which errors of the connection become `EndpointError`."""
        try:
            yield
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            raise EndpointError(Failure.UNREACHABLE, f"{self.url}: {error}") from error
        except (aiohttp.ServerTimeoutError, asyncio.TimeoutError) as error:  # noqa: UP041  (aiohttp's own base)
            raise EndpointError(Failure.TIMEOUT, f"{self.url}: silent for {self.read_timeout:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise EndpointError(Failure.BROKEN, f"{self.url}: {error or type(error).__name__}") from error


def encoded(body: Mapping[str, Any]) -> bytes:
    """The body as JSON; half a surrogate pair, which UTF-8 cannot encode, becomes a question mark."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def check_encoding(headers: Mapping[str, str]) -> None:
    """Raises `EndpointError` for a compressed reply, which the request excludes."""
    encoding = str(headers.get("content-encoding") or "identity").strip().casefold()
    if encoding != "identity":
        detail = f"The reply is compressed ({encoding[:40]}). Set the server to obey Accept-Encoding: identity."
        raise EndpointError(Failure.BROKEN, detail)
