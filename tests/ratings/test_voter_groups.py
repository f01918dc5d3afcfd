"""`check_groups` finds small accounts that work together, and no honest ones."""

import numpy as np
import pytest

import ratings
from ratings import check_groups
from reproduce import voters as simulated

TARGET = simulated.MIDDLE
RIGGED = {"accounts": 100, "hours": 6, "fondness": np.inf, "target": TARGET}


def columns(seed=0, **options):
    defaults = {"accounts": 0, "hours": None, "fondness": 0.0, "target": TARGET}
    return simulated.board_with_accounts(np.random.default_rng([6, seed]), **{**defaults, **options})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"accounts": 100, "fondness": 1.5},
        {"accounts": 100, "hours": 6},
        {"accounts": 100, "hours": 6, "fondness": 0.25},
    ],
    ids=["nobody", "fans over a month", "honest newcomers", "newcomers with a slight taste"],
)
def test_honest_accounts_are_no_group(options):
    for seed in range(3):
        checked = check_groups(*columns(seed, **options), level=0.05)
        assert checked.groups == ()
        assert checked.tested > 100


@pytest.mark.parametrize("only_target", [True, False], ids=["only its battles", "every battle"])
def test_a_hundred_accounts_of_ten_votes_are_found(only_target):
    a, b, winner, voter, time = columns(**RIGGED, only_target=only_target)
    checked = check_groups(a, b, winner, voter, time, level=0.05)
    (group,) = checked.groups
    assert group.model == str(TARGET)
    rigged = set(range(700, 800))
    assert len(rigged & set(group.accounts)) >= 60
    assert len(set(group.accounts) - rigged) <= 20
    assert group.start <= time[voter >= 700].min() < group.end
    assert group.won > group.expected
    assert group.p_value <= 0.05
    # One by one, no account is found.
    single = ratings.check_voters(a, b, winner, voter, level=0.05)
    assert (single.flagged_after[700:] > 0).mean() <= 0.1


def test_the_order_of_rows_does_not_matter():
    rows = columns(**RIGGED)
    turned = [column[::-1] for column in rows]
    first, second = (check_groups(*some).groups[0] for some in (rows, turned))
    assert (first.model, first.start) == (second.model, second.start)
    assert sorted(first.accounts) == sorted(second.accounts)
    assert first.p_value == pytest.approx(second.p_value)


def test_votes_that_are_all_of_one_time_prove_nothing():
    a, b, winner, voter, _ = columns(accounts=100, fondness=np.inf)
    assert check_groups(a, b, winner, voter, np.zeros(len(a)), level=0.05).groups == ()


def test_excluded_voters_are_not_tested():
    a, b, winner, voter, time = columns(**RIGGED)
    assert check_groups(a, b, winner, voter, time, excluded=voter >= 700).groups == ()


def test_what_is_refused():
    a, b, winner, voter, time = (column[:300] for column in columns())
    with pytest.raises(ratings.BadOption, match="level 2 is out of range"):
        check_groups(a, b, winner, voter, time, level=2)
    with pytest.raises(ratings.MissingValue, match=r"row 1: no time. Give one for every battle"):
        check_groups(a, b, winner, voter, [time[0], np.nan, *time[2:]])
    with pytest.raises(ratings.LengthMismatch, match="time"):
        check_groups(a, b, winner, voter, time[:-1])
