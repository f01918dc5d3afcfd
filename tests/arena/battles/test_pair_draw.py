"""The probability of a drawn pair is exactly right, whichever rule drew it."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.battles.matchmaking import draw_pair
from arena.battles.pair_draw import PairGains, pair_probabilities, weighted_pairs
from arena.battles.sampling import Sampling, gains_of
from arena.config import SamplingSettings, ScriptedSettings
from arena.rules.model_states import ModelAction
from arena.store import model_states
from arena.store.conversations import battle_contents
from arena.store.votes import PairVotes, pair_counts
from tests.support.arenas import opened_battles, ready
from tests.support.ballots import MODELS, ballot, ballots

COUNTED = [PairVotes("a", "b", 40, 20, 5, 5), PairVotes("b", "c", 9, 3, 0, 1), PairVotes("c", "d", 1, 1, 0, 0)]
NAMES = ("a", "b", "c", "d", "new")
GAINS = gains_of(COUNTED, NAMES, 0.3)
WEIGHTS = st.lists(st.floats(1e-6, 100), min_size=2, max_size=5)


@given(WEIGHTS)
def test_a_draw_by_weight_is_the_sum_over_both_orders(weights):
    chances, total = weighted_pairs(weights), sum(weights)
    for i, j in combinations(range(len(weights)), 2):
        one = weights[i] / total * weights[j] / (total - weights[i])
        other = weights[j] / total * weights[i] / (total - weights[j])
        assert chances[i, j] == pytest.approx(one + other, rel=1e-6)
    assert chances.sum() == pytest.approx(1)


@given(WEIGHTS, st.floats(0.01, 1))
def test_the_probabilities_add_up_to_one_and_no_pair_is_below_its_floor(weights, floor):
    names = NAMES[: len(weights)]
    gains = PairGains(GAINS.models, GAINS.gains, floor)
    chances = pair_probabilities(names, weights, gains)
    assert chances.sum() == pytest.approx(1)
    assert (chances >= floor * weighted_pairs(weights) - 1e-15).all()


def test_the_probabilities_are_the_formula():
    weights = np.array([1.0, 2.0, 0.5, 1.0, 3.0])
    chances = pair_probabilities(NAMES, weights, GAINS)
    by_gain = {(i, j): GAINS.gains[i, j] * weights[i] * weights[j] for i, j in combinations(range(5), 2)}
    for (i, j), gain in by_gain.items():
        expected = 0.7 * gain / sum(by_gain.values()) + 0.3 * weighted_pairs(weights)[i, j]
        assert chances[i, j] == pytest.approx(expected)


@pytest.mark.parametrize("gains", [None, GAINS])
@pytest.mark.parametrize(
    "weights", [{"a": 1.0, "b": 2.0, "c": 4.0}, dict.fromkeys(NAMES, 1.0), {"a": 1.0, "z": 0.5, "d": 0.0}]
)
def test_pairs_come_as_often_as_their_probability_says(weights, gains):
    random, draws = Random(1), 20_000
    pairs = [draw_pair(weights, random, gains) for _ in range(draws)]
    seen = Counter(frozenset((pair.model_a, pair.model_b)) for pair in pairs)
    stated = {frozenset((pair.model_a, pair.model_b)): pair.probability for pair in pairs}
    assert sum(stated.values()) == pytest.approx(1)
    for pair, probability in stated.items():
        spread = (probability * (1 - probability) / draws) ** 0.5
        assert abs(seen[pair] / draws - probability) <= 4.5 * spread
    first = sum(pair.model_a < pair.model_b for pair in pairs) / draws
    assert first == pytest.approx(0.5, abs=0.02)


def test_a_newcomer_and_an_unknown_model_are_drawn_more_often_than_a_model_with_many_votes():
    def shares(names):
        chances = pair_probabilities(names, [1.0] * len(names), GAINS)
        return dict(zip(names, (chances + chances.T).sum(axis=1), strict=True))

    known = shares(NAMES)
    assert known["new"] > known["a"]
    later = shares((*NAMES, "later"))
    assert later["later"] > later["a"]


def test_models_that_are_no_longer_drawn_do_not_matter():
    kept = gains_of(COUNTED, ("a", "b", "c"), 0.3)
    assert kept.models == ("a", "b", "c")
    assert kept.gains.shape == (3, 3)
    assert (kept.gains >= 0).all()


@pytest.mark.parametrize("rule", ["active", "weighted"])
async def test_the_rule_follows_the_votes_and_boosts_newcomers(database, rule):
    ballots(database)
    models = [ScriptedSettings(name=name, endpoint="scripted", delay=0) for name in (*MODELS, "new")]
    battles = await opened_battles(database, *models)
    sampling = Sampling(database, battles.live_models, SamplingSettings(rule=rule, newcomer_votes=5))
    await sampling.refresh()
    assert (sampling.gains is None) == (rule == "weighted")
    assert sampling.votes == {"amber": 6, "birch": 6, "cedar": 4}
    assert battles.serving.boosts == {"amber": 1.0, "birch": 1.0, "cedar": 2.0, "new": 2.0}
    assert battles.serving.available_weights()["new"] == 2.0
    with database.write() as session:
        model_states.change(session, "amber", ModelAction.BOOST, value=7, reason="a new revision", by="ann")
        model_states.change(session, "new", ModelAction.BOOST, value=0, reason="enough", by="ann")
    await battles.follow_models()
    await sampling.refresh()
    assert (battles.serving.boosts["amber"], battles.serving.boosts["new"]) == (2.0, 1.0)


async def test_the_probability_of_an_active_draw_is_in_the_store(sqlite):
    ballots(sqlite)
    battles = await opened_battles(
        sqlite, *(ScriptedSettings(name=n, endpoint="scripted", delay=0) for n in MODELS)
    )
    gains = battles.sampling.gains
    weights = battles.serving.available_weights()
    chances = pair_probabilities(MODELS, [weights[name] for name in MODELS], gains)
    for _ in range(4):
        view = await battles.begin("ann", "hello")
        battle = await battles._find(view.public_id)
        i, j = sorted(MODELS.index(name) for name in battle.models.values())
        with sqlite.read() as session:
            stored = battle_contents(session, [battle.id])[battle.id].pair_probability
        assert stored == pytest.approx(chances[i, j])
    await battles.close()


async def test_votes_on_private_models_count_for_the_draw_and_on_no_board(database):
    ballots(database)
    ballot(database, "amber", "private:00ff00ff", "model_a")
    serving = ready(*(ScriptedSettings(name=n, endpoint="scripted", delay=0) for n in MODELS))
    battles = await opened_battles(database)
    battles.live_models.serving = serving
    sampling = Sampling(database, battles.live_models, SamplingSettings())
    await sampling.refresh()
    assert sampling.votes["private:00ff00ff"] == 1
    assert sampling.votes["amber"] == 7
    with database.read() as session:
        assert all("private" not in row.model_b for row in pair_counts(session))
