"""Length control with difficulties fitted to the same battles."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from scipy.special import expit

from judges import difficulty
from judges.difficulty import joint_fit
from judges.errors import BadRow, LengthMismatch, NotConverged, NoVerdicts
from tests.support.published import published
from tests.support.verdict_files import read

COMPLETE = ("FuseChat-Llama-3.2-1B-Instruct", "NullModel", "claude-2", "gemma-2b-it", "gpt4_gamed", "phi-2")


def simulated(seed: int, prompts: int = 400, phi: float = -1.5):
    """Verdicts of a judge with a taste for length on four models, two of which write much."""
    rng = np.random.default_rng(seed)
    ability, verbose = np.array([-1.0, -0.3, 0.4, 0.8]), np.array([0, 600, -400, 300])
    difficulty = rng.normal(0, 0.8, prompts)
    m, x = np.repeat(np.arange(4), prompts), np.tile(np.arange(prompts), 4)
    apart = rng.normal(0, 500, len(m)) - verbose[m]
    scale = np.array([apart[m == k].std() for k in range(4)])
    chance = expit(phi * np.tanh(apart / scale[m]) + ability[m] + difficulty[x])
    won = (rng.random(len(m)) < chance).astype(float)
    truth = [100 * expit(a + difficulty).mean() for a in ability]
    return joint_fit(won, apart, m.tolist(), x.tolist()), truth


@pytest.mark.slow
def test_win_rates_at_equal_length_come_back_and_the_intervals_hold_them():
    inside = []
    for seed in range(30):
        fit, truth = simulated(seed)
        for model, true in enumerate(truth):
            rate = fit.win_rates()[model]
            inside.append(abs(rate.win_rate - true) < 2.5 * rate.standard_error)
    assert np.mean(inside) > 0.93


def test_the_judges_taste_for_length_comes_back():
    assert np.mean([simulated(seed)[0].length for seed in range(5)]) == pytest.approx(-1.5, abs=0.2)


def test_without_a_difference_in_length_the_win_rate_is_the_plain_one():
    y = [1.0, 0.0, 1.0, 1.0, 0.5, 0.0]
    fit = joint_fit(y, [0.0] * 6, ["m"] * 6, list("abcdef"))
    assert fit.win_rates()["m"].win_rate == pytest.approx(100 * np.mean(y), abs=1)


def test_the_order_of_rows_changes_nothing():
    rng = np.random.default_rng(1)
    rows = [(rng.random(), rng.normal(0, 100), f"m{k % 3}", f"x{k // 3}") for k in range(90)]
    plain = joint_fit(*map(list, zip(*rows, strict=True))).win_rates()
    rng.shuffle(rows)
    shuffled = joint_fit(*map(list, zip(*rows, strict=True))).win_rates()
    for model, rate in plain.items():
        assert shuffled[model].win_rate == pytest.approx(rate.win_rate, abs=1e-4)


def test_published_length_controlled_win_rates_are_near_without_the_published_difficulties():
    with published("judges", "alpaca_eval", "expected_leaderboard.csv").open() as file:
        expected = {row[""]: float(row["length_controlled_winrate"] or "nan") for row in csv.DictReader(file)}
    columns: tuple[list, ...] = ([], [], [], [])
    for model in COMPLETE:
        for row in read("alpaca_eval", model, "annotations.json"):
            if row["preference"] is None or row["preference"] < 0:
                continue
            given = (row["preference"] or 1.5) - 1
            apart = len(row["output_1"]) - len(row["output_2"])
            for column, value in zip(columns, (given, apart, model, row["instruction"]), strict=True):
                column.append(value)
    rates = joint_fit(*columns).win_rates()
    missed = [rates[model].win_rate - expected[model] for model in COMPLETE]
    assert np.sqrt(np.mean(np.square(missed))) < 3
    assert sorted(COMPLETE, key=expected.get) == sorted(COMPLETE, key=lambda model: rates[model].win_rate)


def test_wrong_rows_are_named():
    with pytest.raises(BadRow, match="row 1: preference 2"):
        joint_fit([1, 2], [0, 0], ["m", "m"], ["x", "y"])
    with pytest.raises(NoVerdicts):
        joint_fit([], [], [], [])
    with pytest.raises(LengthMismatch):
        joint_fit([1], [0, 1], ["m"], ["x"])


def test_the_joint_fit_has_no_gradient_left_and_says_when_it_found_none(monkeypatch):
    draw = np.random.default_rng(3)
    model, prompt = draw.integers(0, 4, 400), draw.integers(0, 60, 400)
    apart, y = draw.normal(size=400) * 500, draw.random(400)
    fit = joint_fit(y, apart, model.tolist(), prompt.tolist())
    rows = fit.rows
    p = expit(fit.length * rows.length + fit.ability[rows.model] + fit.difficulty[rows.prompt])
    assert np.abs(np.bincount(rows.model, p - y) + difficulty.RIDGE * fit.ability).max() < 1e-7
    assert np.abs(np.bincount(rows.prompt, p - y) + fit.difficulty).max() < 1e-7
    monkeypatch.setattr(difficulty, "ROUNDS", 1)
    with pytest.raises(NotConverged, match="did not converge in 1 rounds"):
        joint_fit(y, apart, model.tolist(), prompt.tolist())
