import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

import ratings
from ratings import POINTS_PER_LOGIT
from tests.support.boards import mirrored, simulated

A, B, WINNER = simulated(models=5, battles=2000, bad=0.15)
TIE_MODELS = [ratings.davidson, ratings.rao_kupper]


def chances(name, lead, extra):
    """P of A, B and a tie, restated."""
    if name == "davidson":
        odds = np.stack([np.exp(lead / 2), np.exp(-lead / 2), np.exp(extra) + 0 * lead])
        return odds / odds.sum(axis=0)
    a, b = 1 / (1 + np.exp(extra - lead)), 1 / (1 + np.exp(extra + lead))
    return np.stack([a, b, 1 - a - b])


@pytest.mark.parametrize("method", TIE_MODELS)
def test_the_fit_is_the_maximum_that_a_general_optimiser_finds(method):
    fit = method(A, B, WINNER)
    a, b = (np.array([fit.models.index(m) for m in side]) for side in (A, B))
    y = np.array([{"model_a": 0, "model_b": 1}.get(w, 2) for w in WINNER])

    def loss(parameters):
        p = chances(fit.method, parameters[a] - parameters[b], parameters[-1])
        return -np.log(p[y, np.arange(len(y))]).sum() + parameters[:-1].sum() ** 2

    start = np.append(np.zeros(5), 0.5)
    best = minimize(loss, start, method="BFGS", options={"gtol": 1e-6}).x
    xi = (fit.ratings - 1000) / POINTS_PER_LOGIT
    assert [*xi, fit.coefficients[0].value] == pytest.approx(list(best - [*[best[:-1].mean()] * 5, 0]), abs=1e-4)


@pytest.mark.parametrize("method", TIE_MODELS)
def test_swapping_sides_changes_nothing(method):
    fit, swapped = method(A, B, WINNER), method(B, A, mirrored(WINNER))
    np.testing.assert_allclose(fit.ratings, swapped.ratings, atol=1e-6)
    np.testing.assert_allclose(fit.standard_errors, swapped.standard_errors, atol=1e-6)


@pytest.mark.parametrize("method", TIE_MODELS)
def test_doubling_all_votes_shrinks_intervals_by_root_two(method):
    once, twice = method(A, B, WINNER), method(A * 2, B * 2, WINNER * 2)
    np.testing.assert_allclose(once.ratings, twice.ratings, atol=1e-6)
    np.testing.assert_allclose(once.standard_errors, twice.standard_errors * np.sqrt(2), rtol=1e-6)
    assert once.coefficients[0].standard_error == pytest.approx(twice.coefficients[0].standard_error * np.sqrt(2))


@given(st.sampled_from(TIE_MODELS), st.integers(0, 50))
def test_with_a_prior_every_board_has_ratings(method, seed):
    a, b, winner = simulated(models=6, battles=12, seed=seed)
    columns = [*a, "m0", "m1"], [*b, "m1", "m2"], [*winner, "tie", "model_a"]
    fit = method(*columns, prior=0.25)
    assert np.isfinite(fit.ratings).all()
    assert np.isfinite(fit.standard_errors).all()


def test_the_outside_option_shows_absolute_quality():
    worse = [w if i % 4 else "both_bad" for i, w in enumerate(WINNER)]
    good, bad = (ratings.davidson(A, B, w, outside=True) for w in (WINNER, worse))
    assert [c.name for c in good.coefficients] == ["log nu", "outside"]
    assert bad.coefficients[1].value > good.coefficients[1].value + 0.5
    assert np.abs(good.ratings - bad.ratings).max() < 60


def test_the_shares_of_outcomes_are_those_seen():
    fit = ratings.davidson(A, B, WINNER, outside=True)
    xi = dict(zip(fit.models, (fit.ratings - 1000) / POINTS_PER_LOGIT, strict=True))
    log_nu, outside = (c.value for c in fit.coefficients)
    expected = np.zeros(4)
    for a, b in zip(A, B, strict=True):
        odds = np.exp([xi[a], xi[b], log_nu + (xi[a] + xi[b]) / 2, outside])
        expected += odds / odds.sum()
    seen = [WINNER.count(w) for w in ("model_a", "model_b", "tie", "both_bad")]
    assert expected[2:] == pytest.approx(seen[2:], abs=1e-4)
    assert expected[:2].sum() == pytest.approx(sum(seen[:2]), abs=1e-4)


def test_position_is_found_and_taken_out():
    rng = np.random.default_rng(1)
    a = rng.integers(0, 4, 20_000)
    b = (a + rng.integers(1, 4, len(a))) % 4
    xi = np.array([-0.5, 0, 0.2, 0.3])
    won = rng.random(len(a)) < 1 / (1 + np.exp(-(xi[a] - xi[b] + 0.4)))
    fit = ratings.bradley_terry_with_position(a, b, np.where(won, 0, 1))
    (position,) = fit.coefficients
    assert position.lower < 0.4 < position.upper
    assert (fit.ratings - 1000) / POINTS_PER_LOGIT == pytest.approx(xi, abs=0.1)


def test_position_is_zero_when_both_sides_are_shown():
    fit = ratings.bradley_terry_with_position(A + B, B + A, WINNER + mirrored(WINNER))
    assert fit.coefficients[0].value == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(fit.ratings, ratings.bradley_terry(A, B, WINNER).ratings, atol=1e-6)


@pytest.mark.parametrize("method", [*TIE_MODELS, ratings.bradley_terry_with_position])
def test_models_that_nothing_compares_need_a_prior(method):
    columns = [*A, "new"], [*B, "m0"], [*WINNER, "model_a"]
    with pytest.raises(ratings.Disconnected, match=r"'new' and 'm0' are not compared .* Give a prior"):
        method(*columns)
    assert np.isfinite(method(*columns, prior=0.25).ratings).all()


@pytest.mark.parametrize("method", TIE_MODELS)
def test_an_outcome_that_never_or_always_occurs(method):
    with pytest.raises(ratings.BadOption, match=r"no battle is tie: .* Use bradley_terry"):
        method(["a", "a"], ["b", "b"], ["model_a", "model_b"])
    with pytest.raises(ratings.BadOption, match="every battle is tie"):
        method(["a"], ["b"], ["tie"])
    nothing = np.zeros(0, dtype=int)
    with pytest.raises(ratings.NoBattles, match="the frequency of ties is unknown"):
        method(ratings.PairCounts(("a", "b"), *[nothing] * 6))


def test_the_outside_option_needs_both_bads_and_winners():
    with pytest.raises(ratings.BadOption, match="no battle is both_bad"):
        ratings.davidson(["a"] * 3, ["b"] * 3, ["model_a", "model_b", "tie"], outside=True)
    with pytest.raises(ratings.BadOption, match="no battle has a winner"):
        ratings.davidson(["a"] * 2, ["b"] * 2, ["both_bad", "tie"], outside=True)


def test_other_refusals():
    nothing = np.zeros(0, dtype=int)
    with pytest.raises(
        ratings.NoBattles, match="a prior does not determine all parameters of bradley_terry_with_position"
    ):
        ratings.bradley_terry_with_position(ratings.PairCounts(("a", "b"), *[nothing] * 6))
    with pytest.raises(ratings.BadOption, match="Give a precision of zero or more"):
        ratings.davidson(A, B, WINNER, prior=-1)


def test_a_parameter_without_limit_is_not_a_number_made_up():
    # A always wins on the left, whoever it is: position grows without end.
    with pytest.raises(ratings.NotConverged, match=r"a parameter without limit. Give a prior"):
        ratings.bradley_terry_with_position(["a", "b"], ["b", "a"], ["model_a", "model_a"])


def test_a_parameter_that_runs_away_stops_at_the_step_limit(monkeypatch):
    """Whoever is on the left wins: the position's advantage grows by about a logit a step, without end."""
    a, b = ["x", "y", "z", "y", "z", "x"], ["y", "x", "y", "z", "x", "z"]
    monkeypatch.setattr("ratings.models.pair_likelihood.STEPS", 10)
    with pytest.raises(ratings.NotConverged, match=r"leave a parameter without limit. Give a prior") as message:
        ratings.bradley_terry_with_position(a, b, ["model_a"] * 6)
    assert message.value.__cause__ is None  # ten steps were made; no matrix lost its inverse on the way
