"""JSON requests to one server, many at once, through aiohttp.

Batches have hundreds of calls under way. httpx looks through its whole pool for each of them: 13 ms of processor
time a call at 256 connections, against 0.3 ms here (docs/decisions/aiohttp-for-batches.md).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass
class HttpClient:
    """A client that keeps its connections to `url` open between calls. Times in seconds."""

    url: str
    headers: Mapping[str, str]
    connect_timeout: float
    read_timeout: float
    use_proxy: bool
    _session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: Mapping[str, Any], most_bytes: int) -> HttpReply:
        """The reply to a posted body, after no redirect. Raises `EndpointError` without a complete reply."""
        try:
            # The read timeout begins again with each informational response, and a server may send them for ever.
            async with asyncio.timeout(self.connect_timeout + self.read_timeout):
                posted = await self._open().post(self.url + path, data=encoded(body), allow_redirects=False)
            async with posted as reply:
                check_encoding(reply.headers)
                text = await whole_text(reply.content.iter_any(), most_bytes)
                return HttpReply(reply.status, reply.headers, text)
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            raise EndpointError(Failure.UNREACHABLE, f"{self.url}: {error}") from error
        except (aiohttp.ServerTimeoutError, asyncio.TimeoutError) as error:  # noqa: UP041  (aiohttp's own base)
            raise EndpointError(Failure.TIMEOUT, f"{self.url}: silent for {self.read_timeout:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise EndpointError(Failure.BROKEN, f"{self.url}: {error or type(error).__name__}") from error

    async def close(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(None, sock_connect=self.connect_timeout, sock_read=self.read_timeout)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                headers={**self.headers, "Content-Type": "application/json"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=timeout,
                trust_env=self.use_proxy,
            )
        return self._session


def encoded(body: Mapping[str, Any]) -> bytes:
    """The body as JSON; half a surrogate pair, which UTF-8 cannot encode, becomes a question mark."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def check_encoding(headers: Mapping[str, str]) -> None:
    """Raises `EndpointError` for a compressed reply, which the request excludes."""
    encoding = str(headers.get("content-encoding") or "identity").strip().casefold()
    if encoding != "identity":
        detail = f"The reply is compressed ({encoding[:40]}). Set the server to obey Accept-Encoding: identity."
        raise EndpointError(Failure.BROKEN, detail)
