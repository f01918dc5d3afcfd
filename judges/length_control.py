"""The win rate a model would have if its outputs were as long as the baseline's (AlpacaEval 2).

    logit P(model preferred on x) = phi tanh(d_x / sd(d)) + psi gamma_x + theta,   d_x = characters of the
    baseline's output less those of the model's, gamma_x the fixed difficulty of instruction x

and the length-controlled win rate is the mean of expit(psi gamma_x + theta) over the instructions. Soft
preferences are the labels. An L1 penalty of strength 1/C keeps a model that always wins finite. The published
fit picks C by cross-validation; one C for all needs no random split. The exact minimum is within 0.07 points of the
published rate on the six complete files of the tests (docs/judges.md).

Two gamed versions of the baseline, prompted to be verbose and concise, are part of every fit with a small weight
and without theta, which keeps a model from raising its win rate through phi. Only two sums of their preferences
enter the likelihood.
Source: Dubois et al., arXiv 2404.04475.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import expit

from judges.columns import Floats, floats, same_length
from judges.errors import BadRow, NotConverged, NoVerdicts

C = 21.544346900318832  # the seventh of ten from 1e-4 to 1e4 in equal ratios, the published grid
ROUNDS = 200  # Newton takes 5 to 20
ROUNDING = 1e-13  # of the objective, by which it may rise in a step
TOLERANCE = 1e-6  # of the gradient of C times the likelihood; the gradient at 0 is about 10,000
GAMED_WEIGHT = 0.1  # of a gamed row: 0.2 for the two versions together


@dataclass(frozen=True)
class LengthControl:
    """Coefficients of one model against the baseline: length (phi), difficulty (psi) and ability (theta)."""

    length: float
    difficulty: float
    ability: float


@dataclass(frozen=True)
class LengthControlledRate:
    """A length-controlled win rate and its standard error over instructions, in percent."""

    win_rate: float
    standard_error: float


@dataclass(frozen=True)
class GamedRows:
    """One gamed version of the baseline: features (rows,), and the sums of each times label."""

    length: Floats
    difficulty: Floats
    length_by_label: float
    difficulty_by_label: float


def length_feature(baseline: Sequence[str], model: Sequence[str]) -> Floats:
    """(rows,) tanh of the difference in characters over its standard deviation; zeros if all are equal.

    Negative where the model wrote more. Raises LengthMismatch, NoVerdicts.
    """
    same_length(baseline=baseline, model=model)
    d = floats("outputs", [len(b) - len(m) for b, m in zip(baseline, model, strict=True)])
    spread = float(d.std(ddof=1)) if len(d) > 1 else 0.0
    return np.tanh(d / spread) if spread else np.zeros_like(d)


def fit(
    preference: Sequence[float], length: Floats, difficulty: Sequence[float], gamed: Sequence[GamedRows] = ()
) -> LengthControl:
    """Coefficients of the largest penalised likelihood; `preference` (rows,) in [0, 1] is how much the model is preferred.

    Raises LengthMismatch, NoVerdicts, NotConverged, BadRow for a preference outside [0, 1] or a number that is not finite.
    """
    y = floats("preference", preference)
    gamma = floats("difficulty", difficulty)
    same_length(preference=y, length=length, difficulty=gamma)
    outside = (y < 0) | (y > 1)
    if outside.any():
        row = int(np.argmax(outside))
        raise BadRow(f"row {row}: preference {y[row]:g} is out of range. Expected 0 (baseline) to 1 (model).")
    blocks = [(np.column_stack([length, gamma, np.ones_like(y)]), 1.0)]
    label_sums = blocks[0][0].T @ y
    for rows in gamed:
        blocks.append((np.column_stack([rows.length, rows.difficulty, np.zeros_like(rows.length)]), GAMED_WEIGHT))
        label_sums = label_sums + GAMED_WEIGHT * np.array([rows.length_by_label, rows.difficulty_by_label, 0.0])
    return LengthControl(*_maximise(blocks, label_sums).tolist())


def _maximise(blocks: list[tuple[Floats, float]], label_sums: Floats) -> Floats:
    """The b that minimises C (sum w log(1 + exp(x b)) - label_sums b) + |b|. Raises NotConverged.

    Proximal Newton (Lee, Sun & Saunders, SIAM J. Optim. 24, 2014): each step minimises the quadratic model with the
    penalty exactly, and is halved until the objective falls.
    """
    b = np.zeros(len(label_sums))
    for _ in range(ROUNDS):
        value, slope, curvature = _derivatives(blocks, label_sums, b)
        if _violation(b, slope) <= TOLERANCE:
            return b
        step = _quadratic_minimum(b, slope, curvature) - b
        expected = float(slope @ step) + float(np.abs(b + step).sum() - np.abs(b).sum())
        length, rounding = 1.0, ROUNDING * abs(value)
        while _objective(blocks, label_sums, b + length * step) > value + length * expected / 4 + rounding:
            length /= 2
        b = b + length * step
    raise NotConverged(
        f"The length-controlled fit did not converge in {ROUNDS} rounds. Check the lengths and difficulties for outliers."
    )


def _objective(blocks: list[tuple[Floats, float]], label_sums: Floats, b: Floats) -> float:
    likelihood = sum(weight * float(np.logaddexp(0.0, x @ b).sum()) for x, weight in blocks)
    return C * (likelihood - float(label_sums @ b)) + float(np.abs(b).sum())


def _derivatives(
    blocks: list[tuple[Floats, float]], label_sums: Floats, b: Floats
) -> tuple[float, Floats, Floats]:
    """The objective, and the gradient (3,) and Hessian (3, 3) of its likelihood."""
    slope, curvature = -label_sums, np.zeros((len(b), len(b)))
    for x, weight in blocks:
        p = expit(x @ b)
        slope = slope + weight * (x.T @ p)
        curvature = curvature + weight * (x.T * (p * (1 - p))) @ x
    return _objective(blocks, label_sums, b), C * slope, C * curvature


def _violation(b: Floats, slope: Floats) -> float:
    """How far b is from a minimum: the largest distance of zero from the subgradient of a coordinate."""
    return float(np.where(b != 0, np.abs(slope + np.sign(b)), np.maximum(np.abs(slope) - 1, 0)).max())


def _quadratic_minimum(b: Floats, slope: Floats, curvature: Floats) -> Floats:
    """The z that minimises slope (z - b) + (z - b) H (z - b) / 2 + |z|: the best over all patterns of signs."""
    best, lowest = b, np.inf
    ridge = 1e-12 * (1 + np.trace(curvature)) * np.eye(len(b))  # for a feature that is 0 everywhere
    for signs in product((-1.0, 0.0, 1.0), repeat=len(b)):
        free = np.flatnonzero(signs)
        z = np.zeros(len(b))
        if len(free):
            target = (curvature @ b - slope - np.array(signs))[free]
            z[free] = np.linalg.solve((curvature + ridge)[np.ix_(free, free)], target)
        if (z * signs < 0).any():
            continue
        value = float(slope @ (z - b) + (z - b) @ curvature @ (z - b) / 2 + np.abs(z).sum())
        if value < lowest:
            best, lowest = z, value
    return best


def controlled(coefficients: LengthControl, difficulty: Sequence[float] | Floats) -> LengthControlledRate:
    """The win rate at equal length over instructions of these difficulties (rows,).

    The standard error is sd / sqrt(rows) of the predictions, as published: it covers the sampling of
    instructions and not the error of the coefficients. Raises NoVerdicts for fewer than two rows.
    """
    gamma = floats("difficulty", difficulty)
    if len(gamma) < 2:
        raise NoVerdicts("One instruction gives no standard error. Score at least two.")
    p = expit(coefficients.ability + coefficients.difficulty * gamma)
    return LengthControlledRate(100 * float(p.mean()), 100 * float(p.std(ddof=1) / np.sqrt(len(p))))
