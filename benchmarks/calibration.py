"""Calibration: whether a model's confidence equals its accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from benchmarks.errors import BadOption

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Predictions of similar confidence: one point of the reliability diagram."""

    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True)
class Calibration:
    """`error` is ``Σ n_b/n · |accuracy_b - confidence_b|``, `worst` the largest gap of a bin."""

    error: float
    worst: float
    bins: tuple[Bin, ...]


def calibration(confidence: ArrayLike, correct: ArrayLike, bins: int = BINS) -> Calibration:
    """The expected calibration error with bins of equal mass, shape (n,) both.

    Bins of equal width (Guo et al. 2017) leave most bins nearly empty when a model is mostly sure, and their error
    depends on where the edges fall; bins with as many predictions each do not (Nixon et al. 2019,
    arXiv:1904.01685). Predictions of equal confidence stay in one bin, so that their order does not matter.
    """
    sure, right = np.asarray(confidence, dtype=float), np.asarray(correct, dtype=float)
    if sure.shape != right.shape or sure.ndim != 1 or sure.size == 0:
        raise BadOption(f"shapes {sure.shape} and {right.shape} do not match. Give one confidence per outcome.")
    if (bad := (sure < 0) | (sure > 1)).any():
        raise BadOption(
            f"confidence {sure[bad][0]} at {int(bad.argmax())} is out of range. Give numbers from 0 to 1."
        )
    if bins < 1:
        raise BadOption(f"bins is {bins}. Give at least 1.")
    order = np.argsort(sure, kind="stable")
    sure, right = sure[order], right[order]
    ideal = np.arange(1, bins) * sure.size / bins
    edges = np.unique(np.searchsorted(sure, sure[np.clip(ideal.astype(int), 0, sure.size - 1)], side="left"))
    parts = [part for part in np.split(np.arange(sure.size), edges) if part.size]
    points = tuple(Bin(float(sure[part].mean()), float(right[part].mean()), int(part.size)) for part in parts)
    gaps = [abs(point.accuracy - point.confidence) for point in points]
    error = sum(gap * point.count for gap, point in zip(gaps, points, strict=True)) / sure.size
    return Calibration(float(error), max(gaps), points)
