"""The voter's session: a cookie that the server has signed. No account and no IP address is kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.errors import DatabaseError

COOKIE = "arena_session"
MAX_AGE = 180 * 24 * 3600  # seconds; half a year
UNSIGNED = re.compile(r"[A-Za-z0-9_-]{43}")  # a cookie of version 0.2 and earlier
GIVEN = "voter:"  # begins what the application sees of a session that a recovery code gave to a voter
RENEWAL = "arena.renewal"  # in the scope of a request: the session that its reply sets
OWN = "arena.own"  # in the scope of a request: the hash of its session, whoever its voter is


def voter_of(cookie: str | None) -> str | None:
    """The voter of a session: its hash, so that the database does not allow voting as them."""
    if cookie and cookie.startswith(GIVEN):  # from the middleware: no browser can sign such a session
        return cookie.removeprefix(GIVEN)
    return hashlib.sha256(cookie.encode()).hexdigest()[:32] if cookie else None


def new_session() -> str:
    """A random session."""
    return secrets.token_urlsafe(32)


def renew(request: HTTPConnection, session: str) -> None:
    """Let the reply to a request set the cookie of another session."""
    request.scope[RENEWAL].append(session)


async def own_voter(own: str) -> str | None:
    """The voter of a session that has this hash, where no session was given away or has ended."""
    return own


class CookieSigner:
    """Signs sessions with HMAC-SHA-256. Replicas with the same key accept the same cookies."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"arena voter cookie", "sha256")

    def derived(self, purpose: bytes) -> bytes:
        """A key for another purpose, the same on all replicas."""
        return hmac.digest(self._key, purpose, "sha256")

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
    several is considered. `voter_by_hash` gives the voter of a session by its hash, or None for one that has ended,
    which is removed from the request and replaced.
    """

    def __init__(
        self,
        app: ASGIApp,
        signer: CookieSigner,
        is_voter: Callable[[str], Awaitable[bool]],
        secure: bool = False,
        voter_by_hash: Callable[[str], Awaitable[str | None]] = own_voter,
    ) -> None:
        self.app = app
        self.signer = signer
        self.is_voter = is_voter
        self.secure = secure
        self.voter_by_hash = voter_by_hash

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            own, session, new = await self._session(_cookies(scope))
        except DatabaseError:
            own, session, new = (
                None,
                None,
                None,
            )  # whether the cookie is a voter's is unknown: it must not be replaced
        renewal: list[str] = []
        scope = {**_with_session(scope, session), RENEWAL: renewal, OWN: own}

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                page = headers.get("content-type", "").startswith("text/html")
                of_page = page and not scope["path"].startswith("/api/")  # other sites embed these
                if cookie := (renewal[-1] if renewal else new if of_page else None):
                    headers.append("set-cookie", self._cookie(cookie, scope.get("scheme") == "https"))
            await send(message)

        await self.app(scope, receive, send_with_cookie)

    async def _session(self, cookies: Sequence[str]) -> tuple[str | None, str | None, str | None]:
        """The hash of the session, the session that the application sees, and that of the cookie to set."""
        for cookie in cookies:
            if session := self.signer.session(cookie):
                own = voter_of(session) or ""
                voter = await self.voter_by_hash(own)
                if voter is None:
                    break
                return own, (session if voter == own else GIVEN + voter), None
        unsigned = next(filter(UNSIGNED.fullmatch, cookies), None)  # one: each takes a query
        if unsigned and await self.is_voter(voter_of(unsigned) or ""):
            return voter_of(unsigned), unsigned, unsigned
        return None, None, new_session()

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
