"""What the session of a voter needs from the settings and the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from arena.config import WebSettings, api_key
from arena.errors import ConfigError
from arena.store import Database
from arena.store.usage import cookie_key, is_voter
from arena.web.session import CookieSigner

SHORTEST_KEY = 32  # characters


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
