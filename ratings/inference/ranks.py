"""Ranks that claim no more than the battles show.

A model's rank is one more than the number of models that are significantly better. Two intervals that just
fail to overlap are 3.9 standard errors apart (when equally wide) where the 95 % test of the difference needs
2.8: ranks by overlap throw away what is known, and are here only to compare with other boards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ratings.data.counts import Floats
from ratings.inference.fit import CONFIDENCE_LEVEL, Fit, normal_quantile

Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ranks:
    """`rank` (models,), and the best (`low`) and worst (`high`) rank that the battles leave possible."""

    rank: Places
    low: Places
    high: Places


def significance_ranks(fit: Fit, level: float = CONFIDENCE_LEVEL) -> Ranks:
    """Ranks by the two-sided test of every difference, `|R_i - R_j| > z sqrt(V_ii + V_jj - 2 V_ij)`.

    `rank` counts the models that are better at `level`, each pair tested by itself. `low` to `high` use
    Tukey's quantile of the range instead, so that with probability `level` they hold the true ranks of all
    models at once (Tukey 1953; Kramer 1956; for ranks: Klein, Wright & Wieczorek, JRSS A 183, 2020).
    Models in components that nothing compares are ranked apart.
    """
    scores = pairwise_z_scores(fit)
    one = scores > normal_quantile(level)
    for m in np.flatnonzero(np.isinf(fit.ratings)):
        one[m] = one[:, m] = False
    peers = compared(fit).sum(axis=1)
    all_at_once = scores > tukey_quantile(int(peers.max()), level) if peers.max() > 1 else one
    return Ranks(
        rank=1 + one.sum(axis=0),
        low=1 + all_at_once.sum(axis=0),
        high=peers - all_at_once.sum(axis=1),
    )


def overlap_ranks(lower: Floats, upper: Floats) -> Places:
    """(models,): one more than the number of models whose interval lies wholly above (arXiv 2403.04132)."""
    return np.asarray(1 + (lower[None, :] > upper[:, None]).sum(axis=1))


def pairwise_z_scores(fit: Fit) -> Floats:
    """(models, models): `R_i - R_j` in standard errors of that difference; 0 where nothing compares them."""
    v = fit.covariance
    own = np.diag(v)
    spread = own[:, None] + own[None, :] - 2 * v
    known = compared(fit) & (spread > 0) & np.isfinite(fit.ratings)[:, None] & np.isfinite(fit.ratings)
    rating = np.where(np.isfinite(fit.ratings), fit.ratings, 0.0)
    gap = rating[:, None] - rating[None, :]
    return np.where(known, gap / np.sqrt(np.where(known, spread, 1.0)), 0.0)


def compared(fit: Fit) -> NDArray[np.bool_]:
    """(models, models): whether the fit compares the two."""
    same: NDArray[np.bool_] = fit.component[:, None] == fit.component[None, :]
    return same | fit.joined


def tukey_quantile(models: int, level: float = CONFIDENCE_LEVEL) -> float:
    """The quantile q of the largest |Z_i - Z_j| / sqrt 2 among `models` standard normals.

    P(range < r) = n ∫ φ(x) [Φ(x) - Φ(x - r)]ⁿ⁻¹ dx, integrated by the trapezium rule, solved by bisection.
    """
    x = np.linspace(-9.0, 9.0, 2001)
    density = np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        inside = models * density * (ndtr(x) - ndtr(x - middle)) ** (models - 1)
        low, high = (low, middle) if inside.sum() * (x[1] - x[0]) > level else (middle, high)
    return low / math.sqrt(2)
