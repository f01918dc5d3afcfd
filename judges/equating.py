"""Equating of a retired judge and its successor over the battles judged by both, the bridge.

Preferences are distances from a tie, x = p_old - 1/2 and y = p_new - 1/2 for the left model, and equated by

    y = slope x + e,   win rate under the new judge = 1/2 + slope (win rate under the old one - 1/2)

Naming the other model left turns both signs, so the line goes through the tie. Prompts are the clusters of the
slope's error. Beyond it, judges may rank models differently at the same distance: the spread of the residuals
of the bridge's own models, each predicted by a fit without it, is the error of the equating itself.
Source: linear linking of Kolen & Brennan, Test Equating, Scaling, and Linking (2014), ch. 4 and 10.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judges.columns import Floats, floats, same_length
from judges.errors import BadRow, NoVerdicts

LEAST_MODELS = 3  # a fit without one of them must still have battles


@dataclass(frozen=True)
class EquatedRate:
    """A win rate on the scale of the new judge, in [0, 1], with its standard error."""

    win_rate: float
    standard_error: float


@dataclass(frozen=True)
class Equating:
    """The line from the old judge's scale to the new one's, and its errors."""

    slope: float
    slope_error: float  # standard error, prompts as clusters
    model_error: float  # root mean square residual of a left-out model
    battles: int
    models: int

    def apply(self, win_rate: float, standard_error: float) -> EquatedRate:
        """The equated win rate of a model whose rate (0 to 1) under the old judge is `win_rate`."""
        distance = win_rate - 0.5
        variance = (self.slope * standard_error) ** 2 + (distance * self.slope_error) ** 2 + self.model_error**2
        value = min(max(0.5 + self.slope * distance, 0.0), 1.0)
        return EquatedRate(value, float(np.sqrt(variance)))


def equate(
    old: Sequence[float],
    new: Sequence[float],
    model_a: Sequence[Hashable],
    model_b: Sequence[Hashable],
    prompt: Sequence[Hashable],
) -> Equating:
    """The equating of two judges over a bridge; `old` and `new` (battles,) are preferences for model_a in [0, 1].

    Raises LengthMismatch, BadRow, and NoVerdicts for fewer than three models or an old judge that always ties.
    """
    x, y = _distances("old", old), _distances("new", new)
    same_length(old=x, new=y, model_a=model_a, model_b=model_b, prompt=prompt)
    a, b = np.array(model_a, dtype=object), np.array(model_b, dtype=object)
    models = sorted({*model_a, *model_b}, key=str)
    if len(models) < LEAST_MODELS:
        raise NoVerdicts(f"The bridge has {len(models)} models. Equating needs at least {LEAST_MODELS}.")
    slope = _slope(x, y)
    residuals = [_residual(x, y, a, b, model) for model in models]
    return Equating(
        slope,
        _slope_error(x, y - slope * x, prompt),
        float(np.sqrt(np.mean(np.square(residuals)))),
        len(x),
        len(models),
    )


def _distances(name: str, preference: Sequence[float]) -> Floats:
    p = floats(name, preference)
    outside = (p < 0) | (p > 1)
    if outside.any():
        row = int(np.argmax(outside))
        raise BadRow(f"row {row}: {name} preference {p[row]:g} is out of range. Expected 0 to 1.")
    return p - 0.5


def _slope(x: Floats, y: Floats) -> float:
    spread = float(x @ x)
    if not spread:
        raise NoVerdicts(
            "The old judge has called every battle of the bridge a tie. Add battles on which it names a winner."
        )
    return float(x @ y) / spread


def _slope_error(x: Floats, residual: Floats, prompt: Sequence[Hashable]) -> float:
    number = {name: place for place, name in enumerate(dict.fromkeys(prompt))}
    score = np.bincount([number[name] for name in prompt], x * residual)
    return float(np.sqrt(score @ score) / (x @ x))


def _residual(x: Floats, y: Floats, a: NDArray[np.object_], b: NDArray[np.object_], model: Hashable) -> float:
    """The model's mean distance under the new judge minus the one predicted without the model."""
    mine = (a == model) | (b == model)
    sign = np.where(a[mine] == model, 1.0, -1.0)
    rest = ~mine
    slope = _slope(x[rest], y[rest]) if (x[rest] ** 2).sum() else _slope(x, y)
    return float((sign * (y[mine] - slope * x[mine])).mean())
