"""How sharply a judge tells models apart, beside people: the slope of its ratings on theirs.

    judge k:  logit P(A beats B) = a_k (xi_A - xi_B) + bias_A - bias_B + habits,      people: a = 1

a above 1 is a judge that decides more sharply than a voter, below 1 a noisier one, 0 one that sees no difference that
people see, and a negative one prefers what they reject. Both fits have errors, so with x and y the contrasts of people's
and the judge's ratings, V and W their covariances, and t² the variance of the bias, the slope minimises

    Q(a) = d' (W + t² + a² V)⁻¹ d,   d = y - a x;      interval: Q(a) <= Q(slope) + q²

q is a quantile of the normal if t is 0, else of Student's t.
t² is 0, or as large as makes Q its degrees of freedom, contrasts - 1. The bias on the judge's own family may be anything.
Where people's votes do not tell the models apart, no slope is known, and the interval has no end. Ratings are taken with
the pull of the prior undone, which is stronger where there are few votes.
Sources: discrimination as in Birnbaum (1968), with judges as items: arXiv 2601.21817; errors in both variables and the
interval: Fieller, J. R. Stat. Soc. B 16 (1954).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import brentq, minimize_scalar
from scipy.special import stdtrit

from ratings.data.counts import Floats
from ratings.errors import BadOption
from ratings.inference.fit import CONFIDENCE_LEVEL, Fit, normal_quantile
from ratings.models.judge_panel import FREE, contrast_basis, within
from ratings.scale import POINTS_PER_LOGIT

LEAST = 4  # models: with three, two contrasts and one slope leave one degree of freedom
MOST_UNDONE = 10.0  # times: a rating that is nearly all prior says nothing that could be undone
GRID = 361  # slopes looked at first, evenly in their angle
TASTES = 60  # halvings of the interval of t
Distance = Callable[[Any], Any]  # Q of an angle, or of an array of them


@dataclass(frozen=True)
class Discrimination:
    """The slope of a judge beside people's 1 with its interval, infinite where it has no end, and its bias, in points."""

    slope: float
    lower: float
    upper: float
    taste: float  # t: how far the judge's ratings are off its line
    models: int


def discrimination(
    people: Fit, judge: Fit, *, family: Mapping[str, bool] | None = None, level: float = CONFIDENCE_LEVEL
) -> Discrimination:
    """The slope of a judge's fit on people's, both of the same models, such as those of `human_anchored`.

    `family` says which models are of the judge's own family. Raises BadOption for other models, for fewer than LEAST, and
    for a level outside (0, 1).
    """
    if people.models != judge.models:
        raise BadOption("the judge's fit rates other models than people's. Fit the same models.")
    if (size := len(people.models)) < LEAST:
        raise BadOption(f"{size} models; a slope needs at least {LEAST}.")
    normal, basis = normal_quantile(level), contrast_basis(size)
    x, v = _without_prior(people, basis)
    y, w = _without_prior(judge, basis)
    own = basis.T @ [float((family or {}).get(model, False)) for model in people.models]
    w = w + FREE * np.outer(own, own)
    freedom = size - 2
    taste = _taste(x, v, y, w, freedom)
    distance = _distance(x, v, y, w + taste**2 * np.eye(size - 1))
    angle = _lowest(distance)
    quantile = float(stdtrit(freedom, 0.5 + level / 2)) if taste else normal
    bound = distance(angle) + quantile**2
    lower, upper = (_end(distance, angle, bound, side) for side in (-1, 1))
    return Discrimination(math.tan(angle), lower, upper, POINTS_PER_LOGIT * taste, size)


def _without_prior(fit: Fit, basis: Floats) -> tuple[Floats, Floats]:
    """The contrasts of a fit and their covariance in logits, with the pull of its prior undone: x / (1 - prior v)."""
    x, v = within(fit, basis)
    variance, axes = np.linalg.eigh(v)
    prior = float(fit.parameters.get("prior", 0.0))
    undone = np.minimum(1 / np.maximum(1 - prior * variance, 1 / MOST_UNDONE), MOST_UNDONE)
    return axes @ (undone * (axes.T @ x)), (axes * (undone * np.maximum(variance, 0.0))) @ axes.T


def _distance(x: Floats, v: Floats, y: Floats, w: Floats) -> Distance:
    """Q as a function of the slope's angles, from -pi/2 to pi/2: cos and sin in place of 1 and the slope.

    In the axes where w is 1 and v diagonal, Q is a sum of squares.
    """
    variance, axes = eigh(v, w)
    across, along = axes.T @ x, axes.T @ y

    def distance(angle: Any) -> Any:
        c, s = np.cos(angle)[..., None], np.sin(angle)[..., None]
        return ((c * along - s * across) ** 2 / (c * c + s * s * variance)).sum(axis=-1)

    return distance


def _lowest(distance: Distance) -> float:
    """The angle of the smallest Q."""
    edge = math.pi / 2 - 1e-6
    grid = np.linspace(-edge, edge, GRID)
    place = int(np.argmin(distance(grid)))
    around = grid[max(place - 1, 0)], grid[min(place + 1, GRID - 1)]
    return float(minimize_scalar(distance, bounds=around, method="bounded", options={"xatol": 1e-10}).x)


def _taste(x: Floats, v: Floats, y: Floats, w: Floats, freedom: int) -> float:
    """t, in logits: 0 if the smallest Q is not above its degrees of freedom, else where it is."""

    def excess(t: float) -> float:
        distance = _distance(x, v, y, w + t * t * np.eye(len(x)))
        return float(distance(_lowest(distance))) - freedom

    if excess(0.0) <= 0:
        return 0.0
    low, high = 0.0, max(1.0, float(np.abs(y).max()))
    while excess(high) > 0:
        high *= 2
    return float(brentq(excess, low, high, xtol=1e-6, maxiter=TASTES))


def _end(distance: Distance, angle: float, bound: float, side: int) -> float:
    """The end of the interval on one side of the slope: the nearest at which Q reaches the bound; infinite for none."""
    edge = side * (math.pi / 2 - 1e-6)
    steps = np.linspace(angle, edge, GRID)
    beyond = np.flatnonzero(distance(steps) > bound)
    if not beyond.size:
        return side * math.inf
    last = int(beyond[0])
    return math.tan(float(brentq(lambda a: distance(a) - bound, steps[last - 1], steps[last])))
