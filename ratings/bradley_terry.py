"""Bradley–Terry by Newton's method on pair counts, with sandwich intervals.

    P(A beats B) = expit(xi_A - xi_B),      rating = 1000 + xi * 400 / ln 10

A tie, and a battle where both were bad, is half a win for each.
Sources: Bradley & Terry, Biometrika 39 (1952); sandwich: Huber (1967), White, Econometrica 50 (1982).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, logit

from ratings import components
from ratings.columns import Column
from ratings.counts import Floats, PairCounts, count_pairs
from ratings.errors import BadOption, NoBattles
from ratings.fit import Fit, relative
from ratings.outcomes import A_WINS, B_WINS, BOTH_BAD, TIE
from ratings.scale import CENTRE, POINTS

# Precision of the prior on xi that boards use: a standard deviation of two logits, 347 points. After a 3-0
# start a newcomer stands at 1258 and not at infinity; after 100 battles the prior moves it by a point or two.
PRIOR = 0.25
TOLERANCE = 1e-10  # largest last step, in logits; 2e-8 points
STEPS = 100


def bradley_terry(
    model_a: Column | PairCounts,
    model_b: Column = None,
    winner: Column = None,
    *,
    prior: float = 0.0,
    weight: Column = None,
) -> Fit:
    """Maximum-likelihood ratings with robust (sandwich) covariance.

    Give three columns of battles, or `PairCounts` alone. Maximises

        sum over battles of  w * [y log p + (1 - y) log(1 - p)]  -  prior/2 * sum xi²

    with p = expit(xi_A - xi_B) and y = 1, 1/2 or 0. `prior` is a precision in logits⁻² (0: plain maximum
    likelihood; boards use `PRIOR`). With H the Hessian and B = sum w²(y - p)² x x', the covariance is
    H⁻¹ (B + prior) H⁻¹ of ratings less the mean of their component: the prior counts as one more
    observation a model.

    Without a prior, ratings are centred on 1000 in each strong component, a model that never lost has rating
    inf and one that never won -inf (with a one-sided bound), and one in between, that no chain of wins and
    losses compares, nan. With a prior all are finite and centred on the largest component.

    Raises NoBattles for empty columns or counts without models, BadOption for a negative prior, and what
    `count_pairs` raises.
    """
    counts = as_counts(model_a, model_b, winner, weight)
    if not (np.isfinite(prior) and prior >= 0):
        raise BadOption(f"prior {prior:g}; the precision of the prior is zero or more")
    if not counts.models:
        raise NoBattles("no models: there is nothing to rate")
    scores = score_matrix(counts)
    label = components.met(scores) if prior else components.comparable(scores)
    if prior:
        xi, covariance = _with_prior(counts, scores, label, prior)
        bounds: dict[int, tuple[float, float]] = {}
    else:
        xi, covariance, bounds = _by_component(counts, scores, label)
    return Fit(
        models=counts.models,
        ratings=CENTRE + POINTS * xi,
        covariance=POINTS**2 * covariance,
        component=label,
        method="bradley_terry",
        parameters={"prior": prior, "covariance": "sandwich"},
        battles=counts.battles,
        joined=prior > 0,
        bounds={m: (CENTRE + POINTS * low, CENTRE + POINTS * high) for m, (low, high) in bounds.items()},
    )


def as_counts(
    model_a: Column | PairCounts, model_b: Column = None, winner: Column = None, weight: Column = None
) -> PairCounts:
    """The pair counts given, or those of the three columns."""
    if not isinstance(model_a, PairCounts):
        if model_b is None or winner is None:
            raise BadOption("give the columns model_a, model_b and winner, or PairCounts alone")
        return count_pairs(model_a, model_b, winner, weight=weight)
    if model_b is not None or winner is not None or weight is not None:
        raise BadOption("PairCounts hold their own columns and weights: give nothing beside them")
    return model_a


def score_matrix(counts: PairCounts) -> Floats:
    """(models, models): what row i scored against column j; a tie or both bad is half a point."""
    c = counts.weighted
    half = (c[:, TIE] + c[:, BOTH_BAD]) / 2
    return counts.matrix(c[:, A_WINS] + half) + counts.matrix(c[:, B_WINS] + half).T


def solve(scores: Floats, prior: float = 0.0, start: Floats | None = None) -> Floats:
    """The xi (models,) that maximise the likelihood of a score matrix, by Newton's method.

    Without a prior the scores must join all models (`components.comparable`). A step is shortened to
    log(1 + d)/d when its range d exceeds one logit, which makes every step an ascent (Sun & Tran-Dinh,
    Mathematical Programming 178, 2019, for logistic losses), so this cannot diverge.
    """
    met = scores + scores.T
    won = scores.sum(axis=1)
    xi = _first_guess(won, met.sum(axis=1)) if start is None else start
    for _ in range(STEPS):
        p = _win_probability(xi)
        expected = met * p
        hessian = _laplacian(expected * p.T, prior)
        gradient = won - expected.sum(axis=1) - prior * xi
        step: Floats = cho_solve(cho_factor(hessian, overwrite_a=True, check_finite=False), gradient)
        reach = float(step.max() - step.min())
        xi = xi + step * (np.log1p(reach) / reach if reach > 1 else 1.0)
        if reach < TOLERANCE:
            break
    return xi if prior else xi - xi.mean()


def sandwich(counts: PairCounts, xi: Floats, prior: float = 0.0) -> Floats:
    """H⁻¹ (B + prior) H⁻¹ (models, models), in logits²."""
    p = _win_probability(xi)
    c, c2 = counts.weighted, counts.weighted_squares
    met = counts.matrix(c.sum(axis=1))
    of_pair = p[counts.model_a, counts.model_b]
    noise = c2[:, A_WINS] * (1 - of_pair) ** 2 + c2[:, B_WINS] * of_pair**2
    noise = noise + (c2[:, TIE] + c2[:, BOTH_BAD]) * (0.5 - of_pair) ** 2
    noise_matrix = counts.matrix(noise)
    bread = inverse(_laplacian((met + met.T) * p * p.T, prior))
    filling = _laplacian(noise_matrix + noise_matrix.T, prior, pin=False)
    return bread @ filling @ bread


def inverse(hessian: Floats) -> Floats:
    """The inverse of a positive definite matrix."""
    return cho_solve(cho_factor(hessian, check_finite=False), np.eye(len(hessian)), check_finite=False)


def _first_guess(won: Floats, played: Floats) -> Floats:
    # The logit of a win rate is the rating against an average opponent. Half a battle a side keeps it finite.
    guess: Floats = logit((won + 0.5) / (played + 1.0))
    return guess


def _win_probability(xi: Floats) -> Floats:
    """(models, models): p[i, j] = expit(xi_i - xi_j), with one exponential a model while that is exact."""
    if xi.max() - xi.min() > 600:  # exp would leave the range of floats
        return np.asarray(expit(xi[:, None] - xi[None, :]))
    strength = np.exp(xi - (xi.max() + xi.min()) / 2)
    return np.asarray(strength[:, None] / (strength[:, None] + strength[None, :]))


def _laplacian(weights: Floats, prior: float, *, pin: bool = True) -> Floats:
    """diag(row sums) - weights, plus the prior; without a prior the mean is pinned to make it invertible."""
    laplacian = -weights
    np.fill_diagonal(laplacian, 0.0)
    degree = -laplacian.sum(axis=1)
    np.fill_diagonal(laplacian, degree + prior)
    if not prior and pin:
        laplacian += degree.mean() / len(degree) if degree.any() else 1.0
    return laplacian


def _with_prior(
    counts: PairCounts, scores: Floats, label: components.Labels, prior: float
) -> tuple[Floats, Floats]:
    xi = solve(scores, prior)
    main = (label == 0) / np.count_nonzero(label == 0) if scores.any() else np.zeros(len(label))
    # What the prior adds is doubt about the common mean, which no vote can lessen: leave it out.
    return xi, relative(sandwich(counts, xi, prior), main)


def _by_component(
    counts: PairCounts, scores: Floats, label: components.Labels
) -> tuple[Floats, Floats, dict[int, tuple[float, float]]]:
    size = len(counts.models)
    xi, covariance = np.zeros(size), np.zeros((size, size))
    for part in range(int(label.max()) + 1):
        inside = np.flatnonzero(label == part)
        if len(inside) > 1:
            xi[inside] = solve(scores[np.ix_(inside, inside)])
            covariance[np.ix_(inside, inside)] = sandwich(_within(counts, inside), xi[inside])
    bounds = {}
    for m in range(size):
        if np.count_nonzero(label == label[m]) == 1:
            xi[m], bounds[m] = _alone(scores, label, xi, m)
            covariance[m] = covariance[:, m] = np.nan
    return xi, covariance, bounds


def _within(counts: PairCounts, inside: np.ndarray[tuple[int], np.dtype[np.int64]]) -> PairCounts:
    """The rows of battles among `inside`, renumbered."""
    if len(inside) == len(counts.models):
        return counts
    place = np.full(len(counts.models), -1)
    place[inside] = np.arange(len(inside))
    a, b = place[counts.model_a], place[counts.model_b]
    kept = (a >= 0) & (b >= 0)
    weights, squares = counts.weighted[kept], counts.weighted_squares[kept]
    names = tuple(counts.models[m] for m in inside)
    wins, losses, ties, both_bad = counts.table[kept].T
    return PairCounts(names, a[kept], b[kept], wins, losses, ties, both_bad, weights, squares)


def _alone(scores: Floats, label: components.Labels, xi: Floats, m: int) -> tuple[float, tuple[float, float]]:
    """The rating of a model that is a component of its own, and what can be said of its limits.

    Undefeated against models of the main component, its lower limit is the xi at which winning all those
    battles still has probability 2.5 %; mirrored for a model that never won.
    """
    won, lost = scores[m], scores[:, m]
    main = np.flatnonzero((label == 0) & (np.arange(len(label)) != m) & (np.count_nonzero(label == 0) > 1))
    if not won.any() and not lost.any():
        return 0.0, (-np.inf, np.inf)
    if won.any() and lost.any():
        return np.nan, (-np.inf, np.inf)
    sign, played = (1.0, won[main]) if won.any() else (-1.0, lost[main])
    if not played.any():
        return sign * np.inf, (-np.inf, np.inf)
    limit = _one_sided(played, sign * xi[main])
    return sign * np.inf, (limit, np.inf) if sign > 0 else (-np.inf, -limit)


def _one_sided(wins: Floats, opponents: Floats) -> float:
    """The xi at which `wins` (opponents,) wins in as many battles have probability 2.5 %, by bisection."""
    low, high = float(opponents.min()) - 50.0, float(opponents.max()) + 50.0
    for _ in range(100):
        middle = (low + high) / 2
        likely = float(wins @ np.log(expit(middle - opponents))) > np.log(0.025)
        low, high = (low, middle) if likely else (middle, high)
    return low
