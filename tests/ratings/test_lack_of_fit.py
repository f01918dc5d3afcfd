"""Lack of fit: whether one number a model explains the votes."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy.special import expit

import ratings


def counted(models: int, lead, battles: int, seed: int, ties: float = 0.0) -> ratings.PairCounts:
    """Counts of every pair, with `lead` (models, models) in logits."""
    rng = np.random.default_rng(seed)
    a, b = np.triu_indices(models, 1)
    tied = rng.binomial(battles, ties, len(a))
    wins = rng.binomial(battles - tied, expit(lead[a, b]))
    zero = np.zeros(len(a), dtype=int)
    return ratings.PairCounts(tuple(f"m{n}" for n in range(models)), a, b, wins, battles - tied - wins, tied, zero)


def test_rock_paper_scissors_is_a_cycle():
    beats = [("rock", "scissors"), ("scissors", "paper"), ("paper", "rock")]
    columns = zip(
        *[(a, b, "model_a") if n % 10 else (a, b, "model_b") for n in range(100) for a, b in beats], strict=True
    )
    counts = ratings.count_pairs(*map(list, columns))
    assert ratings.leaderboard(counts).rows[0].rank_high == 3
    found = ratings.lack_of_fit(counts)
    assert found.p_value < 1e-6
    assert found.cyclic_share > 0.95
    (cycle,) = found.cycles
    assert str(cycle) in {
        "paper > rock > scissors > paper",
        "rock > scissors > paper > rock",
        "scissors > paper > rock > scissors",
    }
    assert cycle.log_odds == pytest.approx(3 * np.log(90.5 / 10.5), rel=1e-6)
    assert "cyclic" in str(found)


@pytest.mark.parametrize(("battles", "ties"), [(2, 0.0), (5, 0.3), (50, 0.0), (50, 0.35)])
def test_votes_of_one_scale_are_rejected_as_often_as_the_level_says(battles, ties):
    rejected, runs = 0, 300
    shares = []
    for seed in range(runs):
        xi = np.random.default_rng(seed).normal(0, 0.7, 10)
        found = ratings.lack_of_fit(counted(10, xi[:, None] - xi, battles, seed, ties))
        rejected += found.p_value < 0.05
        shares.append(found.cyclic_share)
        assert found.degrees == 36
    assert rejected <= 0.05 * runs + 3 * sqrt(0.05 * 0.95 * runs)
    if battles == 50:
        assert np.median(shares) < 0.03
        assert rejected >= 0.05 * runs - 3 * sqrt(0.05 * 0.95 * runs)


def test_a_planted_cycle_among_ten_models_is_found():
    xi = np.linspace(1, -1, 10)
    lead = xi[:, None] - xi
    for a, b in ((0, 4), (4, 8)):
        lead[a, b], lead[b, a] = 1.2, -1.2
    lead[0, 8], lead[8, 0] = -1.2, 1.2
    found = ratings.lack_of_fit(counted(10, lead, 200, seed=3))
    assert found.p_value < 1e-6
    assert 0.05 < found.cyclic_share < 0.9
    assert set(found.cycles[0].models) == {"m0", "m4", "m8"}
    assert str(found.cycles[0]) in {"m0 > m4 > m8 > m0", "m4 > m8 > m0 > m4", "m8 > m0 > m4 > m8"}


def test_votes_that_belong_together_take_a_design_effect():
    xi = np.zeros(6)
    counts = counted(6, xi[:, None] - xi, 40, seed=0)
    doubled = ratings.PairCounts(counts.models, counts.model_a, counts.model_b, *(4 * counts.table.astype(int)).T)
    assert ratings.lack_of_fit(doubled, design_effect=4.0).statistic == pytest.approx(
        ratings.lack_of_fit(counts).statistic, rel=1e-3
    )


def test_without_a_circle_of_pairs_nothing_can_be_tested():
    found = ratings.lack_of_fit(ratings.count_pairs(["a", "b"], ["b", "c"], ["model_a", "tie"]))
    assert (found.degrees, found.p_value, found.cyclic_share, found.cycles) == (0, 1.0, 0.0, ())
    circle = ["a", "b", "c"], ["b", "c", "a"], ["tie"] * 3
    assert ratings.lack_of_fit(ratings.count_pairs(*circle)).p_value == 1.0
    with pytest.raises(ratings.NoBattles, match="nothing to test"):
        ratings.lack_of_fit(ratings.PairCounts(("a", "b"), *np.zeros((6, 0), dtype=int)))
