"""Position bias from control battles: the closed form, symmetry, coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit

import ratings


def test_with_many_votes_it_is_the_log_odds_of_the_left_side():
    fit = ratings.position_bias([True] * 6000 + [False] * 4000, [False] * 10000, range(10000))
    assert fit.logits == pytest.approx(math.log(6 / 4), abs=1e-3)
    assert (fit.votes, fit.clusters) == (10000, 10000)
    assert fit.upper - fit.lower == pytest.approx(2 * 1.96 / math.sqrt(10000 * 0.24), rel=0.01)


def test_a_repetition_counts_as_half_the_log_odds():
    fit = ratings.position_bias([True] * 6000 + [False] * 4000, [True] * 10000, range(10000))
    assert fit.logits == pytest.approx(math.log(6 / 4) / 2, abs=1e-3)


def test_exchanging_the_sides_changes_the_sign():
    left, repeated, voter = [True, True, False, True] * 5, [False, True] * 10, [k % 7 for k in range(20)]
    one = ratings.position_bias(left, repeated, voter)
    other = ratings.position_bias([not won for won in left], repeated, voter)
    assert one.logits == pytest.approx(-other.logits)
    assert one.lower == pytest.approx(-other.upper)


def test_votes_on_one_side_alone_give_a_finite_value_and_few_voters_no_interval():
    fit = ratings.position_bias([True] * 10, [False] * 10, [k % 5 for k in range(10)])
    assert math.isfinite(fit.logits)
    assert fit.lower is fit.upper is None
    assert ratings.position_bias([], [], []) is None


def test_what_it_cannot_use_is_refused():
    with pytest.raises(ratings.LengthMismatch, match="repeated 1"):
        ratings.position_bias([True, False], [True], [1, 2])
    with pytest.raises(ratings.BadOption, match="level"):
        ratings.position_bias([True], [True], [1], level=1.0)


@pytest.mark.parametrize(("voters", "bias"), [(25, 0.0), (25, 0.4), (120, 0.4)])
def test_intervals_hold_the_bias_in_95_percent_where_voters_have_biases_of_their_own(voters, bias):
    """Voters differ by 0.5 logits in their bias, and give one to five votes each on battles of any strength."""
    random, held, runs = np.random.default_rng(5), 0, 400
    for _ in range(runs):
        many = random.integers(1, 6, voters)
        voter = np.repeat(np.arange(voters), many)
        own = bias + random.normal(0, 0.5, voters)[voter]
        repeated = random.random(len(voter)) < 0.5
        strength = random.normal(0, 1, len(voter))
        first = random.random(len(voter)) < expit(strength + own)
        second = random.random(len(voter)) < expit(-strength + own)
        once = random.random(len(voter)) < expit(own)
        left = np.where(repeated, first, once)
        kept = ~repeated | (first == second)
        fit = ratings.position_bias(left[kept], repeated[kept], voter[kept])
        held += fit.lower <= bias <= fit.upper
    assert 0.92 <= held / runs <= 0.985
