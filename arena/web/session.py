"""The voter's session: a cookie that the server has signed. No account and no IP address is kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.errors import DatabaseError

COOKIE = "arena_session"
MAX_AGE = 180 * 24 * 3600  # seconds; half a year
UNSIGNED = re.compile(r"[A-Za-z0-9_-]{43}")  # a cookie of version 0.2 and earlier


def voter_of(cookie: str | None) -> str | None:
    """The voter of a session: its hash, so that the database does not allow voting as them."""
    return hashlib.sha256(cookie.encode()).hexdigest()[:32] if cookie else None


class CookieSigner:
    """Signs sessions with HMAC-SHA-256. Replicas with the same key accept the same cookies."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"arena voter cookie", "sha256")

    def signed(self, session: str) -> str:
        """The value of the cookie: the session and its signature."""
        digest = hmac.digest(self._key, session.encode(), "sha256")
        return f"{session}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"

    def session(self, cookie: str) -> str | None:
        """The session of a cookie, or `None` for a cookie that this arena has not signed."""
        session = cookie.rpartition(".")[0]
        genuine = hmac.compare_digest(self.signed(session).encode(), cookie.encode("utf-8", "replace"))
        return session if session and genuine else None


class Sessions:
    """ASGI middleware that gives each browser a signed cookie with its first page.

    The application inside reads the session from the same cookie, without the signature. A cookie with a false
    signature is removed from the request, so that it owns nothing. Cookies of version 0.2 have no signature: they are
    accepted when `is_voter` knows the voter, and replaced by signed ones. The voter stays the same. Only the first of
    several is considered.
    """

    def __init__(
        self, app: ASGIApp, signer: CookieSigner, is_voter: Callable[[str], Awaitable[bool]], secure: bool = False
    ) -> None:
        self.app = app
        self.signer = signer
        self.is_voter = is_voter
        self.secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            session, new = await self._session(_cookies(scope))
        except DatabaseError:
            session, new = None, None  # whether the cookie is a voter's is unknown: it must not be replaced
        scope = _with_session(scope, session)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                page = headers.get("content-type", "").startswith("text/html")
                if new and page and not scope["path"].startswith("/api/"):  # other sites embed these
                    headers.append("set-cookie", self._cookie(new, scope.get("scheme") == "https"))
            await send(message)

        await self.app(scope, receive, send_with_cookie)

    async def _session(self, cookies: Sequence[str]) -> tuple[str | None, str | None]:
        """The session of a request, and the session of the cookie to set, each if there is one."""
        for cookie in cookies:
            if session := self.signer.session(cookie):
                return session, None
        unsigned = next(filter(UNSIGNED.fullmatch, cookies), None)  # one: each takes a query
        if unsigned and await self.is_voter(voter_of(unsigned) or ""):
            return unsigned, unsigned
        return None, secrets.token_urlsafe(32)

    def _cookie(self, session: str, https: bool) -> str:
        attributes = f"Path=/; Max-Age={MAX_AGE}; HttpOnly; SameSite=Lax"
        return f"{COOKIE}={self.signer.signed(session)}; {attributes}" + (
            "; Secure" if https or self.secure else ""
        )


def _cookies(scope: Scope) -> list[str]:
    """The values of all session cookies of a request."""
    pairs = (
        part.partition("=") for header in Headers(scope=scope).getlist("cookie") for part in header.split(";")
    )
    return [value.strip().strip('"') for name, _, value in pairs if name.strip() == COOKIE]


def _with_session(scope: Scope, session: str | None) -> Scope:
    """The request with this session as its only session cookie."""
    headers = Headers(scope=scope)
    parts = [part.strip() for header in headers.getlist("cookie") for part in header.split(";")]
    kept = [part for part in parts if part and part.partition("=")[0].strip() != COOKIE]
    kept += [f"{COOKIE}={session}"] if session else []
    others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    cookie = [(b"cookie", "; ".join(kept).encode("latin-1"))] if kept else []
    return {**scope, "headers": [*others, *cookie]}
