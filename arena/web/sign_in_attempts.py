"""A sign-in that a browser began: signed into a cookie of that browser, so that a reply meant for another one is refused.

Each sign-in has a cookie of its own, since a browser may begin several in its tabs. The server keeps nothing of it until
it ends (`used_sign_in`).
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
import time
from dataclasses import asdict, dataclass

from fastapi import Request
from starlette.responses import Response

from arena.accounts.provider import Exchange

PREFIX = "arena_sign_in_"  # of the cookie; the beginning of the state follows
PATH = "/sign-in"
LASTS = 600  # seconds between the two halves of a sign-in
STATE = re.compile(r"[A-Za-z0-9_-]{43}")
PLACE = re.compile(r"/(?:[\w.~-]+(?:/[\w.~-]+)*)?(?:\?[\w.~=&%+:-]*)?", re.ASCII)  # where a sign-in may lead
USUAL_PLACE = "/me"


@dataclass(frozen=True)
class Attempt:
    """What a sign-in began with. `place` is where it leads."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    place: str
    at: float

    @property
    def exchange(self) -> Exchange:
        return Exchange(self.redirect_uri, self.nonce, self.verifier)

    @property
    def cookie(self) -> str:
        """The name of its cookie."""
        return PREFIX + self.state[:12]


def new_attempt(redirect_uri: str, place: str) -> Attempt:
    """An attempt with random secrets."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Attempt(state, nonce, verifier, redirect_uri, safe_place(place), time.time())


def safe_place(given: str) -> str:
    """A page of this arena, never another site and never a sign-in again.

    >>> safe_place("/?battle=x1"), safe_place("//evil.example"), safe_place("/\\\\evil.example"), safe_place("/a/../b")
    ('/?battle=x1', '/me', '/me', '/me')
    """
    parts = given.partition("?")[0].split("/")
    is_own = PLACE.fullmatch(given) and not {".", ".."} & set(parts) and parts[1:2] != ["sign-in"]
    return given if is_own else USUAL_PLACE


class AttemptCookies:
    """Writes attempts into cookies and reads them. Replicas with the same key read each other's."""

    def __init__(self, key: bytes, secure: bool = False) -> None:
        self._key, self._secure = key, secure

    def write(self, request: Request, response: Response, attempt: Attempt) -> None:
        """Let a reply set the cookie of an attempt. `Lax`, since the provider's redirect must send it."""
        secure = self._secure or request.url.scheme == "https"
        response.set_cookie(
            attempt.cookie, self._signed(attempt), LASTS, path=PATH, httponly=True, samesite="lax", secure=secure
        )

    def read(self, request: Request, state: str) -> Attempt | None:
        """The attempt that this browser began with the state, if it is recent."""
        if not STATE.fullmatch(state):
            return None
        content, _, mac = request.cookies.get(PREFIX + state[:12], "").rpartition(".")
        if not hmac.compare_digest(self._mac(content).encode(), mac.encode("utf-8", "replace")):
            return None
        attempt = Attempt(**json.loads(base64.urlsafe_b64decode(content)))
        is_same = hmac.compare_digest(attempt.state, state)
        return attempt if is_same and 0 <= time.time() - attempt.at <= LASTS else None

    def remove(self, response: Response, attempt: Attempt) -> None:
        """Let a reply remove the cookie."""
        response.delete_cookie(attempt.cookie, path=PATH, httponly=True, samesite="lax")

    def _signed(self, attempt: Attempt) -> str:
        content = base64.urlsafe_b64encode(json.dumps(asdict(attempt)).encode()).decode()
        return f"{content}.{self._mac(content)}"

    def _mac(self, content: str) -> str:
        return hmac.new(self._key, content.encode("utf-8", "replace"), "sha256").hexdigest()
