"""Ranks by significance tests of rating differences, and by overlap of intervals.

A model's rank is one more than the number of models that are significantly better. Two intervals that just
fail to overlap are 3.9 standard errors apart (when equally wide) where the 95 % test of the difference needs
2.8: ranks by overlap lose power, and are here only to compare with other boards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ratings.data.counts import Floats
from ratings.inference.fit import CONFIDENCE_LEVEL, Fit, normal_quantile

RankArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ranks:
    """The `rank` (models,) of each model, and the best (`low`) and worst (`high`) rank that is possible."""

    rank: RankArray
    low: RankArray
    high: RankArray


def significance_ranks(fit: Fit, level: float = CONFIDENCE_LEVEL) -> Ranks:
    """Ranks by the two-sided test of every difference, `|R_i - R_j| > z sqrt(V_ii + V_jj - 2 V_ij)`.

    `rank` counts the models that are better at `level`, each pair tested by itself. `low` to `high` use
    Tukey's quantile of the range instead, so that with probability `level` they contain the true ranks of all
    models at once. Models in components that no battles compare are ranked apart. Raises BadOption for a bad level.
    Sources: Tukey (1953); Kramer, Biometrics 12 (1956); for ranks: Klein, Wright & Wieczorek, JRSS A 183 (2020).
    """
    scores = pairwise_z_scores(fit)
    better = scores > normal_quantile(level)
    for m in np.flatnonzero(np.isinf(fit.ratings)):
        better[m] = better[:, m] = False
    peers = compared(fit).sum(axis=1)
    jointly_better = scores > tukey_quantile(int(peers.max()), level) if peers.max() > 1 else better
    return Ranks(
        rank=1 + better.sum(axis=0),
        low=1 + jointly_better.sum(axis=0),
        high=peers - jointly_better.sum(axis=1),
    )


def significance_bands(fit: Fit, order: Sequence[int], level: float = CONFIDENCE_LEVEL) -> tuple[int, ...]:
    """The band of each model of `order` (indices of models, best first), from 1.

    A band begins with its best model and ends before the first model that is significantly worse than it, each pair
    tested by itself: no model of a band is told apart from the band's first. Raises BadOption for a bad level.
    """
    worse = pairwise_z_scores(fit) > normal_quantile(level)
    worse[np.isinf(fit.ratings)] = False
    bands: list[int] = []
    first = -1
    for model in order:
        if first < 0 or worse[first, model]:
            first = model
            bands.append(bands[-1] + 1 if bands else 1)
        else:
            bands.append(bands[-1])
    return tuple(bands)


def overlap_ranks(lower: Floats, upper: Floats) -> RankArray:
    """(models,): one more than the number of models whose interval lies wholly above.

    Source: Chiang et al., arXiv 2403.04132.
    """
    return np.asarray(1 + (lower[None, :] > upper[:, None]).sum(axis=1))


def pairwise_z_scores(fit: Fit) -> Floats:
    """(models, models): `R_i - R_j` in standard errors of that difference; 0 for pairs that are not compared."""
    v = fit.covariance
    own = np.diag(v)
    spread = own[:, None] + own[None, :] - 2 * v
    tested = compared(fit) & (spread > 0) & np.isfinite(fit.ratings)[:, None] & np.isfinite(fit.ratings)
    rating = np.where(np.isfinite(fit.ratings), fit.ratings, 0.0)
    gap = rating[:, None] - rating[None, :]
    return np.where(tested, gap / np.sqrt(np.where(tested, spread, 1.0)), 0.0)


def compared(fit: Fit) -> NDArray[np.bool_]:
    """(models, models): whether the fit compares the two models."""
    same: NDArray[np.bool_] = fit.component[:, None] == fit.component[None, :]
    return same | fit.joined


def tukey_quantile(models: int, level: float = CONFIDENCE_LEVEL) -> float:
    """The quantile of the largest |Z_i - Z_j| / sqrt 2 among `models` standard normals.

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
