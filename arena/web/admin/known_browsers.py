"""The cookie of a browser that has signed in to an account before: its attempts are counted apart from those of strangers.

Without it ten wrong passwords an hour would keep the account's own operator out. The cookie opens nothing: it is signed
for one account, its value is a random number, and each browser that has one gets the attempts of one account.
Source: OWASP, Slow Down Online Guessing Attacks with Device Cookies.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response

from arena.accounts.accounts import canonical_name
from arena.web.admin.cookie import is_secure

PREFIX, SECURE_PREFIX = "arena_known_", "__Host-arena_known_"  # the beginning of the account's hash follows
LASTS = 180 * 24 * 3600  # seconds since the last sign-in; half a year
VALUE = re.compile(r"([A-Za-z0-9_-]{22})\.(\d{1,12})\.([0-9a-f]{64})")


@dataclass(frozen=True)
class KnownBrowsers:
    """Writes the cookies and reads them. Replicas with the same key read each other's."""

    key: bytes
    secure: bool = False

    def browser_of(self, request: Request, name: str) -> str | None:
        """The number of the browser, if it has signed in to this account within half a year."""
        match = VALUE.fullmatch(request.cookies.get(self._cookie(request, name), ""))
        if match is None:
            return None
        browser, at, mac = match.groups()
        is_genuine = hmac.compare_digest(self._mac(name, browser, at), mac)
        return browser if is_genuine and 0 <= time.time() - int(at) <= LASTS else None

    def remember(self, request: Request, response: Response, name: str) -> None:
        """Let the reply to a sign-in set the cookie. A browser that has one keeps its number, so it has one counter."""
        browser, at = self.browser_of(request, name) or secrets.token_urlsafe(16), str(int(time.time()))
        response.set_cookie(
            self._cookie(request, name),
            f"{browser}.{at}.{self._mac(name, browser, at)}",
            LASTS,
            path="/",
            httponly=True,
            samesite="strict",
            secure=is_secure(request, self.secure),
        )

    def _cookie(self, request: Request, name: str) -> str:
        prefix = SECURE_PREFIX if is_secure(request, self.secure) else PREFIX
        return prefix + hashlib.sha256(_account(name)).hexdigest()[:12]

    def _mac(self, name: str, browser: str, at: str) -> str:
        return hmac.new(
            self.key, b"%s %s %s" % (_account(name), browser.encode(), at.encode()), "sha256"
        ).hexdigest()


def _account(name: str) -> bytes:
    return canonical_name(name).encode("utf-8", "replace")
