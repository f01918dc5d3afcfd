"""The change of a value when units are removed: occlusion, groups of units, permutation importance.

A judge behind an API and one with local weights are explained by the same code: both are a value over masks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interp.errors import BadOption
from interp.masks import Floats, Groups, Masks, Value, check_units, group_masks


def occlusion(value: Value, units: int, *, window: int = 1) -> Floats:
    """(units,): f(all) - f(all but the unit), what the model loses with it.

    With a `window` of w every run of w neighbours is taken out once, and a unit gets the mean over the runs that
    it is in, each divided by w: neighbours that say the same thing hide each other's effect when one alone is
    taken out. Calls: 1 + units (+ w - 1). Source: Zeiler & Fergus, arXiv 1311.2901.
    """
    check_units(units)
    if not 1 <= window <= units:
        raise BadOption(f"window {window}. Expected 1 to {units}, the number of units.")
    starts = np.arange(1 - window, units)
    place = np.arange(units)
    taken = (place >= starts[:, None]) & (place < starts[:, None] + window)
    effects = _effects(value, taken)
    share = taken / taken.sum(axis=1, keepdims=True)
    scores: Floats = effects @ share / taken.sum(axis=0)
    return scores


def leave_out(value: Value, units: int, groups: Groups) -> Floats:
    """(groups,): f(all) - f(all but the units of the group), for example the words of one sentence.

    Calls: 1 + groups. Raises BadOption for an empty group or a unit that is not there.
    """
    return _effects(value, group_masks(units, groups))


def permutation_importance(
    value: Value, units: int, *, samples: int = 64, keep: float = 0.5, seed: int = 0
) -> Floats:
    """(units,): the mean change when the presence of one unit is shuffled over a sample of texts.

    `samples` random masks, each unit kept with probability `keep`, stand for the sample; the column of a unit is
    shuffled, and the change of f counts where the shuffle brought the unit in, negatively where it took it out:

        a_i = mean over rows that changed of  (f(z') - f(z)) * (z'_i - z_i)

    For a linear game that is the weight exactly; with keep = 1/2 its expectation is the Banzhaf value.
    Calls: at most samples * (1 + units / 2). Source: Breiman, Machine Learning 45 (2001), on presence.
    """
    check_units(units)
    if samples < 2 or not 0 < keep < 1:
        raise BadOption(f"samples {samples}, keep {keep:g}. Expected two or more, and between 0 and 1.")
    random = np.random.default_rng(seed)
    masks = random.random((samples, units)) < keep
    # Every column needs both a row with and one without the unit, or there is nothing to shuffle.
    masks[0, masks.sum(axis=0) == 0] = True
    masks[0, masks.sum(axis=0) == samples] = False
    before = value(masks)
    scores = np.zeros(units)
    for unit in range(units):
        shuffled = _moved(masks[:, unit], random)
        rows = np.flatnonzero(shuffled != masks[:, unit])
        changed = masks[rows].copy()
        changed[:, unit] = shuffled[rows]
        direction = shuffled[rows].astype(float) - masks[rows, unit]
        scores[unit] = np.mean((value(changed) - before[rows]) * direction)
    return scores


def _effects(value: Value, taken: Masks) -> Floats:
    """f(all) - f(all but the taken), for each row of `taken`; one batch, so that the value can share work."""
    values = value(np.concatenate([np.ones((1, taken.shape[1]), dtype=bool), ~taken]))
    effects: Floats = values[0] - values[1:]
    return effects


def _moved(column: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.bool_]:
    """A shuffle that changes at least one row."""
    while True:
        shuffled = random.permutation(column)
        if (shuffled != column).any():
            return shuffled
