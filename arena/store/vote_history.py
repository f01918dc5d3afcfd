"""The votes in slices of time, each with its pair counts, for ratings at past dates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from arena.store.models import model_ids
from arena.store.query_filters import in_category, of_source
from arena.store.schema.battles import Battle, Vote
from arena.store.votes import COLUMNS, PairVotes


@dataclass(frozen=True)
class Slice:
    """The pair counts of the votes up to `until` after the previous slice."""

    until: datetime
    counted: tuple[PairVotes, ...]


def slices(session: Session, source: str | None, category: str, parts: int) -> Iterator[Slice]:
    """Slices of about equally many votes, in order of time; reads every vote once."""
    first, last = session.exec(select(func.min(Vote.id), func.max(Vote.id))).one()
    if first is None or last is None:
        return
    number: Any = (col(Vote.id) - first) * parts // (last - first + 1)
    query: Any = (
        select(  # type: ignore[call-overload]
            number,
            Battle.model_a_id,
            Battle.model_b_id,
            Vote.winner,
            func.count(),
            func.max(Vote.created_at),
        )
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .where(of_source(Vote.source, source), in_category(category))
        .group_by(number, col(Battle.model_a_id), col(Battle.model_b_id), col(Vote.winner))
    )
    names = model_ids(session)
    by_slice: dict[int, list[tuple[PairVotes, datetime]]] = {}
    for place, a, b, winner, votes, latest in session.execute(query):
        sums = {name: votes if name == COLUMNS[winner] else 0 for name in COLUMNS.values()}
        by_slice.setdefault(int(place), []).append((PairVotes(names[a], names[b], **sums), latest))
    for place in sorted(by_slice):
        yield Slice(max(latest for _, latest in by_slice[place]), tuple(counted for counted, _ in by_slice[place]))
