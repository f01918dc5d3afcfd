"""Whether two attributions of the same words agree, beside what chance would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interp.errors import BadOption
from interp.masks import Floats

TOP = 5
MAPS = 999  # random arrangements behind the chance range
RANGE = (2.5, 97.5)  # percentiles


@dataclass(frozen=True)
class MapAgreement:
    """`correlation` of the ranks with the range of random arrangements, and the `overlap` of the strongest `top` words
    with the number that chance gives on average. `shared` (words,) are the words among the strongest of both, on the same
    side where both maps have a sign."""

    correlation: float
    chance: tuple[float, float]
    overlap: int
    overlap_by_chance: float
    top: int
    shared: tuple[int, ...]


def map_agreement(first: Floats, second: Floats, *, signed: bool = True, seed: int = 0) -> MapAgreement:
    """The agreement of two maps (words,). Unless both are `signed`, sizes are compared. Raises BadOption.

    `correlation` is Spearman's, nan where a map is the same everywhere. Overlap by chance is top² / words.
    """
    if len(first) != len(second) or not len(first):
        raise BadOption(f"{len(first)} and {len(second)} words. Give two maps of the same words.")
    top = min(TOP, len(first))
    strongest = [set(np.argsort(-np.abs(scores), kind="stable")[:top].tolist()) for scores in (first, second)]
    both = sorted(strongest[0] & strongest[1])
    shared = [word for word in both if not signed or first[word] * second[word] > 0]
    ranks = [_ranks(scores if signed else np.abs(scores)) for scores in (first, second)]
    draws = np.random.default_rng(seed).permuted(np.tile(ranks[1], (MAPS, 1)), axis=1) @ ranks[0]
    size = float(np.linalg.norm(ranks[0]) * np.linalg.norm(ranks[1])) or 1.0
    low, high = (np.percentile(draws, RANGE) / size).tolist()
    return MapAgreement(
        _correlation(*ranks),
        (low, high),
        len(shared),
        top * top / len(first) / (2 if signed else 1),
        top,
        tuple(shared),
    )


def _ranks(scores: Floats) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    ranks: NDArray[np.float64] = rankdata(scores)
    centred: NDArray[np.float64] = ranks - ranks.mean()
    return centred


def _correlation(first: Floats, second: Floats) -> float:
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / size if size else float("nan")
