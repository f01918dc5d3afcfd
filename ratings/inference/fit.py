"""A fit: ratings with their covariance, which remember how they came about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from ratings.data import components
from ratings.data.counts import Floats
from ratings.errors import BadOption, UnknownModel
from ratings.scale import CENTRE, POINTS_PER_LOGIT

CONFIDENCE_LEVEL = 0.95


def normal_quantile(level: float) -> float:
    """Half width in standard errors of a two-sided interval: 1.96 at level .95. Raises BadOption."""
    if not 0 < level < 1:
        raise BadOption(f"level {level:g}; a confidence level lies between 0 and 1, such as 0.95")
    return float(ndtri(0.5 + level / 2))


@dataclass(frozen=True)
class Coefficient:
    """A parameter beside the ratings, in logits, with its standard error and 95 % interval."""

    name: str
    value: float
    standard_error: float

    @property
    def lower(self) -> float:
        return self.value - normal_quantile(CONFIDENCE_LEVEL) * self.standard_error

    @property
    def upper(self) -> float:
        return self.value + normal_quantile(CONFIDENCE_LEVEL) * self.standard_error


@dataclass(frozen=True, eq=False)
class Fit:
    """Ratings (models,) in points and their covariance (models, models) in points squared.

    `component` (models,) tells which ratings compare: no difference across components means anything, unless
    a prior holds them together (`joined`), and then the covariance says how little is known. A rating may be
    infinite or nan without a prior; `bounds` then holds one-sided limits for it.
    """

    models: tuple[str, ...]
    ratings: Floats
    covariance: Floats
    component: NDArray[np.int64]
    method: str
    parameters: Mapping[str, Any]
    battles: int
    joined: bool = False
    coefficients: tuple[Coefficient, ...] = ()
    bounds: Mapping[int, tuple[float, float]] = field(default_factory=dict)

    @property
    def standard_errors(self) -> Floats:
        """(models,) in points."""
        return np.sqrt(np.clip(np.diag(self.covariance), 0.0, None))

    @property
    def components(self) -> tuple[tuple[str, ...], ...]:
        """The models in each component, the largest component first."""
        return components.members(self.component, self.models)

    def interval(self, level: float = CONFIDENCE_LEVEL) -> tuple[Floats, Floats]:
        """Lower and upper ends (models,) of each rating's own interval."""
        half = normal_quantile(level) * self.standard_errors
        lower, upper = self.ratings - half, self.ratings + half
        for place, (low, high) in self.bounds.items():
            lower[place], upper[place] = low, high
        return lower, upper

    def index(self, model: str) -> int:
        """Where `model` stands in `models`. Raises UnknownModel."""
        if model not in self.models:
            raise UnknownModel(f"{model!r} is not among the {len(self.models)} rated models")
        return self.models.index(model)

    def rating(self, model: str) -> float:
        return float(self.ratings[self.index(model)])

    def probability(self, model_a: str, model_b: str) -> float:
        """Chance that A beats B when nobody ties: `expit((R_A - R_B) / 173.7)`; nan across components."""
        a, b = self.index(model_a), self.index(model_b)
        if self.component[a] != self.component[b] and not self.joined:
            return float("nan")
        return float(expit((self.ratings[a] - self.ratings[b]) / POINTS_PER_LOGIT))

    def difference(self, model_a: str, model_b: str) -> tuple[float, float]:
        """`R_A - R_B` and its standard error, both nan across components."""
        a, b = self.index(model_a), self.index(model_b)
        if self.component[a] != self.component[b] and not self.joined:
            return float("nan"), float("nan")
        v = self.covariance
        return float(self.ratings[a] - self.ratings[b]), float(np.sqrt(v[a, a] + v[b, b] - 2 * v[a, b]))

    def anchored(self, model: str, rating: float) -> Fit:
        """The same fit with `model` at `rating`: its component shifts, and intervals become those of the
        difference to it, so its own has no width. Raises UnknownModel, or BadOption for an infinite rating.
        """
        place = self.index(model)
        if not np.isfinite(self.ratings[place]):
            raise BadOption(f"{model!r} has no finite rating to anchor at; rate with a prior")
        together = (self.component == self.component[place]) | self.joined
        reference = np.zeros(len(self.models))
        reference[place] = 1.0
        shift = np.where(together, rating - self.ratings[place], 0.0)
        return replace(
            self,
            ratings=self.ratings + shift,
            covariance=np.where(
                np.outer(together, together), relative_covariance(self.covariance, reference), self.covariance
            ),
            bounds={m: (low + shift[m], high + shift[m]) for m, (low, high) in self.bounds.items()},
            parameters={**self.parameters, "anchor": {model: rating}},
        )

    def __str__(self) -> str:
        lower, upper = self.interval()
        options = ", ".join(f"{name}={value}" for name, value in self.parameters.items())
        lines = [f"{self.method} on {self.battles:,} battles" + (f" ({options})" if options else "")]
        width = max(len(name) for name in self.models)
        for m in np.argsort(-self.ratings, kind="stable"):
            interval = f"[{lower[m]:7.1f}, {upper[m]:7.1f}]"
            lines.append(f"{self.models[m]:{width}}  {self.ratings[m]:7.1f}  {interval}")
        lines += [f"{c.name}: {c.value:.4f} [{c.lower:.4f}, {c.upper:.4f}]" for c in self.coefficients]
        return "\n".join(lines)

    __repr__ = __str__


def fit_of_parameters(
    models: tuple[str, ...],
    estimate: Floats,
    covariance: Floats,
    extras: Iterable[str],
    component: NDArray[np.int64],
    *,
    method: str,
    parameters: Mapping[str, Any],
    battles: int,
    joined: bool,
) -> Fit:
    """The fit of an estimate (models + extras,) in logits with its covariance: first xi, then coefficients.

    Ratings, and their covariance, are taken relative to the mean of the largest component.
    """
    size = len(models)
    reference = np.zeros(len(estimate))
    reference[:size] = (component == 0) / np.count_nonzero(component == 0)
    errors = np.sqrt(np.diag(covariance))
    return Fit(
        models=models,
        ratings=CENTRE + POINTS_PER_LOGIT * (estimate[:size] - reference @ estimate),
        covariance=POINTS_PER_LOGIT**2 * relative_covariance(covariance, reference)[:size, :size],
        component=component,
        method=method,
        parameters=parameters,
        battles=battles,
        joined=joined,
        coefficients=tuple(
            Coefficient(name, float(estimate[k]), float(errors[k])) for k, name in enumerate(extras, start=size)
        ),
    )


def relative_covariance(covariance: Floats, reference: Floats) -> Floats:
    """Covariance of `x - reference·x`, where `reference` (models,) sums to one."""
    toward = covariance @ reference
    return covariance - toward[:, None] - toward[None, :] + reference @ toward
