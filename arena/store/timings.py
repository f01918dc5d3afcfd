"""Latency and speed of models, measured in battles with a vote."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col

from arena.rules.modes import Mode
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, CompletionStatus, Model, Turn
from arena.store.schema.controls import ControlBattle

RECENT = 5_000  # completions: the speed of former servers does not matter, and old battles must not cost time


@dataclass(frozen=True)
class Timing:
    """Medians over a model's recent finished completions."""

    first_token_seconds: float
    tokens_per_second: float | None
    completions: int


class _Writing(NamedTuple):
    """When a completion began and ended, in seconds, and its length."""

    first_token_seconds: float
    seconds: float | None
    tokens: int | None

    @property
    def tokens_per_second(self) -> float | None:
        """The speed of generation, from the first token on."""
        if not self.tokens or self.seconds is None:
            return None
        writing = self.seconds - self.first_token_seconds
        return (self.tokens - 1) / writing if writing > 0 and self.tokens > 1 else None


def timings(session: Session) -> dict[str, Timing]:
    """The timing of each model with a finished completion among the recent ones."""
    table = Model.__table__  # type: ignore[attr-defined]
    left, right = table.alias("model_left"), table.alias("model_right")
    shown_again = select(col(ControlBattle.battle_id)).where(
        col(ControlBattle.battle_id) == col(Battle.id), col(ControlBattle.repeats_id).is_not(None)
    )
    query = (
        select(
            col(CompletionRow.side),
            col(CompletionRow.first_token_seconds),
            col(CompletionRow.seconds),
            col(CompletionRow.completion_tokens),
            left.c.name,
            right.c.name,
        )
        .join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
        .join(Battle, col(Battle.id) == col(Turn.battle_id))
        .join(left, left.c.id == Battle.model_a_id)
        .join(right, right.c.id == Battle.model_b_id)
        .where(
            col(CompletionRow.status) == CompletionStatus.FINISHED,
            col(CompletionRow.first_token_seconds).is_not(None),
            col(Battle.mode) == Mode.BLIND,  # else a visitor could choose whom to make look slow
            ~shown_again.exists(),
            # Pages show these medians: one that changes while a battle waits for its vote names its models.
            _status(session) == BattleStatus.VOTED,
        )
        .order_by(col(CompletionRow.id).desc())
        .limit(RECENT)
    )
    by_model: dict[str, list[_Writing]] = defaultdict(list)
    for side, first, seconds, tokens, a, b in session.execute(query):
        by_model[a if side == "a" else b].append(_Writing(first, seconds, tokens))
    return {name: _timing(rows) for name, rows in by_model.items()}


def _status(session: Session) -> Any:
    """The status of a battle, so that the newest completions are read instead of all battles with a vote.

    SQLite would read and sort a million battles of its index of statuses in 4 s, unless that is hidden from it. PostgreSQL
    knows how many battles have a vote, unless that is hidden from it, and then takes as long.
    """
    status = col(Battle.status)
    return func.coalesce(status, "") if session.get_bind().dialect.name == "sqlite" else status


def _timing(rows: list[_Writing]) -> Timing:
    speeds = [speed for row in rows if (speed := row.tokens_per_second) is not None]
    return Timing(
        first_token_seconds=median(row.first_token_seconds for row in rows),
        tokens_per_second=median(speeds) if speeds else None,
        completions=len(rows),
    )
