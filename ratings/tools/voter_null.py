"""The null hypothesis of `check_voters`: an honest voter with a taste and a side habit of their own.

    P(left is preferred | not a tie) = expit(theta_left - theta_right + side),    theta = xi + d,    d_m ~ N(0, tau²)

for every tau up to a bound and every |side| up to a bound; xi are the ratings by the other voters. Under Davidson's model
this probability does not depend on how often a voter ties, so any habit of ties is in the null too.

Each of a grid of (tau, side) predicts a voter's next vote from their earlier ones. Beliefs about theta are
independent Gaussians, updated by matching the moments of the difference (as Glicko and TrueSkill do), which costs the
same for every vote. The others' tastes flatten xi: a null of taste tau multiplies xi by sqrt(1 + pi tau² / 4), so that
it predicts the crowd's votes before it has seen any of this voter's.
Sources: Glickman, JRSS C 48 (1999); Herbrich, Minka & Graepel, NIPS 19 (2006).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ratings.data.counts import Floats

TASTE = 1.0  # the bound of tau in logits: 174 points
SIDE = 0.6  # the bound of |side| in logits: one side in 65 % of equal pairs
TASTES = (0.35, 1.0)  # the grid of tau in parts of its bound
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@dataclass(frozen=True, eq=False)
class Beliefs:
    """Means and variances of theta, (voters, models, nulls) in logits; `side` (nulls,). `learn` changes them."""

    mean: Floats
    variance: Floats
    side: Floats

    def learn(self, a: NDArray[np.int64], b: NDArray[np.int64], left_won: NDArray[np.bool_]) -> Floats:
        """(n, nulls): log P of one vote of each of the first n voters, given their earlier votes; then learn it."""
        voter = np.arange(len(a))
        of_a, of_b = self.variance[voter, a], self.variance[voter, b]
        spread = np.sqrt(of_a + of_b)
        lead = self.mean[voter, a] - self.mean[voter, b] + self.side
        sign = np.where(left_won, 1.0, -1.0)[:, None, None]
        likely = expit(sign * (lead[:, :, None] + spread[:, :, None] * NODES)) * WEIGHTS
        p = likely.sum(axis=2)
        shift = likely @ NODES / p
        shrunk = likely @ NODES**2 / p - shift**2 - 1
        self.mean[voter, a] += of_a / spread * shift
        self.mean[voter, b] -= of_b / spread * shift
        self.variance[voter, a] += (of_a / spread) ** 2 * shrunk
        self.variance[voter, b] += (of_b / spread) ** 2 * shrunk
        return np.asarray(np.log(p))


def beliefs(xi: Floats, error: Floats, taste: float) -> Beliefs:
    """Those before the first vote, from the crowd's ratings xi (voters, models) and their variances (models,)."""
    tau, side = (grid.ravel() for grid in np.meshgrid(np.array(TASTES) * taste, [-SIDE, 0.0, SIDE]))
    centred = xi - xi.mean(axis=1, keepdims=True)
    variance = np.broadcast_to(error[:, None] + tau**2, (*xi.shape, len(tau)))
    return Beliefs(centred[:, :, None] * np.sqrt(1 + np.pi * tau**2 / 4), variance.copy(), side)
