import numpy as np
import pytest

from benchmarks.intervals import bootstrap, mean, wilson
from benchmarks.paired import holm, mcnemar, paired, sign_flip, tie_groups


def test_without_clusters_the_error_is_the_sample_deviation_over_the_root():
    x = np.random.default_rng(0).normal(size=50)
    assert mean(x).standard_error == pytest.approx(x.std(ddof=1) / np.sqrt(50))


def test_copies_of_a_sample_in_one_cluster_tell_nothing_new():
    x = [0.2, 0.4, 0.9, 0.1]
    names = ["a", "b", "c", "d"]
    assert mean(x * 3, names * 3).standard_error == pytest.approx(mean(x, names).standard_error)


def test_wilson_is_the_published_interval():
    # Newcombe 1998, table I: 81 of 263, method 3
    assert wilson(81 / 263, 263, 1.959964) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    low, high = wilson(0.0, 10, 1.959964)
    assert low == 0.0
    assert high > 0.2


def test_bootstrap_of_a_mean_is_near_its_normal_interval():
    x = list(np.random.default_rng(1).normal(size=200))
    drawn, normal = bootstrap(np.mean, x), mean(x)
    assert drawn.standard_error == pytest.approx(normal.standard_error, rel=0.1)


def test_swapping_the_models_swaps_the_sign():
    rng = np.random.default_rng(2)
    x, y = (rng.random(80) < 0.6).astype(float), (rng.random(80) < 0.5).astype(float)
    one, other = paired(x, y), paired(y, x)
    assert one.difference == -other.difference
    assert (one.p, one.test) == (other.p, "mcnemar")
    assert (one.lower, one.upper) == pytest.approx((-other.upper, -other.lower))


def test_mcnemar_is_a_binomial_test_of_the_discordant():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 0) == pytest.approx(2 * 0.5**5)


def test_sign_flips_by_cluster_see_fewer_independent_differences():
    rest = [0.5] * 12
    assert sign_flip(rest) < 0.01
    assert sign_flip(rest, ["a"] * 6 + ["b"] * 6) == pytest.approx(0.5, abs=0.05)


def test_holm_is_monotone_and_at_most_one():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}


def test_models_in_a_tie_group_do_not_differ():
    differ = {("a", "b"): False, ("a", "c"): True, ("b", "c"): False}
    assert tie_groups(["a", "b", "c"], differ) == [["a", "b"], ["b", "c"]]


def test_values_of_different_samples_are_refused():
    with pytest.raises(ValueError, match="the same samples"):
        paired([1.0], [1.0, 0.0])
