"""Sampling until two runs would agree: rounds of independent estimates, until their mean has a target standard error.

The error is relative, e = rms(standard errors) / rms(scores). The scores of two runs of the same e correlate at about
1 - e^2: at .91 for the target of .3, at .5 for .7, and not at all for 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from interp.errors import BadOption
from interp.masks import Floats

TARGET = 0.3
LEAST = 4  # rounds; an error from fewer is a guess


@dataclass(frozen=True)
class Precise:
    """The mean (units,) of the rounds, its standard errors (units,), and their relative size `error`."""

    scores: Floats
    errors: Floats
    error: float
    rounds: int
    target: float


def until_precise(
    draw: Callable[[int], Floats], *, target: float = TARGET, least: int = LEAST, most: int
) -> Precise:
    """The mean of `draw(0)`, `draw(1)`, ... until its relative error is at most `target`, or `most` rounds are drawn.

    Raises BadOption for a target of zero or less, or fewer than two rounds.
    """
    if not target > 0 or not 2 <= least <= most:
        raise BadOption(f"target {target:g}, rounds {least} to {most}. Expected above 0, and at least two rounds.")
    rounds = [draw(number) for number in range(least)]
    while (precise := _mean(rounds, target)).error > target and len(rounds) < most:
        rounds.append(draw(len(rounds)))
    return precise


def relative_error(scores: Floats, errors: Floats) -> float:
    """rms(errors) / rms(scores); zero where there are no errors, infinity for errors of scores that are all zero."""
    size, error = float(np.sqrt(np.mean(scores**2))), float(np.sqrt(np.mean(errors**2)))
    return error / size if size else (float("inf") if error else 0.0)


def _mean(rounds: list[Floats], target: float) -> Precise:
    stacked = np.stack(rounds)
    scores = stacked.mean(axis=0)
    errors = stacked.std(axis=0, ddof=1) / np.sqrt(len(rounds))
    return Precise(scores, errors, relative_error(scores, errors), len(rounds), target)
