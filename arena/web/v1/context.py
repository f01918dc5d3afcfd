"""What the routes share: the cached leaderboards, the settings, and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request

from arena.config import Settings
from arena.exchange.receipts import Receipts
from arena.leaderboards.cache import ResultCache
from arena.leaderboards.leaderboard import Published, publish_choice
from arena.leaderboards.query import BoardChoice, rules_of
from arena.rules.signed_heads import Signer
from arena.serving.live_models import LiveModels
from arena.store import Database
from arena.web.v1.replies import wanted

LAST = 2**63 - 1  # the largest number that a database gives a row
Source = Annotated[str, Query(description="human, judges, judge:NAME, both (anchored on people) or all")]
Category = Annotated[str, Query(description="overall, or a category of battles")]
Media = Annotated[str, Depends(wanted)]
Limit = Annotated[int, Query(ge=1, le=1000, description="rows on a page; the header Link has the next page")]


@dataclass(frozen=True)
class Context:
    """The results and settings that version 1 shows."""

    cache: ResultCache
    configured: Settings
    signer: Signer | None = None  # of heads, if the setting ledger.key names a key
    receipts: Receipts | None = None
    live: LiveModels | None = None

    @property
    def settings(self) -> Settings:
        """The settings, with what operators have set for models since."""
        return self.live.shown(self.configured) if self.live else self.configured

    @property
    def database(self) -> Database:
        return self.cache.database

    def version(self) -> str:
        """The version of the content of the store and of what operators have set for models."""
        return f"{self.cache.version()} {self.live.applied if self.live else 0}"

    def published(self, choice: BoardChoice) -> Published:
        """The board of the votes so far. Raises `NoSuchBoard`."""
        return self.cache.get(
            choice, lambda session: publish_choice(session, choice, rules_of(self.settings)), exact=True
        )


async def _context(request: Request) -> Context:
    context: Context = request.app.state.v1
    return context


Served = Annotated[Context, Depends(_context)]


def home(request: Request) -> str:
    """The address of the arena, without a slash at its end: `web.public_url`, else that of the request."""
    context: Context = request.app.state.v1
    return context.settings.web.public_url or str(request.base_url).rstrip("/")
