"""Policies for the next pair to compare: probabilities (models, models) above the diagonal, with sum one.

Policies are compared by `ratings.simulation.race`.
"""

from __future__ import annotations

import numpy as np

from ratings.data.columns import Codes
from ratings.data.counts import Floats, PairCounts
from ratings.errors import BadOption
from ratings.inference.hessian import win_probability
from ratings.models.bradley_terry import PRIOR, bradley_terry
from ratings.scale import CENTRE, POINTS_PER_LOGIT

FLOOR = 0.1  # share of uniform choice: no pair is ever left out, so weights 1/P stay bounded


def uniform(counts: PairCounts) -> Floats:
    """Equal probabilities for all pairs. Raises BadOption for fewer than two models."""
    size = len(counts.models)
    if size < 2:
        raise BadOption(f"{size} models make no pair. Give at least two.")
    return np.triu(np.ones((size, size)), 1) / (size * (size - 1) / 2)


def active(counts: PairCounts, *, floor: float = FLOOR) -> Floats:
    """Probabilities by the fall of a pair's own standard error from one more battle.

        P(a) ∝ sqrt(S_aa / n_a) - sqrt(S_aa / (n_a + 1)),    S_aa = p (1 - p)

    at the fitted p, with n_a the pair's battles, at least one. Mixed with a share `floor` of uniform choice. It improves
    the table of win rates more than the ratings (see `informative`). Source: Chiang et al., arXiv 2403.04132, eq. 9.
    Raises BadOption for a floor outside (0, 1] or fewer than two models.
    """
    p = _probability(counts)
    ordered = counts.matrix(counts.table.sum(axis=1))
    n = np.maximum(ordered + ordered.T, 1.0)
    spread = np.sqrt(p * (1 - p))
    return _with_floor(counts, spread / np.sqrt(n) - spread / np.sqrt(n + 1), floor)


def informative(
    counts: PairCounts, *, floor: float = FLOOR, prior: float = PRIOR, matter: Floats | None = None
) -> Floats:
    """Probabilities by the fall of the mean variance of all ratings from one more battle of a pair (A-optimal design).

        P(i, j) ∝ w |V (e_i - e_j)|² / (1 + w d_ij),    w = p (1 - p),    d_ij = V_ii + V_jj - 2 V_ij

    which is the exact change of the trace of V = H⁻¹. Newcomers get more battles without a rule of their own. Mixed with
    a share `floor` of uniform choice; `matter` (models,) weights the variances. Raises as `active`.
    """
    return _with_floor(counts, variance_fall(counts, prior=prior, matter=matter), floor)


def variance_fall(counts: PairCounts, *, prior: float = PRIOR, matter: Floats | None = None) -> Floats:
    """The fall (models, models) of the weighted sum of variances, in squared logits, from one more battle of a pair.

    See `informative`; `matter` (models,) is 1 for every model where it is left out.
    """
    v = bradley_terry(counts, prior=prior).covariance / POINTS_PER_LOGIT**2
    p = _probability(counts)
    w = p * (1 - p)
    squared = v @ (v if matter is None else matter[:, None] * v)
    own, own_squared = np.diag(v), np.diag(squared)
    spread = own[:, None] + own[None, :] - 2 * v
    fall = w * (own_squared[:, None] + own_squared[None, :] - 2 * squared) / (1 + w * spread)
    np.fill_diagonal(fall, 0.0)
    return np.clip(fall, 0.0, None)


def draw_pairs(probabilities: Floats, battles: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """The indices (battles,) of A and of B, drawn with these probabilities; sides are in random order."""
    size = len(probabilities)
    pair = rng.choice(size * size, battles, p=probabilities.ravel())
    first, second = pair // size, pair % size
    swapped = rng.random(battles) < 0.5
    return np.where(swapped, second, first), np.where(swapped, first, second)


def _probability(counts: PairCounts) -> Floats:
    return win_probability((bradley_terry(counts, prior=PRIOR).ratings - CENTRE) / POINTS_PER_LOGIT)


def _with_floor(counts: PairCounts, gain: Floats, floor: float) -> Floats:
    if not 0 < floor <= 1:
        raise BadOption(f"floor {floor:g} is out of range. Give a share above 0 and up to 1.")
    even = uniform(counts)
    return _scaled((1 - floor) * _scaled(np.triu(gain, 1)) + floor * even)


def _scaled(probabilities: Floats) -> Floats:
    return np.asarray(probabilities / probabilities.sum())
