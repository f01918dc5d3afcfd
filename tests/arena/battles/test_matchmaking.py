from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.battles.matchmaking import TooFewModels, draw_pair

WEIGHTS = st.dictionaries(st.sampled_from("abcdef"), st.just(0.0) | st.floats(1e-9, 10), min_size=2)


@given(WEIGHTS, st.integers())
def test_a_pair_is_two_different_models_with_a_probability(weights, seed):
    pair = draw_pair(weights, Random(seed))
    assert pair.model_a != pair.model_b
    assert {pair.model_a, pair.model_b} <= weights.keys()
    assert 0 < pair.probability <= 1 + 1e-12


def test_pairs_come_as_often_as_their_probability_says():
    weights = {"a": 1.0, "b": 2.0, "c": 4.0}
    random = Random(0)
    pairs = [draw_pair(weights, random) for _ in range(20_000)]
    seen = Counter(frozenset((pair.model_a, pair.model_b)) for pair in pairs)
    message = {frozenset((pair.model_a, pair.model_b)): pair.probability for pair in pairs}
    assert sum(message.values()) == pytest.approx(1)
    for pair, probability in message.items():
        assert seen[pair] / len(pairs) == pytest.approx(probability, abs=0.012)


def test_sides_are_shuffled():
    random = Random(0)
    left = sum(draw_pair({"a": 1.0, "b": 9.0}, random).model_a == "a" for _ in range(4000))
    assert left == pytest.approx(2000, abs=130)


@pytest.mark.parametrize("weights", [{"a": 0.0, "b": 0.0}, {"a": 1.0, "b": 0.0}])
def test_missing_weights_never_stop_the_arena(weights):
    assert {draw_pair(weights, Random(1)).model_a, draw_pair(weights, Random(1)).model_b} == {"a", "b"}


@pytest.mark.parametrize("weights", [{}, {"a": 1.0}])
def test_fewer_than_two_models_are_too_few(weights):
    with pytest.raises(TooFewModels, match=f"{len(weights)} of the 2 models"):
        draw_pair(weights, Random(0))
