"""The download of everything that is stored about a voter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from arena import __version__
from arena.store import Database
from arena.store.account_voters import same_person
from arena.store.ledger import as_sealed
from arena.store.schema.battles import CompletionStatus, now
from arena.store.voter_export import ExportedBattle, about_voter, voter_battles

FORMAT = "arena-voter-1"
Mask = Callable[[str, bool], str]  # a text, and whether it is whole, to the text without names of models


class Downloads:
    """The downloads of a server. One event loop.

    One part is made at a time, in a thread: many clients at once, each with a long history to mask, would take the
    interpreter from everybody else. While a client takes a part, nothing else is held for it: neither a thread nor a
    connection to the database.
    """

    def __init__(self, database: Database, mask: Mask) -> None:
        self._database, self._mask = database, mask
        self._turn = asyncio.Semaphore(1)

    async def text(self, voter: str) -> AsyncIterator[str]:
        """The JSON document in parts, so that a long history takes little memory. The first part is read at once.

        The names of models in the texts of battles that are still blind are masked. Raises `DatabaseUnavailable`.
        """
        parts = _parts(self._database, voter, self._mask)
        return self._all(await self._next(parts), parts)

    async def _all(self, first: str | None, parts: Iterator[str]) -> AsyncIterator[str]:
        part = first
        while part is not None:
            yield part
            part = await self._next(parts)

    async def _next(self, parts: Iterator[str]) -> str | None:
        async with self._turn:
            return await asyncio.to_thread(next, parts, None)


def _parts(database: Database, voter: str, mask: Mask) -> Iterator[str]:
    with database.read() as session:
        about, voters = about_voter(session, voter), same_person(session, voter)
    head = {"format": FORMAT, "made_at": as_sealed(now()), "made_by": f"arena {__version__}", **about}
    yield _text(head)[:-1] + ', "battles": ['
    between = ""
    for one in voters:
        after = 0
        while battles := _next_battles(database, one, after):
            after = battles[-1].number
            for battle in battles:
                yield between + _text(battle.document if battle.named else _masked(battle.document, mask))
                between = ",\n"
    yield "]}\n"


def _next_battles(database: Database, voter: str, after: int) -> list[ExportedBattle]:
    with database.read() as session:
        return voter_battles(session, voter, after)


def _masked(battle: dict[str, Any], mask: Mask) -> dict[str, Any]:
    """A blind battle. A text that is still being written is omitted: its length would show the speed of its model."""
    shown = [{**written, "text": _shown(written, mask)} for written in battle["completions"]]
    return {**battle, "completions": shown}


def _shown(written: dict[str, Any], mask: Mask) -> str:
    if written["status"] == CompletionStatus.RUNNING:
        return ""
    return mask(written["text"], written["status"] != CompletionStatus.ABANDONED)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
