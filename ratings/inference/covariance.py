"""Robust (sandwich) covariance of Bradley–Terry ratings.

    V = H⁻¹ (B + prior) H⁻¹,    H = sum w p (1 - p) x x' + prior,    B = sum s s'

where x has +1 at A and -1 at B, and s = w (y - p) x is the score of one battle, or of one cluster of battles.
The prior enters B as one more observation per model, so that V is the prior's variance where there are no
votes. No ridge is added: that would narrow the interval of a newcomer as others collect votes.
Sources: Huber (1967); White, Econometrica 50 (1982); clusters: Liang & Zeger, Biometrika 73 (1986).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit

from ratings.data.battles import Battles
from ratings.data.columns import Column, column_codes, is_missing, same_length
from ratings.data.counts import Floats, PairCounts, checked_weights
from ratings.data.outcomes import A_WINS, B_WINS, BOTH_BAD, SCORES, TIE
from ratings.errors import BadOption, MissingValue
from ratings.inference.hessian import PairMask, laplacian, pair_information, sandwich_product, win_probability


def sandwich_covariance(counts: PairCounts, scores: Floats, xi: Floats, prior: float, mask: PairMask) -> Floats:
    """V (models, models) in logits² for independent battles; see the module.

    `scores` (models, models) is the score matrix, `xi` (models,) the estimate, `mask` (models, models) the pairs
    within a component, or None for all.
    """
    p = win_probability(xi)
    c = counts.weighted_squares
    of_pair = np.take(p, counts.pairs)
    noise = c[:, A_WINS] * (1 - of_pair) ** 2 + c[:, B_WINS] * of_pair**2
    noise += (c[:, TIE] + c[:, BOTH_BAD]) * (0.5 - of_pair) ** 2
    square = _masked(counts.matrix(noise), mask)
    meat = laplacian(square + square.T, prior, pin=False)
    return sandwich_product(_hessian(scores, p, prior, mask), meat)


def sandwich_of(scores: Floats, xi: Floats, prior: float, mask: PairMask, meat: Floats) -> Floats:
    """V (models, models) in logits² for a B without the prior's part, as `clustered_meat` gives it."""
    meat = meat + prior * np.eye(len(xi))
    return sandwich_product(_hessian(scores, win_probability(xi), prior, mask), meat)


def clustered_covariance(
    battles: Battles,
    scores: Floats,
    xi: Floats,
    prior: float,
    mask: PairMask,
    cluster: Column,
    weight: Column = None,
) -> Floats:
    """V (models, models) in logits² when battles are independent only across values of `cluster` (battles,).

    B gets the factor C / (C - 1) for C clusters; with fewer than about forty clusters intervals are still too narrow.
    Raises LengthMismatch, MissingValue with the row, and BadOption for a single cluster.
    """
    groups = cluster_codes(cluster, len(battles))
    w = 1.0 if weight is None else checked_weights(weight, len(battles))
    p = expit(xi[battles.model_a] - xi[battles.model_b])
    score = w * (SCORES[battles.outcome] - p)
    if mask is not None:
        score = score * mask[battles.model_a, battles.model_b]
    summed = scores_by_cluster(battles, score, groups)
    many = summed.shape[0]
    meat = np.asarray((summed.T @ summed).todense()) * (many / (many - 1))
    meat[np.diag_indices_from(meat)] += prior
    return sandwich_product(_hessian(scores, win_probability(xi), prior, mask), meat)


def scores_by_cluster(battles: Battles, score: Floats, groups: NDArray[np.int64]) -> csr_array:
    """(clusters, models): +score at A and -score at B of every battle, added up by cluster."""
    size = len(battles.models)
    rows = np.concatenate([groups, groups])
    columns = np.concatenate([battles.model_a, battles.model_b])
    return csr_array((np.concatenate([score, -score]), (rows, columns)), shape=(int(groups.max()) + 1, size))


def cluster_codes(cluster: Column, rows: int, name: str = "cluster") -> NDArray[np.int64]:
    """(rows,): the number of each row's cluster, from 0 to C - 1.

    Raises LengthMismatch, MissingValue with the row, and BadOption for a single cluster.
    """
    codes, labels = column_codes(cluster, name)
    same_length(battles=np.empty(rows), **{name: codes})
    bad = [code for code, label in enumerate(labels) if is_missing(label)]
    missing = np.isin(codes, [*bad, -1])
    if missing.any():
        raise MissingValue(f"row {int(np.argmax(missing))}: no {name}. Give one for every battle.")
    _, groups = np.unique(codes, return_inverse=True)
    if groups.max() == 0:
        raise BadOption(f"all battles have the same {name}, so their variance is unknown. Give at least two.")
    return groups.astype(np.int64)


def _hessian(scores: Floats, p: Floats, prior: float, mask: PairMask) -> Floats:
    points = _masked(scores, mask)
    return laplacian(pair_information(points + points.T, p), prior, mask)


def _masked(square: Floats, mask: PairMask) -> Floats:
    return square if mask is None else square * mask
