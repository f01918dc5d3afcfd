"""Ranks: what is declared better beyond doubt, for all pairs of a board together."""

from __future__ import annotations

from itertools import product
from math import sqrt

import numpy as np
import pytest
from scipy.special import expit, ndtri
from scipy.stats import binomtest

import ratings
from ratings.inference.ranks import pairwise_z_scores, tukey_quantile
from ratings.inference.record_tests import record_p_values
from tests.support.boards import simulated

COLUMNS = simulated(models=8, battles=2000)


def equal_models(models: int, battles: int, seed: int) -> ratings.PairCounts:
    """Counts of models that all win half of their battles."""
    a, b = np.triu_indices(models, 1)
    rng = np.random.default_rng(seed)
    wins = rng.binomial(battles, 0.5, len(a))
    zero = np.zeros(len(a), dtype=int)
    return ratings.PairCounts(tuple(f"m{n}" for n in range(models)), a, b, wins, battles - wins, zero, zero)


def test_pairs_are_declared_in_order_until_the_first_that_fails():
    fit = ratings.bradley_terry(*COLUMNS)
    scores = pairwise_z_scores(fit)
    better = ratings.better_beyond_doubt(fit)
    pairs = sorted(((abs(scores[i, j]), i, j) for i in range(8) for j in range(i)), reverse=True)
    going_on = True
    for place, (size, i, j) in enumerate(pairs):
        sidak = ndtri(0.5 + 0.95 ** (1 / (len(pairs) - place)) / 2)
        going_on = going_on and size > min(sidak, tukey_quantile(8))
        assert better[i, j] + better[j, i] == going_on
        assert not going_on or better[i, j] == (scores[i, j] > 0)
    assert 0 < better.sum() < len(pairs)


def test_ranks_count_the_models_that_are_better_beyond_doubt():
    fit = ratings.bradley_terry(*COLUMNS)
    better, ranks = ratings.better_beyond_doubt(fit), ratings.significance_ranks(fit)
    assert ranks.rank.tolist() == ranks.low.tolist() == (1 + better.sum(axis=0)).tolist()
    assert ranks.high.tolist() == (8 - better.sum(axis=1)).tolist()


@pytest.mark.parametrize("models", [10, 20, 30])
def test_equal_models_share_the_first_rank(models):
    boards = [ratings.leaderboard(equal_models(models, 20, seed)) for seed in range(200)]
    below = sum(any(row.rank > 1 for row in board.rows) for board in boards)
    assert below <= 0.05 * 200 + 3 * sqrt(0.05 * 0.95 * 200)  # three standard errors of 200 boards


def test_a_model_with_few_battles_has_a_rating_but_no_rank():
    board = ratings.leaderboard(["a"] * 3, ["b"] * 3, ["model_a"] * 3)
    assert [(row.model, row.rank, row.rank_low, row.rank_high) for row in board.rows] == [
        ("a", None, None, None),
        ("b", None, None, None),
    ]
    assert [row["rank"] for row in board.to_dict()["models"]] == [None, None]


def test_a_model_of_few_voters_has_no_rank():
    counts = ratings.count_pairs(*COLUMNS)
    voters = [
        ("one" if "m3" in pair else f"v{row % 40}") for row, pair in enumerate(zip(*COLUMNS[:2], strict=True))
    ]
    clusters = ratings.cluster_votes(*COLUMNS, {"voter": voters}, models=counts.models)
    board = ratings.leaderboard(counts, clusters=clusters)
    assert [row.model for row in board.rows if row.rank is None] == ["m3"]
    assert {row.rank_high for row in board.rows if row.rank} <= set(range(1, 8))
    rows = ratings.leaderboard(counts, clusters=clusters, minimum_clusters=1).rows
    assert all(row.rank for row in rows)
    own = ratings.cluster_votes(*COLUMNS, {"voter": [None] * 2000}, models=counts.models)
    assert (own.clusters_of_models() == counts.totals().sum(axis=1)).all()


@pytest.mark.parametrize("wins", [3, 6, 8, 30, 200])
def test_a_record_without_a_loss_is_the_sign_test(wins):
    counts = ratings.count_pairs(["a"] * wins, ["b"] * wins, ["model_a"] * wins)
    expected = binomtest(wins, wins).pvalue < 0.05
    for prior in (0.0, ratings.PRIOR):
        fit = ratings.bradley_terry(counts, prior=prior)
        assert ratings.better_beyond_doubt(fit, counts=counts)[0, 1] == expected
        rows = ratings.leaderboard(counts, fit=fit, minimum_battles=0).rows
        assert [row.rank for row in rows] == ([1, 2] if expected else [1, 1])


def test_the_undefeated_and_the_winless_model_are_ranked_without_a_prior():
    columns = (
        ["best"] * 40 + ["x"] * 40 + ["x", "y"] * 20,
        ["x"] * 40 + ["worst"] * 40 + ["y", "x"] * 20,
        ["model_a"] * 120,
    )
    board = ratings.leaderboard(*columns, fit=ratings.bradley_terry(*columns), minimum_battles=0)
    places = {row.model: (row.rank_low, row.rank_high) for row in board.rows}
    assert places == {"best": (1, 1), "x": (2, 3), "y": (2, 3), "worst": (4, 4)}
    fit = ratings.bradley_terry(*columns)
    better = ratings.better_beyond_doubt(fit, counts=ratings.count_pairs(*columns))
    best, worst = fit.index("best"), fit.index("worst")
    assert better[best].sum() == 3
    assert better[:, worst].sum() == 3


@pytest.mark.parametrize("seed", range(8))
def test_record_p_values_are_those_of_all_outcomes(seed):
    rng = np.random.default_rng(seed)
    xi = rng.normal(size=4)
    battles = np.triu(rng.integers(0, 4, (4, 4)), 1)
    battles = battles + battles.T
    wins = np.triu(rng.binomial(battles, 0.5), 1)
    wins = wins + np.tril((battles - wins.T), -1)
    tested = ~np.eye(4, dtype=bool)
    p_values = record_p_values(wins.astype(float), xi, tested)

    def tail(i: int, strength: float, above: bool) -> float:
        chances = [expit(strength - xi[k]) for k in range(4) for _ in range(battles[i, k])]
        total = 0.0
        for outcome in product((0, 1), repeat=len(chances)):
            if (sum(outcome) >= wins[i].sum()) if above else (sum(outcome) <= wins[i].sum()):
                total += float(np.prod([c if won else 1 - c for c, won in zip(chances, outcome, strict=True)]))
        return min(1.0, 2 * total)

    for i in range(4):
        for j in range(4):
            if i != j:
                assert p_values[i, j] == pytest.approx(
                    max(tail(i, xi[j], above=True), tail(j, xi[i], above=False))
                )


def test_components_are_ranked_apart():
    fit = ratings.bradley_terry(["a", "b", "x", "y"], ["b", "a", "y", "x"], ["model_a"] * 4)
    ranks = ratings.significance_ranks(fit)
    assert ranks.rank.tolist() == [1] * 4
    assert ranks.high.tolist() == [2] * 4
    assert pairwise_z_scores(fit)[0, 2] == 0


@pytest.mark.parametrize(("models", "published"), [(2, 2.772), (3, 3.314), (10, 4.474), (20, 5.012), (100, 6.085)])
def test_tukey_quantiles_are_those_of_the_tables(models, published):
    # Studentised range, infinite degrees of freedom: Harter, Annals of Mathematical Statistics 31 (1960).
    assert tukey_quantile(models) * np.sqrt(2) == pytest.approx(published, abs=0.002)
