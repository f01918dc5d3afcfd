"""Latency and speed of models, measured in battles."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median

from sqlmodel import Session, col, select

from arena.rules.modes import Mode
from arena.rules.votes import Side
from arena.store.schema.battles import Battle, CompletionRow, CompletionStatus, Model, Turn

RECENT = 5_000  # completions: the speed of former servers does not matter, and old battles must not cost time


@dataclass(frozen=True)
class Timing:
    """Medians over a model's recent finished completions."""

    first_token_seconds: float
    tokens_per_second: float | None
    completions: int


def timings(session: Session) -> dict[str, Timing]:
    """The timing of each model with a finished completion among the recent ones."""
    table = Model.__table__  # type: ignore[attr-defined]
    left, right = table.alias("model_left"), table.alias("model_right")
    query = (
        select(CompletionRow, left.c.name, right.c.name)
        .join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
        .join(Battle, col(Battle.id) == col(Turn.battle_id))
        .join(left, left.c.id == Battle.model_a_id)
        .join(right, right.c.id == Battle.model_b_id)
        .where(
            CompletionRow.status == CompletionStatus.FINISHED,
            col(CompletionRow.first_token_seconds).is_not(None),
            Battle.mode == Mode.BLIND,  # else a visitor could choose whom to make look slow
        )
        .order_by(col(CompletionRow.id).desc())
        .limit(RECENT)
    )
    by_model: dict[str, list[CompletionRow]] = defaultdict(list)
    for row, a, b in session.exec(query):
        side: Side = "a" if row.side == "a" else "b"
        by_model[a if side == "a" else b].append(row)
    return {name: _timing(rows) for name, rows in by_model.items()}


def _timing(rows: list[CompletionRow]) -> Timing:
    speeds = [speed for row in rows if (speed := _tokens_per_second(row)) is not None]
    return Timing(
        first_token_seconds=median(row.first_token_seconds or 0.0 for row in rows),
        tokens_per_second=median(speeds) if speeds else None,
        completions=len(rows),
    )


def _tokens_per_second(row: CompletionRow) -> float | None:
    """The speed of generation, from the first token on."""
    if not row.completion_tokens or row.seconds is None or row.first_token_seconds is None:
        return None
    writing = row.seconds - row.first_token_seconds
    return (row.completion_tokens - 1) / writing if writing > 0 and row.completion_tokens > 1 else None
