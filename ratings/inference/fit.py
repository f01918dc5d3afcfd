"""A fit: ratings with their covariance, and the method and parameters that gave them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri, stdtrit

from ratings.data import components
from ratings.data.counts import Floats
from ratings.errors import BadOption, UnknownModel
from ratings.inference.clusters import widened
from ratings.inference.score_sums import Meat
from ratings.scale import CENTRE, POINTS_PER_LOGIT

CONFIDENCE_LEVEL = 0.95


def normal_quantile(level: float) -> float:
    """The half width of a two-sided interval at `level`, in standard errors: 1.96 at 0.95.

    Raises BadOption for a level outside (0, 1).
    """
    if not 0 < level < 1:
        raise BadOption(f"level {level:g} is out of range. Give a confidence level between 0 and 1, such as 0.95.")
    return float(ndtri(0.5 + level / 2))


@dataclass(frozen=True)
class Coefficient:
    """A parameter other than the ratings, in logits, with its standard error and 95 % interval."""

    name: str
    value: float
    standard_error: float

    @property
    def lower(self) -> float:
        """The lower end of the 95 % interval."""
        return self.value - normal_quantile(CONFIDENCE_LEVEL) * self.standard_error

    @property
    def upper(self) -> float:
        """The upper end of the 95 % interval."""
        return self.value + normal_quantile(CONFIDENCE_LEVEL) * self.standard_error


@dataclass(frozen=True, eq=False)
class Fit:
    """Ratings (models,) in points and their covariance (models, models) in points squared.

    `component` (models,) numbers the components: a rating difference has no meaning across components, unless a prior
    joins them (`joined`), and then the covariance is as wide as the prior. A rating may be infinite or nan without a
    prior; `bounds` (index -> lower, upper) then holds one-sided limits for it.

    With votes by cluster, `degrees` (models,) are the degrees of freedom of Student's t for each rating, and
    `design_effect` (models,) is the variance of each over that of independent votes.
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
    degrees: Floats | None = None
    design_effect: Floats | None = None

    @property
    def standard_errors(self) -> Floats:
        """The standard errors (models,) of the ratings, in points."""
        return np.sqrt(np.clip(np.diag(self.covariance), 0.0, None))

    @property
    def components(self) -> tuple[tuple[str, ...], ...]:
        """The names of the models in each component, the largest component first."""
        return components.members(self.component, self.models)

    def interval(self, level: float = CONFIDENCE_LEVEL) -> tuple[Floats, Floats]:
        """Lower and upper ends (models,) of each rating's own interval. Raises BadOption for a bad level."""
        half = self.quantile(level) * self.standard_errors
        lower, upper = self.ratings - half, self.ratings + half
        for index, (low, high) in self.bounds.items():
            lower[index], upper[index] = low, high
        return lower, upper

    def quantile(self, level: float = CONFIDENCE_LEVEL) -> float | Floats:
        """The half width of intervals in standard errors: of the normal, or for each model (models,) of Student's t.

        Raises BadOption for a bad level.
        """
        normal = normal_quantile(level)
        return normal if self.degrees is None else np.asarray(stdtrit(self.degrees, 0.5 + level / 2))

    def index(self, model: str) -> int:
        """The index of `model` in `models`. Raises UnknownModel."""
        if model not in self.models:
            raise UnknownModel(
                f"{model!r} is not among the {len(self.models)} rated models. Name one of `fit.models`."
            )
        return self.models.index(model)

    def rating(self, model: str) -> float:
        """The rating of `model`, in points. Raises UnknownModel."""
        return float(self.ratings[self.index(model)])

    def probability(self, model_a: str, model_b: str) -> float:
        """P(A beats B) when nobody ties, `expit((R_A - R_B) / 173.7)`; nan across components.

        Raises UnknownModel.
        """
        a, b = self.index(model_a), self.index(model_b)
        if self.component[a] != self.component[b] and not self.joined:
            return float("nan")
        return float(expit((self.ratings[a] - self.ratings[b]) / POINTS_PER_LOGIT))

    def difference(self, model_a: str, model_b: str) -> tuple[float, float]:
        """The difference `R_A - R_B` and its standard error, in points; both nan across components.

        Raises UnknownModel.
        """
        a, b = self.index(model_a), self.index(model_b)
        if self.component[a] != self.component[b] and not self.joined:
            return float("nan"), float("nan")
        v = self.covariance
        return float(self.ratings[a] - self.ratings[b]), float(np.sqrt(v[a, a] + v[b, b] - 2 * v[a, b]))

    def of(self, models: Sequence[str]) -> Fit:
        """The same fit of these models only, in this order. Raises UnknownModel."""
        index = np.array([self.index(model) for model in models], dtype=np.int64)
        _, component = np.unique(self.component[index], return_inverse=True)
        return replace(
            self,
            models=tuple(models),
            ratings=self.ratings[index],
            covariance=self.covariance[np.ix_(index, index)],
            component=component,
            degrees=None if self.degrees is None else self.degrees[index],
            design_effect=None if self.design_effect is None else self.design_effect[index],
            bounds={place: self.bounds[m] for place, m in enumerate(index.tolist()) if m in self.bounds},
        )

    def anchored(self, model: str, rating: float) -> Fit:
        """The same fit shifted so that `model` has this `rating`.

        Its component shifts, and intervals become those of the difference to it: its own has width zero.
        Raises UnknownModel, and BadOption when the model has no finite rating.
        """
        index = self.index(model)
        if not np.isfinite(self.ratings[index]):
            raise BadOption(f"{model!r} has no finite rating to anchor at. Rate with a prior.")
        together = (self.component == self.component[index]) | self.joined
        reference = np.zeros(len(self.models))
        reference[index] = 1.0
        shift = np.where(together, rating - self.ratings[index], 0.0)
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
    meat: Meat | None = None,
    independent: Floats | None = None,
) -> Fit:
    """The fit of an estimate (models + extras,) in logits and its covariance: first xi, then coefficients.

    Ratings, and their covariance, are relative to the mean of the largest component. With clusters, `independent` is
    the covariance of independent votes.
    """
    size = len(models)
    reference = np.zeros(len(estimate))
    reference[:size] = (component == 0) / np.count_nonzero(component == 0)
    errors = np.sqrt(np.diag(covariance))
    relative = relative_covariance(covariance, reference)[:size, :size]
    degrees = effect = None
    if meat is not None and independent is not None:
        apart = relative_covariance(independent, reference)[:size, :size]
        relative, degrees, effect = widened(relative, apart, meat)
    return Fit(
        models=models,
        ratings=CENTRE + POINTS_PER_LOGIT * (estimate[:size] - reference @ estimate),
        covariance=POINTS_PER_LOGIT**2 * relative,
        component=component,
        method=method,
        parameters=parameters,
        battles=battles,
        joined=joined,
        coefficients=tuple(
            Coefficient(name, float(estimate[k]), float(errors[k])) for k, name in enumerate(extras, start=size)
        ),
        degrees=degrees,
        design_effect=effect,
    )


def relative_covariance(covariance: Floats, reference: Floats) -> Floats:
    """The covariance (models, models) of `x - reference·x`, where `reference` (models,) sums to one."""
    toward = covariance @ reference
    return covariance - toward[:, None] - toward[None, :] + reference @ toward
