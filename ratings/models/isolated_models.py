"""Ratings of models that never lost, never won, or compare with others in one direction only: infinite, with a bound."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from ratings.data import components
from ratings.data.counts import Floats


def bound_isolated(
    scores: Floats, label: components.Labels, xi: Floats, covariance: Floats
) -> dict[int, tuple[float, float]]:
    """Write infinite ratings of models that are a component of their own into `xi`; return their bounds, in logits."""
    bounds: dict[int, tuple[float, float]] = {}
    sizes = np.bincount(label)
    if len(label) == 1:
        return bounds
    for m in np.flatnonzero(sizes[label] == 1).tolist():
        xi[m], bounds[m] = _isolated_rating(scores, label, xi, m)
        covariance[m] = covariance[:, m] = np.nan
    return bounds


def _isolated_rating(
    scores: Floats, label: components.Labels, xi: Floats, m: int
) -> tuple[float, tuple[float, float]]:
    """The rating of a model that is a component of its own, and what can be said of its limits.

    Undefeated against models of the main component, its lower limit is the xi at which winning all those
    battles still has probability 2.5 %; mirrored for a model that never won.
    """
    won, lost = scores[m], scores[:, m]
    main = np.flatnonzero((label == 0) & (np.arange(len(label)) != m) & (np.count_nonzero(label == 0) > 1))
    if not won.any() and not lost.any():
        return 0.0, (-np.inf, np.inf)
    if won.any() and lost.any():
        return np.nan, (-np.inf, np.inf)
    sign, played = (1.0, won[main]) if won.any() else (-1.0, lost[main])
    if not played.any():
        return sign * np.inf, (-np.inf, np.inf)
    limit = _one_sided_limit(played, sign * xi[main])
    return sign * np.inf, (limit, np.inf) if sign > 0 else (-np.inf, -limit)


def _one_sided_limit(wins: Floats, opponents: Floats) -> float:
    """The xi at which `wins` (opponents,) wins in as many battles have probability 2.5 %, by bisection."""
    low, high = float(opponents.min()) - 50.0, float(opponents.max()) + 50.0
    for _ in range(100):
        middle = (low + high) / 2
        likely = float(wins @ np.log(expit(middle - opponents))) > np.log(0.025)
        low, high = (low, middle) if likely else (middle, high)
    return low
