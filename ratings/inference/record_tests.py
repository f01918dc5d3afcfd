"""Exact tests of a model's own battles, for counts too small for the normal approximation.

Were model i as strong as model j, its decisive battles would be independent with the probabilities
`p_k = expit(xi_j - xi_k)` of winning against opponent k, and its number of wins Poisson-binomial. The p-value is twice
the probability of as many wins or more. Of two models that met only each other it is the sign test: 3-0 has p = 0.25.
Ties, and battles where both were bad, say nothing about which of two equal models is better, and are left out.
Source: Dixon & Mood, JASA 41 (1946), for the sign test; Hong, Computational Statistics & Data Analysis 59 (2013), for
the Poisson-binomial distribution.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from ratings.data.counts import Floats, PairCounts
from ratings.data.outcomes import A_WINS, B_WINS

# Decisive battles up to which a record is tested: twice the battles that a rank takes, and 60 by 60 by 300 numbers for
# each model of a board of 300. Beyond, a record that is neither undefeated nor winless is close to normal.
MOST_TESTED = 60


def decisive_wins(counts: PairCounts) -> Floats:
    """(models, models): battles that row i won against column j."""
    return counts.matrix(counts.table[:, A_WINS]) + counts.matrix(counts.table[:, B_WINS]).T


def record_p_values(wins: Floats, strengths: Floats, tested: NDArray[np.bool_]) -> Floats:
    """(models, models): the p-value of "i is no better than j" by the record of i, and by that of j.

    The larger of both is given, as far as a record is small or without a win or a loss; 0 where neither is.
    `wins` (models, models) are decisive, `strengths` (models,) finite and in logits, `tested` the pairs (i, j) to
    look at.
    """
    upper = _by_own_record(wins, strengths, tested)
    lower = _by_own_record(wins.T, -strengths, tested.T).T
    return np.maximum(upper, lower)


def _by_own_record(wins: Floats, strengths: Floats, tested: NDArray[np.bool_]) -> Floats:
    """The p-values by the record of i; where `wins` is turned and `strengths` negative, by that of losses."""
    p_values = np.zeros_like(wins)
    battles = wins + wins.T
    for i in np.flatnonzero(tested.any(axis=1)):
        others = np.flatnonzero(tested[i])
        opponents = np.flatnonzero(battles[i])
        gaps = strengths[others, None] - strengths[None, opponents]
        played, won = battles[i, opponents], wins[i].sum()
        if won == played.sum():
            p_values[i, others] = 2 * np.exp(log_expit(gaps) @ played)
        elif played.sum() <= MOST_TESTED:
            p_values[i, others] = 2 * _upper_tail(expit(gaps), np.rint(played).astype(int), round(float(won)))
    return np.minimum(p_values, 1.0)


def _upper_tail(p: Floats, played: NDArray[np.int64], won: int) -> Floats:
    """(rows,): the probability of `won` wins or more, for rows of probabilities p (rows, opponents)."""
    distribution = np.zeros((len(p), int(played.sum()) + 1))
    distribution[:, 0] = 1.0
    for chance, battles in zip(p.T, played, strict=True):
        for _ in range(battles):
            more = distribution[:, :-1] * chance[:, None]
            distribution *= 1 - chance[:, None]
            distribution[:, 1:] += more
    return np.asarray(distribution[:, won:].sum(axis=1))
