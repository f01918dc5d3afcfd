import json
import random

import numpy as np
import pytest

import ratings
from tests.support.boards import mirrored, simulated

COLUMNS = simulated(models=8, battles=2000)
NOTHING = dict.fromkeys(("model_a", "model_b", "wins", "losses", "ties", "both_bad"), np.zeros(0, dtype=int))


def test_rows_are_best_first_and_add_up():
    board = ratings.leaderboard(*COLUMNS)
    assert [row.rating for row in board.rows] == sorted((row.rating for row in board.rows), reverse=True)
    assert sum(row.battles for row in board.rows) == 2 * board.battles == 4000
    for row in board.rows:
        assert row.wins + row.losses + row.ties + row.both_bad == row.battles
        assert row.lower < row.rating < row.upper
        assert row.rank == row.rank_low <= row.rank_high
        assert not row.provisional


def test_the_dictionary_is_json_with_the_agreed_keys():
    plain = json.loads(json.dumps(ratings.leaderboard(*COLUMNS).to_dict(), allow_nan=False))
    assert list(plain) == ["method", "parameters", "battles", "components", "models"]
    assert plain["method"] == "bradley_terry"
    assert plain["parameters"] == {"prior": 0.25, "covariance": "sandwich", "level": 0.95}
    assert list(plain["models"][0]) == [
        "model", "rating", "lower", "upper", "rank", "rank_low", "rank_high",
        "battles", "wins", "losses", "ties", "both_bad", "provisional",
    ]  # fmt: skip


def test_what_is_infinite_or_unknown_is_null():
    fit = ratings.bradley_terry(["a", "b"], ["b", "c"], ["model_a", "model_a"])
    board = ratings.leaderboard(["a", "b"], ["b", "c"], ["model_a", "model_a"], fit=fit)
    text = json.dumps(board.to_dict(), allow_nan=False)
    assert {m["model"]: m["rating"] for m in json.loads(text)["models"]} == dict.fromkeys("acb")
    assert [row.model for row in board.rows] == ["a", "c", "b"]
    assert all(row.provisional for row in board.rows)


@pytest.mark.parametrize("seed", range(10))
def test_a_board_is_the_same_to_the_last_bit_in_any_order(seed):
    order = random.Random(seed).sample(range(2000), 2000)
    board = ratings.leaderboard(*([column[row] for row in order] for column in COLUMNS))
    assert board == ratings.leaderboard(*COLUMNS)


def test_the_order_of_models_and_of_rows_of_counts_changes_no_bit():
    counts = ratings.count_pairs(*COLUMNS)
    rng = random.Random(1)
    models = list(range(8))
    rng.shuffle(models)
    rows = list(range(len(counts.model_a)))
    rng.shuffle(rows)
    index = np.argsort(models)
    columns = (getattr(counts, name)[rows] for name in ("wins", "losses", "ties", "both_bad"))
    shuffled = ratings.PairCounts(
        tuple(counts.models[m] for m in models), index[counts.model_a[rows]], index[counts.model_b[rows]], *columns
    )
    assert ratings.leaderboard(shuffled) == ratings.leaderboard(counts)


def test_swapping_sides_changes_no_rating():
    a, b, winner = COLUMNS
    one, two = ratings.leaderboard(a, b, winner), ratings.leaderboard(b, a, mirrored(winner))
    assert [row.model for row in one.rows] == [row.model for row in two.rows]
    assert [row.rating for row in one.rows] == pytest.approx([row.rating for row in two.rows], abs=1e-8)


def test_models_without_battles_are_not_on_a_board():
    board = ratings.leaderboard(ratings.PairCounts(models=("y", "x"), **NOTHING))
    assert (board.rows, board.bands, board.battles) == ((), (), 0)


def test_a_board_without_models_has_no_rows():
    board = ratings.leaderboard(ratings.PairCounts(models=(), **NOTHING))
    assert board.rows == ()
    assert board.to_dict()["models"] == []


def test_a_newcomer_without_battles_changes_nothing():
    counts = ratings.count_pairs(*COLUMNS)
    more = ratings.count_pairs(*COLUMNS, models=["new", *counts.models])
    assert ratings.leaderboard(more) == ratings.leaderboard(counts)
    fit = ratings.bradley_terry(more, prior=ratings.PRIOR)
    rows = ratings.leaderboard(more, fit=fit).rows
    for row, same in zip(rows, ratings.leaderboard(counts).rows, strict=True):
        assert (row.model, row.rank, row.rank_low, row.rank_high) == (
            same.model,
            same.rank,
            same.rank_low,
            same.rank_high,
        )
        assert (row.rating, row.lower) == (pytest.approx(same.rating), pytest.approx(same.lower))


def test_a_board_prints_every_model_and_says_when_it_falls_apart():
    text = str(ratings.leaderboard([*COLUMNS[0], "x"], [*COLUMNS[1], "y"], [*COLUMNS[2], "tie"]))
    assert text.count("\n") == 12
    assert "2 components: no battles compare models across them." in text
    assert text.count("provisional") == 2


def test_coefficients_are_in_the_board():
    board = ratings.leaderboard(*COLUMNS, fit=ratings.davidson(*COLUMNS))
    assert "log nu: " in str(board)
    assert set(board.to_dict()["style"]["log nu"]) == {"value", "lower", "upper"}


def test_a_fit_of_other_models_is_refused():
    with pytest.raises(ratings.BadOption, match="the fit does not rate b"):
        ratings.leaderboard(["a"], ["b"], ["tie"], fit=ratings.bradley_terry(["a"], ["c"], ["tie"]))


def test_overlap_ranks_count_intervals_wholly_above():
    lower, upper = np.array([0.0, 5.0, 20.0]), np.array([10.0, 15.0, 30.0])
    assert ratings.overlap_ranks(lower, upper).tolist() == [2, 2, 1]
