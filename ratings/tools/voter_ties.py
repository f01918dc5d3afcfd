"""How much likelier the ties of an account are for a network, whose members decide every battle, than for the crowd.

The crowd's habits are a mixture of rates of ties, fitted by expectation maximisation to the accounts themselves, so that
many who never tie make that no sign. Half of a network may tie as the crowd does: an account that ties loses at most
log 2 by it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from ratings.data.counts import Floats

RATES = np.r_[0.0, np.arange(0.02, 0.8, 0.04)]  # of the crowd
MEMBER = 0.02  # of a member of a network who does not tie as the crowd
STEPS = 100


def tie_evidence(ties: NDArray[np.int64], votes: NDArray[np.int64], crowd: NDArray[np.bool_]) -> Floats:
    """(accounts,): log likelihood ratios of `ties` among `votes`, both (accounts,); `crowd` marks who sets the habits.

    For accounts of up to a hundred votes: beyond, the likelihoods underflow.
    """
    pairs, code = np.unique(np.stack([ties, votes], axis=1), axis=0, return_inverse=True)
    by_rate = _likelihood(pairs, RATES[:, None])
    many = np.bincount(code.ravel()[crowd], minlength=len(pairs))
    weight = np.full(len(RATES), 1 / len(RATES))
    for _ in range(STEPS):
        belongs = weight[:, None] * by_rate
        # One account more, of every habit alike: no rate is impossible.
        weight = (belongs / belongs.sum(axis=0) @ many + 1 / len(RATES)) / (many.sum() + 1)
    ratio = np.log(0.5 + 0.5 * _likelihood(pairs, np.float64(MEMBER)) / (weight @ by_rate))
    return np.asarray(ratio[code.ravel()])


def _likelihood(pairs: NDArray[np.int64], rate: Floats | np.float64) -> Floats:
    ties, votes = pairs.T
    return np.asarray(np.exp(xlogy(ties, rate) + xlogy(votes - ties, 1 - rate)))
