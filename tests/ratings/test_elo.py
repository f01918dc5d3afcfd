import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ratings
from ratings.data import scipy_loops
from ratings.models import elo_recurrence
from ratings.models.elo import _numba_loop, python_loop
from tests.support.boards import simulated

A, B, WINNER = simulated(battles=3000)


def random_battles(models, battles, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, models, battles)
    return a, (a + rng.integers(1, models, battles)) % models, rng.integers(0, 4, battles).astype(np.uint8)


def test_one_battle_is_the_formula():
    fit = ratings.elo(["a"], ["b"], ["model_a"], k=32, initial=1500)
    assert fit.ratings.tolist() == [1516, 1484]
    again = ratings.elo(["a", "a"], ["b", "b"], ["model_a", "tie"], k=32, initial=1500)
    expected = 1 / (1 + 10 ** ((1484 - 1516) / 400))
    assert again.rating("a") == pytest.approx(1516 + 32 * (0.5 - expected), abs=1e-12)


@pytest.mark.parametrize("models", [2, 20, 300])
@pytest.mark.parametrize("step", [0.001, 0.023, 0.5])
def test_the_recurrence_is_the_loop(models, step):
    battles = random_battles(models, 9000)
    np.testing.assert_allclose(
        elo_recurrence.run(*battles, models, step), python_loop(*battles, models, step), atol=1e-10
    )


def test_the_recurrence_holds_for_a_model_that_always_wins():
    a, b, outcome = random_battles(5, 9000)
    outcome[a == 0], outcome[b == 0] = 0, 1
    np.testing.assert_allclose(
        elo_recurrence.run(a, b, outcome, 5, 0.3), python_loop(a, b, outcome, 5, 0.3), atol=1e-9
    )


def test_what_numba_compiles_is_the_loop():
    battles = random_battles(7, 2000)
    np.testing.assert_allclose(_numba_loop(*battles, 7, 0.02), python_loop(*battles, 7, 0.02), atol=1e-13)


@pytest.mark.slow
def test_numba_gives_the_same():
    pytest.importorskip("numba")
    same = ratings.elo(A, B, WINNER, engine="numba").ratings
    np.testing.assert_allclose(same, ratings.elo(A, B, WINNER, engine="loop").ratings, atol=1e-9)


@given(st.integers(0, 2**32), st.floats(0.1, 100), st.floats(50, 1000), st.floats(1.5, 20))
def test_ratings_are_conserved(seed, k, scale, base):
    a, b, outcome = random_battles(4, 50, seed % 1000)
    fit = ratings.elo(a, b, outcome, k=k, scale=scale, base=base, initial=1200)
    assert fit.ratings.mean() == pytest.approx(1200)


def test_the_order_matters_and_the_fit_cannot_know_its_error():
    forward = ratings.elo(A, B, WINNER)
    backward = ratings.elo(A[::-1], B[::-1], WINNER[::-1])
    assert np.abs(forward.ratings - backward.ratings).max() > 1
    assert np.isnan(forward.standard_errors).all()


def test_rounds_give_intervals_and_keep_the_ratings():
    fit = ratings.elo(A, B, WINNER, rounds=50)
    assert fit.ratings.tolist() == ratings.elo(A, B, WINNER).ratings.tolist()
    assert (fit.standard_errors > 1).all()
    again = ratings.elo(A, B, WINNER, rounds=50)
    assert again.covariance.tolist() == fit.covariance.tolist()


@pytest.mark.parametrize("option", [{"k": 0.0}, {"scale": -1.0}, {"base": 1.0}, {"k": float("nan")}])
def test_options_out_of_range(option):
    with pytest.raises(ratings.BadOption, match=r"is out of range. Give a number above"):
        ratings.elo(A, B, WINNER, **option)


def test_other_options_out_of_range():
    with pytest.raises(ratings.BadOption, match=r"rounds 1 is out of range. Give 0"):
        ratings.elo(A, B, WINNER, rounds=1)
    with pytest.raises(ratings.BadOption, match=r"engine 'abacus' is unknown. Expected auto"):
        ratings.elo(A, B, WINNER, engine="abacus")


def test_engines_that_are_not_there(monkeypatch):
    monkeypatch.setattr(sys.modules["ratings.models.elo"], "find_spec", lambda _: None)
    with pytest.raises(ratings.BadOption, match="needs numba, which is not installed"):
        ratings.elo(A, B, WINNER, engine="numba")
    monkeypatch.setattr(scipy_loops, "runs_recurrences", lambda: False)
    with pytest.raises(ratings.BadOption, match="a loop that this scipy does not have"):
        ratings.elo(A, B, WINNER, engine="recurrence")
    assert ratings.elo(A, B, WINNER).ratings.tolist() == ratings.elo(A, B, WINNER, engine="loop").ratings.tolist()


def test_this_scipy_runs_recurrences():
    assert scipy_loops.runs_recurrences()


def multiply_into_a_copy(count, rows, columns, values, x, y):
    x = x.copy()
    np.add.at(y, rows, values * x[columns])


def other_arguments(rows, columns):
    raise AssertionError("never called with these arguments")


@pytest.mark.parametrize("changed", [None, multiply_into_a_copy, other_arguments])
def test_a_scipy_whose_loop_is_gone_or_works_otherwise_is_noticed(changed, monkeypatch):
    from scipy.sparse import _sparsetools

    scipy_loops.runs_recurrences.cache_clear()
    if changed is None:
        monkeypatch.delattr(_sparsetools, "coo_matvec")
    else:
        monkeypatch.setattr(_sparsetools, "coo_matvec", changed)
    assert not scipy_loops.runs_recurrences()
    scipy_loops.runs_recurrences.cache_clear()
