"""Misfortunes of the database file under a visitor's votes: nothing may be acknowledged, and no reply may lack words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx

from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.page import Page
from reproduce.attacks.target import Target
from reproduce.attacks.votes import WINNERS, begin

BATTLES = 4
HEALTH = ("/healthz", "/readyz")
ADDRESSES = ("/leaderboard", "/battles", "/models/canary-alpha", "/api/v1/leaderboard", "/api/v1/battles")
WORDS = "at the moment"  # in every notice of an outage


def moved_file(target: Target) -> Outcome:
    """The database file is moved away: an acknowledged vote is in no file that the operator sees."""
    place, away = target.folder / "arena.db", target.folder / "away.db"
    with target.visitor() as http:
        page = Page(http)
        battles = [begin(page) for _ in range(BATTLES)]
        place.rename(away)
        try:
            tries = [*_votes(page, battles), *_statuses(http, (*HEALTH, *ADDRESSES))]
            tries.append("an empty database was created" if place.exists() else None)
        finally:
            away.replace(place)
    return outcome("votes into a moved database file", tries)


def locked_file(target: Target) -> Outcome:
    """Another program holds the write lock: every request must be answered in words, and the health check must notice."""
    with target.visitor() as http:
        page = Page(http)
        battles = [begin(page) for _ in range(BATTLES)]
        with _writer(target):
            tries = [*_votes(page, battles), *_statuses(http, HEALTH)]
            tries.append(_wordless("begin", page.ask("Hello?")))
            for name in ("regenerate", "leave"):
                tries.append(_wordless(name, page.send("POST", f"/{battles[0]}/{name}").text))
    return outcome("requests while another program writes", tries)


def _votes(page: Page, battles: list[str]) -> Iterator[str | None]:
    for battle, winner in zip(battles, WINNERS, strict=False):
        reply = page.vote(battle, winner)
        yield "a vote was acknowledged" if reply.is_success else _wordless("vote", reply.text)


def _wordless(event: str, reply: str) -> str | None:
    return None if WORDS in reply else f"{event} without words: {reply[-60:]}"


def _statuses(http: httpx.Client, addresses: tuple[str, ...]) -> Iterator[str | None]:
    for address in addresses:
        status = http.get(address).status_code
        yield None if status == 503 else f"{address} answered {status}"


@contextmanager
def _writer(target: Target) -> Iterator[None]:
    with closing(sqlite3.connect(target.folder / "arena.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
