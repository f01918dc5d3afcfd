"""Intervals of means of bounded values, such as win rates and scores, that stay within the scale.

    Wilson's interval of the share p = (mean - low) / (high - low) with n = p (1 - p) / se(p)^2 items

A mean plus and minus its standard errors leaves the scale near its ends: 105.9 for a win rate. n is the number of
coin tosses with the same standard error, so that soft preferences and clusters keep their own; where all values
are equal, and the standard error is 0, it is the number of items.
Source: Wilson, J. Am. Stat. Assoc. 22 (1927); effective sample size: Korn & Graubard, Surv. Methodol. 24 (1998).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from judges.columns import Floats

Z = 1.959963984540054  # half width of a 95 % interval of a normal distribution in standard errors


def bounded_interval(
    mean: float, standard_error: float | None, items: int, low: float, high: float
) -> tuple[float | None, float | None]:
    """The 95 % interval of a mean of `items` values from `low` to `high`; None without a standard error.

    >>> [round(end, 3) for end in bounded_interval(1.0, 0.0, 16, 0.0, 1.0)]
    [0.806, 1.0]
    """
    if standard_error is None:
        return None, None
    share = min(max((mean - low) / (high - low), 0.0), 1.0)
    error, variance = standard_error / (high - low), share * (1 - share)
    n = variance / error**2 if error > 0 and variance > 0 else float(items)
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(variance / n + Z**2 / (4 * n**2))
    return low + (high - low) * max(centre - half, 0.0), low + (high - low) * min(centre + half, 1.0)


def clustered_error(values: Floats, codes: NDArray[np.int64]) -> float | None:
    """The standard error of the mean of `values` whose rows of one code (from 0) belong together; None for one code.

    sqrt(G / (G - 1) sum_g (sum_i (x_i - mean))^2) / n over G codes; with one value each, the sample's own.
    """
    sums = np.bincount(codes, weights=values - values.mean())
    groups = len(sums)
    return math.sqrt(groups / (groups - 1) * float(np.sum(sums**2))) / len(values) if groups > 1 else None
