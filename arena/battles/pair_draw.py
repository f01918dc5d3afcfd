"""The draw of a pair by how much its result would narrow the intervals of the ratings, with a floor for every pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PairGains:
    """What one more vote on each pair would narrow, in no particular unit; `gains` (models, models) is symmetric.

    A model that is not among `models` has had no vote: its pairs gain as much as the best one.
    """

    models: Sequence[str]
    gains: Floats
    floor: float  # the share of draws by weight alone, so that every pair keeps a chance
    _places: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places.update((name, place) for place, name in enumerate(self.models))

    def between(self, names: Sequence[str]) -> Floats:
        """The gains of the pairs of these models."""
        places = [self._places.get(name, -1) for name in names]
        unknown = np.array(places) < 0
        found = self.gains[np.ix_(places, places)].copy()
        found[unknown] = found[:, unknown] = self.gains.max(initial=0.0)
        np.fill_diagonal(found, 0.0)
        return found


def weighted_pairs(masses: Sequence[float]) -> Floats:
    """The probability (models, models), above the diagonal, of drawing a model by weight and another among the rest.

    That of {i, j} is `w_i w_j / (W - w_i) / W + w_i w_j / (W - w_j) / W`. The rests are added up without the drawn weight:
    a subtraction would round small weights away.
    """
    w = np.asarray(masses, dtype=np.float64)
    before, after = (
        np.concatenate([[0.0], np.cumsum(w)[:-1]]),
        np.concatenate([np.cumsum(w[::-1])[::-1][1:], [0.0]]),
    )
    share = w / (before + after) / w.sum()
    return np.triu(share[:, None] * w[None, :] + w[:, None] * share[None, :], 1)


def pair_probabilities(names: Sequence[str], masses: Sequence[float], gains: PairGains) -> Floats:
    """The probability (models, models), above the diagonal, of each pair; with sum one.

        P(i, j) = (1 - floor) G(i, j) w_i w_j / Σ G w w + floor B(i, j)

    with G the gains and B the draw by weight alone.
    """
    w = np.asarray(masses, dtype=np.float64)
    by_weight = weighted_pairs(masses)
    by_gain = np.triu(gains.between(names) * w[:, None] * w[None, :], 1)
    total = by_gain.sum()
    if not total > 0:
        return by_weight
    return np.asarray((1 - gains.floor) * by_gain / total + gains.floor * by_weight)


def drawn_by_gain(weights: Mapping[str, float], gains: PairGains, random: Random) -> tuple[str, str, float]:
    """Two models with weights above zero, and the probability of drawing these two in either order."""
    names = [name for name in sorted(weights) if weights[name] > 0]
    probabilities = pair_probabilities(names, [weights[name] for name in names], gains)
    rows, columns = np.triu_indices(len(names), 1)
    chances = probabilities[rows, columns]
    ends = np.cumsum(chances)
    place = int(np.searchsorted(ends, random.random() * ends[-1], side="right"))
    return names[rows[place]], names[columns[place]], float(chances[place])
