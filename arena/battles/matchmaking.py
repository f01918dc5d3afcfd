"""Which two models meet: drawn by weight, without replacement, sides shuffled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random


class TooFewModels(Exception):
    """A battle needs two models."""


@dataclass(frozen=True)
class Pair:
    """The models left and right, and the probability with which these two were drawn, sides aside."""

    model_a: str
    model_b: str
    probability: float


def draw_pair(weights: Mapping[str, float], random: Random) -> Pair:
    """Draw the first model by weight, the second by weight among the rest.

    The probability of a pair {i, j} is `w_i w_j / (W - w_i) / W + w_i w_j / (W - w_j) / W`, which a rating
    can use to undo the uneven sampling. Where fewer than two weights are above zero, all count as equal:
    a forgotten weight must not stop the arena. Raises `TooFewModels`.
    """
    if len(weights) < 2:
        raise TooFewModels(f"{len(weights)} of the 2 models that a battle needs can be drawn")
    names = sorted(weights)
    masses = [weights[name] for name in names]
    if sum(mass > 0 for mass in masses) < 2:
        masses = [1.0] * len(names)
    first = random.choices(range(len(names)), masses)[0]
    second = random.choices(range(len(names)), _without(masses, first))[0]
    pair = [names[first], names[second]]
    random.shuffle(pair)
    product = masses[first] / sum(masses) * masses[second]
    probability = product / sum(_without(masses, first)) + product / sum(_without(masses, second))
    return Pair(pair[0], pair[1], probability)


def _without(masses: Sequence[float], drawn: int) -> list[float]:
    """Summed anew, not subtracted: a weight far below the others would be lost to rounding."""
    return [0.0 if i == drawn else mass for i, mass in enumerate(masses)]
