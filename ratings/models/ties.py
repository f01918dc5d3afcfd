"""Bradley–Terry with ties as an outcome of its own, and with both bad as a choice of an outside option.

Counting a tie as half a win is compatible with other boards, but it assumes that a tie is only evidence of equal
strength, and it cannot predict how often ties occur.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import log_expit, logsumexp

from ratings.data.clusters import ClusteredVotes, StreamedVotes
from ratings.data.columns import Column
from ratings.data.counts import Floats, PairCounts
from ratings.data.outcomes import BOTH_BAD, TIE
from ratings.errors import BadOption, NoBattles
from ratings.inference.fit import Fit
from ratings.models.bradley_terry import as_counts
from ratings.models.pair_likelihood import PairLikelihood, expected_information, fit_pairs
from ratings.scale import CENTRE, POINTS_PER_LOGIT

LEAST_PAIRS = 3  # as many as parameters of ties


def davidson(
    model_a: Column | PairCounts,
    model_b: Column = None,
    winner: Column = None,
    *,
    prior: float = 0.0,
    outside: bool = False,
    by_strength: bool = False,
    clusters: ClusteredVotes | StreamedVotes | None = None,
) -> Fit:
    """Ratings with a tie parameter nu, coefficient "log nu".

        P(A) : P(B) : P(tie) = pi_A : pi_B : nu sqrt(pi_A pi_B),    pi = exp(xi)

    so that P(A | not a tie) = expit(xi_A - xi_B), on the scale of `bradley_terry`. Both bad counts as a tie,
    unless `outside`: then it is a fourth outcome, with P(both bad) in proportion to pi_0 = exp(outside), and the
    coefficient "outside" is the log-strength of "neither" on the scale where the models' mean is 0. Models
    above it are better than no answer; only this outcome is an absolute statement. `clusters` as in `bradley_terry`.

    `by_strength` lets the tie parameter depend on the strength of the pair: with m the mean of xi_A and xi_B and d their
    difference,

        log nu(m, d) = "log nu" + "nu by strength" m + "nu by gap" d²

    so that good models may tie more often than poor ones, and unequal ones more or less often than Davidson's model has it.

    Source: Davidson, JASA 65 (1970); the dependence on strength is ours. Raises NoBattles, Disconnected and NotConverged as
    `fit_pairs` does, and BadOption when an outcome never or always occurs, which leaves its parameter without a finite
    value, for both `outside` and `by_strength`, and for ties by strength of fewer than three pairs.
    """
    if outside and by_strength:
        raise BadOption("outside and by_strength are not combined. Choose one of them.")
    counts = as_counts(model_a, model_b, winner)
    share = _shares(counts, outside)

    def likelihood(xi_a: Floats, xi_b: Floats, extra: Floats) -> PairLikelihood:
        middle = extra[0] + (xi_a + xi_b) / 2
        options = [xi_a, xi_b, middle, *([np.full_like(xi_a, extra[1])] if outside else [])]
        # Utilities are linear in the parameters: their gradients are these constants.
        slopes = [[1.0, 0, 0], [0, 1.0, 0], [0.5, 0.5, 1.0]]
        if outside:
            slopes = [[*slope, 0.0] for slope in slopes] + [[0, 0, 0, 1.0]]
        return multinomial_logit(np.stack(options, axis=1), np.array(slopes))

    decisive = 1 - share[TIE] - (share[BOTH_BAD] if outside else 0.0)
    extras = {"log nu": math.log(2 * share[TIE] / decisive)}
    if outside:
        extras["outside"] = math.log(2 * share[BOTH_BAD] / decisive)
    start = None
    if by_strength and _pairs(counts) < LEAST_PAIRS:
        raise BadOption("ties by strength need battles of at least three pairs of models. Leave out by_strength.")
    if by_strength:  # where all are alike, nothing tells how ties depend on strength
        plain = davidson(counts, prior=prior)
        start = (plain.ratings - CENTRE) / POINTS_PER_LOGIT
        extras = {plain.coefficients[0].name: plain.coefficients[0].value, "nu by strength": 0.0, "nu by gap": 0.0}
    return fit_pairs(
        counts,
        _by_strength if by_strength else likelihood,
        extras,
        prior=prior,
        method="davidson",
        parameters={"outside": outside, **({"by_strength": True} if by_strength else {})},
        clusters=clusters,
        start=start,
    )


def _pairs(counts: PairCounts) -> int:
    """The number of pairs with battles, whichever model is first."""
    met = counts.table.any(axis=1)
    a, b = counts.model_a[met], counts.model_b[met]
    return len(np.unique(np.minimum(a, b) * len(counts.models) + np.maximum(a, b)))


def _by_strength(xi_a: Floats, xi_b: Floats, extra: Floats) -> PairLikelihood:
    """Davidson's model with log nu as a function of the strength of the pair, whose gradients depend on the ratings."""
    log_nu, by_mean, by_gap = extra
    mean, gap = (xi_a + xi_b) / 2, xi_a - xi_b
    utility = np.stack([xi_a, xi_b, log_nu + (1 + by_mean) * mean + by_gap * gap**2], axis=1)
    slopes = np.zeros((len(xi_a), 3, 5))
    slopes[:, 0, 0] = slopes[:, 1, 1] = slopes[:, 2, 2] = 1.0
    slopes[:, 2, 0] = (1 + by_mean) / 2 + 2 * by_gap * gap
    slopes[:, 2, 1] = (1 + by_mean) / 2 - 2 * by_gap * gap
    slopes[:, 2, 3], slopes[:, 2, 4] = mean, gap**2
    return multinomial_logit(utility, slopes)


def rao_kupper(
    model_a: Column | PairCounts, model_b: Column = None, winner: Column = None, *, prior: float = 0.0
) -> Fit:
    """Ratings with a threshold eta > 0, coefficient "eta": people see no smaller difference.

        P(A) = expit(xi_A - xi_B - eta),    P(B) = expit(xi_B - xi_A - eta),    P(tie) = 1 - P(A) - P(B)

    Both bad counts as a tie. Source: Rao & Kupper, JASA 62 (1967), eta = log theta. Raises as `davidson`.
    """
    counts = as_counts(model_a, model_b, winner)
    share = _shares(counts, outside=False)[TIE]

    def likelihood(xi_a: Floats, xi_b: Floats, extra: Floats) -> PairLikelihood:
        eta = max(float(extra[0]), 1e-9)
        a, b = log_expit(xi_a - xi_b - eta), log_expit(xi_b - xi_a - eta)
        # P(tie) = (e^2eta - 1) P(A) P(B), which does not cancel as 1 - P(A) - P(B) does.
        tie = a + b + math.log(math.expm1(2 * eta))
        not_a, not_b = -np.expm1(a), -np.expm1(b)  # the slopes of a and b in their arguments
        nothing = np.zeros_like(a)
        of_tie = 2 / -math.expm1(-2 * eta) - not_a - not_b
        gradient = np.stack(
            [
                np.stack([not_a, -not_a, -not_a], axis=1),
                np.stack([-not_b, not_b, -not_b], axis=1),
                np.stack([not_a - not_b, not_b - not_a, of_tie], axis=1),
                np.stack([nothing, nothing, nothing], axis=1),
            ],
            axis=1,
        )
        return _as_outcomes(np.stack([a, b, tie], axis=1), gradient[:, :3])

    guess = math.log((1 + share) / (1 - share))
    return fit_pairs(counts, likelihood, {"eta": guess}, prior=prior, method="rao_kupper", parameters={})


def _shares(counts: PairCounts, outside: bool) -> Floats:
    """(4,): the share of each outcome; both bad is among the ties unless it is an outcome of its own."""
    table = counts.weighted.sum(axis=0)
    if not table.any():
        raise NoBattles("no battles, so the frequency of ties is unknown. Give at least one battle.")
    if not outside:
        table = table * [1, 1, 1, 0] + np.array([0, 0, table[BOTH_BAD], 0])
    asked = [("tie", TIE)] + ([("both_bad", BOTH_BAD)] if outside else [])
    for name, outcome in asked:
        if not 0 < table[outcome] < table.sum():
            often = "no" if table[outcome] == 0 else "every"
            raise BadOption(f"{often} battle is {name}: its parameter has no finite value. Use bradley_terry.")
    if not table[:2].any():
        raise BadOption("no battle has a winner: there is nothing to rate from. Give battles with winners.")
    return np.asarray(table / table.sum())


def multinomial_logit(utility: Floats, slopes: Floats) -> PairLikelihood:
    """The choice among options with P in proportion to exp(utility), for utilities linear in the parameters.

    `utility` is (rows, options), `slopes` ([rows,] options, parameters) its gradient.
    Source: McFadden, in Frontiers in Econometrics (1974).
    """
    log_likelihood = utility - logsumexp(utility, axis=1, keepdims=True)
    slopes = np.broadcast_to(slopes, (len(utility), *slopes.shape[-2:]))
    mean = np.einsum("rk,rki->ri", np.exp(log_likelihood), slopes)
    return _as_outcomes(log_likelihood, slopes - mean[:, None, :])


def _as_outcomes(log_likelihood: Floats, gradient: Floats) -> PairLikelihood:
    """The four outcomes of three options (both bad is a tie), or of four."""
    information = expected_information(log_likelihood, gradient)
    four = [0, 1, TIE, TIE] if log_likelihood.shape[1] == BOTH_BAD else [0, 1, TIE, BOTH_BAD]
    return PairLikelihood(log_likelihood[:, four], gradient[:, four], information)
