"""Bradley–Terry ratings by Newton's method on pair counts, with sandwich intervals.

    P(A beats B) = expit(xi_A - xi_B),      rating = 1000 + xi * 400 / ln 10

A tie, and a battle where both were bad, is half a win for each.
Sources: Bradley & Terry, Biometrika 39 (1952); ties as halves: Chiang et al., arXiv 2403.04132.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve
from scipy.special import logit

from ratings.data import components
from ratings.data.battles import Battles, read_battles
from ratings.data.clusters import ClusteredVotes, Ints, StreamedVotes
from ratings.data.columns import Column
from ratings.data.counts import Floats, PairCounts, tabulate
from ratings.data.outcomes import A_WINS, B_WINS, BOTH_BAD, SCORES, TIE
from ratings.errors import BadOption, NoBattles, NotConverged
from ratings.inference.clusters import clustered_meat, widened
from ratings.inference.covariance import clustered_covariance, sandwich_covariance, sandwich_of
from ratings.inference.fit import Fit, relative_covariance
from ratings.inference.hessian import cholesky, laplacian, pair_information, strengths, win_probability
from ratings.inference.score_sums import Meat, Scorer
from ratings.models.isolated_models import bound_isolated
from ratings.scale import CENTRE, POINTS_PER_LOGIT

# Precision of the prior on xi that boards use: a standard deviation of two logits, 347 points. After a 3-0
# start a newcomer stands at 1258 and not at infinity; after 100 battles the prior moves it by a few points.
PRIOR = 0.25
LEAST_PRIOR = 1e-6  # at 1e-9 rounding beside some hundred battles has made intervals of no width
TOLERANCE = 1e-9  # range of the last step, in logits; what is left is a hundredth of it at most, 2e-9 points
NEAR = 0.01  # after a step of this range the Hessian changes by two hundredths at most: the last one will do
STEPS = 100


def bradley_terry(
    model_a: Column | PairCounts,
    model_b: Column = None,
    winner: Column = None,
    *,
    prior: float = 0.0,
    weight: Column = None,
    cluster: Column = None,
    clusters: ClusteredVotes | StreamedVotes | None = None,
) -> Fit:
    """Maximum-likelihood ratings with robust (sandwich) covariance.

    Takes three columns of battles, a table that has them (see `read_battles`), or `PairCounts` alone. Maximises

        sum over battles of  w * [y log p + (1 - y) log(1 - p)]  -  prior/2 * sum xi²

    with p = expit(xi_A - xi_B) and y = 1, 1/2 or 0. `prior` is a precision in logits⁻² (0: plain maximum
    likelihood; boards use `PRIOR`), `weight` (battles,) a sampling weight. The covariance is that of
    `sandwich_covariance`, of ratings relative to the mean of their component; with `cluster` (battles,), the voter of
    a person's vote or the prompt of a judge's, votes of the same cluster need not be independent.

    `clusters` has the same votes as `PairCounts` by cluster, in one or several ways: intervals then hold for few
    clusters as well (see `widened`). Without two clusters votes are taken as independent.

    Without a prior, ratings are centred on 1000 in each strong component. A model that never lost has rating inf and
    one that never won -inf (with a one-sided bound); one that wins and losses compare in one direction only has nan.
    With a prior all are finite and centred on the largest component.

    Raises NoBattles for empty columns or counts without models, BadOption for a negative prior or for columns given
    with PairCounts, NotConverged, and what `read_battles` raises.
    """
    battles = None if isinstance(model_a, PairCounts) else as_battles(model_a, model_b, winner)
    counts = as_counts(model_a, model_b, winner, weight) if battles is None else tabulate(battles, weight)
    check_prior(prior)
    if not counts.models:
        raise NoBattles("no models: there is nothing to rate. Give counts of at least one model.")
    estimate = _estimated(counts, prior)
    meat = None if clusters is None else estimate.meat(clusters.over(counts.models))
    covariance, degrees, effect = estimate.spread(estimate.covariance(battles, cluster, weight), meat)
    bounds = {} if prior else bound_isolated(estimate.scores, estimate.label, estimate.xi, covariance)
    return Fit(
        models=counts.models,
        ratings=CENTRE + POINTS_PER_LOGIT * estimate.xi,
        covariance=POINTS_PER_LOGIT**2 * covariance,
        component=estimate.label,
        method="bradley_terry",
        parameters=_parameters(prior, meat, is_clustered=cluster is not None or meat is not None),
        battles=counts.battles,
        joined=prior > 0,
        bounds={
            m: (CENTRE + POINTS_PER_LOGIT * low, CENTRE + POINTS_PER_LOGIT * high)
            for m, (low, high) in bounds.items()
        },
        degrees=degrees,
        design_effect=effect,
    )


def _parameters(prior: float, meat: Meat | None, *, is_clustered: bool) -> dict[str, Any]:
    """What a fit remembers of its options."""
    covariance = "clustered sandwich" if is_clustered else "sandwich"
    return {"prior": prior, "covariance": covariance} | ({} if meat is None else {"clusters": dict(meat.clusters)})


@dataclass(frozen=True, eq=False)
class _Estimate:
    """The xi (models,) of largest likelihood with the scores, components and prior that it follows from."""

    counts: PairCounts
    scores: Floats
    label: components.Labels
    mask: NDArray[np.bool_] | None  # (models, models): pairs within a component, where there are several
    xi: Floats
    prior: float

    def meat(self, votes: ClusteredVotes | StreamedVotes) -> Meat | None:
        """The middle of the sandwich of clustered votes; None where they are independent."""
        return clustered_meat(votes, _scorer(self.xi, self.mask), len(self.xi))

    def covariance(self, battles: Battles | None, cluster: Column, weight: Column) -> Floats:
        """The sandwich of independent votes, or clustered in one way. Raises BadOption without battles to cluster."""
        if cluster is None:
            return sandwich_covariance(self.counts, self.scores, self.xi, self.prior, self.mask)
        if battles is None:
            raise BadOption("PairCounts hold no clusters. Give the columns of battles.")
        return clustered_covariance(battles, self.scores, self.xi, self.prior, self.mask, cluster, weight)

    def spread(self, independent: Floats, meat: Meat | None) -> tuple[Floats, Floats | None, Floats | None]:
        """The covariance relative to the main component, and degrees of freedom and design effects by clusters."""
        covariance = independent
        if meat is not None:
            covariance = sandwich_of(self.scores, self.xi, self.prior, self.mask, meat.meat)
        if self.prior and self.scores.any():
            # What the prior adds is doubt about the common mean, which no vote can lessen: leave it out.
            main = (self.label == 0) / np.count_nonzero(self.label == 0)
            covariance = relative_covariance(covariance, main)
            independent = covariance if meat is None else relative_covariance(independent, main)
        return (covariance, None, None) if meat is None else widened(covariance, independent, meat)


def _estimated(counts: PairCounts, prior: float) -> _Estimate:
    """The estimate; without a prior in each strong component by itself."""
    scores = score_matrix(counts)
    label = components.weak_components(scores) if prior else components.strong_components(scores)
    mask = label[:, None] == label[None, :] if not prior and label.max() else None
    return _Estimate(counts, scores, label, mask, maximise_likelihood(scores, prior, mask=mask), prior)


@dataclass(frozen=True, eq=False)
class _HalfTies:
    """The scores (y - p) of A and -(y - p) of B, nothing across components (`inside` (pairs,))."""

    xi: Floats
    p: Floats
    inside: NDArray[np.bool_] | None

    @property
    def strengths(self) -> Floats | None:
        """The strengths (models,) that p follows from; None where it does not."""
        return strengths(self.xi) if self.inside is None else None

    def __call__(self, a: Ints, b: Ints, outcome: Ints, _rows: Ints | slice) -> tuple[Floats, ...]:
        pair = a.astype(np.intp) * len(self.xi) + b
        residual = np.take(SCORES, outcome) - np.take(self.p, pair)
        if self.inside is not None:
            residual *= self.inside[pair]
        return residual, -residual


def _scorer(xi: Floats, mask: NDArray[np.bool_] | None) -> Scorer:
    """The scores of votes at an estimate; see `_HalfTies`."""
    return _HalfTies(xi, win_probability(xi).ravel(), None if mask is None else mask.ravel())


def check_prior(prior: float) -> None:
    """Raise BadOption unless the precision is zero or large enough not to be lost in rounding."""
    if not (np.isfinite(prior) and prior >= 0):
        raise BadOption(f"prior {prior:g} is out of range. Give a precision of zero or more.")
    if 0 < prior < LEAST_PRIOR:
        raise BadOption(f"prior {prior:g} is lost in rounding. Give 0, or {LEAST_PRIOR:g} or more.")


def as_battles(model_a: Column, model_b: Column, winner: Column) -> Battles:
    """The battles of three columns or of a table. Raises what `read_battles` raises."""
    return read_battles(model_a, model_b, winner)


def as_counts(
    model_a: Column | PairCounts, model_b: Column = None, winner: Column = None, weight: Column = None
) -> PairCounts:
    """The pair counts that were given, or those of the three columns.

    Raises BadOption when columns are missing, or are given with PairCounts, and what `count_pairs` raises.
    """
    if not isinstance(model_a, PairCounts):
        return tabulate(as_battles(model_a, model_b, winner), weight)
    if model_b is not None or winner is not None or weight is not None:
        raise BadOption("PairCounts have their own columns and weights. Give no other columns with them.")
    return model_a


def score_matrix(counts: PairCounts) -> Floats:
    """(models, models): the points that row i scored against column j; a tie or both bad is half a point."""
    c = counts.weighted
    half = (c[:, TIE] + c[:, BOTH_BAD]) / 2
    return counts.matrix(c[:, A_WINS] + half) + counts.matrix(c[:, B_WINS] + half).T


def maximise_likelihood(
    scores: Floats,
    prior: float = 0.0,
    *,
    start: Floats | None = None,
    mask: NDArray[np.bool_] | None = None,
) -> Floats:
    """The xi (models,) that maximise the likelihood of a score matrix, by Newton's method.

        gradient_i = sum_j s_ij - sum_j n_ij p_ij - prior xi_i,    n = s + s'

    Without a prior, scores have to join all models, or all that `mask` (models, models) marks, and xi has mean zero
    among these. A step is shortened to log(1 + d)/d when its range d exceeds one logit, which makes it an ascent. Close
    to the end the Hessian is kept: each step is then a fiftieth of the one before, at a quarter of its cost.
    Source: Sun & Tran-Dinh, Mathematical Programming 178 (2019), for logistic losses. Raises NotConverged.
    """
    if mask is not None:
        scores = scores * mask
    comparisons = scores + scores.T
    won = scores.sum(axis=1)
    xi = _first_guess(won, comparisons.sum(axis=1)) if start is None else start
    reach, factor = np.inf, np.empty(0)
    for _ in range(STEPS):
        p = win_probability(xi)
        if reach > NEAR:
            factor = cholesky(laplacian(pair_information(comparisons, p), prior, mask))
        gradient = won - np.vecdot(comparisons, p) - prior * xi
        step: Floats = cho_solve((factor, True), gradient, check_finite=False)
        reach = float(step.max() - step.min())
        xi = xi + step * (np.log1p(reach) / reach if reach > 1 else 1.0)
        if reach < TOLERANCE:
            break
    else:
        raise NotConverged(
            f"Newton's method has not converged after {STEPS} steps. Give a prior, such as {PRIOR}."
        )
    if prior:
        return xi
    return np.asarray(xi - xi.mean() if mask is None else xi - mask @ xi / mask.sum(axis=1))


def _first_guess(won: Floats, played: Floats) -> Floats:
    # The logit of a win rate is the rating against an average opponent. Half a battle a side keeps it finite.
    guess: Floats = logit((won + 0.5) / (played + 1.0))
    return guess
