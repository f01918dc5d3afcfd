"""Position bias and noise of people's votes, from control battles. No board uses these votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import ratings
from arena.leaderboards.vote_filters import EVERY
from arena.store import Session
from arena.store.control_battles import RepeatedVote, SameModelVote, repeated_votes, same_model_votes
from judges.intervals import bounded_interval

LEFT, RIGHT = "model_a", "model_b"
SCORES = {LEFT: 1.0, RIGHT: 0.0}  # every other vote is half a win of each side


@dataclass(frozen=True)
class Share:
    """A share of `votes` of `voters`, with a 95 % interval that allows for several votes of a voter."""

    share: float | None
    lower: float | None
    upper: float | None
    votes: int
    voters: int


@dataclass(frozen=True)
class ControlEstimates:
    """What control battles say of voters and of the page.

    `left` is the share of the left side where one model met itself, a tie being half a win: 1/2 is no bias. `position` is
    its advantage in logits, from both kinds. `decisive` is the share of votes that name a winner where one model met
    itself. `reversed` is the share of repetitions, with a winner both times, in which the other text won;
    `reversed_by_the_same_voter` is that of voters who had voted on the battle themselves.
    """

    left: Share
    position: ratings.PositionBias | None
    decisive: Share
    reversed: Share
    reversed_by_the_same_voter: Share
    undecided: Share  # of repetitions that got no winner, although the battle had one
    filter: str

    def to_dict(self) -> dict[str, Any]:
        """The figures as published."""
        return asdict(self)


def control_estimates(session: Session, filter_version: str = EVERY) -> ControlEstimates:
    """The estimates from the accepted votes on control battles.

    Filters other than `every-1` leave out battles in which a model named itself. Their caps, which keep one voter from
    deciding a board, are not needed: intervals are by voter.
    """
    leaked = filter_version == EVERY
    same = same_model_votes(session, leaked=leaked)
    repeated = repeated_votes(session, leaked=leaked)
    return estimates(same, repeated, filter_version)


def estimates(
    same: Sequence[SameModelVote], repeated: Sequence[RepeatedVote], filter_version: str = EVERY
) -> ControlEstimates:
    """The estimates from these votes."""
    decided = [vote for vote in repeated if vote.winner in SCORES]
    own = [vote for vote in decided if vote.by_the_same_voter]
    return ControlEstimates(
        left=share([SCORES.get(vote.winner, 0.5) for vote in same], [vote.voter for vote in same]),
        position=_position(same, decided),
        decisive=share([vote.winner in SCORES for vote in same], [vote.voter for vote in same]),
        reversed=share([vote.is_reversed for vote in decided], [vote.voter for vote in decided]),
        reversed_by_the_same_voter=share([vote.is_reversed for vote in own], [vote.voter for vote in own]),
        undecided=share([vote.winner not in SCORES for vote in repeated], [vote.voter for vote in repeated]),
        filter=filter_version,
    )


def _position(same: Sequence[SameModelVote], decided: Sequence[RepeatedVote]) -> ratings.PositionBias | None:
    """One side won both votes of a repetition exactly where the other text won."""
    once = [vote for vote in same if vote.winner in SCORES]
    twice = [vote for vote in decided if vote.is_reversed]
    votes = [*((vote.winner, vote.voter) for vote in once), *((vote.winner, vote.voter) for vote in twice)]
    return ratings.position_bias(
        [winner == LEFT for winner, _ in votes],
        [False] * len(once) + [True] * len(twice),
        [voter for _, voter in votes],
    )


def share(values: Sequence[float], voters: Sequence[str]) -> Share:
    """The mean of values from 0 to 1; without an interval for fewer voters than `ratings` asks for."""
    if not values:
        return Share(None, None, None, 0, 0)
    given = np.asarray(values, dtype=float)
    mean = float(given.mean())
    _, group = np.unique(np.asarray(voters), return_inverse=True)
    sums = np.bincount(group, given - mean)
    many = len(sums)
    error = float(np.sqrt(sums @ sums * many / max(many - 1, 1))) / len(given)
    enough = many >= ratings.LEAST_CLUSTERS
    lower, upper = bounded_interval(mean, error, many, 0.0, 1.0) if enough else (None, None)
    return Share(mean, lower, upper, len(given), many)
