"""The votes of people by pair, with those on private models, for the draw of the next pairs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, or_, select

from arena.rules.model_states import PRIVATE
from arena.rules.votes import HUMAN, OVERALL
from arena.store.models import model_ids
from arena.store.query_filters import accepted
from arena.store.schema.battles import Battle, Model, Vote
from arena.store.votes import PairVotes, counts_from_votes, pair_counts


def votes_of_people(session: Session) -> Sequence[PairVotes]:
    """The pair counts of the board of people, and those of the accepted votes on private models, which no board has."""
    counted = pair_counts(session)
    private = session.exec(select(Model.id).where(col(Model.name).startswith(PRIVATE, autoescape=True))).all()
    if not private:
        return counted
    names = model_ids(session)
    of_private = or_(col(Battle.model_a_id).in_(private), col(Battle.model_b_id).in_(private))
    cells = counts_from_votes(
        session,
        of_private,
        col(Battle.model_a_id) != col(Battle.model_b_id),
        Vote.source == HUMAN,
        counted=accepted(),
    )
    more = [
        PairVotes(names[a], names[b], *counts)
        for (a, b, category, _), counts in sorted(cells.items())
        if category == OVERALL
    ]
    return [*counted, *more]
