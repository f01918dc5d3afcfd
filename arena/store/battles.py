"""Battles in the store: added, continued, closed. Every function works in the session of its caller."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, ScalarSelect, bindparam, func, insert, update
from sqlmodel import Session, SQLModel, col, select

from arena.rules.modes import Mode
from arena.rules.votes import SIDES, Side
from arena.store.images import attach
from arena.store.schema.battles import (
    Battle,
    BattleStatus,
    CompletionRow,
    CompletionStatus,
    Model,
    PendingVote,
    Turn,
    now,
)
from arena.store.stored_battles import StoredBattle, Written, find_changed


@dataclass(frozen=True)
class NewBattle:
    id: int
    public_id: str


def add_battle(
    session: Session,
    voter: str,
    model_a: str,
    model_b: str,
    pair_probability: float,
    owner: str | None = None,
    mode: Mode = Mode.BLIND,
    suggested: bool = False,
    visitor_unchecked: bool = False,
) -> NewBattle:
    """A new battle between two registered models, running on the server `owner`.

    With one model, `model_b` is the same as `model_a`.
    """
    public_id = secrets.token_urlsafe(12)
    done = _insert(
        session,
        Battle,
        public_id=public_id,
        voter=voter,
        model_a_id=_model_id(model_a),
        model_b_id=_model_id(model_b),
        pair_probability=pair_probability,
        owner=owner,
        mode=mode,
        suggested=suggested,
        visitor_unchecked=visitor_unchecked,
    )
    return NewBattle(done, public_id)


class WrongStatus(Exception):
    """The battle has not the status that the change needs; nothing was written."""


def move(
    session: Session, battle_id: int, before: BattleStatus, after: BattleStatus, owner: str | None = None
) -> None:
    """Change the status from `before` to `after`; of two concurrent changes, on any server, one succeeds.

    With `owner`, the change needs a battle of that server. Raises `WrongStatus`.
    """
    session.flush()
    change = {"of_battle": battle_id, "before": before, "after": after, "at": now()}
    statement, of_owner = (_MOVE, {}) if owner is None else (_MOVE_OF_OWNER, {"of_owner": owner})
    if session.connection().execute(statement, change | of_owner).rowcount != 1:
        raise WrongStatus(f"battle {battle_id} is not {before}")


_MOVE = (
    update(Battle)
    .where(col(Battle.id) == bindparam("of_battle"), col(Battle.status) == bindparam("before"))
    .values(status=bindparam("after"), changed_at=bindparam("at"))
)
_LOCK_OPEN = (
    update(Battle)
    .where(col(Battle.public_id) == bindparam("of_battle"), col(Battle.status) == BattleStatus.OPEN)
    .values(changed_at=bindparam("at"))
)
_MOVE_OF_OWNER = _MOVE.where(col(Battle.owner) == bindparam("of_owner"))


def replace_model(session: Session, battle_id: int, side: Side, name: str, pair_probability: float) -> None:
    """Put another registered model on a side of a running battle."""
    column = Battle.model_a_id if side == "a" else Battle.model_b_id
    session.execute(
        update(Battle)
        .where(col(Battle.id) == battle_id)
        .values({column: _model_id(name), Battle.pair_probability: pair_probability})
    )


def lock_open(session: Session, public_id: str) -> StoredBattle:
    """An open battle, whose status no other transaction changes until this one ends.

    Raises `WrongStatus`, also for a battle that is gone: its voter was deleted.
    """
    session.flush()
    if session.connection().execute(_LOCK_OPEN, {"of_battle": public_id, "at": now()}).rowcount != 1:
        raise WrongStatus(f"battle {public_id} is not {BattleStatus.OPEN}")
    return find_changed(session, public_id)


def add_turn(session: Session, battle_id: int, prompt: str, images: Sequence[str] = ()) -> None:
    """Add the next prompt of a running battle, with the completions of all its sides running.

    `images` are ids of the voter's images. Raises `NoSuchImage`.
    """
    battle = session.exec(select(Battle.voter, Battle.mode).where(Battle.id == battle_id)).one()
    last = select(func.coalesce(func.max(Turn.number), 0)).where(Turn.battle_id == battle_id)
    turn = _insert(session, Turn, battle_id=battle_id, number=last.scalar_subquery() + 1, prompt=prompt)
    attach(session, turn, battle[0], images)
    _add_attempt(session, turn, 1, Mode(battle[1]).sides)


def add_attempt(session: Session, battle_id: int, sides: Sequence[Side] = SIDES) -> None:
    """Add another attempt at these completions of the last turn; earlier attempts stay on record."""
    turn = _last_turn(session, battle_id)
    last = session.exec(select(func.max(CompletionRow.attempt)).where(CompletionRow.turn_id == turn.id)).one()
    _add_attempt(session, turn.id or 0, (last or 0) + 1, sides)


def change_prompt(session: Session, battle_id: int, prompt: str, *, suggested: bool) -> None:
    """Replace the last prompt of a running battle. `suggested`: it is a shipped one, if it is the first prompt."""
    turn = _last_turn(session, battle_id)
    turn.prompt = prompt
    session.add(turn)
    if turn.number == 1:
        session.execute(update(Battle).where(col(Battle.id) == battle_id).values(suggested=suggested))


_FINISH = (
    update(CompletionRow)
    .where(
        col(CompletionRow.turn_id).in_(select(Turn.id).where(Turn.battle_id == bindparam("of_battle"))),
        col(CompletionRow.side) == bindparam("of_side"),
        col(CompletionRow.status) == CompletionStatus.RUNNING,
    )
    .values({field.name: bindparam(field.name) for field in fields(Written)})
)


def finish_turn(
    session: Session,
    battle_id: int,
    completions: Mapping[Side, Written],
    status: BattleStatus,
    owner: str | None = None,
) -> None:
    """Save the completions of the running turn; with `owner`, of that server. Raises `WrongStatus`."""
    move(session, battle_id, BattleStatus.RUNNING, status, owner)
    rows = [{"of_battle": battle_id, "of_side": side, **vars(written)} for side, written in completions.items()]
    if rows and session.connection().execute(_FINISH, rows).rowcount != len(rows):
        raise WrongStatus(f"battle {battle_id} does not run on the sides {', '.join(completions)}")


def close_stale(session: Session, before: datetime) -> int:
    """Abandon open battles without a vote, pending ones included, and a change since `before`. Returns their number."""
    pending = select(PendingVote.battle_id)
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Battle)
        .where(
            col(Battle.status) == BattleStatus.OPEN,
            col(Battle.changed_at) < before,
            col(Battle.id).not_in(pending),
        )
        .values(status=BattleStatus.ABANDONED, changed_at=now())
    )
    return done.rowcount


def _insert(session: Session, table: type[SQLModel], **values: Any) -> int:
    """Add one row without an object of it in the session; returns its id."""
    done: CursorResult[Any] = session.connection().execute(insert(table).values(values))
    (number,) = done.inserted_primary_key or (0,)
    return int(number)


def _model_id(name: str) -> ScalarSelect[int | None]:
    return select(Model.id).where(Model.name == name).scalar_subquery()


def _last_turn(session: Session, battle_id: int) -> Turn:
    turns = select(Turn).where(Turn.battle_id == battle_id)
    return session.exec(turns.order_by(col(Turn.number).desc()).limit(1)).one()


def _add_attempt(session: Session, turn_id: int, attempt: int, sides: Sequence[Side]) -> None:
    rows = [{"turn_id": turn_id, "side": side, "attempt": attempt} for side in sides]
    session.connection().execute(insert(CompletionRow), rows)
