"""Votes that their voters can still undo: saved, counted when they are due, or removed.

A battle with a pending vote is open. Every change locks the battle first, so that a vote and the next turn exclude each
other, and of two servers one counts it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, delete, update
from sqlmodel import Session, col, select

from arena.store.schema.battles import Battle, PendingVote

AT_ONCE = 200  # due votes that one server reads in one pass


@dataclass(frozen=True)
class StoredPendingVote:
    """A vote that does not count yet."""

    winner: str
    reasons: tuple[str, ...]
    due_at: datetime


class VotePending(Exception):
    """The battle has a vote that can still be undone, so nothing else may change; nothing was written."""


def is_pending(session: Session, battle_id: int) -> bool:
    """Whether the battle has a pending vote."""
    found = select(PendingVote.battle_id).where(PendingVote.battle_id == battle_id)
    return session.exec(found).first() is not None


def add_pending(
    session: Session, battle_id: int, voter: str, winner: str, reasons: Sequence[str], due_at: datetime
) -> None:
    """Save a vote that counts when it is due. The caller has locked the battle."""
    row = PendingVote(battle_id=battle_id, voter=voter, winner=winner, reasons=encoded(reasons), due_at=due_at)
    session.add(row)
    session.flush()


def renew_pending(session: Session, battle_id: int, vote: StoredPendingVote) -> None:
    """Replace the reasons of a pending vote and the time when it is due."""
    values = {"reasons": encoded(vote.reasons), "due_at": vote.due_at}
    session.execute(update(PendingVote).where(col(PendingVote.battle_id) == battle_id).values(values))


def remove_pending(session: Session, battle_id: int) -> bool:
    """Remove a pending vote; returns whether this transaction did: of two at once, one does."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        delete(PendingVote).where(col(PendingVote.battle_id) == battle_id)
    )
    return done.rowcount == 1


def due_battles(session: Session, at: datetime) -> Sequence[str]:
    """The public ids of the battles whose pending vote is due, the oldest first."""
    due = (
        select(Battle.public_id)
        .join(PendingVote, col(PendingVote.battle_id) == col(Battle.id))
        .where(col(PendingVote.due_at) <= at)
    )
    return session.exec(due.order_by(col(PendingVote.due_at)).limit(AT_ONCE)).all()


def encoded(reasons: Sequence[str]) -> str | None:
    """Reasons as stored: a JSON list, or null for none."""
    return json.dumps(list(reasons)) if reasons else None


def decoded(reasons: str | None) -> tuple[str, ...]:
    return tuple(json.loads(reasons)) if reasons else ()
