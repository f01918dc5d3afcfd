"""Faithfulness: the effect of hiding the units that an attribution calls important, against random attributions.

With x the whole text, s the sign of f(x), and the units ranked from most to least for the verdict (s * score):

    comprehensiveness = mean over k of  s (f(x) - f(x without the top k))       large: they were needed
    sufficiency       = mean over k of  s (f(x) - f(the top k alone))           small: they are enough
    MoRF-LeRF gap     = mean over k of  s (f(x without the bottom k) - f(x without the top k))

for k of 5, 10, 20, 30 and 50 % of the units (AOPC). A random ranking has a gap of zero on average, however the model
reads a text with deletions. All measures are on logits, since probabilities saturate. Scores without a sign say where a
model looked, not for which side: they are ranked as they are, and the size |f(x) - f| of each change is measured.

Whether an attribution is better than random is decided by a permutation test (`interp.evaluation.permutation`) on the
deletions of the random rankings, so that more random attributions take no further calls.
Sources: DeYoung et al., arXiv 1911.03429; Samek et al., arXiv 1509.06321; Yeh et al., arXiv 1901.09392.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interp.errors import BadOption
from interp.evaluation.permutation import Trials, permutation_p
from interp.masks import Floats, Masks, Value, check_units
from interp.texts import gettext_noop

FRACTIONS = (0.05, 0.1, 0.2, 0.3, 0.5)
RANKINGS = 10  # random rankings; a standard deviation of fewer is too rough to compare with
LEVEL = 0.05  # at most this share of random attributions is called better than random
STRICT = (
    0.03  # p of many maps; below LEVEL, so that a count of some hundred random attributions stays under it too
)
BEATS, NOT = gettext_noop("beats random"), gettext_noop("do not rely on this")


@dataclass(frozen=True)
class Against:
    """A measure with that of random rankings. `z` is positive where the measure is better than random."""

    value: float
    random: float
    spread: float
    z: float


@dataclass(frozen=True)
class Curve:
    """f after each fraction of the units: `deletion` most important first, `reverse` least important first,
    `insertion` the most important alone."""

    fractions: tuple[float, ...]
    deletion: tuple[float, ...]
    reverse: tuple[float, ...]
    insertion: tuple[float, ...]


@dataclass(frozen=True)
class Faithfulness:
    """The effect of hiding units. `p` is the share of the `maps`, the same scores on other units, that predict the
    effects of random deletions as well as this one."""

    comprehensiveness: Against
    sufficiency: Against
    gap: Against
    curve: Curve
    rankings: int
    p: float
    calls: int
    maps: int

    @property
    def beats_random(self) -> bool:
        smallest = 1 / self.maps if self.maps else 1.0  # with few maps no p can be STRICT
        level = max(STRICT, min(LEVEL, smallest))
        return bool(self.p <= level and self.gap.value > 0 and self.comprehensiveness.z > 0)

    @property
    def verdict(self) -> str:
        """The result in plain words."""
        return BEATS if self.beats_random else NOT

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON holds it. JSON has no infinity: a z without spread is null."""
        document = {"verdict": self.verdict, "beats_random": self.beats_random, **asdict(self)}
        for name in ("comprehensiveness", "sufficiency", "gap"):
            if not np.isfinite(document[name]["z"]):
                document[name]["z"] = None
        return document


def faithfulness(
    value: Value,
    scores: Floats,
    *,
    signed: bool = True,
    fractions: Sequence[float] = FRACTIONS,
    rankings: int = RANKINGS,
    seed: int = 0,
) -> Faithfulness:
    """The faithfulness of scores (units,) to the model that they explain.

    `signed` scores support the first side where they are positive; others only say how much a unit matters.
    Calls: 1 + (rankings + 1) * 3 * fractions, all but the first in one batch, so that masks can share work.
    Raises BadOption for scores that are not finite, fewer than ten rankings, or fractions outside (0, 1).
    """
    scores = np.asarray(scores, dtype=float)
    units = len(scores)
    _check(scores, fractions, rankings)
    random = np.random.default_rng(seed)
    # the model's side is known only after the first call; a ranking for the other side is the reverse one
    whole = float(value(np.ones((1, units), dtype=bool))[0])
    side = 1.0 if whole >= 0 else -1.0
    ranked = np.argsort(-(side if signed else 1.0) * scores, kind="stable")
    orders = [ranked, *(random.permutation(units) for _ in range(rankings))]
    cuts = [min(max(1, round(share * units)), max(1, units - 1)) for share in fractions]
    masks = np.concatenate([_hidden(order, cuts) for order in orders])
    answers = value(masks).reshape(len(orders), 3, len(cuts))
    effects = side * (whole - answers) if signed else np.abs(whole - answers)
    top, bottom, alone = effects[:, 0], effects[:, 1], effects[:, 2]
    needed = np.concatenate([top, bottom[1:]]).mean(axis=1)  # the reverse of chance is chance
    gap = (top - bottom).mean(axis=1)
    p, maps = permutation_p(scores, _trials(masks, effects, cuts, side if signed else 1.0), signed=signed)
    return Faithfulness(
        comprehensiveness=_against(needed[0], needed[1:], rankings),
        sufficiency=_against(alone[0].mean(), alone[1:].mean(axis=1), rankings, larger_is_better=False),
        gap=_against(gap[0], np.concatenate([gap[1:], -gap[1:]]), rankings),
        curve=Curve(tuple(cut / units for cut in cuts), *(tuple(answers[0, kind].tolist()) for kind in range(3))),
        rankings=rankings,
        p=p,
        calls=1 + len(masks),
        maps=maps,
    )


def _trials(masks: Masks, effects: Floats, cuts: Sequence[int], side: float) -> Trials:
    """The deletions of the random rankings, alike in size, as trials for any scores."""
    hidden = ~masks.reshape(*effects.shape, -1)[1:, :2].reshape(-1, masks.shape[1])
    sizes = np.tile(np.arange(len(cuts)), len(hidden) // len(cuts))
    return Trials(hidden, side * effects[1:, :2].ravel(), sizes)


def faithfulness_calls(fractions: Sequence[float] = FRACTIONS, rankings: int = RANKINGS) -> int:
    """The number of masks that `faithfulness` evaluates."""
    return 1 + 3 * len(fractions) * (rankings + 1)


def infidelity(value: Value, scores: Floats, *, hide: float = 0.2, samples: int = 64, seed: int = 0) -> float:
    """The error of the scores as a prediction of the effect of hiding a random set of units, relative to that effect.

        E[(sum of phi over I - (f(x) - f(x without I)))²] / E[(f(x) - f(x without I))²]

    Each unit is in I with probability `hide`. Zero is a model that is the sum of its scores; one is no better
    than scores of zero. Calls: 1 + samples.
    """
    scores = np.asarray(scores, dtype=float)
    check_units(len(scores))
    if not 0 < hide < 1 or samples < 1:
        raise BadOption(f"hide {hide:g}, samples {samples}. Expected between 0 and 1, and one or more.")
    taken = np.random.default_rng(seed).random((samples, len(scores))) < hide
    values = value(np.concatenate([np.ones((1, len(scores)), dtype=bool), ~taken]))
    effect = values[0] - values[1:]
    size = float(np.mean(effect**2))
    if size == 0:
        return float("nan")
    return float(np.mean((taken @ scores - effect) ** 2)) / size


def max_sensitivity(
    explain: Callable[[Floats], Floats], inputs: Floats, *, radius: float = 0.02, samples: int = 10, seed: int = 0
) -> float:
    """The largest relative change of an attribution when its inputs (tokens, dimensions) move a little.

        max over delta of  |explain(x + delta) - explain(x)| / |explain(x)|

    Every token moves by a random vector of length up to `radius` times its own: embeddings of different tokens
    differ several times in length, so one radius for all would be nothing to one and destroy another.
    """
    if radius <= 0 or samples < 1:
        raise BadOption(f"radius {radius:g}, samples {samples}. Expected above 0, and one or more.")
    random = np.random.default_rng(seed)
    before = explain(inputs)
    size = float(np.linalg.norm(before))
    if size == 0:
        return float("nan")
    length = radius * np.linalg.norm(inputs, axis=-1, keepdims=True)
    changes = []
    for _ in range(samples):
        step = random.normal(size=inputs.shape)
        step *= length * random.random(length.shape) / np.linalg.norm(step, axis=-1, keepdims=True)
        changes.append(float(np.linalg.norm(explain(inputs + step) - before)))
    return max(changes) / size


def _check(scores: Floats, fractions: Sequence[float], rankings: int) -> None:
    check_units(len(scores))
    if not np.isfinite(scores).all():
        raise BadOption(
            f"unit {int(np.argmin(np.isfinite(scores)))}: score {scores[~np.isfinite(scores)][0]}. Give finite scores."
        )
    if rankings < RANKINGS:
        raise BadOption(f"rankings {rankings}. Expected {RANKINGS} or more to compare with.")
    if not fractions or not all(0 < share < 1 for share in fractions):
        raise BadOption(f"fractions {tuple(fractions)}. Expected numbers between 0 and 1.")


def _hidden(order: NDArray[np.int64], cuts: Sequence[int]) -> Masks:
    """(3 * cuts, units): without the first of the order, without the last, the first alone."""
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    first = rank < np.array(cuts)[:, None]
    last = rank >= len(order) - np.array(cuts)[:, None]
    return np.concatenate([~first, ~last, first])


def _against(ours: float, chance: Floats, rankings: int, *, larger_is_better: bool = True) -> Against:
    """The measure in standard deviations of chance; where nothing changes anything, none."""
    mean, spread = float(chance.mean()), float(chance.std(ddof=1))
    lead = float(ours) - mean if larger_is_better else mean - float(ours)
    if spread <= 1e-12 * max(1.0, abs(mean)):
        z = 0.0 if abs(lead) <= 1e-9 else float(np.copysign(np.inf, lead))
    else:
        # one more draw from chance scatters around an estimated mean
        z = float(lead / (spread * np.sqrt(1 + 1 / rankings)))
    return Against(float(ours), mean, spread, z)
