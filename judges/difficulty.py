"""Length-controlled win rates on any prompt set, with the difficulty of each prompt fitted to the same battles.

    logit P(m preferred to the baseline on x) = phi tanh(d_mx / sd_m(d)) + gamma_x + theta_m

fitted for all models together, d as in `judges.length_control`. AlpacaEval gives each model a phi of its own,
constrained by two gamed versions of the baseline, and fixes its 805 difficulties gamma once. Without these a phi
per model could attribute the weakness of a terse model to brevity, so one length preference phi, the judge's, is
shared by all models. Difficulties are random effects, gamma_x ~ N(0, 1), so that a prompt with few completions
has little influence. With fewer than three models difficulty is not identifiable, and gamma is 0. A model's
length-controlled win rate is the mean of expit(theta_m + gamma_x).
Source: Dubois et al., arXiv 2404.04475, and its notebook on instruction difficulty.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from judges.columns import Floats, floats, same_length
from judges.errors import BadRow, NotConverged, NoVerdicts
from judges.length_control import LengthControlledRate

LEAST_MODELS = 3
RIDGE = 0.1  # precision of phi and theta: a model that always wins stays finite
ROUNDS = 200  # Newton takes 5 to 20
ROUNDING = 1e-13  # of the loss, by which it may rise in a step
TOLERANCE = 1e-8  # of the gradient
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class JointFit:
    """The length preference (phi), abilities (models,) and difficulties (prompts,), with the rows behind them."""

    models: tuple[Hashable, ...]
    prompts: tuple[Hashable, ...]
    length: float
    ability: Floats
    difficulty: Floats
    rows: _Rows

    def win_rates(self) -> dict[Hashable, LengthControlledRate]:
        """Length-controlled win rate of each model over all prompts, in percent.

        The standard errors cover the sampling of prompts and the error of phi and theta, given gamma.
        """
        influence = self._influence()
        return {
            model: self._win_rate(number, influence[:, 1 + number]) for number, model in enumerate(self.models)
        }

    def _win_rate(self, model: int, of_ability: Floats) -> LengthControlledRate:
        chance = expit(self.ability[model] + self.difficulty)
        slope = float((chance * (1 - chance)).mean())
        influence = (chance - chance.mean()) / len(chance) + slope * of_ability
        return LengthControlledRate(100 * float(chance.mean()), 100 * float(np.sqrt((influence**2).sum())))

    def _influence(self) -> Floats:
        """(prompts, 1 + models) influence of each prompt on phi and the thetas: scores times inverse Hessian."""
        rows, many = self.rows, 1 + len(self.models)
        x = np.zeros((len(rows.preference), many))
        x[:, 0] = rows.length
        x[np.arange(len(x)), 1 + rows.model] = 1.0
        p = expit(x @ np.concatenate([[self.length], self.ability]) + self.difficulty[rows.prompt])
        bread = (x * (p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(many)
        scores = np.zeros((len(self.prompts), many))
        np.add.at(scores, rows.prompt, (rows.preference - p)[:, None] * x)
        return np.asarray(np.linalg.solve(bread, scores.T).T)


@dataclass(frozen=True)
class _Rows:
    preference: Floats
    length: Floats
    model: Codes
    prompt: Codes


def joint_fit(
    preference: Sequence[float], apart: Sequence[float], model: Sequence[Hashable], prompt: Sequence[Hashable]
) -> JointFit:
    """The fit of all models against one baseline; all columns have one row per comparison.

    `preference` (rows,) in [0, 1] is how much the model is preferred to the baseline, `apart` (rows,) the
    characters of the baseline's completion less those of the model's. Raises LengthMismatch, NoVerdicts, BadRow,
    NotConverged.
    """
    y, d = floats("preference", preference), floats("apart", apart)
    same_length(preference=y, apart=d, model=model, prompt=prompt)
    if not len(y):
        raise NoVerdicts("There are no comparisons. Length control needs at least one.")
    outside = (y < 0) | (y > 1)
    if outside.any():
        row = int(np.argmax(outside))
        raise BadRow(f"row {row}: preference {y[row]:g} is out of range. Expected 0 (baseline) to 1 (model).")
    models, prompts = tuple(dict.fromkeys(model)), tuple(dict.fromkeys(prompt))
    m, x = _codes(model, models), _codes(prompt, prompts)
    rows = _Rows(y, _scaled(d, m, len(models)), m, x)
    hard = len(prompts) if len(models) >= LEAST_MODELS else 0
    parameters = _maximise(rows, len(models), hard)
    theta, gamma = parameters[1 : 1 + len(models)], parameters[1 + len(models) :]
    return JointFit(models, prompts, float(parameters[0]), theta, gamma if hard else np.zeros(len(prompts)), rows)


def _codes(values: Sequence[Hashable], names: Sequence[Hashable]) -> Codes:
    number = {name: place for place, name in enumerate(names)}
    return np.array([number[value] for value in values], dtype=np.int64)


def _scaled(apart: Floats, model: Codes, models: int) -> Floats:
    """(rows,) tanh of the difference over the model's own standard deviation of it."""
    spread = np.array([apart[model == m].std() for m in range(models)])
    return np.tanh(apart / np.where(spread > 0, spread, 1.0)[model]) * (spread > 0)[model]


def _maximise(rows: _Rows, models: int, prompts: int) -> Floats:
    """(phi, theta, gamma) of the largest penalised likelihood, by Newton's method. Raises NotConverged.

    The Hessian of the difficulties is diagonal, so that a step solves a system of 1 + models unknowns.
    """
    b = np.zeros(1 + models + prompts)
    for _ in range(ROUNDS):
        eta = _predicted(rows, b, models)
        slope = _slope(rows, expit(eta) - rows.preference, b, models)
        if np.abs(slope).max() <= TOLERANCE:
            return b
        step = _newton_step(rows, expit(eta), slope, models)
        length, value, expected = 1.0, _loss(rows, b, models), float(slope @ step)
        while _loss(rows, b - length * step, models) > value - length * expected / 4 + ROUNDING * abs(value):
            length /= 2
        b = b - length * step
    raise NotConverged(
        f"The fit at equal length did not converge in {ROUNDS} rounds. Check the lengths for outliers."
    )


def _precision(size: int, models: int) -> Floats:
    return np.concatenate([np.full(1 + models, RIDGE), np.ones(size - 1 - models)])


def _predicted(rows: _Rows, b: Floats, models: int) -> Floats:
    gamma = b[1 + models :]
    eta: Floats = b[0] * rows.length + b[1 + rows.model]
    return eta + gamma[rows.prompt] if len(gamma) else eta


def _loss(rows: _Rows, b: Floats, models: int) -> float:
    eta = _predicted(rows, b, models)
    return float((np.logaddexp(0.0, eta) - rows.preference * eta).sum() + _precision(len(b), models) @ b**2 / 2)


def _slope(rows: _Rows, residual: Floats, b: Floats, models: int) -> Floats:
    prompts = len(b) - 1 - models
    parts = [
        np.array([residual @ rows.length]),
        np.bincount(rows.model, residual, models),
        np.bincount(rows.prompt, residual, prompts) if prompts else np.empty(0),
    ]
    return np.concatenate(parts) + _precision(len(b), models) * b


def _newton_step(rows: _Rows, p: Floats, slope: Floats, models: int) -> Floats:
    """Inverse Hessian times `slope`, by the Schur complement of the diagonal block of the difficulties."""
    weight, few, prompts = p * (1 - p), 1 + models, len(slope) - 1 - models
    x = np.zeros((len(weight), few))
    x[:, 0], x[np.arange(len(x)), 1 + rows.model] = rows.length, 1.0
    head = (x * weight[:, None]).T @ x + RIDGE * np.eye(few)
    if not prompts:
        return np.asarray(np.linalg.solve(head, slope))
    cross = np.zeros((prompts, few))
    np.add.at(cross, rows.prompt, x * weight[:, None])
    diagonal = 1.0 + np.bincount(rows.prompt, weight, prompts)
    scaled = cross / diagonal[:, None]
    first = np.linalg.solve(head - cross.T @ scaled, slope[:few] - scaled.T @ slope[few:])
    return np.asarray(np.concatenate([first, (slope[few:] - cross @ first) / diagonal]))
