import numpy as np
import pytest

import ratings
from ratings import pair_sampling
from ratings.tools.simulation import race, simulate_outcomes
from tests.support.boards import simulated

COUNTS = ratings.count_pairs(*simulated(models=6, battles=600), models=[*(f"m{m}" for m in range(6)), "new"])
POLICIES = [pair_sampling.uniform, pair_sampling.active, pair_sampling.informative]
NEW = 6


@pytest.mark.parametrize("policy", POLICIES)
def test_every_pair_keeps_a_chance_and_they_add_up_to_one(policy):
    p = policy(COUNTS)
    assert p.shape == (7, 7)
    assert p.sum() == pytest.approx(1)
    assert (p[np.triu_indices(7, 1)] > 0).all()
    assert (p[np.tril_indices(7)] == 0).all()


@pytest.mark.parametrize("policy", [pair_sampling.active, pair_sampling.informative])
def test_newcomers_are_asked_about_more(policy):
    p = policy(COUNTS)
    p = p + p.T
    assert p[NEW].sum() > 1.5 * p[0].sum()


def test_active_sampling_is_the_formula():
    p = pair_sampling.active(COUNTS, floor=1e-12)
    fit = ratings.bradley_terry(COUNTS, prior=ratings.PRIOR)
    gains = np.zeros((7, 7))
    for i in range(7):
        for j in range(i + 1, 7):
            chance = fit.probability(fit.models[i], fit.models[j])
            n = max(COUNTS.table[((COUNTS.model_a == i) & (COUNTS.model_b == j))
                                 | ((COUNTS.model_a == j) & (COUNTS.model_b == i))].sum(), 1)  # fmt: skip
            spread = chance * (1 - chance)
            gains[i, j] = np.sqrt(spread / n) - np.sqrt(spread / (n + 1))
    np.testing.assert_allclose(p, gains / gains.sum(), atol=1e-9)


def test_the_informative_pair_narrows_ratings_by_what_it_says():
    size, pair = 4, (0, 3)
    columns = simulated(models=4, battles=200)
    counts = ratings.count_pairs(*columns)
    xi = (ratings.bradley_terry(counts, prior=0.25).ratings - 1000) / ratings.POINTS_PER_LOGIT
    p = 1 / (1 + np.exp(xi[None, :] - xi[:, None]))
    met = counts.matrix(counts.table.sum(axis=1))
    w = (met + met.T) * p * p.T

    def trace(weights):
        return np.trace(np.linalg.inv(np.diag(weights.sum(axis=1)) - weights + 0.25 * np.eye(size)))

    more = w.copy()
    more[pair] += p[pair] * p.T[pair]
    more[pair[::-1]] = more[pair]
    v = np.linalg.inv(np.diag(w.sum(axis=1)) - w + 0.25 * np.eye(size))
    x = np.zeros(size)
    x[[*pair]] = 1, -1
    one = p[pair] * p.T[pair]
    assert trace(w) - trace(more) == pytest.approx(one * ((v @ x) ** 2).sum() / (1 + one * (x @ v @ x)))


def test_pairs_are_drawn_as_often_as_asked_and_on_both_sides():
    p = pair_sampling.informative(COUNTS)
    a, b = pair_sampling.draw_pairs(p, 100_000, np.random.default_rng(0))
    seen = np.bincount(np.minimum(a, b) * 7 + np.maximum(a, b), minlength=49).reshape(7, 7) / 100_000
    np.testing.assert_allclose(seen, p, atol=0.005)
    assert np.mean(a < b) == pytest.approx(0.5, abs=0.01)


def test_what_sampling_refuses():
    alone = ratings.PairCounts(("a",), *[np.zeros(0, dtype=int)] * 6)
    with pytest.raises(ratings.BadOption, match="1 models make no pair"):
        pair_sampling.uniform(alone)
    with pytest.raises(ratings.BadOption, match=r"floor 0 is out of range. Give a share above 0"):
        pair_sampling.active(COUNTS, floor=0)


def test_a_simulated_tie_comes_as_often_as_asked():
    codes = simulate_outcomes(np.full(50_000, 0.5), np.random.default_rng(0), ties=0.3)
    assert np.mean(codes == 2) == pytest.approx(0.3, abs=0.01)
    assert np.mean(codes[codes < 2] == 0) == pytest.approx(1 / (1 + np.exp(-0.5)), abs=0.01)


@pytest.mark.slow
def test_asking_the_informative_pair_saves_votes_when_newcomers_join():
    policies = {"uniform": pair_sampling.uniform, "informative": pair_sampling.informative}
    result = race(policies, models=15, newcomers=2, established=5000, votes=1000, batch=100, runs=6)
    assert result.error[0, -1] < result.error[0, 0]
    assert result.saved("informative", "uniform") > 0.3
    assert result.needed("uniform", result.error[0, -1]) == pytest.approx(1000, rel=0.2)
    assert np.isnan(result.needed("uniform", 0.001))
