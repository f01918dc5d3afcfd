"""A permutation test of scores: do they predict the effects of random deletions better than on other units?

    t(phi) = correlation over the trials of  sum of phi over the hidden units  with the effect of hiding them,

both less their means over trials of the same size. Under the null hypothesis the scores know nothing of the model: any
arrangement of them over the units is as likely as any other, and with a sign each is as likely as its negative, since
such scores do not know which side is preferred. p is the share of these maps whose t is at least that of the scores. It
is exact: at most `p <= level` of all attributions that ignore the model pass, whatever their scores look like.

The trials are values of f that are already known, so any number of maps is compared without further calls. With n units of
which one decides, one map in n is right by chance (2n with a sign): below 10 words no ranking can be told from luck.
Source: Phipson & Smyth, "Permutation p-values should never be zero", SAGMB 9 (2010), arXiv 1603.05766.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from math import perm

import numpy as np
from numpy.typing import NDArray

from interp.masks import Floats, Masks

MAPS = 1_999  # arrangements at most: the standard error of a p of .03 is then .004
AT_ONCE = 1_000  # arrangements in one product of matrices
EQUAL = 1e-9  # of the largest score or of a correlation: closer numbers differ by rounding alone


@dataclass(frozen=True)
class Trials:
    """`hidden` (trials, units) true for units that were hidden, `effects` (trials,) of f, and the `sizes` (trials,)
    whose means are taken out."""

    hidden: Masks
    effects: Floats
    sizes: NDArray[np.intp]


def permutation_p(
    scores: Floats, trials: Trials, *, signed: bool, maps: int = MAPS, seed: int = 0
) -> tuple[float, int]:
    """p of the scores (units,), and the number of maps that they were compared with.

    All arrangements are compared where they are at most `maps`, else as many random ones. p is 1 where the scores are
    all alike or the model does not change.
    """
    hidden, effects = _centred(trials.hidden.astype(float), trials.sizes), _centred(trials.effects, trials.sizes)
    ours = _correlations(scores[None], hidden, effects)[0]
    if not np.isfinite(ours):
        return 1.0, 0
    arrangements = _all(scores, maps)
    complete = arrangements is not None
    batches = _random(scores, maps, seed) if arrangements is None else _batches(arrangements)
    theirs = np.concatenate([_correlations(batch, hidden, effects) for batch in batches])
    theirs = np.concatenate([theirs, -theirs]) if signed else theirs
    as_good = int((theirs >= ours - EQUAL).sum())
    if complete:
        return as_good / len(theirs), len(theirs)
    return (1 + as_good) / (1 + len(theirs)), len(theirs)


def _centred(values: Floats, sizes: NDArray[np.intp]) -> Floats:
    """The values less the means over rows of the same size."""
    centred = np.array(values, dtype=float)
    for size in np.unique(sizes):
        rows = sizes == size
        centred[rows] -= centred[rows].mean(axis=0)
    return centred


def _correlations(scores: Floats, hidden: Floats, effects: Floats) -> Floats:
    """(maps,): the correlation of each map's predictions with the effects; nan where either does not vary."""
    predicted = scores @ hidden.T
    lengths = np.linalg.norm(predicted, axis=1) * np.linalg.norm(effects)
    flat = lengths <= EQUAL * np.abs(scores).max() * max(np.abs(effects).max(), EQUAL)
    products: Floats = predicted @ effects
    return np.where(flat, np.nan, products / np.where(flat, 1.0, lengths))


def _batches(arrangements: Floats) -> Iterator[Floats]:
    for start in range(0, len(arrangements), AT_ONCE):
        yield arrangements[start : start + AT_ONCE]


def _random(scores: Floats, maps: int, seed: int) -> Iterator[Floats]:
    random = np.random.default_rng(seed)
    for start in range(0, maps, AT_ONCE):
        yield random.permuted(np.tile(scores, (min(AT_ONCE, maps - start), 1)), axis=1)


def _all(scores: Floats, most: int) -> Floats | None:
    """Every arrangement (maps, units), if there are at most `most`: of scores that are alike but for a few."""
    rounded = np.round(scores / (np.abs(scores).max() or 1.0) / EQUAL)
    common = Counter(rounded.tolist()).most_common(1)[0][0]
    others = np.flatnonzero(rounded != common)
    if perm(len(scores), len(others)) > most:
        return None
    places = np.array(list(permutations(range(len(scores)), len(others))), dtype=int).reshape(-1, len(others))
    arrangements = np.full((len(places), len(scores)), scores[np.argmax(rounded == common)])
    np.put_along_axis(arrangements, places, scores[others][None].repeat(len(places), 0), axis=1)
    return arrangements
