"""Ranks by significance tests of rating differences, and by overlap of intervals.

A model's rank is one more than the number of models that are better beyond doubt: of all pairs together, at most
5 % of boards declare any difference that is not there. Two intervals that just fail to overlap are 3.9 standard errors
apart (when equally wide) where the 95 % test of one difference needs 2.8: ranks by overlap lose power, and are here
only to compare with other boards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr

from ratings.data import components
from ratings.data.counts import Floats, PairCounts
from ratings.inference.fit import CONFIDENCE_LEVEL, Fit, normal_quantile
from ratings.inference.record_tests import decisive_wins, record_p_values
from ratings.scale import CENTRE, POINTS_PER_LOGIT

RankArray = NDArray[np.int64]
Pairs = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Ranks:
    """The `rank` (models,) of each model, and the best (`low`) and worst (`high`) rank that is possible."""

    rank: RankArray
    low: RankArray
    high: RankArray


def significance_ranks(
    fit: Fit,
    level: float = CONFIDENCE_LEVEL,
    *,
    counts: PairCounts | None = None,
    ranked: Pairs | None = None,
) -> Ranks:
    """Ranks by `better_beyond_doubt`: with probability `level` the ranges contain the true ranks of all models at once.

    `rank` is the best one of the range. Only models of `ranked` (models,) count; the ranks of others have no meaning.
    Models in components that no battles compare are ranked apart. Raises BadOption for a bad level.
    Source for ranks from tests of all pairs: Mogstad, Romano, Shaikh & Wilhelm, Review of Economic Studies 91 (2024).
    """
    return ranks_of(better_beyond_doubt(fit, level, counts=counts, ranked=ranked), fit, counts, ranked)


def ranks_of(better: Pairs, fit: Fit, counts: PairCounts | None = None, ranked: Pairs | None = None) -> Ranks:
    """The ranks that follow from `better`, the result of `better_beyond_doubt` for the same arguments."""
    peers = _tested(fit, counts, ranked).sum(axis=1) + 1
    best = 1 + better.sum(axis=0)
    return Ranks(rank=best, low=best, high=np.maximum(peers - better.sum(axis=1), 1))


def better_beyond_doubt(
    fit: Fit,
    level: float = CONFIDENCE_LEVEL,
    *,
    counts: PairCounts | None = None,
    ranked: Pairs | None = None,
) -> Pairs:
    """(models, models): whether row i is significantly better than column j, in a family of all pairs.

    The k-th largest |Z| of K pairs has to exceed the smaller of Šidák's quantile for the K - k + 1 pairs that are left
    and Tukey's for the range of all models (Holm's step-down): with probability `level` no difference is declared that
    is not there. With `counts`, records that are small, undefeated or winless are tested exactly as well, and the
    larger p-value counts. Raises BadOption for a bad level.
    Sources: Tukey (1953); Kramer, Biometrics 12 (1956); Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    single = normal_quantile(level)
    tested = _tested(fit, counts, ranked)
    scores = np.where(tested, pairwise_z_scores(fit), 0.0)
    if counts is not None:
        scores = _with_records(scores, fit, counts, tested, single)
    first, second = np.nonzero(np.triu(tested, 1))
    size = np.abs(scores[first, second])
    order = np.argsort(-size, kind="stable")
    left = np.arange(len(order), 0, -1)
    needed = -ndtri(-np.expm1(np.log(level) / left) / 2)
    peers = int(tested.sum(axis=1).max(initial=0)) + 1
    if peers > 2:
        needed = np.minimum(needed, tukey_quantile(peers, level))
    declared = np.logical_and.accumulate(size[order] > needed)
    better = np.zeros_like(tested)
    i, j = first[order[declared]], second[order[declared]]
    higher = scores[i, j] > 0
    better[np.where(higher, i, j), np.where(higher, j, i)] = True
    return better


def significance_bands(better: Pairs, order: Sequence[int], ranked: Pairs | None = None) -> tuple[int, ...]:
    """The band of each model of `order` (indices of models, best first), from 1.

    A band begins with its best model and ends before the first model that is worse than it in `better` (models,
    models): no model of a band is told apart from the band's first. Models that are not `ranked` begin no band.
    """
    bands: list[int] = []
    first = -1
    for model in order:
        starts = ranked is None or bool(ranked[model])
        if starts and (first < 0 or better[first, model]):
            new = first >= 0
            first = model
            bands.append((bands[-1] if bands else 1) + new)
        else:
            bands.append(bands[-1] if bands else 1)
    return tuple(bands)


def overlap_ranks(lower: Floats, upper: Floats) -> RankArray:
    """(models,): one more than the number of models whose interval lies wholly above.

    Source: Chiang et al., arXiv 2403.04132.
    """
    return np.asarray(1 + (lower[None, :] > upper[:, None]).sum(axis=1))


def pairwise_z_scores(fit: Fit) -> Floats:
    """(models, models): `R_i - R_j` in standard errors of that difference; 0 for pairs that are not compared.

    With degrees of freedom a score of Student's t becomes the normal score of the same probability, the fewer
    degrees of the two models counting.
    """
    v = fit.covariance
    own = np.diag(v)
    spread = own[:, None] + own[None, :] - 2 * v
    tested = compared(fit) & (spread > 0) & np.isfinite(fit.ratings)[:, None] & np.isfinite(fit.ratings)
    rating = np.where(np.isfinite(fit.ratings), fit.ratings, 0.0)
    gap = rating[:, None] - rating[None, :]
    scores = np.where(tested, gap / np.sqrt(np.where(tested, spread, 1.0)), 0.0)
    return scores if fit.degrees is None else _as_normal(scores, np.minimum.outer(fit.degrees, fit.degrees))


def _as_normal(scores: Floats, degrees: Floats) -> Floats:
    """The normal scores with the tail probabilities of Student's t, from the lower tail, where floats are finest."""
    tail: Floats = ndtri(np.maximum(stdtr(degrees, -np.abs(scores)), 1e-300))
    return np.copysign(tail, scores)


def joined_to_main(fit: Fit, counts: PairCounts) -> Pairs:
    """(models,): whether battles compare the model with the main component.

    Battles place an undefeated or a winless model above or below the others, although they set no finite rating.
    """
    main = _in_chain(counts)[np.argmax(fit.component == 0)]
    return np.asarray((fit.component == 0) | (np.isinf(fit.ratings) & main))


def _tested(fit: Fit, counts: PairCounts | None, ranked: Pairs | None) -> Pairs:
    """(models, models): the pairs of the family: compared with each other, both ranked."""
    pairs = compared(fit)
    infinite, unknown = np.isinf(fit.ratings), np.isnan(fit.ratings)
    if counts is not None and infinite.any():
        pairs |= _in_chain(counts) & (infinite[:, None] | infinite[None, :])
        pairs &= ~(unknown[:, None] | unknown[None, :])
    if ranked is not None:
        pairs &= ranked[:, None] & ranked[None, :]
    return pairs & ~np.eye(len(pairs), dtype=bool)


def _in_chain(counts: PairCounts) -> Pairs:
    """(models, models): whether a chain of battles joins the two."""
    label = components.weak_components(counts.matrix(counts.table.sum(axis=1)))
    return np.asarray(label[:, None] == label[None, :])


def _with_records(scores: Floats, fit: Fit, counts: PairCounts, tested: Pairs, least: float) -> Floats:
    """The scores (models, models), no larger than the exact tests of records allow."""
    infinite = np.isinf(fit.ratings)
    finite = np.isfinite(fit.ratings)
    strengths = np.where(finite, (fit.ratings - CENTRE) / POINTS_PER_LOGIT, 0.0)
    if infinite.any():  # a logit beyond the finite ones: it stands in for the strength, which no record sets
        ends = strengths[finite] if finite.any() else np.zeros(1)
        strengths = np.where(infinite, np.where(fit.ratings > 0, ends.max() + 1, ends.min() - 1), strengths)
    better = tested & ((scores > least) | _above(fit))
    p = record_p_values(decisive_wins(counts), strengths, better)
    by_record = np.where(better, -ndtri(np.maximum(p, np.finfo(float).tiny) / 2), 0.0)
    by_fit = np.where(_above(fit), np.inf, scores)
    limited = np.where(better, np.minimum(by_fit, by_record), 0.0)
    small = np.where(better | better.T, limited - limited.T, scores)
    return np.where(tested, small, 0.0)


def _above(fit: Fit) -> Pairs:
    """(models, models): whether i is above j by an infinite rating."""
    ratings = np.where(np.isnan(fit.ratings), 0.0, fit.ratings)
    either = np.isinf(ratings)[:, None] | np.isinf(ratings)[None, :]
    return np.asarray(either & (ratings[:, None] > ratings[None, :]))


def compared(fit: Fit) -> Pairs:
    """(models, models): whether the fit compares the two models."""
    same: NDArray[np.bool_] = fit.component[:, None] == fit.component[None, :]
    return same | fit.joined


def tukey_quantile(models: int, level: float = CONFIDENCE_LEVEL) -> float:
    """The quantile of the largest |Z_i - Z_j| / sqrt 2 among `models` standard normals.

    P(range < r) = n ∫ φ(x) [Φ(x) - Φ(x - r)]ⁿ⁻¹ dx, integrated by the trapezium rule, solved by bisection.
    """
    x = np.linspace(-9.0, 9.0, 2001)
    density = np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        inside = models * density * (ndtr(x) - ndtr(x - middle)) ** (models - 1)
        low, high = (low, middle) if inside.sum() * (x[1] - x[0]) > level else (middle, high)
    return low / math.sqrt(2)
