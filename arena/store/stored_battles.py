"""A battle as it is stored, read with few statements: it is read several times in every turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Row, and_, bindparam, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from arena.rules.model_states import is_private
from arena.rules.modes import Mode
from arena.rules.votes import HUMAN, SIDES, Side
from arena.store.images import StoredImage, images_of_turns
from arena.store.pending_votes import StoredPendingVote, decoded
from arena.store.query_filters import is_control
from arena.store.schema.battles import (
    Battle,
    BattleStatus,
    CompletionRow,
    CompletionStatus,
    Model,
    PendingVote,
    Turn,
    Vote,
)
from arena.store.schema.images import TurnImage
from arena.store.schema.vote_states import VoteHold


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
    texts: str | None = None  # of `arena.store.text_checks.Texts`, None without checks
    warned: bool = False  # a check of its texts warns
    visitor_unchecked: bool = False
    for_no_board: bool = False  # its vote is held, or on a control battle or a private model

    @property
    def named(self) -> bool:
        """Whether its voter may see which models these are."""
        return self.status is BattleStatus.VOTED or self.mode is not Mode.BLIND

    @property
    def models(self) -> dict[Side, str]:
        """The name of the model on each side that has one."""
        names: dict[Side, str] = {"a": self.model_a, "b": self.model_b}
        return {side: names[side] for side in self.mode.sides}


# The statements are made once and run without the session's objects, which takes a third of the time.
_A, _B = aliased(Model), aliased(Model)
_HAS_IMAGES = exists().where(col(TurnImage.turn_id) == col(Turn.id))
_HELD = exists().where(col(VoteHold.vote_id) == col(Vote.id))
_FACTS: tuple[Any, ...] = (
    Battle.id,
    Battle.public_id,
    Battle.voter,
    _A.name.label("model_a"),  # type: ignore[attr-defined]
    _B.name.label("model_b"),  # type: ignore[attr-defined]
    col(Battle.status).label("battle_status"),
    Battle.shared,
    Battle.mode,
    Battle.texts,
    Battle.warned,
    Battle.visitor_unchecked,
    Vote.winner,
    Vote.reasons,
    col(PendingVote.winner).label("pending"),
    col(PendingVote.reasons).label("pending_reasons"),
    PendingVote.due_at,
    or_(_HELD, is_control(Battle.id)).label("for_no_board"),
)
_WRITTEN = tuple(field.name for field in fields(Written))
_COMPLETIONS: tuple[Any, ...] = (
    col(Turn.id).label("turn_id"),
    Turn.number,
    Turn.prompt,
    _HAS_IMAGES.label("has_images"),
    CompletionRow.side,
    CompletionRow.attempt,
    *(getattr(CompletionRow, name) for name in _WRITTEN),
)
_BATTLE = (  # a row for each completion, or one for a battle without any
    select(*_FACTS, *_COMPLETIONS)
    .join(_A, col(_A.id) == col(Battle.model_a_id))
    .join(_B, col(_B.id) == col(Battle.model_b_id))
    .outerjoin(Vote, and_(col(Vote.battle_id) == col(Battle.id), col(Vote.source) == HUMAN))
    .outerjoin(PendingVote, col(PendingVote.battle_id) == col(Battle.id))
    .outerjoin(Turn, col(Turn.battle_id) == col(Battle.id))
    .outerjoin(CompletionRow, col(CompletionRow.turn_id) == col(Turn.id))
    .where(col(Battle.public_id) == bindparam("public_id"))
    .order_by(col(Turn.number), col(CompletionRow.attempt))
)


def find_battle(session: Session, *, public_id: str) -> StoredBattle | None:
    """The battle with this public id, with its turns in order."""
    session.flush()
    rows = session.connection().execute(_BATTLE, {"public_id": public_id}).all()
    if not rows:
        return None
    row = rows[0]
    status = BattleStatus(row.battle_status)
    pending = row.pending is not None and status is BattleStatus.OPEN
    return StoredBattle(
        id=row.id,
        public_id=row.public_id,
        voter=row.voter,
        model_a=row.model_a,
        model_b=row.model_b,
        status=status,
        turns=_turns(session, rows),
        winner=row.winner,
        reasons=decoded(row.reasons),
        pending=StoredPendingVote(row.pending, decoded(row.pending_reasons), row.due_at) if pending else None,
        shared=row.shared,
        mode=Mode(row.mode),
        texts=row.texts,
        warned=row.warned,
        visitor_unchecked=row.visitor_unchecked,
        for_no_board=row.for_no_board or is_private(row.model_a) or is_private(row.model_b),
    )


def find_changed(session: Session, public_id: str) -> StoredBattle:
    """The battle with this public id, which this transaction has changed."""
    battle = find_battle(session, public_id=public_id)
    assert battle is not None
    return battle


def _turns(session: Session, rows: Sequence[Row[Any]]) -> tuple[StoredTurn, ...]:
    images = images_of_turns(session, [rows[0].id]) if any(row.has_images for row in rows) else {}
    by_turn: dict[int, list[Row[Any]]] = {}
    for row in rows:
        if row.side is not None:
            by_turn.setdefault(row.turn_id, []).append(row)
    return tuple(_turn(rows, images.get(number, ())) for number, rows in by_turn.items())


def _turn(rows: Sequence[Row[Any]], images: tuple[StoredImage, ...]) -> StoredTurn:
    """The turn with its completions, which are in the order of their attempts."""
    latest = {row.side: row for row in rows}
    last = rows[-1]
    return StoredTurn(
        id=last.turn_id,
        number=last.number,
        prompt=last.prompt,
        attempt=last.attempt,
        completions={side: _written(latest[side]) for side in SIDES if side in latest},
        images=images,
    )


def _written(row: Row[Any]) -> Written:
    values = {name: getattr(row, name) for name in _WRITTEN}
    return Written(**{**values, "status": CompletionStatus(row.status)})
