"""A tie parameter that depends on the strength of a pair is found, and changes no rating where it does not."""

from __future__ import annotations

import numpy as np
import pytest

import ratings
from ratings import POINTS_PER_LOGIT
from ratings.models.ties import _by_strength

MODELS = 8
XI = np.linspace(-1.5, 1.5, MODELS)


def chances(a, b, log_nu, by_mean, by_gap):
    mean, gap = (XI[a] + XI[b]) / 2, XI[a] - XI[b]
    utility = np.stack([XI[a], XI[b], log_nu + (1 + by_mean) * mean + by_gap * gap**2], axis=1)
    p = np.exp(utility - utility.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def drawn(seed, each, *nu):
    rng = np.random.default_rng(seed)
    a, b = np.array([(i, j) for i in range(MODELS) for j in range(MODELS) if i != j]).T
    table = np.array([rng.multinomial(each, p) for p in chances(a, b, *nu)])
    names = tuple(f"m{k}" for k in range(MODELS))
    return ratings.PairCounts(names, a, b, *table.T, np.zeros(len(a), dtype=int))


def values(fit):
    return {row.name: row.value for row in fit.coefficients}


def test_planted_parameters_are_found():
    planted = (-0.5, 0.8, -0.3)
    inside = []
    for seed in range(30):
        fit = ratings.davidson(drawn(seed, 60, *planted), by_strength=True)
        truth = dict(zip(("log nu", "nu by strength", "nu by gap"), planted, strict=True))
        lower, upper = fit.interval()
        truths = 1000 + POINTS_PER_LOGIT * XI
        inside.append([
            *(row.lower <= truth[row.name] <= row.upper for row in fit.coefficients),
            *((lower <= truths) & (truths <= upper)),
        ])  # fmt: skip
    assert np.mean(inside, axis=0)[:3] == pytest.approx(0.95, abs=0.13)
    assert np.mean(inside) > 0.92
    large = values(ratings.davidson(drawn(99, 20_000, *planted), by_strength=True))
    assert list(large.values()) == pytest.approx(planted, abs=0.03)


def test_davidson_is_biased_where_strong_models_tie_more_and_this_is_not():
    counts = drawn(3, 20_000, 0.0, 1.0, 0.0)
    plain, fitted = ratings.davidson(counts), ratings.davidson(counts, by_strength=True)
    truth = 1000 + POINTS_PER_LOGIT * XI
    assert np.abs(fitted.ratings - truth).max() < 8
    assert np.abs(plain.ratings - truth).max() > 25


def test_where_ties_do_not_depend_on_strength_the_ratings_are_davidsons():
    counts = drawn(4, 400, -0.5, 0.0, 0.0)
    plain, fitted = ratings.davidson(counts), ratings.davidson(counts, by_strength=True)
    assert np.abs(fitted.ratings - plain.ratings).max() < plain.standard_errors.max()
    assert abs(values(fitted)["nu by strength"]) < 0.1


def test_the_gradient_is_that_of_the_likelihood():
    at = np.array([0.3, -0.4, -0.2, 0.5, 0.1])

    def likelihood(x):
        return _by_strength(x[:1], x[1:2], x[2:])

    for k in range(5):
        step = np.zeros(5)
        step[k] = 1e-6
        slope = (likelihood(at + step).log_likelihood - likelihood(at - step).log_likelihood) / 2e-6
        assert likelihood(at).gradient[:, :, k] == pytest.approx(slope, abs=1e-6)


def test_clusters_widen_its_intervals():
    counts = drawn(5, 30, -0.5, 0.5, 0.0)
    rows = [(a, b, o) for a, b, *n in zip(counts.model_a, counts.model_b, *counts.table.T, strict=True)
            for o, many in enumerate(n) for _ in range(int(many))]  # fmt: skip
    a, b, outcome = np.array(rows).T
    votes = ratings.ClusteredVotes(counts.models, a, b, outcome, {"voters": np.arange(len(a)) // 100})
    fit = ratings.davidson(counts, by_strength=True, prior=ratings.PRIOR, clusters=votes)
    assert fit.parameters["by_strength"] is True
    assert fit.design_effect.min() >= 1
    assert fit.degrees.max() < 20


def test_it_is_not_combined_with_an_outside_option():
    with pytest.raises(ratings.BadOption, match="outside and by_strength are not combined"):
        ratings.davidson(drawn(6, 10, -0.5, 0, 0), by_strength=True, outside=True)


def test_two_models_do_not_tell_how_ties_depend_on_strength():
    votes = ["model_a", "model_b", "tie", "model_a"]
    with pytest.raises(ratings.BadOption, match="at least three pairs of models"):
        ratings.davidson(["a", "a", "b", "a"], ["b", "b", "a", "b"], votes, prior=0.25, by_strength=True)
