"""Ratings by one person: their own few votes, pooled partially towards the ratings of the crowd.

    P(A beats B) = expit(theta_A - theta_B),    theta = xi + d,    xi ~ N(crowd, V),    d_m ~ N(0, tau²)

`xi` are the crowd's log-strengths with their covariance V, `d` is the person's own taste. A tie, and both bad, is half
a win for each. For a given tau the posterior of theta is a Gaussian around its mode (Laplace), with the precision
H = sum p (1 - p) x x' + S⁻¹ where S = V + tau² I; then

    E[d] = tau² S⁻¹ (theta - crowd),    cov[d] = tau² I - tau⁴ S⁻¹ + tau⁴ S⁻¹ H⁻¹ S⁻¹

How far tastes differ is itself unknown after a few dozen votes. With the best tau alone, intervals would be of no
width whenever tau is estimated as zero. So tau is averaged over, with weights of its marginal likelihood

    log p(votes | tau) = l(theta) - (theta - crowd)' S⁻¹ (theta - crowd) / 2 - log det(S H) / 2

times a half-normal prior with sd `TASTE`. reproduce/personal.py measures the coverage.
Sources: Laplace approximation and averaging over hyperparameters: Rue, Martino & Chopin, JRSS B 71 (2009), section 3;
half-normal scales: Gelman, Bayesian Analysis 1 (2006); intervals of pooled estimates need no correction for their
number: Gelman, Hill & Yajima, J. Research on Educational Effectiveness 5 (2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import log_expit

from ratings.data.battles import read_battles
from ratings.data.columns import Column
from ratings.data.counts import Floats, tabulate
from ratings.errors import BadOption, NotConverged
from ratings.inference.fit import CONFIDENCE_LEVEL, Fit, normal_quantile, relative_covariance
from ratings.inference.hessian import laplacian, pair_information, win_probability
from ratings.models.bradley_terry import score_matrix
from ratings.scale import POINTS_PER_LOGIT

TASTE = 2.0  # sd of the half-normal prior of tau in logits: 347 points, as wide as the prior of boards
TAUS = np.geomspace(
    0.03, 4.0, 25
)  # from differences that no vote shows to tastes that share nothing with the crowd
STEPS = 100
TOLERANCE = 1e-9  # logits


@dataclass(frozen=True, eq=False)
class PersonalFit:
    """The ratings of one person, and how they differ from the crowd's. All arrays are (models,), in points.

    `models` are those in the person's votes. `ratings` and `crowd` have the same mean, and so do the differences
    have mean zero: a shift of all models shows in no vote. `difference` is that of the person's own taste, so its
    error contains that of the crowd's ratings. `votes` counts the person's votes on each model, `taste` is the mean
    of tau.
    """

    models: tuple[str, ...]
    ratings: Floats
    standard_errors: Floats
    crowd: Floats
    difference: Floats
    difference_errors: Floats
    votes: Floats
    battles: int
    taste: float

    def interval(self, level: float = CONFIDENCE_LEVEL) -> tuple[Floats, Floats]:
        """Lower and upper ends of the differences. Raises BadOption for a bad level."""
        half = normal_quantile(level) * self.difference_errors
        return self.difference - half, self.difference + half

    def rating_interval(self, level: float = CONFIDENCE_LEVEL) -> tuple[Floats, Floats]:
        """Lower and upper ends of the ratings. Raises BadOption for a bad level."""
        half = normal_quantile(level) * self.standard_errors
        return self.ratings - half, self.ratings + half

    @property
    def evidence(self) -> Floats:
        """The size of each difference in standard errors; above 1.96 its 95 % interval does not hold zero."""
        return np.abs(self.difference) / self.difference_errors

    def __str__(self) -> str:
        lower, upper = self.interval()
        width = max(map(len, self.models))
        rows = [
            f"{self.models[m]:{width}}  {self.ratings[m]:7.1f}  {self.difference[m]:+7.1f}  "
            f"[{lower[m]:+.1f}, {upper[m]:+.1f}]  {self.votes[m]:.0f} votes"
            for m in np.argsort(-self.evidence, kind="stable")
        ]
        return "\n".join([f"personal ratings from {self.battles:,} votes (taste {self.taste:.0f} points)", *rows])

    __repr__ = __str__


def personal(model_a: Column, model_b: Column, winner: Column, crowd: Fit) -> PersonalFit:
    """The ratings of one person from their own votes (battles,), pooled towards `crowd`.

    `crowd` should not contain these votes: they would count twice. Raises UnknownModel for a model without a rating
    by the crowd, BadOption when such a rating is not finite, and what `read_battles` raises.
    """
    counts = tabulate(read_battles(model_a, model_b, winner))
    rows = [crowd.index(name) for name in counts.models]
    centre, covariance = crowd.ratings[rows], crowd.covariance[np.ix_(rows, rows)]
    if not (np.isfinite(centre).all() and np.isfinite(covariance).all()):
        raise BadOption("a rating of the crowd is not finite. Rate the crowd with a prior, such as 0.25.")
    mean = np.full(len(rows), 1 / len(rows))
    votes = _Votes(
        scores=score_matrix(counts),
        crowd=(centre - centre.mean()) / POINTS_PER_LOGIT,
        covariance=relative_covariance(covariance, mean) / POINTS_PER_LOGIT**2,
    )
    return _averaged(counts.models, centre, votes, counts.battles)


@dataclass(frozen=True, eq=False)
class _Posterior:
    """The posterior for one tau: means and covariances of theta and d, and log p(votes, tau)."""

    theta: Floats
    theta_covariance: Floats
    taste: Floats
    taste_covariance: Floats
    log_weight: float


@dataclass(frozen=True, eq=False)
class _Votes:
    """The score matrix of a person, and the crowd's log-strengths with their covariance (models, models)."""

    scores: Floats
    crowd: Floats
    covariance: Floats

    def posterior(self, tau: float) -> _Posterior:
        size = len(self.crowd)
        spread = cho_factor(self.covariance + tau**2 * np.eye(size), lower=True)
        precision = np.asarray(cho_solve(spread, np.eye(size)))
        theta = self._mode(precision)
        hessian = cho_factor(self._hessian(theta, precision), lower=True)
        covariance = np.asarray(cho_solve(hessian, np.eye(size)))
        pull = tau**2 * precision
        distance = theta - self.crowd
        log_likelihood = float((self.scores * log_expit(theta[:, None] - theta[None, :])).sum())
        volume = np.log(np.diag(spread[0])).sum() + np.log(np.diag(hessian[0])).sum()  # half of log det(S H)
        return _Posterior(
            theta=theta,
            theta_covariance=covariance,
            taste=pull @ distance,
            taste_covariance=tau**2 * np.eye(size) - tau**2 * pull + pull @ covariance @ pull.T,
            log_weight=log_likelihood - float(distance @ precision @ distance) / 2 - float(volume),
        )

    def _mode(self, precision: Floats) -> Floats:
        """The theta of the highest posterior density, by Newton's method; long steps are shortened."""
        comparisons = self.scores + self.scores.T
        won, theta = self.scores.sum(axis=1), self.crowd
        for _ in range(STEPS):
            expected = np.vecdot(comparisons, win_probability(theta))
            gradient = won - expected - precision @ (theta - self.crowd)
            step = np.asarray(cho_solve(cho_factor(self._hessian(theta, precision)), gradient))
            reach = float(step.max() - step.min())
            theta = theta + step * (np.log1p(reach) / reach if reach > 1 else 1.0)
            if float(np.abs(step).max()) < TOLERANCE:
                return np.asarray(theta)
        raise NotConverged(f"Newton's method has not converged after {STEPS} steps. Check the crowd's ratings.")

    def _hessian(self, theta: Floats, precision: Floats) -> Floats:
        comparisons = self.scores + self.scores.T
        information = pair_information(comparisons, win_probability(theta))
        return laplacian(information, 0.0, pin=False) + precision


def _averaged(models: tuple[str, ...], centre: Floats, votes: _Votes, battles: int) -> PersonalFit:
    """The posterior averaged over tau, relative to the mean of the models."""
    posteriors = [votes.posterior(float(tau)) for tau in TAUS]
    log_weight = np.array([p.log_weight for p in posteriors]) + np.log(TAUS) - (TAUS / TASTE) ** 2 / 2
    weight = np.exp(log_weight - log_weight.max())  # log(tau): the grid is even in log tau
    weight /= weight.sum()
    theta, theta_error = _mixture(weight, [(p.theta, p.theta_covariance) for p in posteriors])
    taste, taste_error = _mixture(weight, [(p.taste, p.taste_covariance) for p in posteriors])
    return PersonalFit(
        models=models,
        ratings=centre.mean() + POINTS_PER_LOGIT * theta,
        standard_errors=POINTS_PER_LOGIT * theta_error,
        crowd=centre,
        difference=POINTS_PER_LOGIT * taste,
        difference_errors=POINTS_PER_LOGIT * taste_error,
        votes=(votes.scores + votes.scores.T).sum(axis=1),
        battles=battles,
        taste=POINTS_PER_LOGIT * float(weight @ TAUS),
    )


def _mixture(weight: Floats, parts: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    """Means and standard errors (models,) of a mixture of Gaussians, relative to the mean of the models."""
    size = len(parts[0][0])
    means = np.array([mean - mean.mean() for mean, _ in parts])
    even = np.full(size, 1 / size)
    variances = np.array([np.diag(relative_covariance(covariance, even)) for _, covariance in parts])
    mean = weight @ means
    return mean, np.sqrt(weight @ (variances + (means - mean) ** 2))
