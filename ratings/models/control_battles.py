"""Position bias from control battles, in which the better model is known not to exist or to have changed sides.

    P(left wins) = expit(s + b)

with s how much better the left completion is, in logits, and b the advantage of the left side. Two kinds of
battles show b whatever s is:

    one model twice:    s is 0 on average, so the left side wins with expit(b)
    a battle repeated   the left side wins twice, or the right side twice, as expit(2 b) to expit(-2 b):
    with sides swapped  expit(s + b) expit(-s + b) / [expit(-s - b) expit(s - b)] = e^(2 b)

Repetitions whose winner moves with its text say nothing of b: this is the conditional likelihood of matched pairs.
Sources: Cox, The Analysis of Binary Data (1970), ch. 5; clusters: Liang & Zeger, Biometrika 73 (1986).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, stdtrit

from ratings.errors import BadOption, LengthMismatch

PRIOR = 0.25  # precision of b, as that of ratings: finite also where all votes are on one side
LEAST_CLUSTERS = 6  # as for the agreement of judges: an interval from fewer is none
STEPS = 100
TOLERANCE = 1e-12

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PositionBias:
    """The advantage of the left side in `logits`, with a 95 % interval, from `votes` of `clusters` voters.

    The ends are None below `LEAST_CLUSTERS`.
    """

    logits: float
    lower: float | None
    upper: float | None
    votes: int
    clusters: int


def position_bias(
    left_won: Sequence[bool], repeated: Sequence[bool], cluster: Sequence[Hashable], *, level: float = 0.95
) -> PositionBias | None:
    """The advantage of the left side; None without votes.

    One entry each for a decisive vote on one model twice, and for a repetition (`repeated`) in which one side has won
    both votes: whether that was the left one. `cluster` is the voter: votes of one voter need not be independent. The
    interval has a t quantile for the number of voters. Raises LengthMismatch, BadOption.
    """
    if not len(left_won) == len(repeated) == len(cluster):
        raise LengthMismatch(
            f"left_won has {len(left_won)} votes, repeated {len(repeated)}, cluster {len(cluster)}. Give one of each."
        )
    if not 0 < level < 1:
        raise BadOption(f"level {level:g} is out of range. Give a probability between 0 and 1.")
    if not len(left_won):
        return None
    sign = np.where(np.asarray(left_won, dtype=bool), 1.0, -1.0)
    times = np.where(np.asarray(repeated, dtype=bool), 2.0, 1.0)
    b = _estimate(sign, times)
    names, group = np.unique(np.asarray([repr(name) for name in cluster]), return_inverse=True)
    error, clusters = _standard_error(b, sign, times, group), len(names)
    half = float(stdtrit(max(clusters - 1, 1), (1 + level) / 2)) * error
    lower, upper = (b - half, b + half) if clusters >= LEAST_CLUSTERS else (None, None)
    return PositionBias(b, lower, upper, len(sign), clusters)


def _estimate(sign: Floats, times: Floats) -> float:
    """The b of largest sum log expit(sign times b) - PRIOR b²/2, by Newton's method on a concave function."""
    b = 0.0
    for _ in range(STEPS):
        missed = expit(-sign * times * b)
        step = (np.sum(sign * times * missed) - PRIOR * b) / (np.sum(times**2 * missed * (1 - missed)) + PRIOR)
        b += float(np.clip(step, -1.0, 1.0))
        if abs(step) < TOLERANCE:
            break
    return b


def _standard_error(b: float, sign: Floats, times: Floats, group: NDArray[np.intp]) -> float:
    """The square root of the sandwich with votes summed by voter, times C / (C - 1)."""
    missed = expit(-sign * times * b)
    scores = np.bincount(group, sign * times * missed)
    many = len(scores)
    information = float(np.sum(times**2 * missed * (1 - missed))) + PRIOR
    middle = float(scores @ scores) * many / max(many - 1, 1)
    # scores of which each voter has one vote alone may sum to less than the model says they do
    return float(np.sqrt(max(middle, information - PRIOR))) / information
