"""Abilities of annotators: votes at random count for nothing, votes the wrong way round for the opposite."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

import ratings
from ratings import POINTS_PER_LOGIT
from ratings.models.ability_likelihood import AbilityLikelihood


def drawn(abilities, seed=0, each=60, models=8, spread=0.8):
    rng = np.random.default_rng(seed)
    xi = rng.normal(0, spread, models)
    xi -= xi.mean()
    who = np.repeat(np.arange(len(abilities)), each)
    a = rng.integers(0, models, len(who))
    b = (a + rng.integers(1, models, len(who))) % models
    won = rng.random(len(who)) < expit(np.asarray(abilities)[who] * (xi[a] - xi[b]))
    return xi, (a, b, np.where(won, "model_a", "model_b").tolist(), who)


def error(fit, xi):
    return float(np.sqrt(np.mean(((fit.ratings - 1000) / POINTS_PER_LOGIT - xi) ** 2)))


def test_annotators_at_random_and_against_are_found():
    xi, columns = drawn([1.0] * 40 + [0.0] * 20 + [-1.0] * 8)
    found = ratings.annotator_ability(*columns)
    usual, random, against = found.ability[:40], found.ability[40:60], found.ability[60:]
    assert usual.mean() > 0.65
    assert abs(random.mean()) < 0.3
    assert against.mean() < -0.2
    plain = ratings.bradley_terry(*columns[:3], prior=ratings.PRIOR)
    assert error(found.fit, xi) < error(plain, xi)
    assert np.corrcoef(found.fit.ratings, xi)[0, 1] > np.corrcoef(plain.ratings, xi)[0, 1]
    assert np.std(found.fit.ratings) > 1.5 * np.std(plain.ratings), "random votes do not pull ratings together"


def test_with_annotators_alike_the_ratings_are_those_of_bradley_terry():
    xi, columns = drawn([1.0] * 60)
    found = ratings.annotator_ability(*columns)
    plain = ratings.bradley_terry(*columns[:3], prior=ratings.PRIOR)
    assert np.corrcoef(found.fit.ratings, plain.ratings)[0, 1] > 0.995
    assert error(found.fit, xi) < error(plain, xi) + 0.05


def test_the_estimate_is_a_maximum():
    _, columns = drawn([1.0, 0.5, -0.5, 2.0] * 3, each=20)
    found = ratings.annotator_ability(*columns)
    a, b, winner, who = columns
    score = np.array([1.0 if won == "model_a" else 0.0 for won in winner])
    votes = AbilityLikelihood(a, b, who, score, 8, ratings.PRIOR)
    xi = (found.fit.ratings - 1000) / POINTS_PER_LOGIT
    best = votes.value(xi, found.ability)
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert votes.value(xi + rng.normal(0, 0.01, 8), found.ability + rng.normal(0, 0.01, 12)) < best + 1e-4


def test_19_of_20_intervals_hold_the_truth():
    held = []
    for seed in range(25):
        xi, columns = drawn([1.0] * 30 + [0.2] * 20, seed=seed, each=40)
        # Abilities are relative to the prior's mean of 1: here the crowd's is 0.68, and ratings shrink by as much.
        fit = ratings.annotator_ability(*columns)
        lower, upper = fit.fit.interval()
        scale = float(fit.ability.mean()) / 0.68
        truth = 1000 + POINTS_PER_LOGIT * xi / scale
        held.append(((lower <= truth) & (truth <= upper)).mean())
    assert np.mean(held) > 0.9


def test_what_abilities_refuse():
    _, columns = drawn([1.0] * 3)
    with pytest.raises(ratings.BadOption, match="abilities need a prior"):
        ratings.annotator_ability(*columns, prior=0)
    with pytest.raises(ratings.BadOption, match="same annotator"):
        ratings.annotator_ability(*columns[:3], ["one"] * len(columns[0]))
    with pytest.raises(ratings.MissingValue, match="row 0: no annotator"):
        ratings.annotator_ability(["a"], ["b"], ["tie"], [None])
    assert "lowest abilities" in str(ratings.annotator_ability(*columns))
