"""Running turns in the store: who runs them, their texts so far, and the closing of those that nobody runs any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, bindparam, delete, func, insert, or_, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import Session, col, select

from arena.rules.votes import Side
from arena.store.battles import WrongStatus, finish_turn, move
from arena.store.pending_votes import VotePending, is_pending
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, CompletionStatus, Server, Turn, now
from arena.store.spending import Settlement, settle
from arena.store.stored_battles import Written

FORGET_AFTER = timedelta(days=1)  # a row of a server that was killed; far more than clocks differ


@dataclass(frozen=True)
class TextSoFar:
    """What one side of a running turn has written."""

    turn_id: int
    attempt: int
    side: Side
    text: str


@dataclass
class EndedTurn:
    """The outcome of a turn, to be stored. `kept` says whether it was; `None` before that is known."""

    battle_id: int
    completions: Mapping[Side, Written]
    status: BattleStatus
    kept: bool | None = None
    settlement: Settlement | None = None  # of what it has cost, if it is kept


class ValuesRefused(Exception):
    """The database refuses these very values, so that a retry cannot help; nothing was written."""


def take(session: Session, battle_id: int, owner: str, before: BattleStatus = BattleStatus.OPEN) -> None:
    """Make a battle without a pending vote run on a server. Raises `WrongStatus`, `VotePending`."""
    move(session, battle_id, before, BattleStatus.RUNNING)
    if is_pending(session, battle_id):
        raise VotePending
    session.execute(update(Battle).where(col(Battle.id) == battle_id).values(owner=owner, stop_requested=False))


def request_stop(session: Session, battle_id: int) -> None:
    """Ask the server that runs the turn to stop it."""
    running = (col(Battle.id) == battle_id) & (col(Battle.status) == BattleStatus.RUNNING)
    session.execute(update(Battle).where(running).values(stop_requested=True))


def finish(session: Session, owner: str, turns: Sequence[EndedTurn]) -> list[bool]:
    """Save the completions of turns that this server still runs; tells for each whether it did.

    A turn that another server has closed in the meantime, because this one looked dead, is left as it is, and its
    reservation stays. A cost is settled in the transaction that ends its turn: a repetition, after a commit whose
    answer was lost, finds the turn ended and settles nothing. Raises `ValuesRefused`.
    """
    kept = []
    for turn in turns:
        try:
            finish_turn(session, turn.battle_id, turn.completions, turn.status, owner)
            session.flush()
        except WrongStatus:
            kept.append(False)
        except (DataError, IntegrityError, ValueError) as error:
            raise ValuesRefused(f"battle {turn.battle_id}: {error}") from error
        else:
            kept.append(True)
    ended = [turn for turn, was_kept in zip(turns, kept, strict=True) if was_kept]
    settle(session, [turn.settlement for turn in ended if turn.settlement])
    return kept


def save_texts(session: Session, texts: Sequence[TextSoFar]) -> None:
    """Save what running completions have by now; a closed one is left as it is."""
    if not texts:
        return
    statement = (
        update(CompletionRow)
        .where(
            col(CompletionRow.turn_id) == bindparam("of_turn"),
            col(CompletionRow.side) == bindparam("of_side"),
            col(CompletionRow.attempt) == bindparam("of_attempt"),
            col(CompletionRow.status) == CompletionStatus.RUNNING,
        )
        .values(text=bindparam("text"))
    )
    rows = [{"of_turn": t.turn_id, "of_side": t.side, "of_attempt": t.attempt, "text": t.text} for t in texts]
    session.connection().execute(statement, rows)


def still_run_by(session: Session, owner: str, ids: Collection[int]) -> dict[int, bool]:
    """Those of the battles that this server still runs, and whether another one asks to stop each."""
    running = select(Battle.id, Battle.stop_requested).where(col(Battle.id).in_(ids), _run_by(owner))
    return dict(session.exec(running).all())  # type: ignore[arg-type]


def note_reader(session: Session, public_id: str) -> None:
    """Note that somebody reads a running turn on a server that does not run it: the battle has changed just now."""
    running = (col(Battle.public_id) == public_id) & (col(Battle.status) == BattleStatus.RUNNING)
    session.execute(update(Battle).where(running).values(changed_at=now()))


def read_since(session: Session, ids: Collection[int], since: datetime) -> set[int]:
    """Those of the running battles that have begun, or were read on another server, since then."""
    return set(session.exec(select(Battle.id).where(col(Battle.id).in_(ids), col(Battle.changed_at) >= since)))  # type: ignore[arg-type]


def renew(session: Session, server: str, silent_after: timedelta) -> bool:
    """Give a server's sign of life, by the clock of the database; returns whether the last one is recent."""
    mine = update(Server).where(col(Server.id) == server).values(seen_at=func.now())
    recent: CursorResult[Any] = session.execute(mine.where(_recent(silent_after)))  # type: ignore[assignment]
    if recent.rowcount:
        return True
    late: CursorResult[Any] = session.execute(mine)  # type: ignore[assignment]
    if late.rowcount == 0:
        session.execute(insert(Server).values(id=server, started_at=func.now(), seen_at=func.now()))
        session.execute(delete(Server).where(~_recent(FORGET_AFTER)))
    return False


def withdraw(session: Session, server: str) -> None:
    """Remove the row of a server that stops."""
    session.execute(delete(Server).where(col(Server.id) == server))


def run_by(session: Session, server: str) -> set[int]:
    """The running battles of a server."""
    return set(session.exec(select(Battle.id).where(_run_by(server))))  # type: ignore[arg-type]


def interrupt(session: Session, condition: ColumnElement[bool]) -> int:
    """Open those running battles with their texts so far, which their voters can have written again.

    Returns their number.
    """
    running = (col(Battle.status) == BattleStatus.RUNNING) & condition
    ids = session.exec(select(Battle.id).where(running).order_by(col(Battle.id)).with_for_update()).all()
    turns = select(Turn.id).where(col(Turn.battle_id).in_(ids))
    session.execute(
        update(CompletionRow)
        .where(col(CompletionRow.turn_id).in_(turns), col(CompletionRow.status) == CompletionStatus.RUNNING)
        .values(status=CompletionStatus.ABANDONED)
    )
    session.execute(
        update(Battle).where(col(Battle.id).in_(ids)).values(status=BattleStatus.OPEN, changed_at=now())
    )
    return len(ids)


def interrupt_silent(session: Session, server: str, silent_after: timedelta) -> int:
    """Interrupt the turns of servers other than `server` without a recent sign of life. Returns their number.

    A database that has started only just now has signs from before its outage, so then it interrupts none.
    """
    alive = select(Server.id).where(_recent(silent_after))
    silent = (col(Battle.owner) != server) & col(Battle.owner).not_in(alive)
    return interrupt(session, silent & (func.pg_postmaster_start_time() < func.now() - silent_after))


def interrupt_lost(session: Session, server: str, battles: Collection[int]) -> int:
    """Interrupt those of the battles that are still running on `server`. Returns their number."""
    return interrupt(session, col(Battle.id).in_(battles) & _run_by(server))


def interrupt_all_but(session: Session, owner: str) -> int:
    """Interrupt every battle that another server ran: on a file, this one is the only server. Returns their number."""
    return interrupt(session, or_(col(Battle.owner).is_(None), col(Battle.owner) != owner))


def interrupt_unowned(session: Session, before: datetime) -> int:
    """Interrupt battles that a server of an older version left running since `before`. Returns their number."""
    return interrupt(session, col(Battle.owner).is_(None) & (col(Battle.changed_at) < before))


def _run_by(owner: str) -> ColumnElement[bool]:
    return (col(Battle.status) == BattleStatus.RUNNING) & (col(Battle.owner) == owner)


def _recent(age: timedelta) -> ColumnElement[bool]:
    return col(Server.seen_at) >= func.now() - age
