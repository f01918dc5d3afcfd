"""The pooled panel of judges against people: its ratings, its bias, and what it leaves in doubt; see `anchored`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ratings.data.counts import Floats
from ratings.inference.fit import Fit
from ratings.scale import CENTRE, POINTS_PER_LOGIT

FREE = 100.0  # variance, logits², of a bias that may be anything
# With these a model that judges favour by a whole logit is covered nearly as well as by people's votes alone, whether
# it has 10 of them or 200: `python reproduce/coverage.py --claims` prints the coverage, and what judges are still worth.
CLAIM = 4.0
UNSEEN = 0.9  # logits


def contrast_basis(size: int) -> Floats:
    """(size, size - 1): an orthonormal basis of the contrasts, the vectors whose sum is zero."""
    return np.linalg.qr(np.eye(size)[:, 1:] - 1 / size)[0]


def within(fit: Fit, basis: Floats) -> tuple[Floats, Floats]:
    """The xi of a fit and their covariance, as contrasts."""
    return basis.T @ (
        fit.ratings - CENTRE
    ) / POINTS_PER_LOGIT, basis.T @ fit.covariance @ basis / POINTS_PER_LOGIT**2


def pooled_panel(fits: Mapping[str, Fit], families: Mapping[str, str], basis: Floats) -> tuple[Floats, Floats]:
    """The contrasts of the panel and their covariance, judges weighted by their precision on each model."""
    size = basis.shape[1]
    precision, total = np.zeros((size, size)), np.zeros(size)
    for name, fit in fits.items():
        x, v = within(fit, basis)
        own = basis.T @ [float(families.get(model) == families.get(name, name)) for model in fit.models]
        information = np.linalg.inv(v + FREE * np.outer(own, own))
        precision += information
        total += information @ x
    v_panel = np.linalg.inv(precision)
    return v_panel @ total, np.asarray(v_panel, dtype=np.float64)


def taste_variance(apart: Floats, variance: Floats) -> float:
    """tau² by the method of moments, weighted by precision, plus its standard error to be on the safe side.

    With variance S + tau² of `apart`, E[apart' W apart] = tr(W S) + tau² tr(W) for any W; here W = S⁻¹ first,
    then (S + tau²)⁻¹ with the tau² of the step before.
    """
    tau2 = 0.0
    for _ in range(3):
        spread = variance + tau2 * np.eye(len(apart))
        w = np.linalg.inv(spread)
        excess = float(apart @ w @ apart - np.trace(w @ variance))
        tau2 = max(0.0, excess / float(np.trace(w)))
    # W (S + tau²) is the identity: the variance of apart' W apart is 2 (models - 1).
    return tau2 + float(np.sqrt(2 * len(apart)) / np.trace(w))


def doubts(apart: Floats, v: Floats, v_panel: Floats, taste: float, basis: Floats) -> Floats:
    """(models,): the variance t_m of the panel's bias on each model, in logits²; see the module."""
    distance = basis @ apart
    excess = distance**2 - np.diag(basis @ (v + v_panel) @ basis.T)
    unexamined = np.minimum(CLAIM * np.diag(basis @ v @ basis.T), UNSEEN**2)
    return np.maximum(np.maximum(excess, unexamined), taste)


def joint_degrees(
    human: Fit, fits: Mapping[str, Fit], v: Floats, v_panel: Floats, gain: Floats, basis: Floats
) -> Floats | None:
    """(models,): the degrees of freedom of the joint variances, of people's part and of the panel's.

    The panel has those of its judge of the fewest clusters. Source: Welch, Biometrika 34 (1947).
    """
    if human.degrees is None:
        return None
    rest = np.eye(len(v)) - gain
    of_people, of_panel = (
        np.diag(basis @ part @ basis.T) for part in (rest @ v @ rest.T, gain @ v_panel @ gain.T)
    )
    known = [fit.degrees for fit in fits.values() if fit.degrees is not None]
    fewest = np.min(known, axis=0) if known else np.full(len(human.models), np.inf)
    spread = of_people**2 / human.degrees + of_panel**2 / fewest
    return np.asarray((of_people + of_panel) ** 2 / np.maximum(spread, 1e-300))
