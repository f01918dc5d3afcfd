"""The slope of a judge beside people: planted slopes come back, with intervals that hold, also where none is known."""

import math

import numpy as np
import pytest

import ratings
from ratings import CENTRE, POINTS_PER_LOGIT

MODELS = tuple("abcdefghij")
SLOPES = (-0.5, 0.3, 1.0, 2.5)


def fit_of(xi, error, rng, prior=0.0):
    """A fit that found `xi` with independent errors, in logits, and shrinks it as a prior does."""
    found = xi + rng.normal(0, error, len(xi))
    kept = 1 / (1 + prior * error**2)
    covariance = np.eye(len(xi)) * error**2 * kept * POINTS_PER_LOGIT**2
    centred = CENTRE + POINTS_PER_LOGIT * kept * (found - found.mean())
    component = np.zeros(len(xi), dtype=np.int64)
    return ratings.Fit(MODELS[: len(xi)], centred, covariance, component, "davidson", {"prior": prior}, 1000)


def drawn(slope, rng, *, error=0.1, taste=0.0, prior=0.0):
    xi = rng.normal(0, 0.6, len(MODELS))
    judge = slope * xi + rng.normal(0, taste, len(MODELS))
    return fit_of(xi, error, rng, prior), fit_of(judge, 0.08, rng, prior)


@pytest.mark.parametrize("taste", [0.0, 0.3])
@pytest.mark.parametrize("slope", SLOPES)
def test_intervals_hold_planted_slopes(slope, taste):
    rng = np.random.default_rng(5)
    found = [ratings.discrimination(*drawn(slope, rng, taste=taste)) for _ in range(100)]
    assert np.median([row.slope for row in found]) == pytest.approx(slope, abs=0.12)
    assert sum(row.lower < slope < row.upper for row in found) >= 89
    assert np.median([row.taste for row in found]) == pytest.approx(taste * POINTS_PER_LOGIT, rel=0.25, abs=25)
    width = np.median([row.upper - row.lower for row in found])
    assert width < (2 if taste else 1.2) * max(1, abs(slope))


def test_the_pull_of_a_prior_makes_no_slope():
    for seed in range(10):
        pulled, plain = (
            ratings.discrimination(*drawn(1.0, np.random.default_rng(seed), error=0.5, prior=prior))
            for prior in (0.5, 0.0)
        )
        assert (pulled.slope, pulled.taste) == pytest.approx((plain.slope, plain.taste), rel=1e-4, abs=1e-3)
        assert math.isclose(pulled.lower, plain.lower, rel_tol=1e-3)


def test_without_differences_between_models_there_is_no_end():
    rng = np.random.default_rng(1)
    people = fit_of(np.zeros(8), 0.5, rng)
    found = ratings.discrimination(people, fit_of(rng.normal(0, 0.6, 8), 0.05, rng))
    assert not math.isfinite(found.lower) or not math.isfinite(found.upper)


def test_the_own_family_does_not_bend_the_slope():
    rng = np.random.default_rng(2)
    xi = rng.normal(0, 0.6, 10)
    own = {model: model in "abc" for model in MODELS}
    people, judge = fit_of(xi, 0.05, rng), fit_of(xi + 1.5 * np.array([own[m] for m in MODELS]), 0.05, rng)
    aware, naive = ratings.discrimination(people, judge, family=own), ratings.discrimination(people, judge)
    assert aware.lower < 1 < aware.upper
    assert aware.taste < 40 < 80 < naive.taste


def log(slopes, rng, battles=8000):
    """Votes of people and verdicts of judges with these slopes, as columns of `human_anchored`."""
    xi, columns = rng.normal(0, 0.6, 8), []
    for name, slope in {"human": 1.0, **slopes}.items():
        a = rng.integers(0, 8, battles)
        b = (a + rng.integers(1, 8, battles)) % 8
        u = slope * (xi[a] - xi[b]) + (0.0 if name == "human" else 0.3)
        odds = np.stack([np.exp(u / 2), np.exp(-u / 2), np.full(battles, 0.7)], axis=1)
        edges = np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)
        columns.append((a, b, (rng.random(battles)[:, None] > edges[:, :2]).sum(axis=1), np.repeat(name, battles)))
    return [np.concatenate(column) for column in zip(*columns, strict=True)]


def test_the_anchored_fit_has_a_slope_for_each_judge():
    slopes = {"judge:sharp": 2.5, "judge:dull": 0.4}
    joint = ratings.human_anchored(*log(slopes, np.random.default_rng(3)), prior=ratings.PRIOR)
    found = joint.discrimination()
    assert found.keys() == slopes.keys()
    for name, slope in slopes.items():
        assert found[name].lower < slope < found[name].upper
        assert found[name].slope == pytest.approx(slope, rel=0.15)
        assert found[name].models == 8
    wide = joint.discrimination(0.999)
    assert all(wide[name].lower < found[name].lower < found[name].upper < wide[name].upper for name in slopes)


def test_wrong_use_is_named():
    rng = np.random.default_rng(0)
    three, four = fit_of(np.zeros(3), 0.1, rng), fit_of(np.arange(4.0), 0.1, rng)
    with pytest.raises(ratings.BadOption, match="rates other models"):
        ratings.discrimination(three, four)
    with pytest.raises(ratings.BadOption, match="3 models; a slope needs at least 4"):
        ratings.discrimination(three, three)
    with pytest.raises(ratings.BadOption, match="level"):
        ratings.discrimination(four, four, level=1.0)
