"""Shapley values of a mask game: exact, by sampled orders, by a weighted regression.

    phi_i = mean over all orders of  f(those before i, and i) - f(those before i)

They add up to f(all) - f(none), treat units alike that act alike, and give nothing to one that never matters.
Source: Shapley, "A value for n-person games" (1953). `interp.blackbox.owen` has the values of a hierarchy.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, factorial

import numpy as np
from numpy.typing import NDArray

from interp.errors import BadOption
from interp.masks import Floats, Masks, Value, check_units

EXACT = 10  # units: 1,024 calls; each further one doubles them
RIDGE = 1e-3  # of the mean diagonal: enough to solve with fewer samples than units, too little to shrink weights


@dataclass(frozen=True)
class ShapleyEstimate:
    """Values with their standard errors, both (units,), and the number of calls."""

    scores: Floats
    errors: Floats
    calls: int


def exact_shapley(value: Value, units: int) -> Floats:
    """(units,): Shapley values from all 2^units masks. Raises BadOption above `EXACT` units."""
    check_units(units)
    if units > EXACT:
        raise BadOption(
            f"{units} units need 2^{units} calls. Exact values are limited to {EXACT} units: group the words, or sample."
        )
    numbers = np.arange(1 << units)
    masks = (numbers[:, None] >> np.arange(units)) & 1 > 0
    values = value(masks)
    size = masks.sum(axis=1)
    weight = np.array([factorial(s) * factorial(units - s - 1) / factorial(units) for s in range(units)])
    scores = np.zeros(units)
    for unit in range(units):
        without = numbers[~masks[:, unit]]
        gain = values[without | (1 << unit)] - values[without]
        scores[unit] = np.sum(weight[size[without]] * gain)
    return scores


def sampled_shapley(value: Value, units: int, *, orders: int = 10, seed: int = 0) -> ShapleyEstimate:
    """Shapley values from random orders, each with its reverse.

    A unit that comes early in an order comes late in its reverse, so that the errors of the two cancel in part
    (antithetic sampling). Every order adds up to f(all) - f(none), so the estimate does too. Errors are those of
    the mean over pairs; nan for a single pair. Calls: 2 + orders * (units - 1), orders rounded up to even.
    Source: Castro, Gómez & Tejada, Computers & OR 36 (2009); antithetic: Mitchell et al., arXiv 2104.12199.
    """
    check_units(units)
    if orders < 2:
        raise BadOption(f"orders {orders}. Expected two or more, since each order is paired with its reverse.")
    random = np.random.default_rng(seed)
    pairs = -(-orders // 2)
    ends = value(np.array([[False] * units, [True] * units]))
    gains = np.zeros((pairs, units))
    for pair in range(pairs):
        order = random.permutation(units)
        for direction in (order, order[::-1]):
            gains[pair] += _gains(value, direction, ends) / 2
    errors = gains.std(axis=0, ddof=1) / np.sqrt(pairs) if pairs > 1 else np.full(units, np.nan)
    return ShapleyEstimate(gains.mean(axis=0), errors, 2 + 2 * pairs * (units - 1))


def kernel_shap(
    value: Value, units: int, *, samples: int = 512, ridge: float = RIDGE, seed: int = 0
) -> ShapleyEstimate:
    """Kernel SHAP: the linear game nearest to f, where masks of size s weigh (M-1) / (C(M,s) s (M-s)).

    Masks come in pairs z and 1 - z (Covert & Lee, arXiv 2012.01536), which makes the estimate exact for games with
    interactions of two, and sizes are drawn with their weight. The sum f(all) - f(none) is kept as
    a constraint, `ridge` (a share of the mean diagonal) pulls towards equal shares where samples are few. With
    2^units - 2 samples or more, every mask is used once and the values are exact. Errors come from the
    regression's residuals (sandwich), a pair as one. Source: Lundberg & Lee, arXiv 1705.07874.
    """
    check_units(units)
    if samples < 2 or ridge < 0:
        raise BadOption(f"samples {samples}, ridge {ridge:g}. Expected two or more, and zero or more.")
    none, whole = value(np.array([[False] * units, [True] * units]))
    if units == 1:
        return ShapleyEstimate(np.array([whole - none]), np.zeros(1), 2)
    total = float(whole - none)
    if units <= EXACT and samples >= (1 << units) - 2:
        masks, weight = _all_masks(units)
        scores, _ = _constrained(masks, value(masks) - none, weight, total, 0.0)
        return ShapleyEstimate(scores, np.zeros(units), len(masks) + 2)
    masks = _paired_masks(units, samples, np.random.default_rng(seed))
    scores, errors = _constrained(masks, value(masks) - none, np.ones(len(masks)), total, ridge)
    return ShapleyEstimate(scores, errors, len(masks) + 2)


def _gains(value: Value, order: NDArray[np.int64], ends: Floats) -> Floats:
    """What each unit adds when the units come in this order."""
    units = len(order)
    masks = np.zeros((units - 1, units), dtype=bool)
    for step in range(units - 1):
        masks[step:, order[step]] = True
    values = np.concatenate([ends[:1], value(masks) if units > 1 else ends[:0], ends[1:]])
    gains = np.empty(units)
    gains[order] = np.diff(values)
    return gains


def _all_masks(units: int) -> tuple[Masks, Floats]:
    """Every mask but the empty and the full one, with its Shapley kernel weight."""
    masks = (np.arange(1, (1 << units) - 1)[:, None] >> np.arange(units)) & 1 > 0
    by_size = np.array([(units - 1) / (comb(units, s) * s * (units - s)) for s in range(1, units)])
    return masks, by_size[masks.sum(axis=1) - 1]


def _paired_masks(units: int, samples: int, random: np.random.Generator) -> Masks:
    """Masks and their complements, sizes drawn with weight 1 / (s (M - s))."""
    sizes = np.arange(1, units)
    share = 1 / (sizes * (units - sizes))
    half = -(-samples // 2)
    drawn = random.choice(sizes, size=half, p=share / share.sum())
    rank = random.random((half, units)).argsort(axis=1).argsort(axis=1)
    masks = rank < drawn[:, None]
    return np.concatenate([masks, ~masks])


def _constrained(
    masks: Masks, values: Floats, weight: Floats, total: float, ridge: float
) -> tuple[Floats, Floats]:
    """Weighted least squares with sum(phi) = total: phi = total/M + the rest, which sums to zero.

    The rest is solved in the space of vectors that sum to zero, so the constraint holds to rounding.
    """
    units = masks.shape[1]
    even = total / units
    centre = np.eye(units) - 1 / units
    design = masks @ centre
    rest = values - masks.sum(axis=1) * even
    gram = (design * weight[:, None]).T @ design
    gram_ridge = gram + ridge * np.trace(gram) / units * np.eye(units)
    # 1/M in every cell makes the matrix regular without touching vectors that sum to zero
    inverse = np.linalg.pinv(gram_ridge + np.trace(gram) / units * np.full((units, units), 1 / units))
    scores = centre @ (inverse @ (design.T @ (weight * rest)))
    residual = rest - design @ scores
    influence = (design * (weight * residual)[:, None]) @ inverse
    half = len(masks) // 2  # a mask and its complement are one draw
    influence = influence[:half] + influence[half:]
    errors: Floats = np.sqrt((influence**2).sum(axis=0))
    return even + scores, errors
