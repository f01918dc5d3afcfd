"""The draw of two models by weight, without replacement, with shuffled sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from arena.battles.pair_draw import PairGains, drawn_by_gain
from arena.rules.messages import Phrase
from arena.serving.models import Serving


class TooFewModels(Exception):
    """A battle needs two models."""


@dataclass(frozen=True)
class Pair:
    """The left and right model, and the probability of drawing these two in either order."""

    model_a: str
    model_b: str
    probability: float


def draw_pair(weights: Mapping[str, float], random: Random, gains: PairGains | None = None) -> Pair:
    """Draw the first model by weight, the second by weight among the rest; or, with `gains`, rather pairs that gain much.

    The probability of a pair {i, j} is `w_i w_j / (W - w_i) / W + w_i w_j / (W - w_j) / W`, or that of
    `pair_probabilities`, which a rating can use to correct for uneven sampling. Where fewer than two weights are above
    zero, all weights are equal, so that a missing weight does not stop the arena. Raises `TooFewModels`.
    """
    if len(weights) < 2:
        raise TooFewModels(f"{len(weights)} of the 2 models that a battle needs are available")
    names = sorted(weights)
    masses = [weights[name] for name in names]
    if gains is not None and sum(mass > 0 for mass in masses) >= 2:
        one, other, chance = drawn_by_gain(weights, gains, random)
        sides = [one, other]
        random.shuffle(sides)
        return Pair(sides[0], sides[1], chance)
    if sum(mass > 0 for mass in masses) < 2:
        masses = [1.0] * len(names)
    first = random.choices(range(len(names)), masses)[0]
    second = random.choices(range(len(names)), _without(masses, first))[0]
    pair = [names[first], names[second]]
    random.shuffle(pair)
    product = masses[first] / sum(masses) * masses[second]
    probability = product / sum(_without(masses, first)) + product / sum(_without(masses, second))
    return Pair(pair[0], pair[1], probability)


def why_no_battle(serving: Serving) -> Phrase | None:
    """The reason why no pair can be drawn, without names of models; `None` when one can."""
    available, waiting = len(serving.available_weights()), serving.waiting()
    if available >= 2:
        return None
    if waiting:
        steps = "; ".join(model.availability.progress for model in waiting)
        return Phrase(
            "The arena is loading its models ({ready} of {models} ready): {steps}.",
            ready=available,
            models=available + len(waiting),
            steps=steps,
        )
    if len(serving.drawn()) < 2:
        return Phrase(
            "A battle needs two models, and {count} is enabled here. The operator can add one in arena.toml.",
            count=len(serving.drawn()),
        )
    return Phrase("Fewer than two models are available now. Try again in a few minutes.")


def draw_other(weights: Mapping[str, float], kept: str, failed: str, random: Random) -> tuple[str, float]:
    """Another model against `kept` in place of `failed`, and the probability of this draw. Raises `TooFewModels`."""
    names = sorted(name for name in weights if name not in (kept, failed))
    if not names:
        raise TooFewModels("no third model is available")
    masses = [weights[name] for name in names]
    if not any(mass > 0 for mass in masses):
        masses = [1.0] * len(names)
    drawn = random.choices(range(len(names)), masses)[0]
    return names[drawn], masses[drawn] / sum(masses)


def _without(masses: Sequence[float], drawn: int) -> list[float]:
    """The masses without the drawn one, to be summed again: a subtraction would round small weights away."""
    return [0.0 if i == drawn else mass for i, mass in enumerate(masses)]
