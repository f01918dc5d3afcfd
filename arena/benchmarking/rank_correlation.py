"""The rank correlation of benchmark scores with ratings, with an interval that holds for few models as well.

The interval inverts a test: it holds every population correlation under which the observed one is in neither tail
of 2.5 %, by simulation of as many models from a bivariate normal. Fisher's z has no width where the ranks agree
perfectly, which of four models they do by chance in one case of 24.
Scores and ratings have errors of their own, which pull the correlation of the observed values towards zero by the
square root of their reliabilities; the ends of the interval are moved outward by as much.
Sources: Clopper & Pearson, Biometrika 26 (1934), for the inversion; Spearman, American Journal of Psychology 15 (1904),
for the correction; Kruskal, JASA 53 (1958): rho = 6/pi asin(r/2) for a normal population.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]

FEWEST = 4  # models; the ranks of three agree by chance in one case of six
TAIL = 0.025
STEPS = 61  # correlations from -1 to 1 that are simulated; between them the tails are interpolated
DRAWS = 10_000  # boards for each; the tail then has an error of 0.0016
CELLS = 40_000  # at most as many simulated models for each: fewer boards of many models
LEAST_RELIABILITY = 0.1  # below, the errors are all there is, and the interval is everything


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation with a 95 % interval."""

    value: float
    lower: float
    upper: float
    models: int


def correlation(
    scores: Sequence[float],
    ratings: Sequence[float],
    score_errors: Sequence[float | None] = (),
    rating_errors: Sequence[float | None] = (),
) -> Correlation | None:
    """The correlation of scores (models,) and ratings (models,), with their standard errors where they are known.

    None for fewer than four models, or where one column does not vary.
    """
    size = len(scores)
    if size < FEWEST or len(set(scores)) == 1 or len(set(ratings)) == 1:
        return None
    rho = round(float(np.corrcoef(rankdata(scores), rankdata(ratings))[0, 1]), 12)
    lower, upper = _interval(rho, size)
    shrunk = np.sqrt(_reliability(scores, score_errors) * _reliability(ratings, rating_errors))
    return Correlation(rho, _corrected(lower, shrunk, -1), _corrected(upper, shrunk, 1), size)


def _interval(rho: float, size: int) -> tuple[float, float]:
    """The correlations of the population at which an observed rho is at the end of a tail."""
    return _lower_end(rho, size), -_lower_end(-rho, size)


def _lower_end(rho: float, size: int) -> float:
    r, simulated = _simulated(size)
    as_high = np.maximum.accumulate((simulated >= rho - 1e-9).mean(axis=1))  # rises with r
    return -1.0 if as_high[0] >= TAIL else float(np.interp(TAIL, as_high, r))


@lru_cache(maxsize=64)
def _simulated(size: int) -> tuple[Floats, Floats]:
    """Population correlations (steps,), and observed rank correlations (steps, draws) of `size` models for each."""
    rng = np.random.default_rng(size)
    draws = max(500, min(DRAWS, CELLS // size))
    x, noise = rng.standard_normal((2, draws, size))
    order = _ranks(x)
    r = np.sin(np.linspace(-np.pi / 2, np.pi / 2, STEPS))  # dense near the ends, where the tails change fast
    scale = (size * size - 1) / 12 * size
    simulated = [((order * _ranks(c * x + np.sqrt(1 - c * c) * noise)).sum(axis=1)) / scale for c in r]
    return r, np.array(simulated)


def _ranks(values: Floats) -> Floats:
    """Ranks in each row, less their mean."""
    return np.asarray(np.argsort(np.argsort(values, axis=1), axis=1) - (values.shape[1] - 1) / 2)


def _reliability(values: Sequence[float], errors: Sequence[float | None]) -> float:
    """The share of the variance of the values that their errors do not explain; 1 for unknown errors."""
    known = [error * error for error in errors if error is not None and np.isfinite(error)]
    if not known:
        return 1.0
    return max(LEAST_RELIABILITY, 1 - float(np.mean(known)) / float(np.var(values, ddof=1)))


def _corrected(r: float, shrunk: float, outward: int) -> float:
    """The end of the interval as a rank correlation, corrected for errors where that moves it outward."""
    moved = min(1.0, max(-1.0, r / shrunk)) if r * outward > 0 else r
    return float(6 / np.pi * np.arcsin(moved / 2))
