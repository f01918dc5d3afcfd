"""What the checks of a vote read when it is cast: how long its completions were there, and the voter's votes of a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, case, func, type_coerce
from sqlalchemy import select as columns
from sqlmodel import Session, col

from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, Turn, UtcDateTime

DAY = timedelta(days=1)
RECENT = 60  # battles of a voter that are looked at: a vote must not cost more the more of them there are


@dataclass(frozen=True)
class CastEvidence:
    """`seconds` from the last prompt to the vote; earlier votes of the voter within a day on the same first prompt, and on
    suggested ones.
    """

    seconds: float
    same_prompt: int
    suggested: int


def cast_evidence(
    session: Session, voter: str, battle_id: int, turn_id: int, prompt: str, at: datetime
) -> CastEvidence:
    """The evidence of a vote on a battle that begins with `prompt` and whose last turn is `turn_id`."""
    values = {
        "voter": voter,
        "battle": battle_id,
        "turn": turn_id,
        "prompt": prompt.strip().lower(),
        "since": at - DAY,
    }
    begun, same, suggested = session.connection().execute(_query(), values).one()
    return CastEvidence(
        (at - begun).total_seconds() if begun else float("inf"), int(same or 0), int(suggested or 0)
    )


@lru_cache
def _query() -> Any:
    begun = (
        columns(func.max(col(CompletionRow.created_at)))
        .where(col(CompletionRow.turn_id) == bindparam("turn"))
        .scalar_subquery()
    )
    recent = (
        columns(Battle.id, Battle.suggested, Battle.created_at, Battle.status)  # type: ignore[call-overload]
        .where(col(Battle.voter) == bindparam("voter"))
        .order_by(col(Battle.id).desc())
        .limit(RECENT)
        .subquery()
    )
    same = func.lower(func.trim(Turn.prompt)) == bindparam("prompt")
    return (
        columns(
            type_coerce(begun, UtcDateTime),
            func.sum(case((same, 1), else_=0)),
            func.sum(case((recent.c.suggested, 1), else_=0)),
        )
        .select_from(recent)
        .join(Turn, (col(Turn.battle_id) == recent.c.id) & (col(Turn.number) == 1))
        .where(
            recent.c.status == BattleStatus.VOTED,
            recent.c.created_at > bindparam("since", type_=UtcDateTime),
            recent.c.id != bindparam("battle"),
        )
    )
