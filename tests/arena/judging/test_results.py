"""Rows of a judge run's board."""

from __future__ import annotations

import pytest

from arena.judging.results import Judged, score_rows, win_rate_rows
from judges import Score, Verdict


@pytest.mark.parametrize("losses", [0, 1])
def test_intervals_of_win_rates_stay_between_0_and_100(losses):
    verdicts = [
        Judged(
            f"p{n}", "base", "model", Verdict("model_a", 1.0, "") if n < losses else Verdict("model_b", 0.0, "")
        )
        for n in range(20)
    ]
    (row,) = win_rate_rows(verdicts, "base")
    assert row["win_rate"] == pytest.approx(100 * (1 - losses / 20))
    assert 0 < row["lower"] < row["win_rate"] <= row["upper"] <= 100


def test_intervals_of_scores_stay_between_1_and_10():
    judged = [Judged(f"p{n}", "model", "", Score(score, "")) for n, score in enumerate([10, 10, 10, 9])]
    (row,) = score_rows(judged)
    assert 1 < row["lower"] < row["score"] < row["upper"] <= 10
    assert score_rows(judged[:1])[0]["lower"] is None
