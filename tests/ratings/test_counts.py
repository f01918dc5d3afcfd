import numpy as np
import pytest

import ratings
from ratings.data.scipy_loops import add_entries, adds_entries
from ratings.data.tally import add_matrix, tally_with_scipy
from tests.support.boards import simulated

A, B, WINNER = simulated()


def empty(**changed):
    columns = dict.fromkeys(("model_a", "model_b", "wins", "losses", "ties", "both_bad"), np.zeros(0, int))
    return ratings.PairCounts(**{"models": ("x", "y"), **columns, **changed})


def row(**changed):
    values = {"model_a": 0, "model_b": 1, "wins": 1, "losses": 0, "ties": 0, "both_bad": 0, **changed}
    return ratings.PairCounts(models=("x", "y"), **{name: np.array([v]) for name, v in values.items()})


def test_counts_are_those_of_a_loop():
    counts = ratings.count_pairs(A, B, WINNER)
    for a, b, outcome_counts in zip(counts.model_a, counts.model_b, counts.table, strict=True):
        pair = counts.models[a], counts.models[b]
        mine = [w for x, y, w in zip(A, B, WINNER, strict=True) if (x, y) == pair]
        assert outcome_counts.tolist() == [mine.count(outcome.name) for outcome in ratings.OUTCOMES]
    assert counts.battles == len(A)


def test_totals_count_each_battle_for_both_models():
    counts = ratings.count_pairs(["a", "b", "c"], ["b", "c", "a"], ["model_a", "model_b", "tie"])
    assert counts.totals().tolist() == [[1, 0, 1, 0], [0, 2, 0, 0], [1, 0, 1, 0]]


def test_weights_are_summed_with_their_squares():
    counts = ratings.count_pairs(["a", "a"], ["b", "b"], ["model_a", "model_a"], weight=[2.0, 3.0])
    assert counts.weighted.tolist() == [[5, 0, 0, 0]]
    assert counts.weighted_squares.tolist() == [[13, 0, 0, 0]]
    assert counts.table.tolist() == [[2, 0, 0, 0]]


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        ([1.0], ratings.LengthMismatch, "2 battles but weights of shape"),
        ([1.0, float("nan")], ratings.MissingValue, "row 1: the weight is missing"),
        ([1.0, -1.0], ratings.BadOption, "row 1: weight -1 is out of range. Give a finite weight, zero or more"),
        ([1.0, float("inf")], ratings.BadOption, "row 1: weight inf"),
        ([0.0, 0.0], ratings.BadOption, "all weights are zero"),
    ],
)
def test_a_weight_that_is_none(weight, error, message):
    with pytest.raises(error, match=message):
        ratings.count_pairs(["a", "a"], ["b", "b"], ["tie", "tie"], weight=weight)


def test_pair_counts_check_themselves():
    with pytest.raises(ratings.LengthMismatch, match="differ in length"):
        empty(wins=np.array([1]))
    with pytest.raises(ratings.BadOption, match="row 0: model_b is 2; there are 2 models"):
        row(model_b=2)
    with pytest.raises(ratings.BadOption, match="row 0: -1 battles with outcome tie"):
        row(ties=-1)
    with pytest.raises(ratings.BadOption, match="row 0: nan battles with outcome tie"):
        row(ties=float("nan"))
    with pytest.raises(ratings.SelfBattle, match="row 0: 'x' against itself"):
        row(model_b=0)
    with pytest.raises(ratings.BadOption, match="'x' is listed twice"):
        empty(models=("x", "x"))


def test_pair_counts_are_frozen():
    with pytest.raises(AttributeError):
        row().models = ("y", "x")


@pytest.mark.parametrize("add", [add_entries, add_matrix])
def test_both_ways_to_tally_are_the_definition(add):
    rng = np.random.default_rng(0)
    rows, columns = (rng.integers(0, n, 1000).astype(np.int32) for n in (7, 28))
    table = np.ones((7, 28), dtype=np.int32)
    add(table, rows, columns, np.ones(1000, dtype=np.int32))
    expected = np.ones((7, 28), dtype=int)
    np.add.at(expected, (rows, columns), 1)
    assert (table == expected).all()


def test_this_scipy_has_the_loop():
    assert adds_entries()


@pytest.mark.parametrize("works", [True, False])
def test_a_tally_of_several_chunks_loses_none(works, monkeypatch):
    monkeypatch.setattr("ratings.data.scipy_loops.adds_entries", lambda: works)
    monkeypatch.setattr("ratings.data.tally.CHUNK", 100)
    a = np.arange(1050) % 3
    pairs, outcome_counts = tally_with_scipy(a, (a + 1) % 3, np.zeros(1050, dtype=np.uint8), 3)
    assert (pairs.tolist(), outcome_counts.sum(axis=0).tolist()) == ([1, 5, 6], [1050, 0, 0, 0])


def test_a_scipy_without_the_loop_is_noticed(monkeypatch):
    monkeypatch.setattr("ratings.data.scipy_loops.add_entries", lambda *_: None)
    adds_entries.cache_clear()
    assert not adds_entries()
    adds_entries.cache_clear()


def test_masked_counts_are_an_error():
    masked = np.ma.masked_array([1], [True])
    with pytest.raises(ratings.BadOption, match="wins has masked values"):
        ratings.PairCounts(("a", "b"), [0], [1], masked, [0], [0], [0])
