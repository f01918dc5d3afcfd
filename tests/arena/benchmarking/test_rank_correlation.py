"""The rank correlation of scores with ratings: an interval that holds for few models."""

from __future__ import annotations

from itertools import permutations
from math import asin, pi, sqrt

import numpy as np
import pytest
from scipy.stats import spearmanr

from arena.benchmarking.rank_correlation import correlation


def test_the_value_is_spearmans():
    found = correlation([1, 2, 3, 4, 5, 6], [10, 30, 20, 50, 40, 60])
    assert found.value == pytest.approx(spearmanr([1, 2, 3, 4, 5, 6], [10, 30, 20, 50, 40, 60]).statistic)
    assert found.lower < found.value < found.upper < 1
    assert found.models == 6


@pytest.mark.parametrize("scores", [[1, 2, 3], [5, 5, 5, 5, 5]])
def test_too_few_models_or_equal_scores_have_no_correlation(scores):
    assert correlation(scores, list(range(len(scores)))) is None


@pytest.mark.parametrize("models", [4, 6, 10, 30])
def test_ranks_that_agree_perfectly_have_an_interval(models):
    found = correlation(range(models), range(models))
    assert (found.value, found.upper) == (1.0, 1.0)
    assert found.lower < {4: 0.1, 6: 0.7, 10: 0.97, 30: 1}[models]
    mirrored = correlation(range(models), range(models)[::-1])
    assert (mirrored.value, mirrored.lower) == (-1.0, -1.0)
    assert mirrored.upper == -found.lower


def test_an_interval_holds_zero_where_a_permutation_test_does_not_refuse_it():
    ranks = range(5)
    for order in permutations(ranks):
        rho = correlation(ranks, order).value
        as_high = [spearmanr(ranks, other).statistic >= rho - 1e-9 for other in permutations(ranks)]
        p = np.mean(as_high)
        if rho > 0 and abs(p - 0.025) > 0.01:  # the simulation of the tails errs by less
            assert (correlation(ranks, order).lower > 0) == (p < 0.025)


@pytest.mark.parametrize(("models", "r"), [(4, 0.5), (4, 0.8), (4, 0.955), (6, 0.8), (10, 0.6)])
def test_19_of_20_intervals_hold_the_population_value(models, r):
    rng = np.random.default_rng(models)
    x, noise = rng.standard_normal((2, 1000, models))
    y = r * x + sqrt(1 - r * r) * noise
    truth = 6 / pi * asin(r / 2)
    found = [correlation(a, b) for a, b in zip(x, y, strict=True)]
    covered = np.mean([rho.lower <= truth <= rho.upper for rho in found])
    assert covered > 0.95 - 3 * sqrt(0.95 * 0.05 / 1000)


def test_errors_of_scores_and_ratings_are_in_the_interval():
    rng = np.random.default_rng(0)
    r, error, covered, without = 0.9, 0.7, 0, 0
    for _ in range(400):
        x = rng.standard_normal(12)
        y = r * x + sqrt(1 - r * r) * rng.standard_normal(12)
        scores, ratings = x + error * rng.standard_normal(12), y + error * rng.standard_normal(12)
        truth = 6 / pi * asin(r / 2)
        rho = correlation(scores, ratings, [error] * 12, [error] * 12)
        covered += rho.lower <= truth <= rho.upper
        rho = correlation(scores, ratings)
        without += rho.lower <= truth <= rho.upper
    assert covered >= 0.95 * 400 - 3 * sqrt(0.05 * 0.95 * 400)
    assert without < 0.8 * 400
