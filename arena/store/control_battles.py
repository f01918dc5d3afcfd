"""Control battles in the store: marked, and the earlier battles that can be shown again with exchanged sides."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, or_, select

from arena.rules.controls import Control
from arena.rules.modes import Mode
from arena.rules.vote_clusters import published_prompt
from arena.rules.votes import HUMAN
from arena.store.ledger import ledger_key
from arena.store.query_filters import accepted, counting, is_control
from arena.store.schema.battles import (
    Battle,
    BattleStatus,
    CompletionRow,
    CompletionStatus,
    Model,
    Turn,
    Vote,
    now,
)
from arena.store.schema.clusters import BattlePrompt
from arena.store.schema.controls import ControlBattle
from arena.store.schema.images import TurnImage
from arena.store.stored_battles import StoredBattle, find_battle

DECISIVE = ("model_a", "model_b")
MONTH = timedelta(days=30)  # after which a model whose texts were the same is tried again
NEWEST = 200  # battles on a prompt, or of a voter, that are looked at


def add_control(session: Session, battle_id: int, kind: Control, repeats: int | None = None) -> None:
    """Mark a new battle as a control battle; `repeats` is the battle whose completions it shows."""
    session.add(ControlBattle(battle_id=battle_id, kind=kind, repeats_id=repeats))


def repeatable(
    session: Session, voter: str, prompt: str, *, suggested: bool, before: datetime, models: Collection[str]
) -> Iterator[StoredBattle]:
    """Earlier battles on a prompt that this voter may see again, between two of the models, the newest first.

    A suggested prompt has those of other voters. Any other prompt is its voter's own: of these only the voter's, from
    `before` a moment. Each has one turn with two whole first attempts, and a decisive vote after both were read; none was
    shown again yet.
    """
    for public_id in session.exec(_repeatable(session, voter, prompt, suggested, before)):
        battle = find_battle(session, public_id=public_id)
        if battle is not None and {*battle.models.values()} <= {*models} and _is_whole(battle):
            yield battle


def _repeatable(session: Session, voter: str, prompt: str, suggested: bool, before: datetime) -> Any:
    shown = select(ControlBattle.repeats_id).where(ControlBattle.repeats_id == Battle.id)
    voted = select(Vote.id).where(
        Vote.battle_id == Battle.id,
        Vote.source == HUMAN,
        col(Vote.winner).in_(DECISIVE),
        col(Vote.stopped_early).is_(False),
        col(Vote.import_id).is_(None),
        counting(),
    )
    images = select(TurnImage.turn_id).where(TurnImage.turn_id == Turn.id)
    own = select(Battle.id).where(Battle.voter == voter, col(Battle.created_at) < before)
    numbers = own.order_by(col(Battle.id).desc()).limit(NEWEST).subquery()
    near: ColumnElement[bool] = col(Battle.id).in_(select(numbers.c.id))
    if suggested:
        cluster = published_prompt(ledger_key(session), prompt)
        same = select(BattlePrompt.battle_id).where(BattlePrompt.cluster == cluster)
        others = same.order_by(col(BattlePrompt.battle_id).desc()).limit(NEWEST).subquery()
        of_others = col(Battle.id).in_(select(others.c.battle_id)) & (Battle.voter != voter)
        near = or_(near, of_others & col(Battle.suggested))
    return (
        select(Battle.public_id)
        .join(Turn, col(Turn.battle_id) == col(Battle.id))
        .where(near, Turn.number == 1, Turn.prompt == prompt, ~images.exists())
        .where(Battle.mode == Mode.BLIND, Battle.status == BattleStatus.VOTED, voted.exists())
        .where(~shown.exists(), ~is_control(Battle.id))
        .order_by(col(Battle.id).desc())
    )


def _is_whole(battle: StoredBattle) -> bool:
    turn = battle.turns[0]
    finished = all(written.status is CompletionStatus.FINISHED for written in turn.completions.values())
    return len(battle.turns) == 1 and turn.attempt == 1 and finished and len(turn.completions) == 2


def repeats_itself(session: Session, model: str) -> bool:
    """Whether a control battle of a month showed one text of this model on both sides, which a voter would notice."""
    left, right = aliased(CompletionRow), aliased(CompletionRow)
    number = select(Model.id).where(Model.name == model).scalar_subquery()
    same = (
        select(ControlBattle.battle_id)
        .join(Battle, col(Battle.id) == col(ControlBattle.battle_id))
        .join(Turn, col(Turn.battle_id) == col(Battle.id))
        .join(left, (col(left.turn_id) == col(Turn.id)) & (left.side == "a"))
        .join(right, (col(right.turn_id) == col(Turn.id)) & (right.side == "b"))
        .where(ControlBattle.kind == Control.SAME_MODEL, Battle.model_a_id == number, left.text != "")
        .where(left.attempt == right.attempt, left.text == right.text, col(Battle.created_at) > now() - MONTH)
        .where(left.status == CompletionStatus.FINISHED, right.status == CompletionStatus.FINISHED)
    )
    return session.exec(same.limit(1)).first() is not None


@dataclass(frozen=True)
class SameModelVote:
    """A vote of a person on one model against itself."""

    winner: str
    voter: str


@dataclass(frozen=True)
class RepeatedVote:
    """A vote on a repetition, and the first, decisive vote on these two texts, each as its voter saw the sides."""

    winner: str
    voter: str
    first_winner: str
    first_voter: str

    @property
    def is_reversed(self) -> bool:
        """Whether the other text won: the sides are exchanged, so that one side won twice."""
        return self.winner == self.first_winner

    @property
    def by_the_same_voter(self) -> bool:
        return self.voter == self.first_voter


def same_model_votes(session: Session, *, leaked: bool = True) -> list[SameModelVote]:
    """The accepted votes on battles of one model with itself; without `leaked` those that name no model."""
    rows = session.execute(_votes(Control.SAME_MODEL, leaked).with_only_columns(Vote.winner, Vote.voter))
    return [SameModelVote(winner, voter) for winner, voter in rows]


def repeated_votes(session: Session, *, leaked: bool = True) -> list[RepeatedVote]:
    """The accepted votes on repetitions whose first vote is accepted too.

    What was continued, edited, written again or stopped before its end is no repetition any more.
    """
    changed = select(Turn.id).outerjoin(CompletionRow, col(CompletionRow.turn_id) == col(Turn.id))
    changed = changed.where(Turn.battle_id == Battle.id, (col(Turn.number) > 1) | (col(CompletionRow.attempt) > 1))
    query = _votes(Control.SWAPPED, leaked).where(~changed.exists(), col(Vote.stopped_early).is_(False))
    rows = session.execute(query.with_only_columns(ControlBattle.repeats_id, Vote.winner, Vote.voter)).all()
    shown = select(ControlBattle.repeats_id).where(ControlBattle.kind == Control.SWAPPED)
    first = select(Vote.battle_id, Vote.winner, Vote.voter).where(
        Vote.source == HUMAN, accepted(), col(Vote.battle_id).in_(shown)
    )
    firsts = {battle: (winner, voter) for battle, winner, voter in session.execute(first)}
    return [RepeatedVote(winner, voter, *firsts[battle]) for battle, winner, voter in rows if battle in firsts]


def _votes(kind: Control, leaked: bool) -> Any:
    """The accepted votes of people on control battles of a kind, in order."""
    named = select(CompletionRow.id).join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
    named = named.where(Turn.battle_id == Battle.id, col(CompletionRow.leaked).is_(True))
    query = (
        select(Vote.id)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .join(ControlBattle, col(ControlBattle.battle_id) == col(Vote.battle_id))
        .where(ControlBattle.kind == kind, Vote.source == HUMAN, accepted())
        .order_by(col(Vote.id))
    )
    return query if leaked else query.where(~named.exists())
