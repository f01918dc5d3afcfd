"""Bands of a leaderboard: models that cannot be told apart from the first of their band."""

from __future__ import annotations

import numpy as np
import pytest

import ratings
from tests.support.boards import simulated


@pytest.mark.parametrize("seed", range(5))
def test_a_band_ends_before_the_first_model_that_is_worse_beyond_doubt(seed):
    counts = ratings.count_pairs(*simulated(models=12, battles=900, seed=seed))
    board = ratings.leaderboard(counts)
    fit = ratings.bradley_terry(counts, prior=ratings.PRIOR)
    better = ratings.better_beyond_doubt(fit, counts=counts)
    place = [fit.models.index(row.model) for row in board.rows]
    assert board.bands[0] == 1
    first = 0
    for number in range(1, len(place)):
        begins = bool(better[place[first], place[number]])
        assert board.bands[number] - board.bands[number - 1] == begins
        first = number if begins else first
    assert board.bands[-1] > 1


def test_a_provisional_model_begins_no_band():
    names, models, winners = simulated(models=3, battles=900)
    board = ratings.leaderboard([*names, "new", "new"], [*models, "m0", "m1"], [*winners, *["model_a"] * 2])
    assert (board.rows[0].model, board.rows[0].rank) == ("new", None)
    assert board.bands[:2] == (1, 1)


def test_a_board_without_models_has_no_band():
    assert ratings.leaderboard(ratings.PairCounts((), *np.zeros((6, 0), dtype=np.int64))).bands == ()
