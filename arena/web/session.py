"""The voter's session: a random cookie, and security headers for every page. No account and no IP address is kept."""

from __future__ import annotations

import hashlib
import re
import secrets
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "arena_session"
# Gradio's routes that the pages do not use: uploads, calls outside the queue, proxies.
CLOSED = frozenset({"upload", "upload_progress", "call", "run", "api", "proxy"})
MAX_AGE = 180 * 24 * 3600  # seconds; half a year

# No remote resource is loaded: an image in a completion must not report a voter's address.
# Gradio's own pages need inline scripts and styles; data: and blob: are its downloads and icons.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "frame-src 'none'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)


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
        if _closed(scope["path"]):
            await PlainTextResponse("not found", 404)(scope, receive, send)
            return
        new = None if _has_session(Headers(scope=scope)) else secrets.token_urlsafe(32)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                _protect(headers)
                page = headers.get("content-type", "").startswith("text/html")
                if new and page and not scope["path"].startswith("/api/"):  # other sites embed these
                    headers.append("set-cookie", self._cookie(new))
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _cookie(self, value: str) -> str:
        attributes = f"Path=/; Max-Age={MAX_AGE}; HttpOnly; SameSite=Lax"
        return f"{COOKIE}={value}; {attributes}" + ("; Secure" if self.secure else "")


def _closed(path: str) -> bool:
    first = re.split("[/=]", path.partition("/gradio_api/")[2], maxsplit=1)[0]
    return first in CLOSED


def _has_session(headers: Headers) -> bool:
    try:
        return COOKIE in SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return False


def _protect(headers: MutableHeaders) -> None:
    headers.setdefault("content-security-policy", POLICY)
    headers.setdefault("x-content-type-options", "nosniff")
    headers.setdefault("referrer-policy", "same-origin")
