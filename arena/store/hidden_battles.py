"""Battles that an operator hides from readers, and shows again."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import CursorResult, delete
from sqlmodel import Session, col, select

from arena.rules.messages import TranslatableError
from arena.store.schema.battles import Battle, BattleStatus
from arena.store.schema.hidden_battles import HiddenBattle
from arena.store.upserts import upsert

READ = (BattleStatus.VOTED, BattleStatus.JUDGED)  # readers see no others


class NotHideable(TranslatableError):
    """The battle was not hidden or shown; nothing changed."""


def hide(session: Session, public_id: str, reason: str, by: str) -> None:
    """Hide a battle from readers, exports' texts included. Raises `NotHideable`."""
    query = select(Battle.id).where(Battle.public_id == public_id, col(Battle.status).in_(READ))
    number = session.exec(query).one_or_none()
    if number is None:
        raise NotHideable("There is no battle {battle!r} with a vote. Check its address.", battle=public_id[:40])
    row = {"battle_id": number, "reason": reason, "hidden_by": by}
    session.execute(upsert(session, HiddenBattle).values(row).on_conflict_do_nothing())


def show(session: Session, public_id: str) -> None:
    """Let readers see a hidden battle again, if its voter shares it. Raises `NotHideable`."""
    number = select(Battle.id).where(Battle.public_id == public_id).scalar_subquery()
    done: CursorResult[None] = session.execute(  # type: ignore[assignment]
        delete(HiddenBattle).where(col(HiddenBattle.battle_id) == number)
    )
    if not done.rowcount:
        raise NotHideable("The battle {battle!r} is not hidden. Nothing was changed.", battle=public_id[:40])


def hidden_among(session: Session, battles: list[int]) -> Mapping[int, HiddenBattle]:
    """Those of the battles that are hidden, by id."""
    rows = session.exec(select(HiddenBattle).where(col(HiddenBattle.battle_id).in_(battles)))
    return {row.battle_id: row for row in rows}
