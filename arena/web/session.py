"""The voter's session: a random cookie. No account and no IP address is kept."""

from __future__ import annotations

import hashlib
import secrets
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "arena_session"
MAX_AGE = 180 * 24 * 3600  # seconds; half a year


def voter_of(cookie: str | None) -> str | None:
    """The voter of a session cookie: its hash, so that the database does not allow voting as them."""
    return hashlib.sha256(cookie.encode()).hexdigest()[:32] if cookie else None


class Sessions:
    """ASGI middleware that gives each browser a session cookie with its first page."""

    def __init__(self, app: ASGIApp, secure: bool = False) -> None:
        self.app = app
        self.secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        new = None if _has_session(Headers(scope=scope)) else secrets.token_urlsafe(32)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                page = headers.get("content-type", "").startswith("text/html")
                if new and page and not scope["path"].startswith("/api/"):  # other sites embed these
                    headers.append("set-cookie", self._cookie(new))
            await send(message)

        await self.app(scope, receive, send_with_cookie)

    def _cookie(self, value: str) -> str:
        attributes = f"Path=/; Max-Age={MAX_AGE}; HttpOnly; SameSite=Lax"
        return f"{COOKIE}={value}; {attributes}" + ("; Secure" if self.secure else "")


def _has_session(headers: Headers) -> bool:
    try:
        return COOKIE in SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return False
