"""The cost of a right answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.errors import BadOption
from benchmarks.intervals import Interval


def per_correct(
    costs: Sequence[float], correct: Sequence[float], resamples: int = 1000, seed: int = 0
) -> Interval | None:
    """The cost per right answer, with the cost of wrong answers and failures: ``Σ cost / Σ correct``.

    `correct` may be partial (0 to 1). The interval is a percentile bootstrap over samples; its upper end is
    infinite where a resample without a right answer is likely enough. None without any right answer.
    """
    spent, right = np.asarray(costs, dtype=float), np.asarray(correct, dtype=float)
    if spent.shape != right.shape or spent.size == 0:
        raise BadOption(f"{spent.size} costs for {right.size} samples. Give one cost per sample, at least one.")
    if (spent < 0).any():
        raise BadOption(f"cost {spent.min()} at {int(spent.argmin())} is negative. Give costs of at least 0.")
    if right.sum() == 0:
        return None
    drawn = np.random.default_rng(seed).integers(spent.size, size=(resamples, spent.size))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.sort(spent[drawn].sum(axis=1) / right[drawn].sum(axis=1))
    low, high = ratios[int(0.025 * resamples)], ratios[int(np.ceil(0.975 * resamples)) - 1]
    finite = ratios[np.isfinite(ratios)]
    error = float(finite.std(ddof=1)) if finite.size > 1 else None
    return Interval(float(spent.sum() / right.sum()), error, float(low), float(high))
