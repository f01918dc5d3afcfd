import random
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ratings
from ratings import POINTS_PER_LOGIT
from ratings.inference.hessian import win_probability
from ratings.models.bradley_terry import maximise_likelihood, score_matrix
from tests.support.boards import by_model, mirrored, simulated

A, B, WINNER = simulated()
battle = st.tuples(
    st.integers(0, 5), st.integers(1, 5), st.sampled_from(["model_a", "model_b", "tie", "both_bad"])
)
boards = st.lists(battle, min_size=1, max_size=60).map(
    lambda rows: (
        [f"m{a}" for a, _, _ in rows],
        [f"m{(a + step) % 6}" for a, step, _ in rows],
        [winner for _, _, winner in rows],
    )
)
priors = st.sampled_from([0.0, ratings.PRIOR, 3.0])


def same(fit, other, **tolerance):
    np.testing.assert_allclose(fit.ratings, other.ratings, **tolerance)
    np.testing.assert_allclose(fit.covariance, other.covariance, **tolerance)


@given(boards, priors, st.randoms())
def test_the_order_of_rows_changes_nothing(board, prior, rng):
    order = list(range(len(board[0])))
    rng.shuffle(order)
    shuffled = [[column[row] for row in order] for column in board]
    same(ratings.bradley_terry(*board, prior=prior), ratings.bradley_terry(*shuffled, prior=prior), rtol=0)


@given(boards, priors)
def test_swapping_sides_changes_nothing(board, prior):
    a, b, winner = board
    swapped = ratings.bradley_terry(b, a, mirrored(winner), prior=prior)
    same(ratings.bradley_terry(*board, prior=prior), swapped, atol=1e-6, rtol=1e-9)


@given(boards)
def test_swapping_winners_mirrors_the_ratings(board):
    a, b, winner = board
    fit, mirror = (ratings.bradley_terry(a, b, w, prior=ratings.PRIOR) for w in (winner, mirrored(winner)))
    np.testing.assert_allclose(fit.ratings - 1000, 1000 - mirror.ratings, atol=1e-6)


@given(boards, st.permutations(range(6)))
def test_renaming_models_renames_the_ratings(board, order):
    new = {f"m{m}": f"m{order[m]}" for m in range(6)}
    renamed = [new[m] for m in board[0]], [new[m] for m in board[1]], board[2]
    fit = by_model(ratings.bradley_terry(*board, prior=1.0))
    assert by_model(ratings.bradley_terry(*renamed, prior=1.0)) == pytest.approx(
        {new[model]: rating for model, rating in fit.items()}, abs=1e-6
    )


@settings(max_examples=30)
@given(boards)
def test_doubling_all_votes_keeps_ratings_and_shrinks_intervals_by_root_two(board):
    once = ratings.bradley_terry(*board)
    twice = ratings.bradley_terry(*(column * 2 for column in board))
    np.testing.assert_allclose(twice.ratings, once.ratings, atol=1e-6)
    np.testing.assert_allclose(twice.standard_errors * np.sqrt(2), once.standard_errors, rtol=1e-6, atol=1e-6)


@given(boards, st.floats(-3000, 3000))
def test_an_anchor_adds_a_constant_within_a_component(board, rating):
    fit = ratings.bradley_terry(*board, prior=ratings.PRIOR)
    moved = fit.anchored(fit.models[0], rating)
    assert moved.rating(fit.models[0]) == pytest.approx(rating)
    np.testing.assert_allclose(moved.ratings - fit.ratings, moved.ratings[0] - fit.ratings[0], atol=1e-9)
    assert moved.standard_errors[0] == pytest.approx(0, abs=1e-6)


def test_an_anchor_moves_no_difference_and_no_standard_error_of_one():
    fit = ratings.bradley_terry(A, B, WINNER)
    moved = fit.anchored("m3", 1114)
    assert moved.difference("m1", "m2") == pytest.approx(fit.difference("m1", "m2"))
    assert moved.standard_errors[1] == pytest.approx(fit.difference("m1", "m3")[1])
    assert moved.parameters["anchor"] == {"m3": 1114}


def test_the_gradient_of_the_likelihood_is_zero_at_the_ratings():
    counts = ratings.count_pairs(A, B, WINNER)
    scores = score_matrix(counts)
    for prior in (0.0, 0.25):
        xi = maximise_likelihood(scores, prior)
        gradient = scores.sum(axis=1) - ((scores + scores.T) * win_probability(xi)).sum(axis=1) - prior * xi
        assert np.abs(gradient).max() < 1e-9


def test_the_sandwich_is_that_of_the_battles_one_by_one():
    fit = ratings.bradley_terry(A, B, WINNER)
    size = len(fit.models)
    hessian, noise = np.zeros((size, size)), np.zeros((size, size))
    for a, b, winner in zip(A, B, WINNER, strict=True):
        x = np.zeros(size)
        x[fit.models.index(a)], x[fit.models.index(b)] = 1, -1
        p = 1 / (1 + np.exp(-x @ fit.ratings / POINTS_PER_LOGIT))
        y = {"model_a": 1, "model_b": 0}.get(winner, 0.5)
        hessian += p * (1 - p) * np.outer(x, x)
        noise += (y - p) ** 2 * np.outer(x, x)
    inverse = np.linalg.pinv(hessian)
    np.testing.assert_allclose(
        fit.covariance, POINTS_PER_LOGIT**2 * inverse @ noise @ inverse, rtol=1e-8, atol=1e-8
    )


def test_every_battle_its_own_cluster_is_the_sandwich_but_for_the_factor():
    fit = ratings.bradley_terry(A, B, WINNER, cluster=range(len(A)))
    plain = ratings.bradley_terry(A, B, WINNER)
    np.testing.assert_allclose(fit.covariance, plain.covariance * len(A) / (len(A) - 1), rtol=1e-9, atol=1e-9)


def test_copies_of_a_vote_by_one_voter_add_no_certainty():
    voter = [*range(len(A))] * 2
    doubled = ratings.bradley_terry(A * 2, B * 2, WINNER * 2, cluster=voter)
    once = ratings.bradley_terry(A, B, WINNER, cluster=range(len(A)))
    np.testing.assert_allclose(doubled.standard_errors, once.standard_errors, rtol=1e-9)


def test_weights_move_ratings_but_are_not_more_votes():
    plain = ratings.bradley_terry(A, B, WINNER)
    same(ratings.bradley_terry(A, B, WINNER, weight=[3.0] * len(A)), plain, rtol=1e-7, atol=1e-7)
    weight = np.random.default_rng(0).integers(0, 3, len(A))
    rows = np.repeat(np.arange(len(A)), weight)
    repeated = ratings.bradley_terry(*([column[r] for r in rows] for column in (A, B, WINNER)))
    weighted = ratings.bradley_terry(A, B, WINNER, weight=weight)
    np.testing.assert_allclose(weighted.ratings, repeated.ratings, atol=1e-7)
    assert (weighted.standard_errors > repeated.standard_errors).all()


def test_a_three_nil_newcomer_stands_where_the_prior_lets_it():
    a, b, winner = [*A, "new", "new", "new"], [*B, "m0", "m1", "m2"], [*WINNER, *["model_a"] * 3]
    fit = ratings.bradley_terry(a, b, winner, prior=ratings.PRIOR)
    assert 1150 < fit.rating("new") < 1400
    low, high = fit.interval()
    assert high[fit.index("new")] - low[fit.index("new")] > 400
    free = ratings.bradley_terry(a, b, winner)
    assert free.rating("new") == np.inf
    assert np.isfinite(free.interval()[0][free.index("new")])
    assert {m: free.rating(m) for m in set(A)} == pytest.approx(by_model(ratings.bradley_terry(A, B, WINNER)))


def test_the_bound_of_an_undefeated_model_is_where_such_a_run_has_probability_two_and_a_half_percent():
    fit = ratings.bradley_terry([*A, *["new"] * 4], [*B, *["m0"] * 4], [*WINNER, *["model_a"] * 4])
    lower = fit.interval()[0][fit.index("new")]
    p = 1 / (1 + np.exp((fit.rating("m0") - lower) / POINTS_PER_LOGIT))
    assert p**4 == pytest.approx(0.025)
    worst = ratings.bradley_terry([*A, *["new"] * 4], [*B, *["m0"] * 4], [*WINNER, *["model_b"] * 4])
    upper = worst.interval()[1][worst.index("new")]
    assert worst.rating("new") == -np.inf
    assert upper - worst.rating("m0") == pytest.approx(fit.rating("m0") - lower)


def test_a_model_that_only_leads_from_above_to_below_has_no_rating():
    fit = ratings.bradley_terry(["a", "b"], ["b", "c"], ["model_a", "model_a"])
    assert fit.rating("a") == np.inf
    assert np.isnan(fit.rating("b"))
    assert fit.rating("c") == -np.inf


def test_groups_that_never_met_are_rated_apart_and_said_so():
    fit = ratings.bradley_terry([*A, "x", "y"], [*B, "y", "x"], [*WINNER, "model_a", "model_a"])
    assert fit.components == (tuple(sorted(set(A))), ("x", "y"))
    assert fit.rating("x") == fit.rating("y") == 1000
    assert np.isnan(fit.probability("x", "m0"))
    assert np.isnan(fit.difference("x", "m0")).all()
    assert {m: fit.rating(m) for m in set(A)} == pytest.approx(by_model(ratings.bradley_terry(A, B, WINNER)))


def test_a_group_that_always_beats_another_is_a_component_of_its_own():
    within = [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c"), ("a", "c"), ("b", "d")]
    fit = ratings.bradley_terry(*zip(*within, strict=True), ["model_a"] * 6)
    assert fit.components == (("a", "b"), ("c", "d"))
    assert fit.ratings.tolist() == [1000] * 4


def test_probability_is_that_of_the_difference():
    fit = ratings.bradley_terry(A, B, WINNER)
    gap, _ = fit.difference("m1", "m2")
    assert fit.probability("m1", "m2") == pytest.approx(1 / (1 + 10 ** (-gap / 400)))
    assert fit.probability("m1", "m2") + fit.probability("m2", "m1") == pytest.approx(1)


def test_all_ties_are_equal_strength_with_a_degenerate_sandwich():
    fit = ratings.bradley_terry(["a", "b"], ["b", "c"], ["tie", "both_bad"])
    assert fit.ratings.tolist() == [1000] * 3
    assert fit.standard_errors == pytest.approx(0)


def test_extreme_leads_stay_exact():
    xi = np.array([-400.0, 0.0, 400.0])
    assert win_probability(xi)[2, 0] == 1.0
    assert win_probability(xi)[0, 2] == pytest.approx(np.exp(-800), abs=1e-300)
    counts = ratings.PairCounts(("a", "b"), *(np.array([v]) for v in (0, 1, 10**12, 1, 0, 0)))
    assert ratings.bradley_terry(counts).difference("a", "b")[0] == pytest.approx(
        POINTS_PER_LOGIT * 12 * np.log(10)
    )


@pytest.mark.parametrize("prior", [-1.0, float("nan"), float("inf")])
def test_a_prior_is_a_precision(prior):
    with pytest.raises(ratings.BadOption, match=r"is out of range. Give a precision of zero or more"):
        ratings.bradley_terry(A, B, WINNER, prior=prior)


def test_clusters_that_cannot_be_used():
    counts = ratings.count_pairs(A, B, WINNER)
    with pytest.raises(ratings.BadOption, match="hold no clusters"):
        ratings.bradley_terry(counts, cluster=range(len(A)))
    with pytest.raises(ratings.BadOption, match="all battles have the same cluster"):
        ratings.bradley_terry(A, B, WINNER, cluster=["v"] * len(A))
    with pytest.raises(ratings.MissingValue, match="row 1: no cluster"):
        ratings.bradley_terry(A, B, WINNER, cluster=["v", None, *["w"] * (len(A) - 2)])
    with pytest.raises(ratings.LengthMismatch, match="cluster has 1 rows"):
        ratings.bradley_terry(A, B, WINNER, cluster=["v"])


def test_what_a_fit_refuses():
    fit = ratings.bradley_terry([*A, "new"], [*B, "m0"], [*WINNER, "model_a"])
    with pytest.raises(ratings.UnknownModel, match="'zzz' is not among the 9 rated models"):
        fit.rating("zzz")
    with pytest.raises(ratings.BadOption, match="no finite rating to anchor at"):
        fit.anchored("new", 1000)
    with pytest.raises(ratings.BadOption, match=r"level 95 is out of range. Give a confidence level"):
        fit.interval(95)
    with pytest.raises(AttributeError):
        fit.method = "other"


def test_no_models_no_ratings():
    nothing = np.zeros(0, dtype=int)
    with pytest.raises(ratings.NoBattles, match="no models"):
        ratings.bradley_terry(ratings.PairCounts((), *[nothing] * 6))


def test_a_fit_prints_its_method_options_and_models_best_first():
    text = str(ratings.bradley_terry(A, B, WINNER, prior=0.25))
    first, *rest = text.splitlines()
    assert first == "bradley_terry on 600 battles (prior=0.25, covariance=sandwich)"
    numbers = [float(line.split()[1]) for line in rest]
    assert numbers == sorted(numbers, reverse=True)


def test_more_votes_for_a_model_never_lower_it():
    rng = random.Random(0)
    for _ in range(20):
        row = rng.randrange(len(A))
        more = ratings.bradley_terry([*A, A[row]], [*B, B[row]], [*WINNER, "model_a"])
        assert more.rating(A[row]) > ratings.bradley_terry(A, B, WINNER).rating(A[row])


def test_a_fit_that_does_not_come_to_an_end_is_reported(monkeypatch):
    monkeypatch.setattr(import_module("ratings.models.bradley_terry"), "STEPS", 1)
    with pytest.raises(ratings.NotConverged, match=r"after 1 steps. Give a prior"):
        ratings.bradley_terry(["a", "a", "b"], ["b", "b", "a"], ["model_a", "model_b", "model_a"])
