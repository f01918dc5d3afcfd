"""A short run of what reproduce/coverage.py measures at length: 95 % intervals hold the truth 93 to 97 % of times."""

import numpy as np
import pytest
from scipy.special import expit

import ratings
from ratings import POINTS_PER_LOGIT
from ratings.models.bradley_terry import maximise_likelihood

MODELS = 12


def board(rng, clusters, size, taste):
    """True ratings, and votes of clusters that share a normal taste of sd `taste` for each model."""
    xi = rng.normal(0, 0.6, MODELS)
    a = rng.integers(0, MODELS, clusters * size)
    b = (a + rng.integers(1, MODELS, len(a))) % MODELS
    group = np.repeat(np.arange(clusters), size)
    own = rng.normal(0, taste, (clusters, MODELS))
    won = rng.random(len(a)) < expit(xi[a] - xi[b] + own[group, a] - own[group, b])
    nodes, weights = np.polynomial.hermite_e.hermegauss(30)
    expected = expit((xi[:, None] - xi)[:, :, None] + taste * np.sqrt(2) * nodes) @ weights / weights.sum()
    np.fill_diagonal(expected, 0.0)
    return (
        1000 + POINTS_PER_LOGIT * maximise_likelihood(expected),
        (a, b, np.where(won, 0, 1).astype(np.uint8)),
        group,
    )


def covered(clusters, size, taste, by_cluster, runs=150):
    held = []
    for run in range(runs):
        truth, columns, group = board(np.random.default_rng([7, run]), clusters, size, taste)
        lower, upper = ratings.bradley_terry(*columns, cluster=group if by_cluster else None).interval()
        held.append((lower <= truth) & (truth <= upper))
    return np.mean(held)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clusters", "size", "taste", "by_cluster"),
    [(2000, 1, 0.0, False), (100, 30, 0.7, True), (80, 80, 0.7, True)],
    ids=["independent votes", "voters", "prompts"],
)
def test_intervals_hold_the_truth_as_often_as_they_say(clusters, size, taste, by_cluster):
    assert 0.93 <= covered(clusters, size, taste, by_cluster) <= 0.97


@pytest.mark.slow
def test_votes_taken_as_independent_when_they_are_not_give_intervals_that_do_not():
    assert covered(80, 80, 0.7, by_cluster=False, runs=60) < 0.92
