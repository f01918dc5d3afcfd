"""Schedules of a load test against the distributions that they are drawn from."""

import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.arrivals import Arrivals, recorded, schedule
from benchmarks.errors import BadOption


@pytest.mark.parametrize("shape", [0.25, 1.0, 4.0])
def test_gaps_are_of_the_gamma_distribution_and_the_schedule_ends_on_time(shape):
    times = schedule(Arrivals(10, shape), 2000, seed=3)
    assert times[-1] == pytest.approx(200)
    assert times == sorted(times)
    assert times == schedule(Arrivals(10, shape), 2000, seed=3)
    assert times != schedule(Arrivals(10, shape), 2000, seed=4)
    gaps = np.diff(times) * 10
    assert stats.kstest(gaps, stats.gamma(shape, scale=1 / shape).cdf).pvalue > 0.01


def test_a_constant_rate_has_equal_gaps():
    np.testing.assert_allclose(schedule(Arrivals(4, math.inf), 8), np.arange(1, 9) / 4)


@pytest.mark.parametrize(("rate", "end"), [(1.0, 9.0), (9.0, 1.0), (5.0, 5.0)])
def test_a_ramp_changes_the_rate_linearly(rate, end):
    times = np.array(schedule(Arrivals(rate, math.inf, end), 5000))
    assert times[-1] == pytest.approx(1000)  # 5 per second on average
    counts, _ = np.histogram(times, bins=10, range=(0, 1000))
    middles = rate + (end - rate) * (np.arange(10) + 0.5) / 10
    np.testing.assert_allclose(counts / 100, middles, atol=0.03)


def test_a_record_keeps_its_gaps_and_may_be_stretched():
    assert recorded([5.0, 7.0, 6.0]) == [0.0, 1.0, 2.0]
    assert recorded([5.0, 7.0, 6.0], rate=1.5) == [0.0, 1.0, 2.0]
    assert recorded([5.0, 7.0, 6.0], rate=3.0) == [0.0, 0.5, 1.0]
    assert recorded([5.0, 5.0], rate=3.0) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Arrivals(0), "rate is 0"),
        (lambda: Arrivals(math.nan), "rate is nan"),
        (lambda: Arrivals(1, 0), "burstiness is 0"),
        (lambda: Arrivals(1, math.nan), "burstiness is nan"),
        (lambda: Arrivals(1, 1, -1), "ramp_to is -1"),
        (lambda: schedule(Arrivals(1), 0), "0 requests are not valid"),
        (lambda: recorded([]), "one finite time for each"),
        (lambda: recorded([math.inf]), "one finite time for each"),
    ],
)
def test_wrong_use_is_named(call, said):
    with pytest.raises(BadOption, match=said):
        call()
