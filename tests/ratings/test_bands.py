"""Bands of a leaderboard: models that cannot be told apart from the first of their band."""

from __future__ import annotations

import numpy as np
import pytest

import ratings
from tests.support.boards import simulated


@pytest.mark.parametrize("seed", range(5))
def test_a_band_ends_before_the_first_model_that_is_significantly_worse(seed):
    counts = ratings.count_pairs(*simulated(models=12, battles=900, seed=seed))
    board = ratings.leaderboard(counts)
    fit = ratings.bradley_terry(counts, prior=ratings.PRIOR)
    place = {model: number for number, model in enumerate(fit.models)}
    assert board.bands[0] == 1
    assert list(board.bands) == sorted(board.bands)
    first = 0
    for number, (row, band) in enumerate(zip(board.rows, board.bands, strict=True)):
        a, b = place[board.rows[first].model], place[row.model]
        error = (fit.covariance[a, a] + fit.covariance[b, b] - 2 * fit.covariance[a, b]) ** 0.5
        is_worse = number > first and board.rows[first].rating - row.rating > 1.959964 * error
        if is_worse:
            first = number
        assert (band > board.bands[number - 1] if number else True) == is_worse or number == 0


def test_models_without_battles_are_one_band():
    counts = ratings.PairCounts(("a", "b", "c"), *(np.zeros((6, 0), dtype=np.int64)))
    assert ratings.leaderboard(counts).bands == (1, 1, 1)


def test_a_board_without_models_has_no_band():
    assert ratings.leaderboard(ratings.PairCounts((), *np.zeros((6, 0), dtype=np.int64))).bands == ()
