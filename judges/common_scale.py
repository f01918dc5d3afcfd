"""How much more weight a judge gives to a property of completions than people do, on a scale of its own.

    people   logit P(A) = u,                  u = theta_a - theta_b + sum over properties of beta x
    judge    logit P(A) = k u + delta x

theta are abilities of the models, shared by both; x is A's property less B's. People are noisier than a judge, so that
k is above 1, and a judge that follows them more sharply wins more often with whatever they prefer: only delta is a
taste of its own. Without ability differences, k and delta cannot be told apart, and the interval says so.
Fitted by Fisher scoring with weak priors; intervals are clustered (sandwich) and contain the prior's own variance.
Source: a factor model with one factor and direct effects: Muthén, Psychometrika 50 (1985); sandwich: Liang & Zeger,
Biometrika 73 (1986).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from judges.columns import Floats, same_length
from judges.errors import NotConverged

ABILITY, WEIGHT, SCALE = 0.1, 0.1, 0.25  # precisions of theta, of beta and delta, and of k around 1
ROUNDS, TOLERANCE = 300, 1e-7
LONGEST_STEP = 0.5


@dataclass(frozen=True)
class CommonScale:
    """The fit: `scale` is k, `people` beta and `own` delta (properties,), each with standard errors of delta and k."""

    scale: float
    scale_error: float
    people: Floats
    own: Floats
    own_error: Floats


@dataclass(frozen=True)
class _Rows:
    y: Floats
    judge: Floats  # 1 for a judge, 0 for a person
    models: Floats  # (rows, models) 1 for A, -1 for B
    x: Floats  # (rows, properties)


def common_scale_fit(
    preference: Sequence[float],
    judge: Sequence[bool],
    model_a: Sequence[Hashable],
    model_b: Sequence[Hashable],
    properties: Floats,
    cluster: Sequence[Hashable],
) -> CommonScale:
    """The fit to votes of people and verdicts of one judge; `properties` (rows, properties) is A's less B's.

    `preference` (rows,) is for A, in [0, 1]. Raises LengthMismatch, NotConverged.
    """
    same_length(
        preference=preference,
        judge=judge,
        model_a=model_a,
        model_b=model_b,
        properties=properties,
        cluster=cluster,
    )
    rows = _Rows(np.array(preference, float), np.array(judge, float), _signs(model_a, model_b), properties)
    parameters, precision = _maximum(rows)
    _, influence, hessian = _derivatives(rows, parameters)
    inverse = np.linalg.inv(hessian + np.diag(precision))
    number = {name: place for place, name in enumerate(dict.fromkeys(cluster))}
    scores = np.zeros((len(number), len(parameters)))
    np.add.at(scores, [number[name] for name in cluster], influence)
    meat = scores.T @ scores * len(scores) / max(1, len(scores) - 1) + np.diag(precision)
    error = np.sqrt(np.diag(inverse @ meat @ inverse))
    beta, delta, k = _parts(rows, parameters)
    m, f = rows.models.shape[1], rows.x.shape[1]
    return CommonScale(float(k), float(error[-1]), beta, delta, error[m + f : m + 2 * f])


def _signs(model_a: Sequence[Hashable], model_b: Sequence[Hashable]) -> Floats:
    names = {name: place for place, name in enumerate(dict.fromkeys([*model_a, *model_b]))}
    signs = np.zeros((len(model_a), len(names)))
    rows = np.arange(len(model_a))
    signs[rows, [names[name] for name in model_a]] += 1.0
    signs[rows, [names[name] for name in model_b]] -= 1.0
    return signs


def _parts(rows: _Rows, b: Floats) -> tuple[Floats, Floats, float]:
    m, f = rows.models.shape[1], rows.x.shape[1]
    return b[m : m + f], b[m + f : m + 2 * f], b[-1]


def _derivatives(rows: _Rows, b: Floats) -> tuple[float, Floats, Floats]:
    """The log-likelihood, the score of each row, and the Fisher information."""
    m = rows.models.shape[1]
    beta, delta, k = _parts(rows, b)
    u = rows.models @ b[:m] + rows.x @ beta
    factor = np.where(rows.judge > 0, k, 1.0)
    eta = factor * u + rows.judge * (rows.x @ delta)
    slope = np.column_stack(
        [rows.models * factor[:, None], rows.x * factor[:, None], rows.x * rows.judge[:, None], u * rows.judge]
    )
    p = expit(eta)
    likelihood = float((rows.y * eta - np.logaddexp(0.0, eta)).sum())
    return likelihood, slope * (rows.y - p)[:, None], (slope * (p * (1 - p))[:, None]).T @ slope


def _maximum(rows: _Rows) -> tuple[Floats, Floats]:
    """The parameters, and the precisions of their priors."""
    m, f = rows.models.shape[1], rows.x.shape[1]
    precision = np.concatenate([np.full(m, ABILITY), np.full(2 * f, WEIGHT), [SCALE]])
    centre = np.concatenate([np.zeros(m + 2 * f), [1.0]])
    b = centre.copy()
    for _ in range(ROUNDS):
        value, influence, hessian = _derivatives(rows, b)
        value -= float(precision @ (b - centre) ** 2) / 2
        slope = influence.sum(axis=0) - precision * (b - centre)
        step = np.linalg.solve(hessian + np.diag(precision), slope)
        if np.abs(step).max() < TOLERANCE:
            return b, precision
        step *= min(1.0, LONGEST_STEP / float(np.abs(step).max()))
        while _derivatives(rows, b + step)[0] - float(precision @ (b + step - centre) ** 2) / 2 < value - 1e-9:
            step = step / 2
        b = b + step
    raise NotConverged(f"The fit of a judge's bias did not converge in {ROUNDS} rounds. Compare more battles.")
