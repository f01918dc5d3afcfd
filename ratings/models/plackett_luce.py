"""Plackett–Luce ratings of rankings of several models, by Newton's method, with sandwich intervals.

    P(a ranking) = product over its choices of  exp(xi_chosen) / sum of exp(xi) over those not chosen before

For rankings of two models this is Bradley–Terry. Rankings may be of different models, and models may share a place.
Sources: Luce, Individual Choice Behavior (1959); Plackett, Applied Statistics 24 (1975); when a maximum exists: Hunter,
Annals of Statistics 32 (2004).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy.linalg import cho_solve
from scipy.sparse import csr_array

from ratings.data import components
from ratings.data.columns import Column
from ratings.data.counts import Floats, checked_weights
from ratings.data.rankings import Rankings, read_rankings
from ratings.errors import NotConverged
from ratings.inference.covariance import cluster_codes
from ratings.inference.fit import Fit, relative_covariance
from ratings.inference.hessian import cholesky, sandwich_product
from ratings.models.bradley_terry import PRIOR, STEPS, TOLERANCE, check_prior
from ratings.scale import CENTRE, POINTS_PER_LOGIT

LEAST_LIKELY = 0.025  # probability of an undefeated model's record at the end of its one-sided interval


def plackett_luce(
    rankings: Iterable[Sequence[Any]],
    *,
    models: Sequence[str] | None = None,
    prior: float = 0.0,
    weight: Column = None,
    cluster: Column = None,
) -> Fit:
    """Maximum-likelihood ratings of `rankings`: lists of models, the best first, equals as a list inside the list.

    Maximises the weighted sum of log-probabilities of the rankings minus prior/2 * sum xi². Equals stand in every order
    with the same weight; two equals are half a win for each. `prior` is a precision in logits⁻² and `weight` (rankings,)
    a sampling weight. The covariance is the sandwich with one score for each ranking, or for each value of `cluster`
    (rankings,), such as the judge's prompt, with the factor C / (C - 1).

    Components, infinite ratings and centring are those of `bradley_terry`; the fit's `battles` are the rankings.
    Raises what `read_rankings` raises, BadOption for a negative prior or a single cluster, MissingValue, LengthMismatch
    and NotConverged.
    """
    check_prior(prior)
    data = read_rankings(rankings, models)
    each = np.ones(data.count) if weight is None else checked_weights(weight, data.count)
    choices = _Choices(data, each, prior)
    xi = choices.maximised()
    covariance = choices.covariance(xi, None if cluster is None else cluster_codes(cluster, data.count))
    if prior:  # what it adds is doubt about the common mean, which no ranking can lessen
        main = (choices.label == 0) / np.count_nonzero(choices.label == 0)
        covariance = relative_covariance(covariance, main)
    bounds = {} if prior else _bound_isolated(choices, xi, covariance)
    return Fit(
        models=data.models,
        ratings=CENTRE + POINTS_PER_LOGIT * xi,
        covariance=POINTS_PER_LOGIT**2 * covariance,
        component=choices.label,
        method="plackett_luce",
        parameters={"prior": prior, "covariance": "sandwich" if cluster is None else "clustered sandwich"},
        battles=data.count,
        joined=prior > 0,
        bounds={
            m: (CENTRE + POINTS_PER_LOGIT * low, CENTRE + POINTS_PER_LOGIT * high)
            for m, (low, high) in bounds.items()
        },
    )


class _Choices:
    """The likelihood of choices, and its maximum and covariance.

    Without a prior a choice is between the models of the chosen one's strong component: those of a weaker component
    could only be chosen with probability zero.
    """

    def __init__(self, data: Rankings, each: Floats, prior: float) -> None:
        self.data, self.prior, self.choice = data, prior, data.choice
        self.row_weight = (data.weight * each[data.ranking])[self.choice]
        self.scores = data.scores(self.row_weight)
        self.label = (
            components.weak_components(self.scores) if prior else components.strong_components(self.scores)
        )
        self.mask = self.label[:, None] == self.label[None, :]
        chosen = self.label[data.model[data.start]]
        self.inside = np.full(len(data.model), True) if prior else self.label[data.model] == chosen[self.choice]

    def probabilities(self, xi: Floats) -> Floats:
        """(rows,): the probability that this row is chosen."""
        z = np.where(self.inside, xi[self.data.model], -np.inf)
        strength = np.exp(z - np.maximum.reduceat(z, self.data.start)[self.choice])
        return np.asarray(strength / np.add.reduceat(strength, self.data.start)[self.choice])

    def gradient(self, xi: Floats, p: Floats) -> Floats:
        """(models,): shares chosen minus probabilities, minus the prior's pull."""
        surprise = self.row_weight * (self.data.share - p)
        return np.bincount(self.data.model, surprise, len(xi)) - self.prior * xi

    def hessian(self, p: Floats) -> Floats:
        """(models, models): minus the second derivative; without a prior pinned within each component."""
        size = len(self.data.models)
        ends = np.append(self.data.start, len(p))
        each = csr_array((np.sqrt(self.row_weight) * p, self.data.model, ends), shape=(len(self.data.start), size))
        square: Floats = -(each.T @ each).toarray()
        degree = np.bincount(self.data.model, self.row_weight * p, size)
        square[np.diag_indices(size)] += degree + self.prior
        if not self.prior:
            square += (degree.mean() / size if degree.any() else 1.0) * self.mask
            square[np.diag_indices(size)] += np.diag(square) <= 0  # a component of one, which is in no choice
        return square

    def maximised(self) -> Floats:
        """The xi (models,) of largest likelihood, of mean zero in each component. Raises NotConverged.

        A step is shortened as in `maximise_likelihood`: the third derivative of a log-sum of exponentials is at most
        the step's range times the second, as that of a logistic loss is.
        """
        xi: Floats = np.zeros(len(self.data.models))
        for _ in range(STEPS):
            p = self.probabilities(xi)
            step = cho_solve((cholesky(self.hessian(p)), True), self.gradient(xi, p), check_finite=False)
            reach = float(step.max() - step.min())
            xi = xi + step * (np.log1p(reach) / reach if reach > 1 else 1.0)
            if reach < TOLERANCE:
                return xi if self.prior else np.asarray(xi - self.mask @ xi / self.mask.sum(axis=1))
        raise NotConverged(
            f"Newton's method has not converged after {STEPS} steps. Give a prior, such as {PRIOR}."
        )

    def covariance(self, xi: Floats, groups: Column) -> Floats:
        """The sandwich (models, models), in logits²."""
        p = self.probabilities(xi)
        of = self.data.ranking if groups is None else groups[self.data.ranking]
        many = int(of.max()) + 1
        score = csr_array(
            (self.row_weight * (self.data.share - p), (of[self.choice], self.data.model)), shape=(many, len(xi))
        )
        meat = (score.T @ score).toarray() * (1.0 if groups is None else many / (many - 1))
        meat[np.diag_indices(len(xi))] += self.prior
        return sandwich_product(self.hessian(p), meat)


def _bound_isolated(choices: _Choices, xi: Floats, covariance: Floats) -> dict[int, tuple[float, float]]:
    """Write infinite ratings of models that are a component of their own into `xi`; return their bounds, in logits."""
    bounds: dict[int, tuple[float, float]] = {}
    label = choices.label
    if len(label) == 1:
        return bounds
    estimate = xi.copy()
    for m in np.flatnonzero(np.bincount(label)[label] == 1).tolist():
        won, lost = choices.scores[m].any(), choices.scores[:, m].any()
        covariance[m] = covariance[:, m] = np.nan
        bounds[m] = (-np.inf, np.inf)
        if won == lost:
            xi[m] = np.nan if won else 0.0
            continue
        xi[m] = np.inf if won else -np.inf
        limit = _one_sided_limit(choices, estimate, m, won=bool(won))
        bounds[m] = (limit, np.inf) if won else (-np.inf, limit)
    return bounds


def _one_sided_limit(choices: _Choices, xi: Floats, m: int, *, won: bool) -> float:
    """The xi of model `m` at which its record against the main component has probability 2.5 %, by bisection."""
    data, label = choices.data, choices.label
    main = (label == 0) & (np.arange(len(label)) != m) & (np.count_nonzero(label == 0) > 1)
    strength = np.where(main[data.model], np.exp(xi[data.model]), 0.0)
    rivals = np.add.reduceat(strength, data.start)
    has_m = np.add.reduceat((data.model == m).astype(float), data.start) > 0
    here = has_m & (rivals > 0)
    if not here.any():
        return -np.inf if won else np.inf
    rival, weight = np.log(rivals[here]), choices.row_weight[data.start][here]
    low, high = float(rival.min()) - 50.0, float(rival.max()) + 50.0
    for _ in range(100):
        middle = (low + high) / 2
        lead = middle - rival if won else rival - middle
        is_likely = float(weight @ -np.logaddexp(0.0, -lead)) > np.log(LEAST_LIKELY)
        low, high = (low, middle) if is_likely == won else (middle, high)
    return low
