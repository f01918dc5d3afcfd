"""Linking a retired judge to its successor."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.special import expit

from judges.equating import equate
from judges.errors import BadRow, NoVerdicts

MODELS = ("a", "b", "c", "d", "e")


def bridge(seed: int, slope: float, prompts: int = 60, noise: float = 0.1):
    rng = np.random.default_rng(seed)
    rows = []
    for prompt in range(prompts):
        for left, right in combinations(range(len(MODELS)), 2):
            old = float(expit((right - left) * 0.5 + rng.normal(0, 1)))
            new = float(np.clip(0.5 + slope * (old - 0.5) + rng.normal(0, noise), 0, 1))
            rows.append((old, new, MODELS[left], MODELS[right], prompt))
    return [list(column) for column in zip(*rows, strict=True)]


def test_a_judge_equated_with_itself_changes_nothing():
    old, _, *rest = bridge(0, 1.0)
    equating = equate(old, old, *rest)
    assert equating.slope == pytest.approx(1)
    assert equating.slope_error == pytest.approx(0, abs=1e-12)
    assert equating.model_error == pytest.approx(0, abs=1e-12)
    equated = equating.apply(0.7, 0.05)
    assert (equated.win_rate, equated.standard_error) == (pytest.approx(0.7), pytest.approx(0.05))


def test_the_slope_comes_back_within_its_error():
    apart = []
    for seed in range(40):
        equating = equate(*bridge(seed, 0.6))
        apart.append((equating.slope - 0.6) / equating.slope_error)
    assert np.mean(np.abs(apart) < 2) > 0.85


def test_naming_the_other_model_left_changes_nothing():
    old, new, a, b, prompt = bridge(1, 0.7)
    mirrored = equate([1 - p for p in old], [1 - p for p in new], b, a, prompt)
    assert vars(mirrored) == pytest.approx(vars(equate(old, new, a, b, prompt)))


def test_a_tie_stays_a_tie_and_the_error_of_the_equating_is_added():
    equating = equate(*bridge(2, 0.5))
    assert equating.apply(0.5, 0.02).win_rate == 0.5
    assert equating.apply(0.9, 0.0).standard_error >= equating.model_error


def test_a_bridge_that_carries_nothing_is_refused():
    with pytest.raises(NoVerdicts, match="2 models"):
        equate([1.0, 0.0], [1.0, 0.0], ["a", "a"], ["b", "b"], [1, 2])
    with pytest.raises(NoVerdicts, match="a tie"):
        equate([0.5] * 3, [1.0, 0.0, 1.0], ["a", "b", "c"], ["b", "c", "a"], [1, 2, 3])
    with pytest.raises(BadRow, match="row 1: old preference -1"):
        equate([0.5, -1], [1, 0], ["a", "a"], ["b", "b"], [1, 2])
