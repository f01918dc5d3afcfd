"""Which pair to ask next: probabilities over pairs, (models, models) above the diagonal, that add up to one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ratings.data.columns import Codes
from ratings.data.counts import Floats, PairCounts
from ratings.errors import BadOption, UnknownModel
from ratings.inference.hessian import win_probability
from ratings.models.bradley_terry import PRIOR, bradley_terry
from ratings.scale import CENTRE, POINTS

FLOOR = 0.1  # share of uniform choice: no pair is ever left out, so weights 1/P stay bounded
NEWCOMER_WEIGHT, NEWCOMER_VOTES = 5.0, 3000  # the public arena's policy: weight 5 until 3,000 votes, then 1


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
    v = fit.covariance / POINTS**2
    p = _probability(counts)
    w = p * (1 - p)
    squared = v @ v
    own, own_squared = np.diag(v), np.diag(squared)
    spread = own[:, None] + own[None, :] - 2 * v
    fall = w * (own_squared[:, None] + own_squared[None, :] - 2 * squared) / (1 + w * spread)
    return _with_floor(counts, np.clip(fall, 0.0, None), floor)


def newcomers(counts: PairCounts, *, weight: float = NEWCOMER_WEIGHT, until: int = NEWCOMER_VOTES) -> Floats:
    """P(i, j) ∝ w_i w_j, with `weight` for models that have fewer than `until` votes and 1 for the others.

    Raises BadOption for a weight that is not positive or fewer than two models.
    """
    if not weight > 0:
        raise BadOption(f"weight {weight:g}; a newcomer's weight is above zero")
    played = counts.totals().sum(axis=1)
    w = np.where(played < until, weight, 1.0)
    return _scaled(uniform(counts) * np.outer(w, w))


def boosted(counts: PairCounts, probabilities: Floats, boosts: Mapping[str, float]) -> Floats:
    """Probabilities with every pair of a named model multiplied by its boost. Raises UnknownModel, BadOption."""
    w = np.ones(len(counts.models))
    for model, boost in boosts.items():
        if model not in counts.models:
            raise UnknownModel(f"{model!r} is not among the {len(counts.models)} models")
        if not boost >= 0:
            raise BadOption(f"boost {boost:g} of {model!r}; it is zero or more")
        w[counts.models.index(model)] = boost
    return _scaled(probabilities * np.outer(w, w))


def draw_pairs(probabilities: Floats, battles: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """(battles,) places of A and B, sides in random order so that position favours nobody."""
    size = len(probabilities)
    pair = rng.choice(size * size, battles, p=probabilities.ravel())
    first, second = pair // size, pair % size
    swapped = rng.random(battles) < 0.5
    return np.where(swapped, second, first), np.where(swapped, first, second)


def _probability(counts: PairCounts) -> Floats:
    return win_probability((bradley_terry(counts, prior=PRIOR).ratings - CENTRE) / POINTS)


def _with_floor(counts: PairCounts, gain: Floats, floor: float) -> Floats:
    if not 0 < floor <= 1:
        raise BadOption(f"floor {floor:g}; a share above 0 and up to 1 keeps every pair possible")
    even = uniform(counts)
    return _scaled((1 - floor) * _scaled(np.triu(gain, 1)) + floor * even)


def _scaled(probabilities: Floats) -> Floats:
    total = float(probabilities.sum())
    if not total > 0:
        raise BadOption("no pair is left to ask: all boosts are zero")
    return np.asarray(probabilities / total)
