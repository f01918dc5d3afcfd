"""Limits on HTTP requests: how many one address sends in a minute, and how many are open at once."""

from __future__ import annotations

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable

from fastapi import Request
from jinja2 import Environment
from starlette.types import ASGIApp, Receive, Scope, Send

from arena.config import LimitSettings
from arena.rules.limits import in_words
from arena.rules.messages import gettext_noop
from arena.web.client_address import address_of
from arena.web.error_pages import refusal
from arena.web.locales import gettext as _

ADDRESSES = 10_000  # token buckets in memory, about 2 MB; a flood of more addresses evicts the oldest
RETRY_OPEN = 5  # seconds; when a stream ends is not known


class TokenBuckets:
    """A token bucket for each address: it holds the requests of a minute and refills evenly."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, as of a time

    def take(self, address: str) -> float:
        """Take a token: 0, or the seconds until there is one."""
        now = self._clock()
        tokens, at = self._buckets.get(address, (float(self.per_minute), now))
        tokens = min(self.per_minute, tokens + (now - at) * self.per_minute / 60)
        wait = 0.0 if tokens >= 1 else (1 - tokens) * 60 / self.per_minute
        self._buckets[address] = (tokens if wait else tokens - 1, now)
        self._buckets.move_to_end(address)
        if len(self._buckets) > ADDRESSES:
            self._buckets.popitem(last=False)
        return wait

    def __len__(self) -> int:
        return len(self._buckets)


class FloodLimits:
    """ASGI middleware that answers 429 for an address that sends too much, and 503 when the arena is full."""

    def __init__(self, app: ASGIApp, environment: Environment, limits: LimitSettings) -> None:
        self.app, self.environment = app, environment
        self.limits = limits
        self._buckets = TokenBuckets(limits.requests_per_minute)
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        address = address_of(scope)
        if reason := self._reason(address):
            status, text, wait = reason
            detail = " ".join((_(text), _("Please try again in {wait}.", wait=in_words(wait))))
            headers = {"retry-after": str(math.ceil(wait))}
            response = refusal(self.environment, Request(scope), status, detail, headers)
            await response(scope, receive, send)
            return
        self._open[address] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    def _reason(self, address: str) -> tuple[int, str, float] | None:
        """Why a request is refused: the status, the text, and the seconds until the next attempt."""
        limits = self.limits
        if limits.requests_per_minute and (wait := self._buckets.take(address)):
            return 429, gettext_noop("Your network sends too many requests."), wait
        if limits.open_requests_per_address and self._open[address] >= limits.open_requests_per_address:
            return 429, gettext_noop("Your network has too many pages open."), RETRY_OPEN
        if limits.open_requests and self._open.total() >= limits.open_requests:
            return 503, gettext_noop("The arena has too many visitors at the moment."), RETRY_OPEN
        return None
