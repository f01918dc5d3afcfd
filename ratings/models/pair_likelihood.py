"""Maximum likelihood for any model of a battle that depends on two ratings and a few extra parameters.

A model gives, for ordered pairs (rows,) with log-strengths xi_A, xi_B and extra parameters e (extras,), the
log-likelihood of each outcome, its gradient in (xi_A, xi_B, e), and the information in one battle.
The fit is then Fisher scoring, H = sum of information, with the sandwich covariance H⁻¹ (B + prior) H⁻¹.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ratings.data import components
from ratings.data.clusters import ClusteredVotes, Ints, StreamedVotes
from ratings.data.counts import Floats, PairCounts
from ratings.errors import Disconnected, NoBattles, NotConverged
from ratings.inference.clusters import clustered_meat
from ratings.inference.fit import Fit, fit_of_parameters
from ratings.inference.hessian import sandwich_product
from ratings.inference.score_sums import Scorer
from ratings.models.bradley_terry import check_prior, score_matrix

TOLERANCE = 1e-10
STEPS = 200
WITHOUT_LIMIT = "the battles leave a parameter without limit. Give a prior, or use a simpler method."


@dataclass(frozen=True, eq=False)
class PairLikelihood:
    """The likelihood of battles between pairs (rows,), its gradient and information: see the module."""

    log_likelihood: Floats  # (rows, 4)
    gradient: Floats  # (rows, 4, 2 + extras)
    information: Floats  # (rows, 2 + extras, 2 + extras), of one battle


OutcomeModel = Callable[[Floats, Floats, Floats], PairLikelihood]


def expected_information(log_likelihood: Floats, gradient: Floats) -> Floats:
    """(rows, parameters, parameters): the sum over outcomes of P s s', where probabilities add up to one."""
    p = np.exp(log_likelihood)
    return np.asarray(np.einsum("rk,rki,rkj->rij", p, gradient, gradient))


def fit_pairs(
    counts: PairCounts,
    model: OutcomeModel,
    extras: Mapping[str, float],
    *,
    prior: float,
    method: str,
    parameters: Mapping[str, Any],
    groups: NDArray[np.int64] | None = None,
    clusters: ClusteredVotes | StreamedVotes | None = None,
    start: Floats | None = None,
) -> Fit:
    """Ratings and the extra parameters (name -> first guess) by maximum likelihood, from a `start` (models,) in logits.

    Counts with one row per battle let a model use covariates of each battle, and `groups` (rows,) cluster them.
    `clusters` has the votes of counts with one row per ordered pair by cluster, as in `bradley_terry`.

    Raises NoBattles; Disconnected when there is no prior and wins and losses do not compare all models; BadOption for
    a negative prior; NotConverged.
    """
    if not counts.battles:
        raise NoBattles(f"no battles: a prior does not determine all parameters of {method}. Give at least one.")
    check_prior(prior)
    scores = score_matrix(counts)
    label = components.weak_components(scores) if prior else components.strong_components(scores)
    if not prior and label.max() > 0:
        separate = counts.models[int(np.flatnonzero(label > 0)[0])]
        raise Disconnected(
            f"{separate!r} and {counts.models[int(np.flatnonzero(label == 0)[0])]!r} are not compared by wins "
            f"and losses both ways. Give a prior, such as prior=0.25, or rate each component by itself."
        )
    penalised = _PenalisedLikelihood(counts, model, prior, len(extras), groups)
    first = np.zeros(len(counts.models)) if start is None else start
    estimate = penalised.maximum(np.array([*first, *extras.values()]))
    meat = None
    covariance = independent = penalised.covariance(estimate)
    if clusters is not None:
        meat = clustered_meat(clusters.over(counts.models), penalised.scorer(estimate), len(estimate))
    if meat is not None:
        covariance = penalised.sandwich(estimate, meat.meat)
        parameters = {**parameters, "clusters": dict(meat.clusters)}
    return fit_of_parameters(
        counts.models,
        estimate,
        covariance,
        extras,
        label,
        method=method,
        parameters={
            **parameters,
            "prior": prior,
            "covariance": "sandwich" if meat is None else "clustered sandwich",
        },
        battles=counts.battles,
        joined=prior > 0,
        meat=meat,
        independent=independent,
    )


@dataclass(frozen=True, eq=False)
class _PenalisedLikelihood:
    """The penalised likelihood of the counts as a function of an estimate (models + extras,)."""

    counts: PairCounts
    model: OutcomeModel
    prior: float
    extras: int
    groups: NDArray[np.int64] | None

    def likelihood(self, estimate: Floats) -> PairLikelihood:
        size = len(self.counts.models)
        xi = estimate[:size]
        return self.model(xi[self.counts.model_a], xi[self.counts.model_b], estimate[size:])

    def value(self, estimate: Floats) -> float:
        """The penalised log-likelihood."""
        xi = estimate[: len(self.counts.models)]
        likely = np.where(self.counts.weighted > 0, self.likelihood(estimate).log_likelihood, 0.0)
        return float((self.counts.weighted * likely).sum() - self.prior / 2 * xi @ xi)

    def maximum(self, estimate: Floats) -> Floats:
        """The estimate by Fisher scoring; a step is halved until the likelihood does not fall."""
        value = self.value(estimate)
        for _ in range(STEPS):
            step = self.step(estimate)
            while (higher := self.value(estimate + step)) < value - 1e-12 * abs(value):
                step = step / 2
            estimate, value = estimate + step, higher
            if np.abs(step).max() < TOLERANCE:
                return estimate
        raise NotConverged(WITHOUT_LIMIT)

    def step(self, estimate: Floats) -> Floats:
        likelihood, size = self.likelihood(estimate), len(self.counts.models)
        gradient = self.sum_gradients(np.einsum("rk,rki->ri", self.counts.weighted, likelihood.gradient))
        gradient[:size] -= self.prior * estimate[:size]
        try:
            return np.asarray(cho_solve(cho_factor(self.hessian(likelihood)), gradient))
        except LinAlgError as problem:
            raise NotConverged(WITHOUT_LIMIT) from problem

    def hessian(self, likelihood: PairLikelihood) -> Floats:
        size = len(self.counts.models)
        played = self.counts.weighted.sum(axis=1)
        hessian = self.sum_matrices(played[:, None, None] * likelihood.information)
        mean = float(np.diag(hessian)[:size].mean())
        # Only differences of ratings are known: pin their mean, which moves no difference.
        hessian[:size, :size] += np.diag(np.full(size, self.prior)) if self.prior else mean / size
        return hessian

    def covariance(self, estimate: Floats) -> Floats:
        likelihood = self.likelihood(estimate)
        if self.groups is None:
            squares = self.counts.weighted_squares
            meat = self.sum_matrices(
                np.einsum("rk,rki,rkj->rij", squares, likelihood.gradient, likelihood.gradient)
            )
        else:
            meat = self.cluster_meat(
                np.einsum("rk,rki->ri", self.counts.weighted, likelihood.gradient), self.groups
            )
        return self._sandwich(likelihood, meat)

    def sandwich(self, estimate: Floats, meat: Floats) -> Floats:
        """The covariance for a B without the prior's part."""
        return self._sandwich(self.likelihood(estimate), meat)

    def _sandwich(self, likelihood: PairLikelihood, meat: Floats) -> Floats:
        size = len(self.counts.models)
        meat = meat.copy()
        meat[:size, :size] += np.diag(np.full(size, self.prior))
        return sandwich_product(self.hessian(likelihood), meat)

    def scorer(self, estimate: Floats) -> Scorer:
        """The gradient of one vote's log-likelihood by its models and outcome, from that of its pair."""
        size = len(self.counts.models)
        gradient = self.likelihood(estimate).gradient
        row = np.zeros(size * size, dtype=np.int32)
        row[self.counts.pairs] = np.arange(len(self.counts.pairs))

        def score(a: Ints, b: Ints, outcome: Ints, _rows: Ints | slice) -> tuple[Floats, ...]:
            at = row[a.astype(np.intp) * size + b]
            return tuple(gradient[at, outcome, parameter] for parameter in range(gradient.shape[2]))

        return score

    def parameter_indices(self) -> NDArray[np.int64]:
        """(rows, 2 + extras): the indices of each row's parameters in the estimate."""
        rows, size = len(self.counts.model_a), len(self.counts.models)
        extra = np.broadcast_to(size + np.arange(self.extras), (rows, self.extras))
        return np.column_stack([self.counts.model_a, self.counts.model_b, extra]).astype(np.int64)

    def sum_gradients(self, rows: Floats) -> Floats:
        """(parameters,): gradients (rows, 2 + extras) added up by parameter."""
        length = len(self.counts.models) + self.extras
        return np.bincount(self.parameter_indices().ravel(), rows.ravel(), length).astype(np.float64)

    def cluster_meat(self, rows: Floats, groups: NDArray[np.int64]) -> Floats:
        """The sum over clusters of (sum of gradients)(sum of gradients)', with the factor C / (C - 1)."""
        length, many = len(self.counts.models) + self.extras, int(groups.max()) + 1
        key = groups[:, None] * length + self.parameter_indices()
        summed = np.bincount(key.ravel(), rows.ravel(), many * length).reshape(many, length)
        return np.asarray(summed.T @ summed * (many / (many - 1)), dtype=np.float64)

    def sum_matrices(self, rows: Floats) -> Floats:
        """(parameters, parameters): matrices (rows, 2 + extras, 2 + extras) added up by pair of parameters."""
        length, index = len(self.counts.models) + self.extras, self.parameter_indices()
        key = index[:, :, None] * length + index[:, None, :]
        return np.bincount(key.ravel(), rows.ravel(), length * length).reshape(length, length)  # type: ignore[return-value]
