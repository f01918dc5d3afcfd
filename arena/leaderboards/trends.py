"""Ratings at past dates, each computed from the votes up to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import numpy as np

import ratings
from arena.leaderboards.query import NoSuchBoard
from arena.leaderboards.vote_clusters import anonymous, clustered
from arena.store import Session
from arena.store.models import model_ids
from arena.store.vote_history import slices
from arena.store.votes import vote_count

POINTS = 24  # dates: as many as a curve needs to show its shape
MOST = 2_000_000  # votes; all of them are read, about a second for 300,000


@dataclass(frozen=True)
class PastRating:
    model: str
    date: datetime
    rating: float
    lower: float
    upper: float


def rating_history(
    session: Session, source: str | None, category: str, without: Collection[str] = ()
) -> list[PastRating]:
    """Every model from its first vote on, at up to 24 dates with as many votes between them.

    The ratings of the last date are those of the leaderboard, without the sources `without`. Raises `NoSuchBoard` for more
    than `MOST` votes.
    """
    votes = vote_count(session)
    if votes > MOST:
        raise NoSuchBoard(
            "Ratings over time read every vote, and there are {votes:,}, more than {most:,}. Choose single days instead.",
            votes=votes,
            most=MOST,
        )
    names, unknown = model_ids(session), anonymous(session)
    history = []
    for part in slices(session, source, category, POINTS, without):
        met = set(np.unique(np.concatenate([part.votes["a"], part.votes["b"]])).tolist())
        voted = {number: name for number, name in names.items() if number in met}
        clusters = clustered(part.votes, source or "all", voted, unknown)
        board = ratings.leaderboard(clusters.counts(), clusters=clusters)
        history += [PastRating(row.model, part.until, row.rating, row.lower, row.upper) for row in board.rows]
    return history
