"""Which pair to ask next: probabilities over pairs, (models, models) above the diagonal, that add up to one."""

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
    """Every pair alike. Raises BadOption for fewer than two models."""
    size = len(counts.models)
    if size < 2:
        raise BadOption(f"{size} models make no pair; give at least two")
    return np.triu(np.ones((size, size)), 1) / (size * (size - 1) / 2)


def active(counts: PairCounts, *, floor: float = FLOOR) -> Floats:
    """The pair whose mean gains most: P(a) ∝ sqrt(S_aa / n_a) - sqrt(S_aa / (n_a + 1)), n_a its battles.

    S_aa = p (1 - p) at the fitted p, and at least one battle is taken for granted. Mixed with `floor` of
    uniform choice. Source: arXiv 2403.04132, eq. 9. It serves the table of win rates much and ratings little
    (see `informative`). Raises BadOption for a floor outside (0, 1] or fewer than two models.
    """
    p = _probability(counts)
    met = counts.matrix(counts.table.sum(axis=1))
    n = np.maximum(met + met.T, 1.0)
    spread = np.sqrt(p * (1 - p))
    return _with_floor(counts, spread / np.sqrt(n) - spread / np.sqrt(n + 1), floor)


def informative(counts: PairCounts, *, floor: float = FLOOR, prior: float = PRIOR) -> Floats:
    """The pair that narrows the ratings most: P ∝ fall of the mean variance of ratings from one more battle,

        w |V (e_i - e_j)|² / (1 + w d_ij),    w = p (1 - p),    d_ij = V_ii + V_jj - 2 V_ij

    which is the exact change of the trace of V = H⁻¹ (A-optimal design). Newcomers come up by themselves.
    Raises BadOption as `active`.
    """
    fit = bradley_terry(counts, prior=prior)
    v = fit.covariance / POINTS_PER_LOGIT**2
    p = _probability(counts)
    w = p * (1 - p)
    squared = v @ v
    own, own_squared = np.diag(v), np.diag(squared)
    spread = own[:, None] + own[None, :] - 2 * v
    fall = w * (own_squared[:, None] + own_squared[None, :] - 2 * squared) / (1 + w * spread)
    return _with_floor(counts, np.clip(fall, 0.0, None), floor)


def draw_pairs(probabilities: Floats, battles: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """(battles,) places of A and B, sides in random order so that position favours nobody."""
    size = len(probabilities)
    pair = rng.choice(size * size, battles, p=probabilities.ravel())
    first, second = pair // size, pair % size
    swapped = rng.random(battles) < 0.5
    return np.where(swapped, second, first), np.where(swapped, first, second)


def _probability(counts: PairCounts) -> Floats:
    return win_probability((bradley_terry(counts, prior=PRIOR).ratings - CENTRE) / POINTS_PER_LOGIT)


def _with_floor(counts: PairCounts, gain: Floats, floor: float) -> Floats:
    if not 0 < floor <= 1:
        raise BadOption(f"floor {floor:g}; a share above 0 and up to 1 keeps every pair possible")
    even = uniform(counts)
    return _scaled((1 - floor) * _scaled(np.triu(gain, 1)) + floor * even)


def _scaled(probabilities: Floats) -> Floats:
    return np.asarray(probabilities / probabilities.sum())
