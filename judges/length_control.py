"""The win rate a model would have if its outputs were as long as the baseline's (AlpacaEval 2).

    logit P(model preferred on x) = phi tanh(d_x / sd(d)) + psi gamma_x + theta,   d_x = characters of the
    baseline's output less those of the model's, gamma_x the fixed difficulty of instruction x

and the length-controlled win rate is the mean of expit(psi gamma_x + theta) over the instructions. Soft
preferences are the labels. An L1 penalty of strength 1/C keeps a model that always wins finite. The published
fit picks C by cross-validation; one C for all is within 0.1 points of it on every complete file and
needs no random split.

Two gamed versions of the baseline, prompted to be verbose and concise, are part of every fit with a small weight
and without theta, which keeps a model from raising its win rate through phi. Only two sums of their preferences
enter the likelihood.
Source: Dubois et al., arXiv 2404.04475.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from judges.columns import Floats, floats, same_length
from judges.errors import BadRow, NoVerdicts

C = 21.544346900318832  # the seventh of ten from 1e-4 to 1e4 in equal ratios, the published grid
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

    Raises LengthMismatch, NoVerdicts, BadRow for a preference outside [0, 1] or a number that is not finite.
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
    """The b that minimises C (sum w log(1 + exp(x b)) - label_sums b) + |b|, as a difference of positive parts."""

    def loss(parts: Floats) -> tuple[float, Floats]:
        b = parts[:3] - parts[3:]
        value, slope = -float(label_sums @ b), -label_sums
        for x, weight in blocks:
            eta = x @ b
            value += weight * float(np.logaddexp(0.0, eta).sum())
            slope = slope + weight * (x.T @ expit(eta))
        return C * value + float(parts.sum()), np.concatenate([C * slope, -C * slope]) + 1.0

    optimum = minimize(
        loss,
        np.zeros(6),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * 6,
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 10_000, "maxfun": 50_000},
    )
    return np.asarray(optimum.x[:3] - optimum.x[3:])


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
