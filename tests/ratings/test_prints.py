"""Every result prints as something to read, not as its arrays."""

import numpy as np
import pytest

import ratings
from ratings import RankRobustness
from tests.support.boards import simulated

COLUMNS = simulated(models=4, battles=500)
COUNTS = ratings.count_pairs(*COLUMNS)


def test_counts_and_battles_print_their_sizes():
    assert repr(COUNTS) == "PairCounts(4 models, 12 rows, 500 battles)"
    assert repr(ratings.count_pairs(*COLUMNS, weight=np.ones(500))).endswith("500 battles, weighted)")
    assert repr(ratings.read_battles(*COLUMNS)) == "Battles(4 models, 500 battles)"


def test_replicates_print_a_line_a_model():
    lines = str(ratings.bootstrap(COUNTS)).splitlines()
    assert lines[0] == "100 rounds (poisson): median and 95% percentile interval"
    assert [line.split()[0] for line in lines[1:]] == [row.model for row in ratings.leaderboard(COUNTS).rows]


def test_fragility_prints_the_votes():
    first, second = (row.model for row in ratings.leaderboard(COUNTS).rows[:2])
    found = ratings.rank_robustness(COUNTS, ahead=first, behind=second)
    assert str(found).startswith(f"without {found.votes} of 500 votes {second} is ahead of {first}:\n  ")
    assert str(RankRobustness("a", "b", None, None, 9, ())) == "no removal found among 9 votes puts b ahead of a"


def test_a_check_of_voters_prints_who_is_flagged():
    a, b = ["x", "y", "z"] * 200, ["y", "z", "x"] * 200
    voter = [f"v{row % 30}" for row in range(570)] + ["left"] * 30
    winner = [*np.random.default_rng(0).choice(["model_a", "model_b", "tie"], 570), *["model_a"] * 30]
    message = str(ratings.check_voters(a, b, winner, voter)).splitlines()
    assert message[0] == "1 of 31 voters flagged at level 0.01"
    assert message[1].startswith("left: after ")
    assert message[1].endswith(" of 30 votes, likeliest always left")


@pytest.mark.parametrize("way", ["anchored", "powered"])
def test_a_fit_with_judges_prints_what_they_are_worth(way):
    a, b, judge = COLUMNS
    people = [winner if row % 2 else None for row, winner in enumerate(judge)]
    if way == "powered":
        message = str(ratings.prediction_powered(a, b, judge, people))
        assert "times people's votes alone" in message
    else:
        source = ["human" if row % 2 else "judge" for row in range(500)]
        message = str(ratings.human_anchored(a, b, judge, source, prior=0.25))
        assert "times the votes of people alone" in message
    assert message.count("\n") >= 5
