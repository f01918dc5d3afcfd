"""Games whose attribution is known: what is linear, symmetric, irrelevant or an interaction comes out as such."""

from __future__ import annotations

import numpy as np
import pytest

from interp.blackbox.owen import owen
from interp.blackbox.perturbation import leave_out, occlusion, permutation_importance
from interp.blackbox.shapley import exact_shapley, kernel_shap, sampled_shapley
from interp.blackbox.two_stage import screen_by_groups, screen_then_verify
from interp.errors import BadOption

WEIGHTS = np.array([2.0, -1.0, 0.0, 0.5, 3.0, -2.5])


def linear(masks):
    return masks @ WEIGHTS + 7.0


def counted(game):
    """The game, and a list of how many masks each call had."""
    calls = []

    def value(masks):
        calls.append(len(masks))
        return game(masks)

    return value, calls


def majority(masks):
    """Four symmetric players: three of them win."""
    return (masks.sum(axis=1) >= 3).astype(float)


def pairs(masks):
    """0 and 1 only work together; 2 adds by itself; 3 does nothing."""
    return 4.0 * (masks[:, 0] & masks[:, 1]) + 1.0 * masks[:, 2]


def rough(units, seed=0):
    """A game with a random value for every mask."""
    table = np.random.default_rng(seed).normal(size=1 << units)
    return lambda masks: table[masks @ (1 << np.arange(units))]


METHODS = {
    "occlusion": lambda f, n: occlusion(f, n),
    "occlusion of runs": lambda f, n: occlusion(f, n, window=1),
    "permutation": lambda f, n: permutation_importance(f, n, samples=8),
    "exact": exact_shapley,
    "sampled": lambda f, n: sampled_shapley(f, n, orders=2).scores,
    "kernel": lambda f, n: kernel_shap(f, n, samples=40, ridge=0).scores,
    "kernel of all masks": lambda f, n: kernel_shap(f, n, samples=100).scores,
    "owen": lambda f, n: owen(f, [list(range(n // 2)), list(range(n // 2, n))], calls=200).scores,
    "screen then verify": lambda f, n: screen_then_verify(f, np.ones(n), keep=n).scores,
}
SHAPLEY = {name: METHODS[name] for name in ("exact", "kernel of all masks")}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_linear_game_gives_its_weights(method):
    assert method(linear, 6) == pytest.approx(WEIGHTS, abs=1e-9)


@pytest.mark.parametrize("method", SHAPLEY.values(), ids=SHAPLEY)
def test_symmetric_players_share_alike_and_a_dummy_gets_nothing(method):
    assert method(majority, 4) == pytest.approx([0.25] * 4)
    assert method(pairs, 4) == pytest.approx([2.0, 2.0, 1.0, 0.0])


@pytest.mark.parametrize("name", ["exact", "sampled", "kernel", "kernel of all masks", "owen"])
def test_shapley_values_add_up_to_the_whole(name):
    game = rough(6)
    whole = game(np.ones((1, 6), bool))[0] - game(np.zeros((1, 6), bool))[0]
    assert METHODS[name](game, 6).sum() == pytest.approx(whole)


def test_interactions_of_two_are_exact_from_pairs_of_orders_and_of_masks():
    random = np.random.default_rng(1)
    strength = random.normal(size=(7, 7))

    def game(masks):
        return np.einsum("bi,ij,bj->b", masks, strength, masks)

    known = exact_shapley(game, 7)
    assert sampled_shapley(game, 7, orders=2).scores == pytest.approx(known)
    assert kernel_shap(game, 7, samples=100, ridge=0).scores == pytest.approx(known)


def test_sampling_comes_nearer_with_more_orders_and_says_how_near():
    game = rough(8)
    known = exact_shapley(game, 8)
    few, many = sampled_shapley(game, 8, orders=10), sampled_shapley(game, 8, orders=400)
    assert np.abs(many.scores - known).mean() < np.abs(few.scores - known).mean() / 2
    assert np.mean(np.abs(many.scores - known) < 2 * many.errors) > 0.7
    assert np.isnan(sampled_shapley(game, 8, orders=2).errors).all()


def test_the_kernel_regression_agrees_with_exact_values_on_a_rough_game():
    game = rough(9, seed=3)
    found = kernel_shap(game, 9, samples=400, seed=2)
    assert np.corrcoef(found.scores, exact_shapley(game, 9))[0, 1] > 0.7
    assert np.abs(found.scores - exact_shapley(game, 9)).mean() < 2 * found.errors.mean()
    assert found.calls == 402


def test_fewer_samples_than_units_still_give_finite_values_that_add_up():
    weights = np.linspace(-1, 1, 60)
    found = kernel_shap(lambda masks: masks @ weights, 60, samples=20)
    assert np.isfinite(found.scores).all()
    assert found.scores.sum() == pytest.approx(weights.sum(), abs=1e-9)


def test_one_unit_takes_all():
    game = lambda masks: 3.0 * masks[:, 0]  # noqa: E731
    assert kernel_shap(game, 1).scores == pytest.approx([3.0])
    assert sampled_shapley(game, 1).scores == pytest.approx([3.0])
    assert exact_shapley(game, 1) == pytest.approx([3.0])
    assert owen(game, [0]).scores == pytest.approx([3.0])


def test_neighbours_that_repeat_each_other_hide_from_single_occlusion_and_not_from_runs():
    said_twice = lambda masks: (masks[:, 1] | masks[:, 2]).astype(float)  # noqa: E731
    assert occlusion(said_twice, 4) == pytest.approx([0, 0, 0, 0])
    assert occlusion(said_twice, 4, window=2)[[1, 2]].min() > 0


def test_runs_of_a_linear_game_smooth_the_weights_and_keep_a_constant_one():
    assert occlusion(lambda masks: masks.sum(axis=1) * 1.5, 6, window=3) == pytest.approx([1.5] * 6)


def test_leaving_out_a_group_costs_the_sum_of_a_linear_game():
    value, calls = counted(linear)
    assert leave_out(value, 6, [[0, 1], [2, 3, 4], [5]]) == pytest.approx([1.0, 3.5, -2.5])
    assert calls == [4]


def test_owen_values_of_a_flat_pair_are_shapley_values_and_groups_are_shapley_among_themselves():
    game = rough(2)
    assert owen(game, [0, 1]).scores == pytest.approx(exact_shapley(game, 2))
    game = rough(6)

    def between(masks):
        return game(np.repeat(masks, 3, axis=1))

    by_group = (
        owen(game, [[0, 1, 2], [3, 4, 5]], calls=500, levels_in_both_orders=9).scores.reshape(2, 3).sum(axis=1)
    )
    assert by_group == pytest.approx(exact_shapley(between, 2))


def test_units_of_a_group_that_is_not_looked_into_differ_as_they_do_when_left_out_alone():
    """Of a sum of parts that is exact; of any game the sum holds, and without single calls shares are even."""
    weights = np.arange(12.0) - 3
    game, tree = (lambda masks: masks @ weights), [list(range(6)), list(range(6, 12))]
    found = owen(game, tree, calls=24)
    assert found.calls <= 24
    assert found.split.max() < 1
    np.testing.assert_allclose(found.scores, weights, atol=1e-12)
    bent = owen(lambda masks: np.tanh(masks @ weights / 4), tree, calls=26)
    assert bent.scores.sum() == pytest.approx(np.tanh(weights.sum() / 4) - 0.0)
    even = owen(game, tree, calls=4, leave_one_out=False)
    assert len(set(even.scores[:6].round(9))) == 1


def test_owen_spends_its_calls_where_the_effect_is():
    planted = 37

    def game(masks):
        return 5.0 * masks[:, planted] + 0.01 * masks.sum(axis=1)

    value, calls = counted(game)
    tree = [list(range(start, start + 8)) for start in range(0, 64, 8)]
    found = owen(value, tree, calls=60, levels_in_both_orders=1)
    assert sum(calls) == found.calls <= 60
    assert int(np.argmax(found.scores)) == planted
    assert found.scores[planted] == pytest.approx(5.01, abs=1e-6)
    assert found.split[planted] == 1
    assert found.scores.sum() == pytest.approx(5.64)


def test_screening_finds_a_planted_word_in_a_fraction_of_the_calls():
    planted = [5, 41]

    def game(masks):
        return masks[:, planted] @ np.array([2.0, -3.0]) + 0.02 * masks.sum(axis=1)

    groups = [list(range(start, start + 6)) for start in range(0, 60, 6)]
    found = screen_then_verify(game, screen_by_groups(game, 60, groups), keep=12)
    assert found.scores[planted] == pytest.approx([2.02, -2.98])
    assert found.verified.sum() == 12
    assert found.calls == 13
    assert np.abs(found.scores[~found.verified]).max() <= 0.02 + 1e-9


def test_a_screen_that_points_the_wrong_way_lends_nothing_to_what_was_not_verified():
    found = screen_then_verify(linear, -WEIGHTS, keep=3)
    assert (found.scores[~found.verified] == 0).all()
    assert found.agreement == pytest.approx(-1)


WRONG = {
    "no units": lambda: occlusion(linear, 0),
    "window 9. Expected 1 to 6": lambda: occlusion(linear, 6, window=9),
    "group 1 is empty": lambda: leave_out(linear, 6, [[0], []]),
    "group 0 has unit 6": lambda: leave_out(linear, 6, [[6]]),
    "no groups": lambda: leave_out(linear, 6, []),
    "samples 1": lambda: permutation_importance(linear, 6, samples=1),
    "11 units need 2^11 calls": lambda: exact_shapley(linear, 11),
    "orders 1": lambda: sampled_shapley(linear, 6, orders=1),
    "ridge -1": lambda: kernel_shap(linear, 6, ridge=-1),
    "must contain each of 0 to 2 once": lambda: owen(linear, [0, 2, 2]),
    "calls 1, levels_in_both_orders 5": lambda: owen(linear, [0, 1], calls=1),
    "keep 7": lambda: screen_then_verify(linear, WEIGHTS, keep=7),
    "unit 0 of the screen": lambda: screen_then_verify(linear, WEIGHTS * np.nan, keep=2),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_use_is_named(message):
    with pytest.raises(BadOption, match=message.replace("no units", "0 units").replace("^", r"\^")):
        WRONG[message]()
