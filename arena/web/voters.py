"""What the session of a voter needs from the settings and the database."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress

from arena.config import WebSettings, api_key
from arena.errors import ConfigError, DatabaseError
from arena.store import Database
from arena.store.usage import cookie_key, is_voter
from arena.store.voter_sessions import session_voter
from arena.web.session import CookieSigner

SHORTEST_KEY = 32  # characters
KNOWN_FOR = (
    5.0  # seconds until another replica's deletion or recovery is seen here; a page makes dozens of requests
)
KNOWN = 20_000  # sessions, a few megabytes

Known = OrderedDict[str, tuple[float, str | None]]  # by hash of the session: until when, and the voter


def cookie_signer(settings: WebSettings, database: Database) -> CookieSigner:
    """The signer with the key of the settings, else of the database. Raises `ConfigError` for a short key."""
    variable = settings.cookie_key_env
    key = api_key(variable)
    if key is None:
        with database.read() as session:
            return CookieSigner(cookie_key(session))
    if len(key) < SHORTEST_KEY:
        raise ConfigError(
            f"the environment variable {variable} has fewer than {SHORTEST_KEY} characters. "
            "Set it to a longer random text, such as the output of `openssl rand -hex 32`."
        )
    return CookieSigner(key.encode())


def voter_lookup(database: Database) -> Callable[[str], Awaitable[bool]]:
    """A function that finds out whether a voter has battles here. It raises `DatabaseError`."""

    def find(voter: str) -> bool:
        with database.read() as session:
            return is_voter(session, voter)

    async def lookup(voter: str) -> bool:
        return await asyncio.to_thread(find, voter)

    return lookup


class SessionVoters:
    """The voter of each session by its hash; None for a session that has ended. Called on the event loop; only
    `forget` may be called from any thread.

    While the database is out, a session has its last known voter, or its own: whatever it then tries to read or
    write fails anyway.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self.database = database
        self._clock = clock
        self._known: Known = OrderedDict()

    async def __call__(self, own: str) -> str | None:
        known = self._known  # a result that was read before `forget` goes into the forgotten dictionary
        until, voter = known.get(own, (0.0, own))
        if self._clock() >= until:
            with suppress(DatabaseError):
                voter = await asyncio.to_thread(self._find, own)
            self._remember(known, own, voter)
        return voter

    def forget(self) -> None:
        """Read every session again: one was given to a voter, or has ended."""
        self._known = OrderedDict()

    def _find(self, own: str) -> str | None:
        with self.database.read() as session:
            return session_voter(session, own)

    def _remember(self, known: Known, own: str, voter: str | None) -> None:
        known[own] = (self._clock() + KNOWN_FOR, voter)
        known.move_to_end(own)
        if len(known) > KNOWN:
            known.popitem(last=False)
