"""`check_voters` holds its level for honest voters who differ, and finds cheats. reproduce/voters.py has the long runs."""

import numpy as np
import pytest

import ratings
from ratings import check_voters, read_battles
from ratings.tools.voter_bets import FAILURES, GENERAL, SUCCESSES, _weights, alternatives
from ratings.tools.voter_null import beliefs
from ratings.tools.voter_reference import decisive_votes, reference
from reproduce import voters as simulated

MODELS = simulated.MODELS
MIDDLE, BOTTOM = MODELS // 2, MODELS - 1


def board(each=100, cheat=None, cheats=20, seed=0, **habits):
    """Columns of 200 honest voters, or of 180 and 20 cheats."""
    rng = np.random.default_rng([5, seed])
    if cheat is None:
        return simulated.crowd(rng, each, **habits)[1]
    return simulated.with_cheats(rng, cheat, each, cheats, **habits)


def flags(columns, **options):
    return check_voters(*columns, level=0.05, **options).flagged_after


@pytest.mark.parametrize("taste", [0.35, 0.7, 1.0])
def test_voters_with_a_taste_of_their_own_are_not_flagged(taste):
    assert (flags(board(150, taste=taste)) > 0).mean() <= 0.05


@pytest.mark.parametrize(
    ("habit", "value", "rest"),
    [
        ("log_nu", -np.inf, simulated.LOG_NU),
        ("log_nu", simulated.TWICE, simulated.LOG_NU),
        ("side", 0.3, 0.0),
        ("side", -0.6, 0.0),
    ],
    ids=["never ties", "ties twice as often", "a little to the left", "to the right"],
)
def test_voters_with_a_habit_are_not_flagged(habit, value, rest):
    after = flags(board(150, **simulated.few(habit, value, rest, 100)))
    assert (after > 0).mean() <= 0.05
    assert (after[:100] > 0).mean() <= 0.05


@pytest.mark.parametrize("cheat", [simulated.casual_booster(BOTTOM), simulated.booster(BOTTOM)])
def test_honest_voters_are_not_flagged_among_cheats(cheat):
    after = flags(board(150, cheat, cheats=40))
    assert (after[:160] > 0).mean() <= 0.05


@pytest.mark.parametrize(
    ("cheat", "found", "within", "named"),
    [
        (simulated.always(0), 1.0, 11, "always left"),
        (simulated.always(1), 1.0, 11, "always right"),
        (simulated.always(2), 1.0, 25, "always a tie"),
        (simulated.booster(MIDDLE), 0.9, 60, f"favours {MIDDLE}"),
        (simulated.booster(BOTTOM), 1.0, 20, f"favours {BOTTOM}"),
        (simulated.omnipresent(BOTTOM), 0.9, 17, f"favours {BOTTOM} and follows the ranking"),
    ],
    ids=["left", "right", "tie", "booster", "booster of the last", "omnipresent"],
)
def test_cheats_are_found_and_named(cheat, found, within, named):
    columns = board(100, cheat, cheats=8)
    checked = check_voters(*columns, level=0.05, excluded=columns[3] >= 192)
    after = checked.flagged_after[192:]
    assert (after > 0).mean() >= found
    assert np.median(after[after > 0]) <= within
    assert checked.likeliest[-1] == named
    assert checked.votes.tolist() == [100] * 200


def test_someone_who_demotes_a_model():
    def demote(rng, _, each):
        a, b = simulated.with_target(rng, each, MIDDLE)
        return a, b, np.where(a == MIDDLE, 1, 0)

    assert check_voters(*board(100, demote, cheats=1)).likeliest[-1] == f"demotes {MIDDLE}"


def test_the_order_of_voters_does_not_matter():
    a, b, outcome, voter = board(100, simulated.booster(BOTTOM), cheats=30)
    turned = check_voters(a, b, outcome, 199 - voter, level=0.05)
    checked = check_voters(a, b, outcome, voter, level=0.05)
    assert turned.flagged_after[::-1].tolist() == checked.flagged_after.tolist()
    assert turned.e_value[::-1] == pytest.approx(checked.e_value)


def test_the_evidence_is_the_ratio_to_the_likeliest_null():
    a, b, outcome, voter = board(20)
    a, b, outcome, voter = (column[: 5 * 20] for column in (a, b, outcome, voter))
    outcome = np.where(voter == 3, 0, outcome)
    battles = read_battles(a, b, outcome.astype(np.uint8))
    names = battles.models
    votes = decisive_votes(battles, voter, 1.0)
    crowd = reference(votes, np.ones(5, dtype=bool), ratings.PRIOR)
    expected = []
    for v in range(5):
        null = beliefs(crowd.without(votes, np.array([v])), crowd.error, 1.0)
        mine = np.flatnonzero(votes.voter == v)
        log_null = [null.learn(votes.model_a[[i]], votes.model_b[[i]], votes.left_won[[i]])[0] for i in mine]
        hits, log_left = SUCCESSES, 0.0
        for done, left in enumerate(votes.left_won[mine]):
            q = hits / (done + SUCCESSES + FAILURES)
            log_left += np.log(q if left else 1 - q)
            hits += left
        weight = _weights(len(names))[alternatives(names).index("always left")]
        expected.append(weight * np.exp((log_left - np.sum(log_null, axis=0)).min()))
    checked = check_voters(a, b, outcome, voter, level=1e-9)
    assert (checked.e_value >= np.array(expected) * (1 - 1e-9)).all()
    assert checked.likeliest[3] == "always left"
    assert checked.e_value[3] == pytest.approx(expected[3], rel=1e-3)  # the other alternatives add little
    assert (checked.peak >= checked.e_value).all()


def test_what_the_null_predicts_are_probabilities_that_it_learns_from():
    xi = np.array([[0.5, 0.0, -0.5]])
    left, right = (beliefs(xi, np.zeros(3), 1.0) for _ in range(2))
    a, b = np.array([0]), np.array([2])
    p = np.exp(left.learn(a, b, np.array([True])))
    assert p + np.exp(right.learn(a, b, np.array([False]))) == pytest.approx(1.0)
    assert (np.exp(left.learn(a, b, np.array([True]))) > p).all()


def test_all_weights_add_up_to_one():
    assert _weights(7).sum() + GENERAL["always a tie"] == pytest.approx(1.0)
    assert len(_weights(7)) + 1 == len(alternatives(tuple("abcdefg")))


def test_a_voter_is_left_out_of_what_they_are_held_against():
    a, b, outcome, voter = board(60, simulated.booster(BOTTOM), cheats=1)
    battles = read_battles(a, b, outcome.astype(np.uint8))
    votes = decisive_votes(battles, voter, 1.0)
    everybody = np.ones(200, dtype=bool)
    crowd = reference(votes, everybody, ratings.PRIOR).without(votes, np.array([199]))[0]
    assert crowd == pytest.approx(reference(votes, np.arange(200) < 199, ratings.PRIOR).xi, abs=0.01)


def test_a_hundred_votes_for_one_model_weigh_as_four():
    a, b = ["x"] * 100 + ["y"], ["y"] * 100 + ["x"]
    battles = read_battles(a, b, ["model_a"] * 101)
    votes = decisive_votes(battles, np.r_[np.zeros(100, int), 1], 1.0)
    assert votes.weight[:100].sum() == pytest.approx(100 / (1 + 99 / 4))
    assert votes.weight[100] == 1


def test_voters_keep_their_labels_and_numbers_of_votes():
    a, b, outcome, voter = (column[:160] for column in board(40, seed=1))
    outcome = np.where(voter == 3, 0, outcome)
    names = np.array(["ann", "bob", "cid", "eve"])[voter]
    kept = np.r_[0:30, 40:160]
    checked = check_voters(a[kept], b[kept], outcome[kept], names[kept])
    assert checked.voters == ("ann", "bob", "cid", "eve")
    assert checked.votes.tolist() == [30, 40, 40, 40]
    assert checked.flagged == ("eve",)


def test_a_smaller_taste_of_the_null_flags_more():
    columns = board(60, simulated.booster(MIDDLE), cheats=10)
    assert check_voters(*columns, taste=0.5).peak[190:].mean() > check_voters(*columns).peak[190:].mean()


def test_boards_without_ties_or_without_anything_else_are_checked():
    plain = check_voters(["a", "a"], ["b", "b"], ["model_a", "model_b"], ["v", "w"])
    assert plain.flagged == ()
    tied = check_voters(["a"] * 4, ["b"] * 4, ["tie"] * 4, ["v", "v", "w", "w"])
    assert tied.flagged == ()


def test_what_the_check_refuses():
    a, b, outcome, voter = (column[:40] for column in board(20))
    for option in ({"level": 0.0}, {"level": 1.0}, {"taste": 0.0}, {"taste": 3.5}, {"prior": 0.0}):
        with pytest.raises(ratings.BadOption, match=r"is out of range. Give a number between 0 and"):
            check_voters(a, b, outcome, voter, **option)
    with pytest.raises(ratings.MissingValue, match="row 0: no voter"):
        check_voters(a, b, outcome, [None, *voter[1:]])
    with pytest.raises(ratings.LengthMismatch, match="excluded"):
        check_voters(a, b, outcome, voter, excluded=[True])
