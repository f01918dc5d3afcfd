"""Intervals that contain all ratings at once; `Fit.interval` gives each rating's own."""

from __future__ import annotations

import numpy as np

from ratings.data.counts import Floats
from ratings.errors import BadOption
from ratings.inference.fit import CONFIDENCE_LEVEL, Fit, normal_quantile


def simultaneous_intervals(
    fit: Fit, level: float = CONFIDENCE_LEVEL, *, draws: int = 10_000, seed: int = 0
) -> tuple[Floats, Floats]:
    """Lower and upper ends (models,) of intervals that contain all ratings at once with probability `level`.

    The half width is c standard errors, with c the quantile of max |Z_m| for normal Z with the correlation of the
    ratings, by simulation (`draws`, `seed`). Raises BadOption for a bad level, or when a rating is not finite.
    Source: Hothorn, Bretz & Westfall, Biometrical Journal 50 (2008).
    """
    normal_quantile(level)  # a level outside (0, 1) is an error here too
    errors = fit.standard_errors
    if not np.isfinite(errors).all() or not np.isfinite(fit.ratings).all():
        raise BadOption("a rating is not finite, so no bounds hold for all at once. Rate with a prior.")
    scale = np.where(errors > 0, errors, 1.0)
    values, vectors = np.linalg.eigh(fit.covariance / np.outer(scale, scale))
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    normal = np.random.default_rng(seed).standard_normal((draws, len(errors)))
    c = np.quantile(np.abs(normal @ root.T).max(axis=1), level)
    return fit.ratings - c * errors, fit.ratings + c * errors
