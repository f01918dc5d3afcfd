"""What the measures of a judge's biases say of simulated judges whose biases are known.

    python -m reproduce.judge_biases

People vote by the quality of two completions, part of which is a property such as length; the judge sees the same
quality more sharply, and may have a taste of its own. The old measure is the difference of two win rates.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from judges import agreement, biases
from judges.agreement import Agreement

EFFECT, NOISE, SPREAD = 0.6, 0.5, 0.7  # logits: of the property, of single battles, of abilities
ROUNDS = 40
CASES = (  # sharpness, taste of its own, effect of the property on quality, battles, models
    (2.0, 0.0, 0.6, 15_000, 8), (2.0, 0.0, -0.6, 15_000, 8), (3.0, 0.0, -0.6, 15_000, 8), (1.0, 0.0, 0.6, 1_000, 6),
    (2.0, 0.0, 0.6, 1_000, 6), (2.0, 0.4, 0.6, 3_000, 8), (2.0, -0.4, 0.6, 3_000, 8), (2.0, 0.0, 0.6, 400, 30),
)  # fmt: skip


@dataclass(frozen=True)
class Battles:
    judge: list[str]
    people: list[str]
    side: list[str | None]
    models_a: list[int]
    models_b: list[int]


def simulated(
    draw: np.random.Generator, *, own: float, sharpness: float, battles: int, models: int, effect: float = EFFECT
) -> Battles:
    """Battles of random models with one vote of a person and one of the judge."""
    ability = SPREAD * draw.normal(size=models)
    a = draw.integers(0, models, battles)
    b = (a + draw.integers(1, models, battles)) % models
    has = draw.choice([-1, 0, 1], battles, p=[0.35, 0.3, 0.35])
    quality = ability[a] - ability[b] + effect * has + NOISE * draw.normal(size=battles)
    return Battles(
        _winners(draw, sharpness * quality + own * has),
        _winners(draw, quality),
        [None if h == 0 else "model_a" if h > 0 else "model_b" for h in has],
        a.tolist(),
        b.tolist(),
    )


def _winners(draw: np.random.Generator, logit: np.ndarray) -> list[str]:
    return ["model_a" if won else "model_b" for won in draw.random(len(logit)) < expit(logit)]


def difference(rows: Battles) -> float:
    """The old measure: the win rate of the side with the property for the judge, less that for people."""
    return biases.lean(rows.judge, rows.side).value - biases.lean(rows.people, rows.side).value


def measured(rows: Battles) -> Agreement:
    return biases.bias(rows.judge, rows.people, rows.side, rows.models_a, rows.models_b)


def print_biases() -> None:
    out = sys.stdout.write
    out(
        "| sharpness | true bias, logits | effect on quality | battles, models | difference of win rates | bias, logits |"
    )
    out(" intervals that hold the truth |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
    draw = np.random.default_rng(1)
    for sharpness, own, effect, battles, models in CASES:
        rows = [
            simulated(draw, own=own, sharpness=sharpness, battles=battles, models=models, effect=effect)
            for _ in range(ROUNDS)
        ]
        found = [measured(one) for one in rows]
        held = sum((f.lower or 0) <= own <= (f.upper or 0) for f in found)
        old = np.mean([difference(one) for one in rows[:2]])
        value = np.mean([f.value for f in found])
        out(f"| {sharpness:g} | {own:g} | {effect:g} | {battles:,}, {models} | {old:+.3f} | {value:+.3f} |")
        out(f" {held} of {ROUNDS} |\n")


def print_positions() -> None:
    """The share and the logits of one position bias, over pairs of close models and of distant ones."""
    draw, bias = np.random.default_rng(0), 0.8
    sys.stdout.write("\n| pairs | position bias, share | logits (true: 0.8) |\n| --- | ---: | ---: |\n")
    for name, spread, lead in (("close", 0.5, 0.0), ("with a weak baseline", 1.0, 1.5), ("distant", 3.0, 0.0)):
        quality = lead + spread * draw.normal(size=4000)
        first, second = _winners(draw, quality + bias), _winners(draw, bias - quality)
        share = agreement.position_bias([*first, *second]).value
        logit = agreement.position_logit(first, second).value
        sys.stdout.write(f"| {name} | {share:.2f} | {logit:.2f} |\n")


if __name__ == "__main__":
    print_biases()
    print_positions()
