"""Two-stage occlusion: a cheap screen ranks all units, and occlusion verifies the best of them.

The screen takes one backward pass, or one call a sentence. Scores are exact where they were verified.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interp.blackbox.perturbation import leave_out
from interp.errors import BadOption
from interp.masks import Floats, Groups, Value, check_units, group_masks


@dataclass(frozen=True)
class Screened:
    """`scores` (units,) with `verified` (units,) true where they come from occlusion.

    `agreement` is the rank correlation of screen and occlusion over the verified units: near zero the screen was
    no guide, and units that matter may not have been verified.
    """

    scores: Floats
    verified: NDArray[np.bool_]
    agreement: float
    calls: int


def screen_then_verify(value: Value, screen: Floats, *, keep: int) -> Screened:
    """Occlusion of the `keep` units with the largest |screen| (units,), the others from the screen.

    A unit that is not verified keeps its place in the screen's order below every verified one: its score is
    the screen's, scaled to occlusion by least squares over the verified units, and capped at the smallest
    verified size. Zero where screen and occlusion disagree in sign altogether. Calls: 1 + keep.
    """
    screen = np.asarray(screen, dtype=float)
    check_units(len(screen))
    if not 1 <= keep <= len(screen):
        raise BadOption(f"keep {keep}. Expected 1 to {len(screen)}, the number of units.")
    if not np.isfinite(screen).all():
        raise BadOption(
            f"unit {int(np.argmin(np.isfinite(screen)))} of the screen is not finite. Give finite scores."
        )
    best = np.sort(np.argsort(-np.abs(screen), kind="stable")[:keep])
    effects = leave_out(value, len(screen), [[unit] for unit in best])
    verified = np.zeros(len(screen), dtype=bool)
    verified[best] = True
    scores = np.clip(_slope(screen[best], effects) * screen, -np.abs(effects).min(), np.abs(effects).min())
    scores[best] = effects
    return Screened(scores, verified, _rank_correlation(screen[best], effects), 1 + keep)


def screen_by_groups(value: Value, units: int, groups: Groups) -> Floats:
    """(units,): the effect of a unit's group, shared evenly among its units; zero for units in no group.

    A screen for a model that gives no gradients: sentences first, then the words of those that matter.
    """
    members = group_masks(units, groups)
    share = members / members.sum(axis=1, keepdims=True)
    effects: Floats = leave_out(value, units, groups) @ share
    return effects


def _slope(screen: Floats, effects: Floats) -> float:
    size = float(screen @ screen)
    return max(0.0, float(screen @ effects) / size) if size else 0.0


def _rank_correlation(screen: Floats, effects: Floats) -> float:
    """Spearman's; nan for fewer than three units or a constant column."""
    if len(screen) < 3 or np.ptp(screen) == 0 or np.ptp(effects) == 0:
        return float("nan")
    from scipy.stats import spearmanr

    return float(spearmanr(screen, effects).statistic)
