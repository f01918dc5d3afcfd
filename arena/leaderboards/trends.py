"""Ratings at past dates, made anew from the votes up to each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import ratings
from arena.leaderboards.leaderboard import pair_columns
from arena.leaderboards.query import NoSuchBoard
from arena.store import Session
from arena.store.vote_history import slices
from arena.store.votes import Counted, vote_count

POINTS = 24  # dates: as many as a curve needs to show its shape
MOST = 2_000_000  # votes; they are all read, about a second for 300,000


@dataclass(frozen=True)
class PastRating:
    model: str
    date: datetime
    rating: float
    lower: float
    upper: float


def rating_history(session: Session, source: str | None, category: str) -> list[PastRating]:
    """Every model from its first vote on, at up to 24 dates with as many votes between them.

    The last date's ratings are those of the board. Raises `NoSuchBoard` for more votes than can be read anew.
    """
    votes = vote_count(session)
    if votes > MOST:
        raise NoSuchBoard(f"Ratings over time read every vote, and there are {votes:,}: offered up to {MOST:,}.")
    counted: list[Counted] = []
    history = []
    for one in slices(session, source, category, POINTS):
        counted.extend(one.counted)
        present = sorted({name for pair in counted for name in (pair.model_a, pair.model_b)})
        board = ratings.leaderboard(pair_columns(present, counted))
        history += [PastRating(row.model, one.until, row.rating, row.lower, row.upper) for row in board.rows]
    return history
