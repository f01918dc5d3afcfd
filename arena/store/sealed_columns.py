"""Published columns of votes that are fixed with the vote and stand in no leaf."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlmodel import Session, col, select

from arena.store.schema.battle_features import BattleStyle
from arena.store.schema.battles import Battle, Vote
from arena.store.schema.clusters import BattlePrompt
from arena.store.schema.judging import VerdictRow

STYLE = tuple(name for name in BattleStyle.model_fields if name != "battle_id")
NAMES = ("vote", "pair_probability", "preference", "prompt_cluster", *STYLE)


def fixed_columns(session: Session, after: int, until: int) -> Iterator[dict[str, Any]]:
    """These columns of the votes with ids above `after` up to `until`, in the order of the ids."""
    columns: tuple[Any, ...] = (
        Vote.id,
        Battle.pair_probability,
        VerdictRow.preference,
        BattlePrompt.cluster,
        *(getattr(BattleStyle, name) for name in STYLE),
    )
    rows = session.execute(
        select(*columns)
        .select_from(Vote)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .join(VerdictRow, col(VerdictRow.vote_id) == col(Vote.id), isouter=True)
        .join(BattlePrompt, col(BattlePrompt.battle_id) == col(Vote.battle_id), isouter=True)
        .join(BattleStyle, col(BattleStyle.battle_id) == col(Vote.battle_id), isouter=True)
        .where(col(Vote.id) > after, col(Vote.id) <= until)
        .order_by(col(Vote.id))
    )
    for row in rows:
        yield dict(zip(NAMES, row, strict=True))
