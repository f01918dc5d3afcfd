"""Voters without a browser: they send the requests that the battle page sends."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field

import httpx

from reproduce.attacks.page import Page, counts


@dataclass
class Voter:
    """One browser's worth of cookie."""

    url: str
    http: httpx.Client = field(init=False)
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        weakref.finalize(self, self.http.close)
        self.page = Page(self.http)

    def begin(self, prompt: str) -> str:
        """Send a first prompt and wait until both models have answered: the battle's public id."""
        return self.page.answered(prompt)

    def vote(self, battle: str, winner: str) -> bool:
        """Whether the arena said that the vote counts."""
        return counts(self.page.vote(battle, winner))

    def code(self, method: str, path: str = "", **body: object) -> str:
        """The code of the problem that a request has; empty if it has none."""
        reply = self.page.send(method, path, **body)
        return "" if reply.is_success else str(reply.json()["code"])
