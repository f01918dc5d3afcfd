"""The votes of people on two models, whichever stood on the left."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from arena.rules.votes import HUMAN, OVERALL
from arena.store.schema.battles import Model, PairCount
from arena.store.votes import COLUMNS, PairVotes

_LEFT, _RIGHT = aliased(Model), aliased(Model)
_COUNTS: tuple[Any, ...] = tuple(getattr(PairCount, name) for name in COLUMNS.values())
_NAMES: Any = bindparam("names", expanding=True)
_BOTH_ORDERS = (  # built once: every reveal needs it
    select(col(_LEFT.name), *_COUNTS)
    .join(_LEFT, col(_LEFT.id) == col(PairCount.model_a_id))
    .join(_RIGHT, col(_RIGHT.id) == col(PairCount.model_b_id))
    .where(
        col(PairCount.category) == OVERALL,
        col(PairCount.source) == bindparam("source"),
        col(_LEFT.name).in_(_NAMES),
        col(_RIGHT.name).in_(_NAMES),
    )
)


def votes_on_pair(session: Session, model_a: str, model_b: str, source: str = HUMAN) -> PairVotes:
    """The counts of both orders; `wins` are those of `model_a`."""
    wanted = {"names": (model_a, model_b), "source": source}
    wins = losses = ties = both_bad = 0
    for left, *counts in session.execute(_BOTH_ORDERS, wanted):
        won, lost = counts[:2] if left == model_a else counts[1::-1]
        wins, losses = wins + won, losses + lost
        ties, both_bad = ties + counts[2], both_bad + counts[3]
    return PairVotes(model_a, model_b, wins, losses, ties, both_bad)
