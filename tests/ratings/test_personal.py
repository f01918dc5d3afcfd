"""Personal ratings: against an integral by brute force, their limits, and a planted taste."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_expit

import ratings
from ratings import POINTS_PER_LOGIT
from ratings.models import personal as pooling

CROWD_VOTES = (
    ["a", "b", "a", "c", "b", "c", "a", "b", "c", "a"],
    ["b", "c", "c", "a", "a", "b", "b", "c", "a", "c"],
    ["model_a", "model_a", "tie", "model_b", "model_b", "model_a", "model_a", "both_bad", "model_b", "model_a"],
)
OWN = (["a", "b", "c", "a"], ["b", "c", "a", "c"], ["model_b", "model_a", "tie", "model_b"])


@pytest.fixture
def crowd():
    return ratings.bradley_terry(*CROWD_VOTES, prior=ratings.PRIOR)


def integrated(crowd, tau_grid, draws=400_000, seed=3):
    """E[d] and sd[d] by drawing xi, d and tau from their priors and weighting with the likelihood of the votes."""
    rng = np.random.default_rng(seed)
    weight_of_tau = tau_grid * np.exp(-((tau_grid / pooling.TASTE) ** 2) / 2)  # even in log tau
    tau = rng.choice(tau_grid, draws, p=weight_of_tau / weight_of_tau.sum())
    centre = (crowd.ratings - crowd.ratings.mean()) / POINTS_PER_LOGIT
    values, vectors = np.linalg.eigh(crowd.covariance / POINTS_PER_LOGIT**2)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    xi = centre + rng.standard_normal((draws, 3)) @ root.T
    d = tau[:, None] * rng.standard_normal((draws, 3))
    theta = xi + d
    log_likelihood = np.zeros(draws)
    for a, b, winner in zip(*OWN, strict=True):
        lead = theta[:, crowd.index(a)] - theta[:, crowd.index(b)]
        y = {"model_a": 1.0, "model_b": 0.0}.get(winner, 0.5)
        log_likelihood += y * log_expit(lead) + (1 - y) * log_expit(-lead)
    weight = np.exp(log_likelihood)
    weight /= weight.sum()
    d = POINTS_PER_LOGIT * (d - d.mean(axis=1, keepdims=True))
    mean = weight @ d
    return mean, np.sqrt(weight @ (d - mean) ** 2)


def test_the_differences_are_those_of_an_integral_by_brute_force(crowd, monkeypatch):
    monkeypatch.setattr(pooling, "TAUS", np.geomspace(0.1, 1.0, 7))
    fit = ratings.personal(*OWN, crowd)
    mean, error = integrated(crowd, pooling.TAUS)
    assert fit.difference == pytest.approx(mean, abs=3)
    assert fit.difference_errors == pytest.approx(error, rel=0.05)


def test_for_one_tau_the_mode_is_where_the_penalised_likelihood_is_highest(crowd):
    votes = pooling._Votes(
        pooling.score_matrix(ratings.count_pairs(*OWN)),
        (crowd.ratings - crowd.ratings.mean()) / POINTS_PER_LOGIT,
        crowd.covariance / POINTS_PER_LOGIT**2,
    )
    best = votes.posterior(0.7).theta
    precision = np.linalg.inv(votes.covariance + 0.49 * np.eye(3))

    def height(theta):
        away = theta - votes.crowd
        return (votes.scores * log_expit(theta[:, None] - theta)).sum() - away @ precision @ away / 2

    rng = np.random.default_rng(0)
    assert all(height(best) > height(best + 1e-3 * rng.standard_normal(3)) for _ in range(200))


def test_without_taste_the_ratings_are_the_crowds(crowd, monkeypatch):
    monkeypatch.setattr(pooling, "TAUS", np.array([1e-4]))
    fit = ratings.personal(*OWN, crowd)
    assert fit.difference == pytest.approx(np.zeros(3), abs=0.01)


def test_many_votes_overrule_the_crowd(crowd):
    for_b = (["a"] * 400, ["b"] * 400, ["model_b"] * 380 + ["model_a"] * 20)
    fit = ratings.personal(*for_b, crowd)
    lead = fit.ratings[1] - fit.ratings[0]
    assert lead == pytest.approx(POINTS_PER_LOGIT * np.log(19), rel=0.1)


def test_swapping_the_sides_changes_nothing(crowd):
    mirrored = [{"model_a": "model_b", "model_b": "model_a"}.get(winner, winner) for winner in OWN[2]]
    fit, other = ratings.personal(*OWN, crowd), ratings.personal(OWN[1], OWN[0], mirrored, crowd)
    assert fit.ratings == pytest.approx(other.ratings)
    assert fit.difference_errors == pytest.approx(other.difference_errors)


def test_agreeing_votes_give_no_evidence_of_a_difference():
    rng = np.random.default_rng(1)
    names, xi = [f"m{m}" for m in range(6)], np.linspace(-0.8, 0.8, 6)

    def votes(size):
        a = rng.integers(0, 6, size)
        b = (a + rng.integers(1, 6, size)) % 6
        outcome = ratings.simulation.simulate_outcomes(xi[a] - xi[b], rng)
        return [names[m] for m in a], [names[m] for m in b], outcome

    crowd = ratings.bradley_terry(*votes(3000), prior=ratings.PRIOR)
    assert ratings.personal(*votes(100), crowd).evidence.max() < 1.96


def test_a_strong_taste_is_found_with_its_sign_and_held_by_its_interval():
    rng = np.random.default_rng(2)
    names, xi = [f"m{m}" for m in range(6)], np.linspace(-0.5, 0.5, 6)
    own = xi + np.array([2.0, 0, 0, 0, 0, -2.0])

    def votes(strength, size):
        a = rng.integers(0, 6, size)
        b = (a + rng.integers(1, 6, size)) % 6
        outcome = ratings.simulation.simulate_outcomes(strength[a] - strength[b], rng)
        return [names[m] for m in a], [names[m] for m in b], outcome

    crowd = ratings.bradley_terry(*votes(xi, 3000), prior=ratings.PRIOR)
    fit = ratings.personal(*votes(own, 300), crowd)
    lower, upper = fit.interval()
    assert lower[0] > 0 > upper[5]
    truth = POINTS_PER_LOGIT * (own - xi)
    assert ((lower <= truth) & (truth <= upper)).all()
    assert fit.votes.sum() == 600


def test_a_model_that_the_crowd_does_not_know_is_an_error(crowd):
    with pytest.raises(ratings.UnknownModel, match="'z'"):
        ratings.personal(["a"], ["z"], ["tie"], crowd)


def test_a_crowd_without_finite_ratings_is_an_error(crowd):
    broken = replace(crowd, ratings=np.array([np.inf, 0.0, 0.0]))
    with pytest.raises(ratings.BadOption, match="Rate the crowd with a prior"):
        ratings.personal(*OWN, broken)


def test_it_prints_the_strongest_difference_first(crowd):
    lines = str(ratings.personal(*OWN, crowd)).splitlines()
    assert lines[0].startswith("personal ratings from 4 votes")
    assert len(lines) == 4
