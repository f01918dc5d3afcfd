import itertools

import numpy as np
import pytest

import ratings
from ratings import rank_robustness
from tests.support.boards import simulated

COLUMNS = simulated(models=10, battles=5000)
COUNTS = ratings.count_pairs(*COLUMNS)
BOARD = ratings.leaderboard(COUNTS)


def neighbours(index):
    return BOARD.rows[index].model, BOARD.rows[index + 1].model


@pytest.mark.parametrize("index", range(9))
def test_removing_the_votes_named_swaps_the_two_and_one_fewer_does_not(index):
    ahead, behind = neighbours(index)
    found = rank_robustness(COUNTS, ahead=ahead, behind=behind)
    assert found.votes == sum(removed.votes for removed in found.removed)
    assert found.share == found.votes / 5000
    rows = list(zip(*COLUMNS, strict=True))
    for number, removed in enumerate(found.removed):
        votes = removed.votes - (number == len(found.removed) - 1)
        for _ in range(votes):
            rows.remove((removed.model_a, removed.model_b, removed.outcome))
    almost = ratings.bradley_terry(*zip(*rows, strict=True), prior=ratings.PRIOR)
    assert almost.difference(ahead, behind)[0] >= 0
    rows.remove((removed.model_a, removed.model_b, removed.outcome))
    swapped = ratings.bradley_terry(*zip(*rows, strict=True), prior=ratings.PRIOR)
    assert swapped.difference(ahead, behind)[0] < 0


@pytest.mark.parametrize("index", range(9))
def test_the_estimate_is_near_the_refit(index):
    found = rank_robustness(COUNTS, ahead=neighbours(index)[0], behind=neighbours(index)[1])
    assert found.estimate == pytest.approx(found.votes, rel=0.25, abs=2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_no_smaller_removal_exists_on_small_boards(seed):
    columns = simulated(models=4, battles=24, seed=seed, bad=0)
    board = ratings.leaderboard(*columns)
    ahead, behind = board.rows[0].model, board.rows[1].model
    found = rank_robustness(*columns, ahead=ahead, behind=behind)
    assert found.votes is not None
    for smaller in range(min(found.votes, 3)):
        for chosen in itertools.combinations(range(24), smaller):
            kept = [[v for row, v in enumerate(column) if row not in chosen] for column in columns]
            fit = ratings.bradley_terry(*kept, prior=ratings.PRIOR)
            assert fit.difference(ahead, behind)[0] >= 0


def test_without_a_prior_the_refits_are_maximum_likelihood():
    ahead, behind = neighbours(4)
    found = rank_robustness(COUNTS, ahead=ahead, behind=behind, prior=0)
    assert found.votes == pytest.approx(rank_robustness(COUNTS, ahead=ahead, behind=behind).votes, abs=3)


def test_a_lead_that_rests_on_every_vote():
    found = rank_robustness(["a"] * 3, ["b"] * 3, ["model_a"] * 3, ahead="a", behind="b")
    assert (found.votes, found.share, found.removed) == (None, None, ())


def test_what_rank_robustness_refuses():
    ahead, behind = neighbours(0)
    with pytest.raises(ratings.BadOption, match="is not a finite step ahead of"):
        rank_robustness(COUNTS, ahead=behind, behind=ahead)
    with pytest.raises(ratings.UnknownModel, match="'zzz' is not among the 10 models"):
        rank_robustness(COUNTS, ahead="zzz", behind=behind)
    with pytest.raises(ratings.BadOption, match="Give a precision of zero or more"):
        rank_robustness(COUNTS, ahead=ahead, behind=behind, prior=-1)
    with pytest.raises(ratings.BadOption, match="or give a prior"):
        rank_robustness(["a"], ["b"], ["model_a"], ahead="a", behind="b", prior=0)


def test_weights_count():
    weight = np.ones(5000)
    ahead, behind = neighbours(2)
    weighted = ratings.count_pairs(*COLUMNS, weight=weight)
    assert rank_robustness(weighted, ahead=ahead, behind=behind) == rank_robustness(
        COUNTS, ahead=ahead, behind=behind
    )
