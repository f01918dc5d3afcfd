"""Standard errors and intervals of means over samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

CONFIDENCE = 0.95
RESAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """An estimate with its standard error and the bounds of its interval; None with fewer than two clusters."""

    value: float
    standard_error: float | None
    lower: float | None
    upper: float | None


def mean(
    values: ArrayLike,
    clusters: Sequence[str] | None = None,
    bounds: tuple[float, float] | None = None,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The mean of `values`, shape (n,), which may depend on each other inside a cluster.

    The standard error is ``sqrt(G/(G-1) · Σ_g (Σ_{i∈g} (x_i - x̄))²) / n`` over the G clusters (Liang and Zeger
    1986; for evaluations Miller 2024, arXiv:2411.00640), which for clusters of one is the sample standard
    deviation over √n. Values that are all 0 or 1 get the interval of Wilson (1927), with n divided by the design
    effect of the clusters; others ``value ± z·se``, cut at `bounds`.
    """
    x = np.asarray(values, dtype=float)
    if x.size == 0:
        raise ValueError("There are no values. Give at least one.")
    centre = float(x.mean())
    error = standard_error(x, clusters)
    z = float(norm.ppf(0.5 + confidence / 2))
    if bounds == (0.0, 1.0) and np.isin(x, (0.0, 1.0)).all():
        return Interval(centre, error, *wilson(centre, _effective(x, error), z))
    if error is None:
        return Interval(centre, None, None, None)
    low, high = centre - z * error, centre + z * error
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Interval(centre, error, low, high)


def standard_error(values: NDArray[np.float64], clusters: Sequence[str] | None = None) -> float | None:
    """Of the mean, as `mean` says; None with fewer than two clusters."""
    rest = values - values.mean()
    sums = rest
    if clusters is not None:
        _, places = np.unique(np.asarray(clusters), return_inverse=True)
        sums = np.bincount(places, weights=rest)
    groups = sums.size
    if groups < 2:
        return None
    return float(np.sqrt(groups / (groups - 1) * np.sum(sums**2)) / values.size)


def wilson(share: float, n: float, z: float) -> tuple[float, float]:
    """The score interval of a share of `n` trials (Wilson 1927); inside [0, 1] and never of width 0."""
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def bootstrap(
    statistic: Callable[[Sequence[Any]], float],
    items: Sequence[Any],
    clusters: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> Interval:
    """A statistic of all items together, with the percentile interval over whole clusters drawn again."""
    value = statistic(items)
    groups: dict[str, list[Any]] = {}
    for number, item in enumerate(items):
        groups.setdefault(clusters[number] if clusters is not None else str(number), []).append(item)
    if len(groups) < 2:
        return Interval(value, None, None, None)
    members, rng = list(groups.values()), np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        chosen = rng.integers(len(members), size=len(members))
        drawn.append(statistic([item for place in chosen for item in members[place]]))
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(np.std(drawn, ddof=1)), float(low), float(high))


def _effective(x: NDArray[np.float64], error: float | None) -> float:
    """How many independent samples tell as much: n over the design effect, at least 1 and at most n."""
    alone = standard_error(x)
    if not error or not alone:
        return float(x.size)
    return float(max(1.0, min(x.size, x.size * (alone / error) ** 2)))
