"""Saves the texts of turns: as they grow, and when they end. Many turns share one transaction."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from arena.errors import DatabaseError
from arena.store import Session
from arena.store.running_turns import (
    EndedTurn,
    TextSoFar,
    ValuesRefused,
    finish,
    save_texts,
    still_run_by,
)

log = logging.getLogger(__name__)

FIRST_RETRY, LAST_RETRY = 0.1, 2.0  # seconds after a failed write; doubled in between

T = TypeVar("T")


class Write(Protocol):
    """Runs work in a write transaction, off the event loop."""

    def __call__(self, work: Callable[[Session], T], /) -> Awaitable[T]: ...


class TurnSaver:
    """Saves turns of the server `owner`. An ended turn waits in memory until the database takes it."""

    def __init__(self, owner: str, write: Write) -> None:
        self._owner = owner
        self._write = write
        self._waiting: list[EndedTurn] = []
        self._lock = asyncio.Lock()

    async def finish(self, turn: EndedTurn) -> bool:
        """Save an ended turn, together with all others that wait; returns whether this server still ran it.

        Returns when it is on disk, however long the database is down. Cancel it to give up.
        """
        self._waiting.append(turn)
        try:
            async with self._lock:
                await self._until_saved(turn)
        finally:
            if turn in self._waiting:
                self._waiting.remove(turn)
        return bool(turn.kept)

    async def save_texts(self, texts: Sequence[TextSoFar], battles: Sequence[int]) -> tuple[set[int], set[int]]:
        """Save texts of running turns.

        Returns those of the battles that this server no longer runs, and those that another one asks to stop.
        """

        def save(session: Session) -> dict[int, bool]:
            save_texts(session, texts)
            return still_run_by(session, self._owner, battles)

        async with self._lock:
            still = await self._write(save)
        return set(battles) - still.keys(), {battle for battle, asked in still.items() if asked}

    async def _until_saved(self, turn: EndedTurn) -> None:
        delay, since = FIRST_RETRY, time.monotonic()
        while turn.kept is None:
            try:
                await self._save(tuple(self._waiting))
            except DatabaseError as error:
                if delay == FIRST_RETRY:
                    log.error("Ended turns cannot be saved; they are kept in memory and retried: %s", error)
                await asyncio.sleep(delay)
                delay = min(2 * delay, LAST_RETRY)
        if delay > FIRST_RETRY:
            log.info("Ended turns are saved again after %.1f s.", time.monotonic() - since)

    async def _save(self, turns: Sequence[EndedTurn]) -> None:
        """Save turns in one transaction; if the database refuses values, each turn in its own."""
        try:
            kept = await self._write(lambda session: finish(session, self._owner, turns))
        except ValuesRefused:
            if len(turns) > 1:
                for turn in turns:
                    await self._save((turn,))
                return
            log.exception("The database refused the completions of battle %d.", turns[0].battle_id)
            kept = [False]
        for turn, was_kept in zip(turns, kept, strict=True):
            turn.kept = was_kept
        self._waiting = [turn for turn in self._waiting if turn.kept is None]
