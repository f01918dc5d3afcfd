"""The Hessian of the Bradley–Terry likelihood, its inverse and the sandwich product.

    H = sum over battles of  w p (1 - p) x x'  +  prior

where x has +1 at A and -1 at B: the Laplacian of the graph whose edge weights are the information of each pair.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, cho_factor, lapack
from scipy.special import expit

from ratings.data.counts import Floats

PairMask = NDArray[np.bool_] | None  # (models, models): which pairs count; None for all


def win_probability(xi: Floats) -> Floats:
    """(models, models): p[i, j] = expit(xi_i - xi_j), with one exponential per model where that is exact."""
    strength = strengths(xi)
    if strength is None:
        return np.asarray(expit(xi[:, None] - xi[None, :]))
    p: Floats = strength[:, None] + strength[None, :]
    np.divide(strength[:, None], p, out=p)
    return p


def strengths(xi: Floats) -> Floats | None:
    """(models,): exp(xi) to a common factor, of which p_ij = s_i / (s_i + s_j); None out of the range of floats."""
    return None if xi.max() - xi.min() > 600 else np.asarray(np.exp(xi - (xi.max() + xi.min()) / 2))


def pair_information(comparisons: Floats, p: Floats) -> Floats:
    """(models, models): n_ij p_ij (1 - p_ij), for `comparisons` n (models, models), the battles of each pair.

    1 - p is p.T, also where p rounds to 1.
    """
    weights = comparisons * p
    weights *= p.T
    return weights


def laplacian(weights: Floats, prior: float, mask: PairMask = None, *, pin: bool = True) -> Floats:
    """(models, models): diag(row sums) - weights, plus the prior on the diagonal.

    Without a prior the likelihood determines only differences; `pin` adds a constant within each component, which
    changes no difference and makes the matrix invertible. `mask` marks the pairs within a component.
    """
    square = -weights
    np.fill_diagonal(square, 0.0)
    degree = -square.sum(axis=1)
    np.fill_diagonal(square, degree + prior)
    if not prior and pin:
        constant = degree.mean() / len(degree) if degree.any() else 1.0
        square += constant if mask is None else constant * mask
    return square


def cholesky(hessian: Floats) -> Floats:
    """The lower Cholesky factor of a positive definite matrix, which is overwritten; ignore its upper triangle."""
    factor, _ = cho_factor(hessian.T, lower=True, overwrite_a=True, check_finite=False)  # .T: as LAPACK stores it
    return np.asarray(factor)


def inverse(hessian: Floats) -> Floats:
    """The inverse of a positive definite matrix, which is overwritten."""
    lower = _lower_inverse(hessian)
    return np.asarray(np.tril(lower) + np.tril(lower, -1).T)


def sandwich_product(hessian: Floats, meat: Floats) -> Floats:
    """H⁻¹ B H⁻¹ for the symmetric `meat` B; H is overwritten.

    The symmetric products of BLAS need only the lower triangle of H⁻¹.
    """
    bread = _lower_inverse(hessian)
    half = blas.dsymm(1.0, bread, meat.T, lower=1)
    return np.asarray(blas.dsymm(1.0, bread, half, side=1, lower=1)).T


def _lower_inverse(hessian: Floats) -> Floats:
    lower, _ = lapack.dpotri(
        cholesky(hessian), lower=1, overwrite_c=1
    )  # half the work of solving for every column
    return np.asarray(lower)
