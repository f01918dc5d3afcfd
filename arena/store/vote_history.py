"""The votes by time: in slices, for ratings at past dates, and those before a moment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import and_, false, func, or_
from sqlmodel import Session, col, select

from arena.store.packed_votes import Packed, packed_votes
from arena.store.query_filters import of_source
from arena.store.schema.battles import Battle, Vote


@dataclass(frozen=True)
class Slice:
    """All votes up to `until`, the time of the last one."""

    until: datetime
    votes: Packed


def slices(
    session: Session, source: str | None, category: str, parts: int, without: Collection[str] = ()
) -> Iterator[Slice]:
    """Votes up to dates between which about equally many were given."""
    first, last = session.exec(select(func.min(Vote.id), func.max(Vote.id))).one()
    if first is None or last is None:
        return
    number: Any = (col(Vote.id) - first) * parts // (last - first + 1)
    latest: Any = select(number, func.max(Vote.created_at)).where(of_source(Vote.source, source)).group_by(number)
    until = {int(place): moment for place, moment in session.execute(latest)}
    votes = packed_votes(session, source, category, without)
    votes = votes[np.argsort(votes["vote"])]
    part_of = (votes["vote"].astype(np.int64) - first) * parts // (last - first + 1)
    for part in np.unique(part_of).tolist():
        yield Slice(until[part], votes[: int(np.searchsorted(part_of, part, side="right"))])


def votes_before(session: Session, since: Mapping[int, datetime]) -> list[int]:
    """The ids of the votes on models, by their ids, from before a moment of each."""
    on_model = (
        and_(
            or_(col(Battle.model_a_id) == number, col(Battle.model_b_id) == number), col(Vote.created_at) < moment
        )
        for number, moment in since.items()
    )
    query = select(Vote.id).join(Battle, col(Battle.id) == col(Vote.battle_id)).where(or_(false(), *on_model))
    return [number or 0 for number in session.exec(query)]
