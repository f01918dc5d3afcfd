"""Paired comparison of two models on the same samples: test, difference, and the samples needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest, norm

from benchmarks.intervals import CONFIDENCE, mean

POWER = 0.8
POINT = 0.01  # a hundredth of a rate: one percentage point
FLIPS = 10_000


@dataclass(frozen=True)
class Paired:
    """`difference` is the first mean minus the second one, over the samples that both have."""

    samples: int
    first: float
    second: float
    difference: float
    standard_error: float | None
    lower: float | None
    upper: float | None
    p: float
    test: str  # mcnemar or sign_flip
    only_first: int  # samples on which the first one alone did better
    only_second: int
    correlation: float | None  # between the two models' values: what pairing gains
    samples_for_one_point: int | None  # that a difference of 0.01 would need


def paired(first: ArrayLike, second: ArrayLike, clusters: Sequence[str] | None = None, seed: int = 0) -> Paired:
    """Compare values, shape (n,) each, of the same n samples.

    The interval is that of the mean difference with clustered standard error. Values of 0 and 1 without clusters
    are tested exactly (McNemar 1947); others by flipping the signs of whole clusters' differences, 10 000 times.
    """
    x, y = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if x.shape != y.shape or x.size == 0:
        raise ValueError(
            f"paired values of shapes {x.shape} and {y.shape} do not match. Give values of the same samples."
        )
    rest = x - y
    estimate = mean(rest, clusters)
    better, worse = int((rest > 0).sum()), int((rest < 0).sum())
    whole = clusters is None or len(set(clusters)) == x.size
    binary = bool(np.isin(x, (0.0, 1.0)).all() and np.isin(y, (0.0, 1.0)).all())
    exact = whole and binary
    varies = x.std() > 0 and y.std() > 0
    error = estimate.standard_error
    return Paired(
        samples=x.size,
        first=float(x.mean()),
        second=float(y.mean()),
        difference=estimate.value,
        standard_error=error,
        lower=estimate.lower,
        upper=estimate.upper,
        p=mcnemar(better, worse) if exact else sign_flip(rest, clusters, seed),
        test="mcnemar" if exact else "sign_flip",
        only_first=better,
        only_second=worse,
        correlation=float(np.corrcoef(x, y)[0, 1]) if varies else None,
        samples_for_one_point=_needed(error, x.size),
    )


def mcnemar(better: int, worse: int) -> float:
    """The exact two-sided test that discordant samples fall to either side alike (McNemar 1947); 1 without any."""
    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def sign_flip(rest: ArrayLike, clusters: Sequence[str] | None = None, seed: int = 0) -> float:
    """The share of random sign changes, by cluster, that give a mean as far from 0; never below 1/10 001."""
    x = np.asarray(rest, dtype=float)
    sums = x
    if clusters is not None:
        _, places = np.unique(np.asarray(clusters), return_inverse=True)
        sums = np.bincount(places, weights=x)
    sums = sums[sums != 0]
    if sums.size == 0:
        return 1.0
    rng = np.random.default_rng(seed)
    seen, far = abs(sums.sum()), 0
    for _ in range(10):
        signs = rng.choice((-1.0, 1.0), size=(FLIPS // 10, sums.size))
        far += int((np.abs(signs @ sums) >= seen - 1e-9).sum())
    return (far + 1) / (FLIPS + 1)


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """P-values corrected for being several (Holm 1979), by the same names."""
    corrected: dict[str, float] = {}
    least = 0.0
    for rank, name in enumerate(sorted(values, key=values.__getitem__)):
        least = max(least, min(1.0, (len(values) - rank) * values[name]))
        corrected[name] = least
    return {name: corrected[name] for name in values}


def tie_groups(ordered: Sequence[str], differ: Mapping[tuple[str, str], bool]) -> list[list[str]]:
    """Longest runs of models, from best to worst, in which no two differ; a model may be in several."""
    groups: list[list[str]] = []
    for start in range(len(ordered)):
        end = start + 1
        while end < len(ordered) and not any(differ[earlier, ordered[end]] for earlier in ordered[start:end]):
            end += 1
        if not groups or end > ordered.index(groups[-1][-1]) + 1:
            groups.append(list(ordered[start:end]))
    return groups


def _needed(error: float | None, n: int) -> int | None:
    """Samples at which a true difference of one point is found with a power of 0.8."""
    if not error:
        return None
    z = float(norm.ppf(0.5 + CONFIDENCE / 2) + norm.ppf(POWER))
    return int(np.ceil((z / POINT) ** 2 * error**2 * n))
