"""Intervals of bounded means stay within the scale and hold the mean."""

from __future__ import annotations

import numpy as np
import pytest

from judges.intervals import bounded_interval


@pytest.mark.parametrize(
    ("values", "low", "high"), [([100, 90, 95, 100], 0, 100), ([10] * 5, 1, 10), ([1, 1, 2], 1, 10)]
)
def test_no_end_leaves_the_scale(values, low, high):
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1) / len(values) ** 0.5)
    lower, upper = bounded_interval(mean, error, len(values), low, high)
    assert low <= lower < upper <= high
    assert lower <= mean <= upper


def test_the_interval_is_wilsons_for_wins_and_losses():
    """Newcombe, Stat. Med. 17 (1998), table I: 81 of 263 gives .2553 to .3662."""
    p = 81 / 263
    lower, upper = bounded_interval(p, (p * (1 - p) / 263) ** 0.5, 263, 0, 1)
    assert (round(lower, 4), round(upper, 4)) == (0.2553, 0.3662)


def test_soft_preferences_keep_their_smaller_error():
    lower, upper = bounded_interval(0.6, 0.001, 50, 0, 1)
    assert upper - lower == pytest.approx(2 * 1.96 * 0.001, rel=0.01)


def test_about_nineteen_of_twenty_intervals_of_a_win_rate_of_95_hold_it():
    draw = np.random.default_rng(5)
    held = 0
    for _ in range(1000):
        values = draw.random(30) < 0.95
        error = float(values.std(ddof=1) / 30**0.5)
        lower, upper = bounded_interval(float(values.mean()), error, 30, 0, 1)
        held += lower <= 0.95 <= upper
    assert 0.92 < held / 1000 < 0.99


def test_one_value_has_no_interval():
    assert bounded_interval(0.5, None, 1, 0, 1) == (None, None)
