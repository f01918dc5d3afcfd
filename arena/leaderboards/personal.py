"""The leaderboard of one voter: their own votes, pooled partially towards those of everybody else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

import ratings
from arena.leaderboards.stored_counts import counts_of
from arena.rules.votes import HUMAN, WINNERS
from arena.store import Session
from arena.store.voter_history import OwnVotes, own_votes

LEAST_VOTES = 20  # below, the intervals of reproduce/personal.py are almost as wide as before the first vote


@dataclass(frozen=True)
class PersonalRow:
    """A model: the voter's rating, the crowd's over the same models, and their difference with its 95 % interval."""

    model: str
    rating: float
    lower: float
    upper: float
    crowd: float
    difference: float
    difference_lower: float
    difference_upper: float
    votes: int

    @property
    def is_clear(self) -> bool:
        """Whether the voter's votes show a difference: the interval does not hold zero."""
        return self.difference_lower > 0 or self.difference_upper < 0


@dataclass(frozen=True)
class PersonalBoard:
    """The rows by evidence of a difference, the strongest first; none below `LEAST_VOTES` votes."""

    votes: int = 0
    crowd_votes: int = 0  # of other people
    rows: tuple[PersonalRow, ...] = ()

    @property
    def missing(self) -> int:
        """Votes until there is a board."""
        return max(0, LEAST_VOTES - self.votes)

    @property
    def clear(self) -> tuple[PersonalRow, ...]:
        return tuple(row for row in self.rows if row.is_clear)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `GET /api/v1/me/leaderboard`."""
        rows = [{name: getattr(row, name) for name in PersonalRow.__dataclass_fields__} for row in self.rows]
        return {"votes": self.votes, "votes_needed": LEAST_VOTES, "crowd_votes": self.crowd_votes, "models": rows}


def personal_board(session: Session, voter: str) -> PersonalBoard:
    """The board of a voter. The crowd is everybody else: their own votes must not count twice."""
    own = own_votes(session, voter)
    counts = counts_of(session, HUMAN)
    board = PersonalBoard(len(own.winner), counts.battles - len(own.winner))
    if board.missing:
        return board
    crowd = ratings.bradley_terry(without(counts, own), prior=ratings.PRIOR)
    fit = ratings.personal(list(own.model_a), list(own.model_b), list(own.winner), crowd)
    return PersonalBoard(board.votes, board.crowd_votes, _rows(fit))


def without(counts: ratings.PairCounts, own: OwnVotes) -> ratings.PairCounts:
    """The pair counts less the votes of one person."""
    place = {name: number for number, name in enumerate(counts.models)}
    mine = Counter(zip(own.model_a, own.model_b, own.winner, strict=True))
    table = counts.table.copy()
    row_of = {(int(a), int(b)): row for row, (a, b) in enumerate(zip(counts.model_a, counts.model_b, strict=True))}
    for (a, b, winner), votes in mine.items():
        table[row_of[place[a], place[b]], WINNERS.index(winner)] -= votes
    return ratings.PairCounts(counts.models, counts.model_a, counts.model_b, *table.T)


def _rows(fit: ratings.PersonalFit) -> tuple[PersonalRow, ...]:
    (low, high), (lower, upper) = fit.rating_interval(), fit.interval()
    return tuple(
        PersonalRow(
            model=fit.models[m],
            rating=float(fit.ratings[m]),
            lower=float(low[m]),
            upper=float(high[m]),
            crowd=float(fit.crowd[m]),
            difference=float(fit.difference[m]),
            difference_lower=float(lower[m]),
            difference_upper=float(upper[m]),
            votes=int(fit.votes[m]),
        )
        for m in np.argsort(-fit.evidence, kind="stable")
    )
