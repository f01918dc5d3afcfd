"""What voters are held against: Bradley–Terry ratings of the decisive votes of all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve

from ratings.data.battles import Battles
from ratings.data.counts import Floats
from ratings.data.outcomes import A_WINS, TIE
from ratings.inference.hessian import cholesky, inverse, laplacian, pair_information, win_probability
from ratings.models.bradley_terry import maximise_likelihood


@dataclass(frozen=True, eq=False)
class DecisiveVotes:
    """Rows of the battles without a tie, with their models; `left_won` and `voter` are (votes,)."""

    row: NDArray[np.int64]
    model_a: NDArray[np.int64]
    model_b: NDArray[np.int64]
    left_won: NDArray[np.bool_]
    voter: NDArray[np.int64]
    weight: Floats
    size: int

    def wins(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Floats:
        """(models, models): the weight with which row i beat column j in the chosen votes."""
        a, b, left = self.model_a[chosen], self.model_b[chosen], self.left_won[chosen]
        winner, loser = np.where(left, a, b), np.where(left, b, a)
        counted = np.bincount(winner * self.size + loser, self.weight[chosen], self.size**2)
        return np.asarray(counted.reshape(self.size, self.size), dtype=np.float64)


def decisive_votes(battles: Battles, voter: NDArray[np.int64], taste: float) -> DecisiveVotes:
    """The votes for a side, in the order of rows.

    n votes of one voter on a model tell of the crowd what n / (1 + n taste² / 4) independent ones do, as they share the
    voter's taste. With these weights a hundred votes for one model count as four: cheats do not set their own standard.
    """
    row = np.flatnonzero(battles.outcome < TIE)
    a, b = (column[row].astype(np.int64) for column in (battles.model_a, battles.model_b))
    who, size = voter[row], len(battles.models)
    pairs, index = np.unique(np.r_[who * size + a, who * size + b], return_inverse=True)
    many = np.bincount(index, minlength=len(pairs))[index].reshape(2, -1).max(axis=0, initial=0)
    weight = 1 / (1 + taste**2 / 4 * (many - 1))
    return DecisiveVotes(row, a, b, battles.outcome[row] == A_WINS, who, weight, size)


@dataclass(frozen=True, eq=False)
class Reference:
    """Log-strengths xi (models,), their variances (models,), and the voters (voters,) whose votes they come from."""

    xi: Floats
    error: Floats
    factor: Floats
    included: NDArray[np.bool_]

    def without(self, votes: DecisiveVotes, voters: NDArray[np.int64]) -> Floats:
        """(voters, models): xi without the own votes of each of these voters, by one Newton step."""
        place = np.full(len(self.included), -1)
        place[voters] = np.arange(len(voters))
        mine = (place[votes.voter] >= 0) & self.included[votes.voter]
        a, b, who = votes.model_a[mine], votes.model_b[mine], place[votes.voter[mine]]
        size = votes.size
        residual = votes.weight[mine] * (votes.left_won[mine] - win_probability(self.xi)[a, b])
        own = np.bincount(who * size + a, residual, len(voters) * size)
        own -= np.bincount(who * size + b, residual, len(voters) * size)
        return np.asarray(self.xi - cho_solve((self.factor, True), own.reshape(-1, size).T).T)


def reference(votes: DecisiveVotes, included: NDArray[np.bool_], prior: float) -> Reference:
    """The ratings by the voters who are `included` (voters,)."""
    wins = votes.wins(included[votes.voter])
    xi = maximise_likelihood(wins, prior)
    hessian = laplacian(pair_information(wins + wins.T, win_probability(xi)), prior)
    # The common mean, about which votes say nothing, has the variance 1 / (models * prior): leave it out.
    error = np.diag(inverse(hessian.copy())) - 1 / (len(xi) * prior)
    return Reference(xi, np.maximum(error, 0.0), cholesky(hessian), included)
