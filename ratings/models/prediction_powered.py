"""Prediction-powered ratings: people's votes on some battles and a judge's verdicts on all, for any judge.

The judge's verdicts on unlabelled battles move the estimate, and its verdicts on labelled ones subtract
the bias of that, so the intervals are valid for any judge. With s the score x (y - p) of a battle:

    mean_labelled(s_human) + lambda [ mean_unlabelled(s_judge) - mean_labelled(s_judge) ] = 0

`lambda` is the value that minimises the variance of the ratings; for a useless judge it is near 0. The gain
is modest: with a judge that agrees with people on 75 % of battles about 1.1 to 1.3 times the votes, not ten.
Source: Angelopoulos, Duchi & Zrnic, PPI++, arXiv 2311.01453.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array
from scipy.special import expit

from ratings.data import components
from ratings.data.battles import Battles, read_battles
from ratings.data.columns import Column, column_codes, is_missing
from ratings.data.counts import Floats, tabulate
from ratings.data.outcomes import SCORES
from ratings.errors import BadOption, Disconnected, NotConverged
from ratings.inference.fit import Fit
from ratings.inference.hessian import laplacian
from ratings.models.bradley_terry import maximise_likelihood, score_matrix
from ratings.scale import CENTRE, POINTS_PER_LOGIT

STEPS, TOLERANCE = 100, 1e-10


@dataclass(frozen=True, eq=False)
class PredictionPowered:
    """The `fit`, the weight of the judge and what its verdicts are worth.

    `trust` is lambda, the weight of the judge's verdicts; `gain` is how many times as many votes of people alone would
    be needed for the same mean variance.
    """

    fit: Fit
    trust: float
    gain: float

    def __str__(self) -> str:
        return (
            f"{self.fit}\nthe judge, trusted {self.trust:.2f}, is worth {self.gain:.2f} times people's votes alone"
        )

    __repr__ = __str__


def prediction_powered(
    model_a: Column, model_b: Column, judge_winner: Column, human_winner: Column
) -> PredictionPowered:
    """Ratings of people's preference from battles (rows,) with a judge's verdict on all and people's votes on some.

    `human_winner` is None (or NaN) where nobody voted. The battles that people voted on have to be a random sample.
    Raises BadOption when people voted on none or all, Disconnected when their votes do not compare all models,
    NotConverged, and what `read_battles` raises.
    """
    codes, labels = column_codes(human_winner, "human_winner")
    votes = [None if code < 0 else labels[code] for code in codes.tolist()]
    labelled = np.array([not is_missing(winner) for winner in votes])
    if labelled.all() or not labelled.any():
        raise BadOption(
            f"people voted on {labelled.sum()} of {labelled.size} battles. Some, but not all, need a vote."
        )
    judged = read_battles(model_a, model_b, judge_winner)
    rows = np.flatnonzero(labelled)
    voted = [votes[row] for row in rows]
    human = read_battles(judged.model_a[rows], judged.model_b[rows], voted, models=judged.models)
    scores = score_matrix(tabulate(human))
    if components.strong_components(scores).max() > 0:
        raise Disconnected("people's votes alone do not compare all models both ways. Collect more votes.")
    xi = maximise_likelihood(scores)
    size, n, rest = len(xi), len(rows), len(judged) - len(rows)
    design = _design_matrix(judged)
    y_human, y_judge = SCORES[human.outcome], SCORES[judged.outcome]
    hessian = _hessian(human, xi) / n
    inner = _Scores(design, rows, y_human, y_judge)
    trust = inner.best_trust(xi, hessian)
    for _ in range(STEPS):
        step = cho_solve(cho_factor(_hessian(human, xi) / n), inner.equation(xi, trust))
        xi = xi + step
        if np.abs(step).max() < TOLERANCE:
            break
    else:
        raise NotConverged("people's votes and the judge's verdicts have no common solution. Collect more votes.")
    hessian = _hessian(human, xi) / n
    alone, together = (inner.covariance(xi, hessian, t) for t in (0.0, trust))
    fit = Fit(
        models=judged.models,
        ratings=CENTRE + POINTS_PER_LOGIT * (xi - xi.mean()),
        covariance=POINTS_PER_LOGIT**2 * together,
        component=np.zeros(size, dtype=np.int64),
        method="prediction_powered",
        parameters={"labelled": n, "unlabelled": rest, "trust": trust},
        battles=len(judged),
    )
    return PredictionPowered(fit, trust, float(np.trace(alone) / np.trace(together)))


@dataclass(frozen=True, eq=False)
class _Scores:
    """The scores of all battles, with the design matrix (battles, models) of +1 and -1."""

    design: csr_array
    labelled: NDArray[np.int64]
    human: Floats
    judge: Floats

    def scores(self, xi: Floats) -> tuple[csr_array, csr_array, csr_array]:
        """(battles, models) of people, of the judge on the same battles, and of the judge on the others."""
        p = expit(self.design @ xi)
        seen = np.zeros(len(p), dtype=np.bool_)
        seen[self.labelled] = True
        mine = self.design[self.labelled]
        human = mine.multiply((self.human - p[self.labelled])[:, None])
        judged = mine.multiply((self.judge - p)[self.labelled][:, None])
        others = self.design[~seen].multiply((self.judge - p)[~seen][:, None])
        return csr_array(human), csr_array(judged), csr_array(others)

    def equation(self, xi: Floats, trust: float) -> Floats:
        """(models,): the left side of the estimating equation."""
        human, judged, others = self.scores(xi)
        total = human.mean(axis=0) + trust * (others.mean(axis=0) - judged.mean(axis=0))
        return np.asarray(total).ravel()

    def best_trust(self, xi: Floats, hessian: Floats) -> float:
        """The lambda in [0, 1] that minimises the trace of the covariance."""
        human, judged, others = self.scores(xi)
        factor = cho_factor(hessian)
        n, rest = human.shape[0], others.shape[0]
        shared = _sandwich(factor, _covariance(human, judged))
        own = _sandwich(
            factor, (_covariance(judged, judged) * n + _covariance(others, others) * rest) / (n + rest)
        )
        return float(np.clip(np.trace(shared) / ((1 + n / rest) * np.trace(own)), 0.0, 1.0))

    def covariance(self, xi: Floats, hessian: Floats, trust: float) -> Floats:
        """(models, models): the covariance of the estimate at this lambda."""
        human, judged, others = self.scores(xi)
        left = csr_array(human - trust * judged)
        meat = _covariance(left, left) / human.shape[0]
        meat = meat + trust**2 * _covariance(others, others) / others.shape[0]
        return _sandwich(cho_factor(hessian), meat)


def _design_matrix(battles: Battles) -> csr_array:
    n = len(battles)
    indices = np.stack([battles.model_a, battles.model_b], axis=1).ravel()
    shape = (n, len(battles.models))
    return csr_array((np.tile([1.0, -1.0], n), indices, np.arange(0, 2 * n + 1, 2)), shape=shape)


def _hessian(human: Battles, xi: Floats) -> Floats:
    size = len(xi)
    p = expit(xi[human.model_a] - xi[human.model_b])
    key = human.model_a.astype(np.int64) * size + human.model_b
    square = np.bincount(key, p * (1 - p), size * size).reshape(size, size)
    return laplacian(np.asarray(square + square.T, dtype=np.float64), 0.0)


def _covariance(left: csr_array, right: csr_array) -> Floats:
    """(models, models) covariance of the rows of two score matrices."""
    n = left.shape[0]
    means = np.outer(np.asarray(left.mean(axis=0)), np.asarray(right.mean(axis=0)))
    return np.asarray((left.T @ right).todense() / n - means)


def _sandwich(factor: tuple[Floats, bool], meat: Floats) -> Floats:
    """H⁻¹ meat H⁻¹, of ratings relative to their mean."""
    covariance = cho_solve(factor, cho_solve(factor, meat).T)
    centre = np.eye(len(meat)) - 1 / len(meat)
    return np.asarray(centre @ covariance @ centre)
