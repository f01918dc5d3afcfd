"""The cost of one place, against votes that are really added and ratings that are really fitted again."""

from __future__ import annotations

from functools import cache
from random import Random

import numpy as np
import pytest
from scipy.special import expit

import ratings
from arena.battles.matchmaking import draw_pair

ACCURACY = 0.95


@cache
def board(models=30, votes=20_000, seed=0):
    random = np.random.default_rng(seed)
    xi = random.normal(0, 0.7, models)
    a = random.integers(0, models, votes)
    b = (a + random.integers(1, models, votes)) % models
    won = np.where(random.random(votes) < expit(xi[a] - xi[b]), "model_a", "model_b")
    winner = np.where(random.random(votes) < 0.3, "tie", won)
    return ratings.count_pairs([f"m{k:03d}" for k in a], [f"m{k:03d}" for k in b], list(winner))


def with_votes(counts, a, b, wins, losses):
    return ratings.PairCounts(
        counts.models,
        np.append(counts.model_a, a), np.append(counts.model_b, b),
        np.append(counts.wins, wins), np.append(counts.losses, losses),
        np.append(counts.ties, np.zeros(len(a), dtype=int)), np.append(counts.both_bad, np.zeros(len(a), dtype=int)),
    )  # fmt: skip


def place_of(counts, model):
    fit = ratings.bradley_terry(counts, prior=ratings.PRIOR)
    mine = fit.ratings[counts.models.index(model)]
    return 1 + int((fit.ratings > mine).sum())


def drawn(counts, cost, votes, chances, random):
    """Votes of an attacker on random battles: (a, b, wins, losses) of `m` or of the favoured side."""
    m = counts.models.index(cost.model)
    x = counts.models.index(cost.neighbour)
    ends = np.array(np.triu_indices(len(counts.models), 1))
    weight = chances[ends[0], ends[1]] * (
        (ends[0] == m) | (ends[1] == m) if cost.attacker == "target" else np.ones(len(ends[0]))
    )
    a, b = ends[:, random.choice(len(weight), votes, p=weight / weight.sum())]
    if cost.attacker == "target":
        favoured = np.where(a == m, cost.direction == "up", cost.direction == "down")
    else:
        fit = ratings.bradley_terry(counts, prior=ratings.PRIOR)
        influence = fit.covariance[m] - fit.covariance[x]  # of the sandwich: near that of the Hessian
        influence = influence if cost.direction == "up" else -influence
        favoured = influence[a] > influence[b]
    right = random.random(votes) < ACCURACY
    wins = (favoured == right).astype(int)
    return a, b, wins, 1 - wins


@pytest.mark.parametrize("attacker", ["target", "omnipresent"])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_the_votes_move_a_model_by_a_place_and_far_fewer_do_not(attacker, direction):
    """Random votes: with one and a half times the cost nine of ten attacks succeed, with half of it hardly any."""
    counts, random = board(), np.random.default_rng(3)
    chances = ratings.pair_chances(np.ones(30))
    costs = [
        cost
        for cost in ratings.attack_cost(counts, chances, accuracy=ACCURACY)
        if (cost.attacker, cost.direction) == (attacker, direction) and cost.votes and cost.votes >= 20
    ]
    outcomes = {1.5: [], 0.5: []}
    for cost in costs[::3]:
        for factor, moved in outcomes.items():
            attack = drawn(counts, cost, round(factor * cost.votes), chances, random)
            place = place_of(with_votes(counts, *attack), cost.model)
            moved.append(place < cost.place if direction == "up" else place > cost.place)
    assert len(outcomes[1.5]) >= 5
    assert np.mean(outcomes[1.5]) >= 0.85
    assert np.mean(outcomes[0.5]) <= 0.25


def test_the_expected_votes_are_those_of_an_exact_refit():
    """Expected scores added to the score matrix: the crossing of fitted ratings is at the cost, within one vote."""
    from ratings.models.bradley_terry import maximise_likelihood, score_matrix

    counts = board()
    chances, scores = ratings.pair_chances(np.ones(30)), score_matrix(board())
    costs = [cost for cost in ratings.attack_cost(counts, chances) if cost.attacker == "target"]
    assert len(costs) == 58  # 29 models up, 29 down
    for cost in costs:
        m, x = counts.models.index(cost.model), counts.models.index(cost.neighbour)
        share = chances[m] / chances[m].sum()
        score = 0.95 if cost.direction == "up" else 0.05
        added = np.zeros_like(scores)
        added[m], added[:, m] = share * score, share * (1 - score)
        sign = 1 if cost.direction == "up" else -1
        ahead = [
            sign * np.subtract(*maximise_likelihood(scores + n * added, ratings.PRIOR)[[m, x]]) > 0
            for n in (cost.votes - 2, cost.votes + 1)
        ]
        assert ahead == [False, True], cost


def test_a_target_attacker_needs_battles_in_which_the_target_is_drawn():
    counts, weights = board(), np.ones(30)
    weights[0] = 0.1
    costs = ratings.attack_cost(counts, ratings.pair_chances(weights))
    of_first = [cost for cost in costs if cost.model == counts.models[0] and cost.attacker == "target"]
    assert all(cost.battles / cost.votes > 100 for cost in of_first)
    others = [cost for cost in costs if cost.model != counts.models[0] and cost.attacker == "target"]
    assert all(14 < cost.battles / cost.votes < 17 for cost in others)
    assert all(cost.battles == cost.votes for cost in costs if cost.attacker == "omnipresent")


def test_a_worse_detector_costs_more_votes():
    counts, chances = board(), ratings.pair_chances(np.ones(30))
    sharp, dull = (ratings.attack_cost(counts, chances, accuracy=value) for value in (0.99, 0.8))
    more = [two.votes >= one.votes for one, two in zip(sharp, dull, strict=True) if one.votes and two.votes]
    assert np.mean(more) == 1.0


def test_what_cannot_be_reached_has_no_cost_and_models_that_are_not_drawn_have_none():
    a = ["strong"] * 200 + ["weak"] * 200
    b = ["middle"] * 200 + ["middle"] * 200
    winner = ["model_a"] * 196 + ["model_b"] * 4 + ["model_b"] * 196 + ["model_a"] * 4
    counts = ratings.count_pairs(a, b, winner)
    costs = ratings.attack_cost(counts, ratings.pair_chances(np.array([1.0, 1.0, 1.0])), accuracy=0.6)
    middle = next(
        cost for cost in costs
        if (cost.model, cost.direction, cost.attacker) == ("middle", "up", "target")
    )  # fmt: skip
    assert (middle.neighbour, middle.battles is None) == ("strong", middle.votes is None)
    undrawn = ratings.attack_cost(counts, ratings.pair_chances(np.array([1.0, 1.0, 0.0])))
    assert {cost.model for cost in undrawn} == {"middle", "strong"}


def test_pair_chances_are_those_of_the_draw():
    weights = {"a": 1.0, "b": 0.5, "c": 3.0, "d": 0.0}
    chances = ratings.pair_chances(np.array([*weights.values()]))
    assert chances.sum() == pytest.approx(2.0)
    assert (chances == chances.T).all()
    names, random = list(weights), Random(1)
    for _ in range(20):
        pair = draw_pair(weights, random)
        assert chances[names.index(pair.model_a), names.index(pair.model_b)] == pytest.approx(pair.probability)


def test_what_makes_no_sense_is_refused():
    counts = board()
    chances = ratings.pair_chances(np.ones(30))
    with pytest.raises(ratings.BadOption, match="accuracy"):
        ratings.attack_cost(counts, chances, accuracy=0.5)
    with pytest.raises(ratings.BadOption, match="prior 0"):
        ratings.attack_cost(counts, chances, prior=0.0)
    with pytest.raises(ratings.LengthMismatch, match="30 models"):
        ratings.attack_cost(counts, chances[:4, :4])
    with pytest.raises(ratings.BadOption, match="two models"):
        ratings.pair_chances(np.array([1.0]))


@pytest.mark.slow
def test_three_hundred_models_take_seconds():
    import time

    counts, started = board(300, 1_000_000), time.perf_counter()
    costs = ratings.attack_cost(counts, ratings.pair_chances(np.ones(300)))
    assert time.perf_counter() - started < 60
    assert len(costs) == 1196
