"""Plackett–Luce: Bradley–Terry for two, a maximum of its own likelihood, intervals that hold, and errors by row."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.optimize import minimize

import ratings
from ratings import POINTS_PER_LOGIT

CYCLE = [["x", "y", "z"], ["y", "z", "x"], ["z", "x", "y"]]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def drawn(rng, xi, rankings, among):
    """Rankings of `among` random models each, by sorting their strengths with Gumbel noise."""
    size = len(xi)
    rows = [rng.choice(size, among, replace=False) for _ in range(rankings)]
    return [row[np.argsort(-(xi[row] + rng.gumbel(size=among)))].tolist() for row in rows]


def log_likelihood(xi, ranking):
    """By the definition: the mean over all orders of equals."""
    groups = [place if isinstance(place, list) else [place] for place in ranking]
    orders = [[]]
    for group in groups:
        orders = [[*before, *order] for before in orders for order in permutations(group)]
    terms = [sum(xi[m] - np.logaddexp.reduce(xi[order[k:]]) for k, m in enumerate(order)) for order in orders]
    return float(np.mean(terms))


def test_rankings_of_two_are_battles_of_bradley_terry(rng):
    a = rng.integers(0, 6, 300)
    b = (a + rng.integers(1, 6, 300)) % 6
    winner = rng.choice(["model_a", "model_b", "tie"], 300).tolist()
    weight, who = rng.uniform(0.5, 2, 300), rng.integers(0, 40, 300)
    orders = {"model_a": lambda x, y: [x, y], "model_b": lambda x, y: [y, x], "tie": lambda x, y: [[x, y]]}
    rankings = [orders[won](str(x), str(y)) for x, y, won in zip(a, b, winner, strict=True)]
    for options in ({}, {"prior": 0.25}, {"weight": weight}, {"cluster": who}, {"cluster": who, "prior": 1.0}):
        found = ratings.plackett_luce(rankings, **options)
        expected = ratings.bradley_terry(a, b, winner, **options)
        assert found.models == expected.models
        np.testing.assert_allclose(found.ratings, expected.ratings, atol=1e-6)
        np.testing.assert_allclose(found.covariance, expected.covariance, atol=1e-5)


def test_the_estimate_is_the_maximum_that_a_general_optimiser_finds(rng):
    rankings = (
        drawn(rng, rng.normal(0, 1, 5), 40, 4) + [[0, [1, 2], 3], [[3, 4, 0]], [4, [2, 1, 0, 3]], [2, 4]] * 3
    )
    found = ratings.plackett_luce(rankings, models=range(5), prior=0.1)

    def loss(xi):
        return 0.05 * xi @ xi - sum(log_likelihood(xi, ranking) for ranking in rankings)

    best = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose((found.ratings - 1000) / POINTS_PER_LOGIT, best.x, atol=1e-5)


def test_a_cycle_leaves_all_equal():
    found = ratings.plackett_luce(CYCLE)
    np.testing.assert_allclose(found.ratings, 1000)
    assert found.battles == 3


@pytest.mark.parametrize("prior", [0.0, 0.25])
def test_intervals_contain_the_truth(prior):
    rng = np.random.default_rng(3)
    hits = []
    for _ in range(120):
        xi = rng.normal(0, 0.7, 8)
        found = ratings.plackett_luce(drawn(rng, xi, 150, 4), models=range(8), prior=prior)
        lower, upper = found.interval()
        truth = 1000 + POINTS_PER_LOGIT * (xi - xi.mean())
        hits.append((lower <= truth) & (truth <= upper))
    assert 0.93 < np.mean(hits) < 0.97


def test_one_judges_rankings_of_one_prompt_belong_together(rng):
    """The same rankings four times over are no more evidence."""
    rankings = drawn(rng, np.zeros(5), 60, 3)
    once = ratings.plackett_luce(rankings, models=range(5), cluster=range(60))
    often = ratings.plackett_luce(rankings * 4, models=range(5), cluster=list(range(60)) * 4)
    np.testing.assert_allclose(often.covariance, once.covariance, rtol=1e-6, atol=1e-6)
    alone = ratings.plackett_luce(rankings * 4, models=range(5))
    np.testing.assert_allclose(alone.standard_errors, once.standard_errors / 2, rtol=0.02)


def test_an_undefeated_model_has_a_limit_at_which_its_record_has_a_chance_of_one_in_forty():
    found = ratings.plackett_luce([["w", *ranking] for ranking in CYCLE] + [[*ranking, "v"] for ranking in CYCLE])
    assert found.rating("w") == np.inf
    assert found.rating("v") == -np.inf
    lower, upper = found.interval()
    xi = (lower[found.index("w")] - 1000) / POINTS_PER_LOGIT  # first of four three times, the others at 0
    assert (np.exp(xi) / (np.exp(xi) + 3)) ** 3 == pytest.approx(0.025)
    xi = (upper[found.index("v")] - 1000) / POINTS_PER_LOGIT
    behind_two_then_one = [3 / (3 + np.exp(xi)), 2 / (2 + np.exp(xi)), 1 / (1 + np.exp(xi))]
    assert np.prod(behind_two_then_one) ** 3 == pytest.approx(0.025)
    np.testing.assert_allclose([found.rating(m) for m in "xyz"], 1000)


def test_components_are_rated_apart_and_a_prior_joins_them():
    rankings = [["x", "y"], ["y", "x"], ["x", "y"], ["p", "q"], ["q", "p"]]
    apart = ratings.plackett_luce(rankings)
    assert apart.components == (("p", "q"), ("x", "y"))
    assert np.isnan(apart.difference("x", "p")[0])
    assert ratings.plackett_luce(rankings, prior=0.25).joined


def test_rankings_across_components_rate_within_each(rng):
    """Strong ones always stand before weak ones: within each group the fit is that of its own rankings."""
    strong, weak = drawn(rng, rng.normal(0, 1, 3), 50, 3), drawn(rng, rng.normal(0, 1, 3), 50, 3)
    both = [[*s, *[m + 3 for m in w]] for s, w in zip(strong, weak, strict=True)]
    found = ratings.plackett_luce(both, models=range(6))
    for alone, first in ((strong, 0), (weak, 3)):
        expected = ratings.plackett_luce(alone, models=range(3))
        np.testing.assert_allclose(found.ratings[first : first + 3], expected.ratings, atol=1e-6)
        np.testing.assert_allclose(found.standard_errors[first : first + 3], expected.standard_errors, atol=1e-6)


@pytest.mark.parametrize(
    ("rankings", "options", "error", "message"),
    [
        ([], {}, ratings.NoBattles, "no rankings"),
        (["xyz"], {}, ratings.BadOption, "row 0: 'xyz' is no ranking"),
        ([["x", "y"], ["x"]], {}, ratings.BadOption, "row 1: a ranking of one model"),
        ([["x", "y"], ["x", ["y", "x"]]], {}, ratings.SelfBattle, "row 1: the ranking has 'x' twice"),
        ([["x", None]], {}, ratings.MissingValue, "row 0: a place of the ranking has no model"),
        ([["x", []]], {}, ratings.MissingValue, "row 0: a place"),
        ([["x", "y"]], {"models": ["x"]}, ratings.UnknownModel, "row 0: 'y' is not among the 1 models"),
        (
            [["x", [f"m{k}" for k in range(11)]]],
            {},
            ratings.BadOption,
            "row 0: 11 models share a place. At most 10",
        ),
        (CYCLE, {"prior": -1.0}, ratings.BadOption, "out of range"),
        (CYCLE, {"weight": [1.0]}, ratings.LengthMismatch, "weights of shape"),
        (CYCLE, {"cluster": ["p", "p", "p"]}, ratings.BadOption, "same cluster"),
    ],
)
def test_bad_rankings_name_the_row_and_say_what_to_do(rankings, options, error, message):
    with pytest.raises(error, match=message):
        ratings.plackett_luce(rankings, **options)
