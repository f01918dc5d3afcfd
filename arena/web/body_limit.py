"""Limits of every request: the size of its headers and body, and the time to send the body."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from jinja2 import Environment
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.rules.messages import Phrase, gettext_noop
from arena.web.error_pages import refusal

MAX_HEADERS = 32_768  # bytes
BODY_TIMEOUT = 20.0  # seconds from the first to the last byte of a body
LARGER_TIMEOUT = 60.0  # of a larger body: 5 MB at 0.7 Mbit/s
LARGER_AT_ONCE = 16
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Refused(Exception):
    """The request is not served. The text says what to change."""

    status: int
    detail: str


class HeaderLimit:
    """ASGI middleware that refuses large headers before anything else reads them."""

    def __init__(self, app: ASGIApp, environment: Environment) -> None:
        self.app = app
        self.environment = environment

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _size(scope) > MAX_HEADERS:
            detail = Phrase("The headers are too large. Send at most {most:,} bytes.", most=MAX_HEADERS)
            await refusal(self.environment, Request(scope), 431, detail)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class BodyLimit:
    """ASGI middleware that receives each body before the application runs, so a slow sender occupies nothing else.

    `max_body` is in bytes; `larger` has the addresses whose POST may have more. Of those bodies, `LARGER_AT_ONCE` are
    received at once, since each is in memory.
    """

    def __init__(
        self,
        app: ASGIApp,
        environment: Environment,
        max_body: int,
        body_timeout: float = BODY_TIMEOUT,
        larger: Mapping[str, int] | None = None,
    ) -> None:
        self.app = app
        self.environment = environment
        self.max_body = max_body
        self.body_timeout = body_timeout
        self.larger = larger or {}
        self._receiving = 0  # larger bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            body = await self._limited(scope, receive)
        except Refused as refused:
            await refusal(self.environment, Request(scope), refused.status, refused.detail)(scope, receive, send)
            return
        if body is not None:
            await self.app(scope, replayed(body, receive), send)

    async def _limited(self, scope: Scope, receive: Receive) -> bytes | None:
        """The body within the limits of its address. Raises `Refused`."""
        if scope["method"] != "POST" or scope["path"] not in self.larger:
            return await self._body(scope, receive, self.max_body, self.body_timeout)
        if self._receiving >= LARGER_AT_ONCE:
            raise Refused(503, gettext_noop("The arena is receiving many files. Send yours again in a moment."))
        self._receiving += 1
        try:
            return await self._body(scope, receive, self.larger[scope["path"]], LARGER_TIMEOUT)
        finally:
            self._receiving -= 1

    async def _body(self, scope: Scope, receive: Receive, most: int, seconds: float) -> bytes | None:
        """The whole body, or None if the client disconnected. Raises `Refused`."""
        headers = Headers(scope=scope)
        declared = headers.get("content-length")
        if declared is not None and (not declared.isascii() or not declared.isdigit()):
            raise Refused(
                400, gettext_noop("The header Content-Length is not a number. Send the number of bytes.")
            )
        if int(declared or 0) > most:
            raise _too_large(most)
        if not int(declared or 0) and "transfer-encoding" not in headers:
            return b""
        if scope["method"] in WITHOUT_BODY:
            raise Refused(
                400, Phrase("A {method} request has no body here. Send it without a body.", method=scope["method"])
            )
        try:
            async with asyncio.timeout(seconds):
                return await _received(receive, most)
        except TimeoutError:
            raise Refused(
                408, Phrase("The body took longer than {seconds:g} s. Send it again.", seconds=seconds)
            ) from None


async def _received(receive: Receive, most: int) -> bytes | None:
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > most:
            raise _too_large(most)
        more = message.get("more_body", False)
    return bytes(body)


def _too_large(most: int) -> Refused:
    return Refused(413, Phrase("The body is too large. Send at most {most:,} bytes.", most=most))


def _size(scope: Scope) -> int:
    """Of the headers, in bytes."""
    return sum(len(name) + len(value) for name, value in scope["headers"])


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns the body at once, then what the server sends after it."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
