"""Contextual Bradley–Terry: ratings adjusted for covariates of the battle, such as style.

    P(A beats B) = expit(xi_A - xi_B + z'g)

With style differences for z this is style control: the ratings as if both sides had the same style.
Unpenalised by default: a penalty on g gives part of the style's effect back to the models.
Source: the public arena's style control (blog of 2024-08-29).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ratings.data import components
from ratings.data.battles import read_battles
from ratings.data.clusters import ClusteredVotes, Ints
from ratings.data.columns import Column
from ratings.data.counts import Floats, checked_weights, tabulate
from ratings.data.numbers import covariate
from ratings.errors import BadOption, Disconnected, NotConverged
from ratings.inference.clusters import clustered_meat
from ratings.inference.covariance import cluster_codes
from ratings.inference.fit import Fit, fit_of_parameters
from ratings.inference.hessian import sandwich_product
from ratings.inference.score_sums import Scorer
from ratings.models.bradley_terry import check_prior, maximise_likelihood, score_matrix
from ratings.models.covariate_passes import CHUNK, Passes

SAMPLE = 20  # chunks that a trial Hessian is made from
TOLERANCE = 1e-6  # largest last step, in logits; what is left is a tenth of it at most, 2e-5 points
PASSES = 100
WITHOUT_LIMIT = "a coefficient has no finite value: a covariate predicts every winner. Give a penalty."
REFRESH = 0.3  # a pass that shrinks the step by less calls for the Hessian of all battles


def contextual(
    model_a: Column,
    model_b: Column,
    winner: Column,
    covariates: Mapping[str, Column],
    *,
    penalty: float = 0.0,
    prior: float = 0.0,
    weight: Column = None,
    cluster: Column = None,
    clusters: ClusteredVotes | None = None,
) -> Fit:
    """Ratings and a coefficient in logits for each covariate (name -> column of battles), with intervals.

    Maximises

        sum over battles of  w * [y log p + (1 - y) log(1 - p)]  -  prior/2 * sum xi²  -  penalty/2 * sum g²

    with p = expit(xi_A - xi_B + z'g): prior and penalty weigh against the sum over battles, not their mean. Covariates
    are used as given, not centred: zero has to mean that the sides are alike. Sandwich covariance, by `cluster`
    (battles,) where given; `weight` (battles,) is a sampling weight. `clusters` has the same battles, in this order, by
    cluster in one or several ways: intervals then hold for few clusters as well, as in `bradley_terry`.

    Raises MissingValue with the row, BadOption for a covariate that the others (or the models) determine, for a negative
    penalty or prior, or for clusters of other battles, Disconnected without a prior when wins and losses do not compare
    all models, NotConverged, and what `read_battles` raises.
    """
    battles = read_battles(model_a, model_b, winner)
    check_prior(prior)
    if not (np.isfinite(penalty) and penalty >= 0):
        raise BadOption(f"penalty {penalty:g} is out of range. Give zero or more.")
    columns = _columns(covariates, len(battles))
    weights = None if weight is None else checked_weights(weight, len(battles))
    scores = score_matrix(tabulate(battles, weight))
    label = components.weak_components(scores) if prior else components.strong_components(scores)
    if not prior and label.max() > 0:
        raise Disconnected("some models are not compared by wins and losses both ways. Give a prior.")
    size = len(battles.models)
    ridge = np.array([prior] * size + [penalty] * len(columns))
    penalised = _PenalisedLikelihood(Passes(battles, columns, weights), ridge)
    groups = None if cluster is None else cluster_codes(cluster, len(battles))
    if clusters is not None and (len(clusters) != len(battles) or weights is not None or groups is not None):
        raise BadOption(
            "clusters are of other battles, or come with weights or a cluster. Give the same battles alone."
        )
    try:
        estimate = penalised.maximum(np.concatenate([maximise_likelihood(scores, prior), np.zeros(len(columns))]))
        covariance = independent = penalised.covariance(estimate, groups)
        meat = None
        if clusters is not None:
            meat = clustered_meat(clusters.over(battles.models), penalised.scorer(estimate), len(estimate))
        if meat is not None:
            covariance = penalised.sandwich(estimate, meat.meat)
    except LinAlgError as problem:  # a covariate separates the outcomes, so the likelihood has no maximum
        raise NotConverged(WITHOUT_LIMIT) from problem
    return fit_of_parameters(
        battles.models,
        estimate,
        covariance,
        covariates,
        label,
        method="contextual_bradley_terry",
        parameters={
            "prior": prior,
            "penalty": penalty,
            "covariance": "sandwich" if cluster is None and meat is None else "clustered sandwich",
            **({} if meat is None else {"clusters": dict(meat.clusters)}),
        },
        battles=len(battles),
        joined=prior > 0,
        meat=meat,
        independent=independent,
    )


def _columns(covariates: Mapping[str, Column], rows: int) -> tuple[Floats, ...]:
    columns = tuple(covariate(values, name, rows) for name, values in covariates.items())
    if not columns:
        raise BadOption("no covariates. Give at least one, or use bradley_terry.")
    return columns


@dataclass(frozen=True, eq=False)
class _PenalisedLikelihood:
    """The penalised likelihood of the battles as a function of an estimate (models + covariates,)."""

    passes: Passes
    ridge: Floats  # (parameters,): the prior's and the penalty's precision

    def maximum(self, estimate: Floats) -> Floats:
        """The estimate by Newton's method, with a Hessian from a part of the battles.

        A pass for the gradient costs a third of one for the Hessian, and a step shrinks by a factor of thirty even so.
        """
        every = max(1, len(self.passes.battles) // CHUNK // SAMPLE)
        factor, last = self._factor(estimate, every), np.inf
        for turn in range(PASSES):
            step = cho_solve(factor, self.gradient(estimate), check_finite=False)
            reach = float(np.abs(step).max())
            estimate = estimate + step * (np.log1p(reach) / reach if reach > 1 else 1.0)
            if reach < TOLERANCE:
                return estimate
            if turn == 0:  # the first step is the long one: look again at where it led
                factor = self._refreshed(estimate, every)
            elif reach > REFRESH * last:
                factor, reach = self._refreshed(estimate, 1), np.inf
            last = reach
        raise NotConverged(WITHOUT_LIMIT)

    def gradient(self, estimate: Floats) -> Floats:
        return self.passes.gradient(estimate) - self.ridge * estimate

    def covariance(self, estimate: Floats, groups: NDArray[np.int64] | None) -> Floats:
        hessian, meat = self.passes.moments(estimate, squared=True)
        if groups is not None:
            meat = self.passes.cluster_meat(estimate, groups)
        return self._sandwich(hessian, meat)

    def sandwich(self, estimate: Floats, meat: Floats) -> Floats:
        """The covariance for a B without the ridge's part."""
        return self._sandwich(self.passes.moments(estimate, squared=False)[0], meat.copy())

    def _sandwich(self, hessian: Floats, meat: Floats) -> Floats:
        meat[np.diag_indices_from(meat)] += self.ridge
        return sandwich_product(self._ridged(hessian), meat)

    def scorer(self, estimate: Floats) -> Scorer:
        """The score of each battle: of both models, then of each covariate."""
        residual, columns = self.passes.scores(estimate), self.passes.columns

        def score(_a: Ints, _b: Ints, _outcome: Ints, rows: Ints | slice) -> tuple[Floats, ...]:
            own = residual[rows]
            return own, -own, *(column[rows] * own for column in columns)

        return score

    def _ridged(self, hessian: Floats) -> Floats:
        """The Hessian with the ridge; without a prior pinned as `hessian.laplacian` pins it."""
        hessian[np.diag_indices_from(hessian)] += self.ridge
        size = self.passes.size
        if not self.ridge[:size].any():
            hessian[:size, :size] += float(np.diag(hessian)[:size].mean()) / size
        return hessian

    def _refreshed(self, estimate: Floats, every: int) -> tuple[Floats, bool]:
        try:
            return self._factor(estimate, every)
        except BadOption as problem:  # it was well determined at the start: the estimate ran away
            raise NotConverged(WITHOUT_LIMIT) from problem

    def _factor(self, estimate: Floats, every: int) -> tuple[Floats, bool]:
        hessian, seen = self.passes.moments(estimate, squared=False, every=every)
        if every > 1:
            hessian = self._scaled_up(hessian, seen)
        hessian = self._ridged(hessian)
        scale = np.sqrt(np.diag(hessian))
        smallest = float(np.linalg.eigvalsh(hessian / np.outer(scale, scale))[0]) if scale.all() else 0.0
        if smallest < 1e-10:
            raise BadOption("a covariate is determined by the others or by the models. Leave it out.")
        factor, lower = cho_factor(hessian, check_finite=False)
        return factor, bool(lower)

    def _scaled_up(self, hessian: Floats, seen: Floats) -> Floats:
        """A sampled Hessian with the exact number of battles of each pair.

        Only the mean information of a pair's battles is taken from the sample.
        """
        size = self.passes.size
        met = -seen[:size, :size]  # off the diagonal a Laplacian holds the negative weights
        sampled = (met > 0) & ~np.eye(size, dtype=np.bool_)
        mean = np.divide(-hessian[:size, :size], met, out=np.full_like(met, 0.2), where=sampled)
        pair = tabulate(self.passes.battles, self.passes.weights)
        exact = pair.matrix(pair.weighted.sum(axis=1))
        information = (exact + exact.T) * mean
        hessian[:size, :size] = np.diag(information.sum(axis=1)) - information
        return hessian
