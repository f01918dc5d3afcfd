"""The votes of people on two models, whichever stood on the left."""

from __future__ import annotations

from sqlmodel import Session, col, select

from arena.rules.votes import HUMAN, OVERALL
from arena.store.schema.battles import Model, PairCount
from arena.store.votes import PairVotes


def votes_on_pair(session: Session, model_a: str, model_b: str, source: str = HUMAN) -> PairVotes:
    """The counts of both orders; `wins` are those of `model_a`."""
    ids = {
        name: number
        for number, name in session.exec(
            select(Model.id, Model.name).where(col(Model.name).in_((model_a, model_b)))
        ).all()
    }
    pair = (ids.get(model_a), ids.get(model_b))
    rows = session.exec(
        select(PairCount).where(
            PairCount.category == OVERALL,
            PairCount.source == source,
            col(PairCount.model_a_id).in_(pair),
            col(PairCount.model_b_id).in_(pair),
        )
    ).all()
    wins = losses = ties = both_bad = 0
    for row in rows:
        left, right = (row.wins, row.losses) if row.model_a_id == pair[0] else (row.losses, row.wins)
        wins, losses = wins + left, losses + right
        ties, both_bad = ties + row.ties, both_bad + row.both_bad
    return PairVotes(model_a, model_b, wins, losses, ties, both_bad)
