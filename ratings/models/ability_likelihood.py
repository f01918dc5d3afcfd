"""The penalised likelihood of votes as a function of ratings and of abilities: see `annotator_ability`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse import csr_array, diags_array
from scipy.special import expit

from ratings.data.counts import Floats
from ratings.errors import NotConverged
from ratings.inference.score_sums import Meat, effective_clusters

SPREAD = 0.7  # of abilities: somebody in twelve votes against the differences before any vote says otherwise
TOLERANCE = 1e-8
STEPS = 300
IN_TURN = 3  # steps of ratings and abilities in turn, before both together


@dataclass(frozen=True, eq=False)
class AbilityLikelihood:
    """The votes (votes,) as indices of models and annotators, with the score of A."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    group: NDArray[np.int64]
    score: Floats
    models: int
    prior: float

    def value(self, xi: Floats, theta: Floats) -> float:
        """The penalised log-likelihood."""
        x = theta[self.group] * (xi[self.a] - xi[self.b])
        penalty = self.prior / 2 * xi @ xi + ((theta - 1) ** 2).sum() / (2 * SPREAD**2)
        return float((self.score * x - np.logaddexp(0, x)).sum() - penalty)

    def maximum(self, xi: Floats) -> tuple[Floats, Floats]:
        """Ratings and abilities in turn by Newton steps, each halved until the likelihood does not fall; then together."""
        theta = np.ones(int(self.group.max()) + 1)
        for turn in range(STEPS):
            before = xi, theta
            if turn >= IN_TURN and (joint := self._joint_step(xi, theta)) is not None:
                xi, theta = xi + joint[0], theta + joint[1]
                if max(np.abs(joint[0]).max(), np.abs(joint[1]).max()) < TOLERANCE:
                    return xi, theta
                continue
            step = self._step_of_abilities(xi, theta)
            theta = theta + _halved(lambda s: self.value(xi, theta + s), step)  # noqa: B023
            step = self._step_of_ratings(xi, theta)
            xi = xi + _halved(lambda s: self.value(xi + s, theta), step)  # noqa: B023
            if max(np.abs(xi - before[0]).max(), np.abs(theta - before[1]).max()) < TOLERANCE:
                return xi, theta
        raise NotConverged(f"The abilities have not converged after {STEPS} steps. Give a larger prior.")

    def _joint_step(self, xi: Floats, theta: Floats) -> tuple[Floats, Floats] | None:
        """A Newton step of all parameters; None where there is no maximum ahead, or the likelihood would fall."""
        p, gap = self._chances(xi, theta)
        own, cross = self._own_information(p, gap), self._cross(p, gap, theta)
        of_theta, of_xi = self._gradients(xi, theta)
        try:
            factor = cho_factor(self._profiled(p, theta, own, cross))
        except LinAlgError:
            return None
        step = np.asarray(cho_solve(factor, of_xi - cross.T @ (of_theta / own)))
        pulled = np.asarray((of_theta - cross @ step) / own)
        value = self.value(xi, theta)
        return (step, pulled) if self.value(xi + step, theta + pulled) >= value - 1e-12 * abs(value) else None

    def covariance(self, xi: Floats, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """V (models, models) in logits² with abilities profiled out, that of independent votes, and errors of abilities."""
        p, gap = self._chances(xi, theta)
        own = self._own_information(p, gap)
        inverse = np.linalg.inv(self._profiled(p, theta, own, self._cross(p, gap, theta)))
        ridge = self.prior * np.eye(self.models)
        squares = self._laplacian((theta[self.group] * (self.score - p)) ** 2)
        sandwich, apart = (
            np.asarray(inverse @ (meat + ridge) @ inverse, dtype=np.float64)
            for meat in (self.meat(xi, theta).meat, squares)
        )
        return sandwich, apart, 1 / np.sqrt(own)

    def meat(self, xi: Floats, theta: Floats) -> Meat:
        """The sum over annotators of their scores' squares, and the effective number of annotators of each model."""
        p, _ = self._chances(xi, theta)
        scores = self._by_annotator(theta[self.group] * (self.score - p))
        many = len(theta)
        met = abs(self._by_annotator(np.ones(len(self.score)), both=1.0))
        effective = effective_clusters(np.asarray(met.sum(axis=0)), np.asarray(met.power(2).sum(axis=0)))
        total = (scores.T @ scores).toarray() * (many / (many - 1))
        return Meat(np.asarray(total), effective, {"annotators": many})

    def _chances(self, xi: Floats, theta: Floats) -> tuple[Floats, Floats]:
        gap = xi[self.a] - xi[self.b]
        return np.asarray(expit(theta[self.group] * gap)), gap

    def _own_information(self, p: Floats, gap: Floats) -> Floats:
        return np.asarray(np.bincount(self.group, p * (1 - p) * gap**2) + 1 / SPREAD**2, dtype=np.float64)

    def _gradients(self, xi: Floats, theta: Floats) -> tuple[Floats, Floats]:
        """Those of the penalised log-likelihood in abilities and in ratings."""
        p, gap = self._chances(xi, theta)
        push = theta[self.group] * (self.score - p)
        of_theta = np.bincount(self.group, (self.score - p) * gap) - (theta - 1) / SPREAD**2
        of_xi = np.bincount(self.a, push, self.models) - np.bincount(self.b, push, self.models) - self.prior * xi
        return np.asarray(of_theta), np.asarray(of_xi)

    def _step_of_abilities(self, xi: Floats, theta: Floats) -> Floats:
        return self._gradients(xi, theta)[0] / self._own_information(*self._chances(xi, theta))

    def _step_of_ratings(self, xi: Floats, theta: Floats) -> Floats:
        p, _ = self._chances(xi, theta)
        return np.asarray(cho_solve(cho_factor(self._hessian(p, theta)), self._gradients(xi, theta)[1]))

    def _cross(self, p: Floats, gap: Floats, theta: Floats) -> csr_array:
        """(annotators, models): the negative second derivatives in an ability and a rating."""
        return self._by_annotator(theta[self.group] * p * (1 - p) * gap - (self.score - p))

    def _profiled(self, p: Floats, theta: Floats, own: Floats, cross: csr_array) -> Floats:
        """(models, models): the information on ratings when abilities follow them."""
        return np.asarray(self._hessian(p, theta) - (cross.T @ diags_array(1 / own) @ cross).toarray())

    def _hessian(self, p: Floats, theta: Floats) -> Floats:
        return self._laplacian(theta[self.group] ** 2 * p * (1 - p)) + self.prior * np.eye(self.models)

    def _laplacian(self, weight: Floats) -> Floats:
        """(models, models): the sum of weight (e_A - e_B)(e_A - e_B)' over the votes."""
        pairs = np.bincount(self.a * self.models + self.b, weight, self.models**2).reshape(self.models, -1)
        pairs = pairs + pairs.T
        return np.asarray(np.diag(pairs.sum(axis=1)) - pairs)

    def _by_annotator(self, values: Floats, both: float = -1.0) -> csr_array:
        """(annotators, models): value at A and `both` times it at B, added up by annotator."""
        rows, columns = np.tile(self.group, 2), np.concatenate([self.a, self.b])
        shape = int(self.group.max()) + 1, self.models
        return csr_array((np.concatenate([values, both * values]), (rows, columns)), shape=shape)


def _halved(value: Callable[[Floats], float], step: Floats) -> Floats:
    """The step, halved until the value does not fall."""
    start = value(np.zeros_like(step))
    for _ in range(40):
        if value(step) >= start - 1e-12 * abs(start):
            return step
        step = step / 2
    return np.zeros_like(step)
