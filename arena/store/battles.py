"""Battles in the store: added, continued, closed, read. Every function works in the session of its caller."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, func, update
from sqlmodel import Session, col, select

from arena.rules.modes import Mode
from arena.rules.votes import HUMAN, SIDES, Side
from arena.store.images import StoredImage, attach, images_of_turns
from arena.store.pending_votes import StoredPendingVote, decoded, find_pending
from arena.store.schema.battles import (
    Battle,
    BattleStatus,
    CompletionRow,
    CompletionStatus,
    Model,
    PendingVote,
    Turn,
    Vote,
    now,
)


@dataclass(frozen=True)
class Written:
    """One completion in the store. Times in seconds."""

    text: str
    status: CompletionStatus
    finish_reason: str | None = None
    failure: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    first_token_seconds: float | None = None
    seconds: float | None = None
    leaked: bool = False


@dataclass(frozen=True)
class StoredTurn:
    id: int
    number: int
    prompt: str
    attempt: int
    completions: Mapping[Side, Written]
    images: tuple[StoredImage, ...] = ()  # of the prompt


@dataclass(frozen=True)
class StoredBattle:
    id: int
    public_id: str
    voter: str
    model_a: str
    model_b: str
    status: BattleStatus
    turns: Sequence[StoredTurn]
    winner: str | None  # of the voter's vote that counts, if there is one
    shared: bool = False  # others may read the battle after the vote
    mode: Mode = Mode.BLIND
    pending: StoredPendingVote | None = None
    reasons: tuple[str, ...] = ()  # of the vote that counts

    @property
    def named(self) -> bool:
        """Whether its voter may see which models these are."""
        return self.status is BattleStatus.VOTED or self.mode is not Mode.BLIND

    @property
    def models(self) -> dict[Side, str]:
        """The name of the model on each side that has one."""
        names: dict[Side, str] = {"a": self.model_a, "b": self.model_b}
        return {side: names[side] for side in self.mode.sides}


def add_battle(
    session: Session,
    voter: str,
    model_a: str,
    model_b: str,
    pair_probability: float,
    owner: str | None = None,
    mode: Mode = Mode.BLIND,
    suggested: bool = False,
) -> Battle:
    """A new battle between two registered models, running on the server `owner`.

    With one model, `model_b` is the same as `model_a`.
    """
    ids = {name: _model_id(session, name) for name in (model_a, model_b)}
    battle = Battle(
        public_id=secrets.token_urlsafe(12),
        voter=voter,
        model_a_id=ids[model_a],
        model_b_id=ids[model_b],
        pair_probability=pair_probability,
        owner=owner,
        mode=mode,
        suggested=suggested,
    )
    session.add(battle)
    session.flush()
    return battle


class WrongStatus(Exception):
    """The battle has not the status that the change needs; nothing was written."""


def move(
    session: Session, battle_id: int, before: BattleStatus, after: BattleStatus, owner: str | None = None
) -> None:
    """Change the status from `before` to `after`; of two concurrent changes, on any server, one succeeds.

    With `owner`, the change needs a battle of that server. Raises `WrongStatus`.
    """
    of_owner = [] if owner is None else [col(Battle.owner) == owner]
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Battle)
        .where(col(Battle.id) == battle_id, col(Battle.status) == before, *of_owner)
        .values(status=after, changed_at=now())
    )
    if done.rowcount != 1:
        raise WrongStatus(f"battle {battle_id} is not {before}")


def replace_model(session: Session, battle_id: int, side: Side, name: str, pair_probability: float) -> None:
    """Put another registered model on a side of a running battle."""
    number = _model_id(session, name)
    column = Battle.model_a_id if side == "a" else Battle.model_b_id
    session.execute(
        update(Battle)
        .where(col(Battle.id) == battle_id)
        .values({column: number, Battle.pair_probability: pair_probability})
    )


def lock_open(session: Session, public_id: str) -> StoredBattle:
    """An open battle, whose status no other transaction changes until this one ends. Raises `WrongStatus`."""
    number = session.exec(select(Battle.id).where(Battle.public_id == public_id)).one() or 0
    move(session, number, BattleStatus.OPEN, BattleStatus.OPEN)
    return find_running(session, public_id)


def add_turn(session: Session, battle_id: int, prompt: str, images: Sequence[str] = ()) -> None:
    """Add the next prompt of a running battle, with the completions of all its sides running.

    `images` are ids of the voter's images. Raises `NoSuchImage`.
    """
    battle = session.get_one(Battle, battle_id)
    last = session.exec(select(func.max(Turn.number)).where(Turn.battle_id == battle_id)).one() or 0
    turn = Turn(battle_id=battle_id, number=last + 1, prompt=prompt)
    session.add(turn)
    session.flush()
    attach(session, turn.id or 0, battle.voter, images)
    _add_attempt(session, turn.id or 0, 1, Mode(battle.mode).sides)


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


def finish_turn(
    session: Session,
    battle_id: int,
    completions: Mapping[Side, Written],
    status: BattleStatus,
    owner: str | None = None,
) -> None:
    """Save the completions of the running turn; with `owner`, of that server. Raises `WrongStatus`."""
    move(session, battle_id, BattleStatus.RUNNING, status, owner)
    for side, written in completions.items():
        row = session.exec(_running(battle_id).where(CompletionRow.side == side)).one()
        for name, value in vars(written).items():
            setattr(row, name, value)
        session.add(row)


def find_battle(session: Session, *, public_id: str) -> StoredBattle | None:
    """The battle with this public id, with its turns in order."""
    battle = session.exec(select(Battle).where(Battle.public_id == public_id)).one_or_none()
    return _stored(session, battle) if battle else None


def find_running(session: Session, public_id: str) -> StoredBattle:
    """The battle with this public id, which this transaction has changed."""
    battle = find_battle(session, public_id=public_id)
    assert battle is not None
    return battle


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


def _model_id(session: Session, name: str) -> int:
    return session.exec(select(Model).where(Model.name == name)).one().id or 0


def _last_turn(session: Session, battle_id: int) -> Turn:
    turns = select(Turn).where(Turn.battle_id == battle_id)
    return session.exec(turns.order_by(col(Turn.number).desc()).limit(1)).one()


def _add_attempt(session: Session, turn_id: int, attempt: int, sides: Sequence[Side]) -> None:
    session.add_all(CompletionRow(turn_id=turn_id, side=side, attempt=attempt) for side in sides)


def _running(battle_id: int | None):  # type: ignore[no-untyped-def]  # noqa: ANN202  (a select keeps its own type)
    return (
        select(CompletionRow)
        .join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
        .where(Turn.battle_id == battle_id, CompletionRow.status == CompletionStatus.RUNNING)
    )


def _stored(session: Session, battle: Battle) -> StoredBattle:
    names: dict[int | None, str] = dict(
        session.exec(
            select(Model.id, Model.name).where(col(Model.id).in_((battle.model_a_id, battle.model_b_id)))
        ).all()
    )
    turns = session.exec(select(Turn).where(Turn.battle_id == battle.id).order_by(col(Turn.number))).all()
    rows: dict[int, list[CompletionRow]] = {turn.id or 0: [] for turn in turns}
    for row in session.exec(
        select(CompletionRow).where(col(CompletionRow.turn_id).in_(rows)).order_by(col(CompletionRow.attempt))
    ):
        rows[row.turn_id].append(row)
    images = images_of_turns(session, [battle.id or 0])
    vote = session.exec(
        select(Vote.winner, Vote.reasons).where(Vote.battle_id == battle.id, Vote.source == HUMAN)
    ).one_or_none()
    return StoredBattle(
        id=battle.id or 0,
        public_id=battle.public_id,
        voter=battle.voter,
        model_a=names[battle.model_a_id],
        model_b=names[battle.model_b_id],
        status=BattleStatus(battle.status),
        turns=tuple(_stored_turn(turn, rows[turn.id or 0], images.get(turn.id or 0, ())) for turn in turns),
        winner=vote[0] if vote else None,
        reasons=decoded(vote[1]) if vote else (),
        pending=find_pending(session, battle.id or 0) if battle.status == BattleStatus.OPEN else None,
        shared=battle.shared,
        mode=Mode(battle.mode),
    )


def _stored_turn(turn: Turn, rows: Sequence[CompletionRow], images: tuple[StoredImage, ...]) -> StoredTurn:
    """The turn with its completions, which are in the order of their attempts."""
    latest = {row.side: row for row in rows}
    return StoredTurn(
        id=turn.id or 0,
        number=turn.number,
        prompt=turn.prompt,
        attempt=max(row.attempt for row in rows),
        completions={side: _written(latest[side]) for side in SIDES if side in latest},
        images=images,
    )


def _written(row: CompletionRow) -> Written:
    fields = {name: getattr(row, name) for name in Written.__dataclass_fields__}
    return Written(**{**fields, "status": CompletionStatus(row.status)})
