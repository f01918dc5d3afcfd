import numpy as np
import pytest

import ratings
from ratings import bootstrap, bootstrap_refits, resample
from tests.support.boards import simulated

COLUMNS = simulated(models=6, battles=1500)
COUNTS = ratings.count_pairs(*COLUMNS)
FIT = ratings.bradley_terry(COUNTS)


@pytest.mark.parametrize("draw", ["poisson", "multinomial", "bayesian"])
def test_every_bootstrap_agrees_with_the_sandwich(draw):
    replicates = bootstrap(COUNTS, rounds=600, draw=draw)
    assert np.sqrt(np.diag(replicates.covariance)) == pytest.approx(FIT.standard_errors, rel=0.1)
    low, high = replicates.interval()
    assert high - low == pytest.approx(2 * 1.96 * FIT.standard_errors, rel=0.15)
    assert replicates.fit(FIT).standard_errors == pytest.approx(np.sqrt(np.diag(replicates.covariance)))
    assert replicates.fit(FIT).parameters["covariance"] == f"{draw} bootstrap, 600 rounds"


@pytest.mark.parametrize("prior", [0.0, 0.25])
def test_rounds_solved_together_are_those_solved_one_by_one(prior):
    sided = ratings.PairCounts(  # one row an unordered pair, so that both draw the same numbers
        ("a", "b", "c"), *(np.array(v) for v in ([0, 0, 1], [1, 2, 2], [60, 40, 30], [30, 50, 40], [9, 8, 7]))
        , np.zeros(3, dtype=int)
    )  # fmt: skip
    together = bootstrap(sided, rounds=5, prior=prior, draw="poisson", seed=3).ratings
    samples = []
    rng = np.random.default_rng(3)
    drawn = rng.poisson(sided.table[:, :3].ravel(), (5, 9)).reshape(5, 3, 3)
    for won, lost, tied in drawn.transpose(0, 2, 1):
        board = ratings.PairCounts(
            sided.models, sided.model_a, sided.model_b, won, lost, tied, np.zeros(3, dtype=int)
        )
        samples.append(ratings.bradley_terry(board, prior=prior).ratings)
    np.testing.assert_allclose(together, samples, atol=1e-3)


@pytest.mark.slow
def test_any_method_can_be_resampled():
    replicates = bootstrap_refits(ratings.davidson, COUNTS, rounds=60)
    fit = ratings.davidson(COUNTS)
    assert np.sqrt(np.diag(replicates.covariance)) == pytest.approx(fit.standard_errors, rel=0.35)


def test_the_same_seed_gives_the_same_bits():
    one, two, other = (bootstrap(COUNTS, rounds=20, seed=s).ratings for s in (1, 1, 2))
    assert (one == two).all()
    assert (one != other).any()


def test_resampled_weights_keep_their_mean():
    weighted = ratings.count_pairs(*COLUMNS, weight=[2.0] * 1500)
    for sample in resample(weighted, 2):
        assert sample.weighted == pytest.approx(2 * sample.table)
        assert sample.weighted_squares == pytest.approx(4 * sample.table)


def test_what_the_bootstrap_refuses():
    with pytest.raises(ratings.BadOption, match=r"1 rounds are too few. Give at least two"):
        bootstrap(COUNTS, rounds=1)
    with pytest.raises(ratings.BadOption, match=r"draw 'jackknife' is unknown. Expected poisson"):
        bootstrap(COUNTS, draw="jackknife")
    with pytest.raises(ratings.Disconnected, match="Give a prior"):
        bootstrap(["a"], ["b"], ["model_a"])
    with pytest.raises(ratings.Disconnected, match="a round of the bootstrap has no finite ratings"):
        bootstrap(["a", "b"], ["b", "a"], ["model_a", "model_a"])
    assert np.isfinite(bootstrap(["a"], ["b"], ["model_a"], prior=0.25).ratings).all()
    with pytest.raises(ratings.BadOption, match="level 2"):
        bootstrap(COUNTS).interval(2)


def test_simultaneous_intervals_are_wider_and_deterministic():
    low, high = ratings.simultaneous_intervals(FIT)
    one_low, one_high = FIT.interval()
    assert (low < one_low).all()
    assert (high > one_high).all()
    assert ratings.simultaneous_intervals(FIT)[0].tolist() == low.tolist()


def test_simultaneous_intervals_of_two_models_are_their_own():
    fit = ratings.bradley_terry(["a"] * 3, ["b"] * 3, ["model_a", "model_a", "model_b"])
    low, _ = ratings.simultaneous_intervals(fit, draws=200_000)
    assert low == pytest.approx(fit.interval()[0], abs=1.0)


def test_simultaneous_intervals_need_finite_ratings():
    with pytest.raises(ratings.BadOption, match="Rate with a prior"):
        ratings.simultaneous_intervals(ratings.bradley_terry(["a"], ["b"], ["model_a"]))
    with pytest.raises(ratings.BadOption, match="level 0"):
        ratings.simultaneous_intervals(FIT, level=0)


def test_inverse_probability_weights_make_pairs_count_alike():
    weighted = ratings.inverse_probability_weights(COUNTS, least=1)
    met = weighted.matrix(weighted.weighted.sum(axis=1))
    pairs = (met + met.T)[np.triu_indices(6, 1)]
    assert pairs == pytest.approx(pairs[0])
    assert weighted.table.tolist() == COUNTS.table.tolist()
    fit = ratings.bradley_terry(weighted)
    assert fit.ratings == pytest.approx(FIT.ratings, abs=30)
    assert fit.standard_errors == pytest.approx(FIT.standard_errors, rel=0.3)
    with pytest.raises(ratings.BadOption, match="least 0"):
        ratings.inverse_probability_weights(COUNTS, least=0)
