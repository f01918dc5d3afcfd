"""Calibration of a judge's preferences on people's verdicts, with its gain on battles that it was not fitted to.

    P(people prefer A) = expit(a + b logit p)      p the judge's preference for A, cut to [CUT, 1 - CUT]

a moves a side that the judge favours, and b > 0 its confidence: b < 1 is a judge too sure of itself. a and b minimise

    -(1/n) sum_i [y_i log q_i + (1 - y_i) log(1 - q_i)] + RIDGE / (2 n) (a^2 + (b - 1)^2)

with y = 1, 1/2 or 0 for A, a tie or B; the penalty draws few verdicts towards no change. Before and after are measured in
K folds of whole prompts, each with the coefficients of the other folds. The test of the gain is of the mean difference d of
the loss, clustered by prompt:

    z = d / se,   se^2 = G / (G - 1) sum_g (sum_i (d_i - d))^2 / n^2,   p = P(T > z) with G - 1 degrees of freedom

Source: Platt, Probabilistic Outputs for Support Vector Machines, in Advances in Large Margin Classifiers (1999).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import t as student

from judges.columns import Floats, floats, same_length
from judges.errors import BadOption, BadRow, NotConverged, NoVerdicts
from judges.intervals import clustered_error

CUT = 0.01  # a label is a preference of 0 or 1, whose logit is infinite
RIDGE = 1.0  # as much as one verdict's worth of information
FOLDS = 10
LEAST = 20  # prompts: with fewer, each fold moves the coefficients and the test means little


@dataclass(frozen=True)
class Calibration:
    """The coefficients of a judge: `offset` for the side A in logits, and `scale` of its own logits."""

    offset: float
    scale: float

    def calibrated(self, preferences: Sequence[float]) -> Floats:
        """The preferences after calibration."""
        result: Floats = expit(self.offset + self.scale * _logits(floats("preferences", preferences)))
        return result


@dataclass(frozen=True)
class HeldOut:
    """A judge on battles that its calibration was not fitted to: mean log loss, and how often its winner is people's.

    Ties of people are not counted in `agreement`, and a judge's tie is half right.
    """

    loss: float
    agreement: float | None


@dataclass(frozen=True)
class CalibrationGain:
    """A calibration of all battles, with held-out figures before and after it and the test of its gain."""

    calibration: Calibration
    before: HeldOut
    after: HeldOut
    gain: float  # of the log loss, in nats
    standard_error: float
    p_value: float  # one-sided: that a calibration without use gains as much
    battles: int
    prompts: int
    folds: int


def fit_calibration(preferences: Sequence[float], people: Sequence[float]) -> Calibration:
    """The calibration of preferences for A on people's verdicts (1, 1/2 or 0). Raises BadRow, NoVerdicts, NotConverged."""
    p, y = _columns(preferences, people)
    return _fit(_logits(p), y)


def calibration_gain(
    preferences: Sequence[float], people: Sequence[float], cluster: Sequence[Hashable], folds: int = FOLDS
) -> CalibrationGain:
    """The calibration with its gain over `folds` folds of whole prompts (`cluster`).

    Folds follow the order of the prompts, so that the result is the same each time. Raises BadOption, BadRow,
    LengthMismatch, NoVerdicts for fewer than LEAST prompts, NotConverged.
    """
    p, y = _columns(preferences, people)
    same_length(preferences=preferences, cluster=cluster)
    places = {name: place for place, name in enumerate(dict.fromkeys(cluster))}
    codes = np.array([places[name] for name in cluster])
    if len(places) < LEAST:
        raise NoVerdicts(f"{len(places)} prompts with verdicts of both; a calibration needs at least {LEAST}.")
    if not 2 <= folds <= len(places):
        raise BadOption(f"{folds} folds are out of range. Expected 2 to {len(places)}.")
    logits, held_out = _logits(p), np.empty(len(p))
    for fold in range(folds):
        out = codes % folds == fold
        found = _fit(logits[~out], y[~out])
        held_out[out] = found.offset + found.scale * logits[out]
    gains = _losses(logits, y) - _losses(held_out, y)
    mean, error = float(gains.mean()), clustered_error(gains, codes) or 0.0
    p_value = float(student.sf(mean / error, len(places) - 1)) if error > 0 else 1.0
    return CalibrationGain(
        _fit(logits, y),
        HeldOut(float(_losses(logits, y).mean()), _agreement(logits, y)),
        HeldOut(float(_losses(held_out, y).mean()), _agreement(held_out, y)),
        mean,
        error,
        p_value,
        len(p),
        len(places),
        folds,
    )


def _columns(preferences: Sequence[float], people: Sequence[float]) -> tuple[Floats, Floats]:
    p, y = floats("preferences", preferences), floats("people", people)
    same_length(preferences=preferences, people=people)
    for name, column in (("preferences", p), ("people", y)):
        if wrong := np.flatnonzero(~((column >= 0) & (column <= 1))).tolist():
            raise BadRow(f"row {wrong[0]}: {name} is {column[wrong[0]]:g}. Expected 0 to 1.")
    return p, y


def _logits(p: Floats) -> Floats:
    result: Floats = logit(np.clip(p, CUT, 1 - CUT))
    return result


def _losses(logits: Floats, y: Floats) -> Floats:
    result: Floats = np.logaddexp(0, logits) - y * logits
    return result


def _fit(logits: Floats, y: Floats) -> Calibration:
    def objective(given: Floats) -> tuple[float, Floats]:
        offset, scale = given
        z = offset + scale * logits
        rest = expit(z) - y
        penalty = RIDGE / 2 * (offset**2 + (scale - 1) ** 2)
        slope = np.array([rest.sum() + RIDGE * offset, (rest * logits).sum() + RIDGE * (scale - 1)])
        return (float(_losses(z, y).sum()) + penalty) / len(y), slope / len(y)

    found = minimize(objective, np.array([0.0, 1.0]), jac=True, method="BFGS", options={"gtol": 1e-8})
    if not np.all(np.isfinite(found.x)) or np.abs(found.jac).max() > 1e-5:
        raise NotConverged(f"the calibration found no minimum ({found.message}). Check the preferences.")
    return Calibration(float(found.x[0]), float(found.x[1]))


def _agreement(logits: Floats, y: Floats) -> float | None:
    decided = y != 0.5
    if not decided.any():
        return None
    right = np.where(np.abs(logits) < 1e-12, 0.5, (logits > 0) == (y > 0.5))
    return float(right[decided].mean())
