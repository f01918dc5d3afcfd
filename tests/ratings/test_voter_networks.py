"""`check_networks` finds accounts that hide behind the ranking, `check_selection` those who pick their battles."""

import numpy as np
import pytest
from scipy import stats

import ratings
from ratings import check_bursts, check_networks, check_selection
from ratings.tools.vote_bursts import upper_tail
from ratings.tools.voter_ties import tie_evidence
from reproduce.riggers.attacks import attack
from reproduce.riggers.crowd import crowd
from reproduce.riggers.in_columns import drawn
from reproduce.riggers.population import DAY


def month(name=None, seed=0):
    """The votes of a month with one attack."""
    plan = crowd(seed) if name is None else crowd(seed).joined(attack(name, seed))
    return drawn(plan, seed)


def network_check(votes, **options):
    labels = {"prompt": votes.prompt, "address": votes.address}
    return check_networks(votes.a, votes.b, votes.winner, votes.voter, votes.time, labels=labels, **options)


def test_no_honest_account_is_in_a_network():
    for seed in range(2):
        assert network_check(month(seed=seed)).networks == ()


def test_a_network_with_a_pool_of_prompts_is_found_with_most_of_its_accounts():
    votes = month("network, one prompt pool")
    checked = network_check(votes)
    assert {network.model for network in checked.networks} == {"22"}
    assert checked.networks[0].shared in ("the same prompt", "the same address")
    riggers = {account for account in checked.accounts if votes.kind_of[account] != "honest"}
    assert len(riggers) >= 45
    assert len(checked.accounts) - len(riggers) <= 2


def test_a_network_of_one_week_is_found_by_the_time_of_its_first_votes():
    checked = network_check(month("network"))
    assert {network.model for network in checked.networks} == {"12"}
    assert checked.networks[0].shared.startswith("first votes within")
    assert checked.networks[0].e_value > 1 / checked.level


def test_several_networks_at_once_checked_again_and_again_name_their_models_and_nobody_else():
    plan = crowd(0)
    for name in ("network", "network, one prompt pool", "slow network"):
        plan = plan.joined(attack(name, 0))
    votes = drawn(plan, 0)
    accounts, models = set(), set()
    for day in (11, 13, 15):
        checked = network_check(votes.where(votes.time < day * DAY))
        accounts |= checked.accounts
        models |= {network.model for network in checked.networks}
    assert models <= {"12", "22", "24"}
    honest = {account for account in accounts if votes.kind_of[account] == "honest"}
    assert len(honest) <= 1
    assert len(accounts - honest) >= 110


def test_an_account_is_in_one_network_only():
    votes = month("network")
    named = [account for network in network_check(votes).networks for account in network.accounts]
    assert len(named) == len(set(named))


def test_ties_speak_against_a_network_a_little_and_for_one_only_where_the_crowd_ties():
    votes = np.full(60, 10)
    ties = np.r_[np.arange(50) % 5, np.zeros(10, dtype=np.int64)]
    evidence = tie_evidence(ties, votes, np.ones(60, dtype=bool))
    assert evidence[ties == 0].min() > 0.2
    assert -np.log(2) <= evidence[ties == 4].min() <= evidence[ties == 4].max() < -0.6
    nobody = tie_evidence(np.zeros(60, dtype=np.int64), votes, np.ones(60, dtype=bool))
    assert np.abs(nobody).max() < 0.1
    alone = tie_evidence(ties, votes, np.zeros(60, dtype=bool))
    assert np.isfinite(alone).all()


def test_excluded_voters_are_not_tested():
    votes = month("network, one prompt pool")
    assert network_check(votes, excluded=votes.kind != "honest").networks == ()


def test_who_leaves_battles_without_one_model_is_found_within_ten_votes():
    votes = month("booster")
    (found,) = check_selection(votes.a, votes.b, votes.winner, votes.voter, level=0.001)
    assert (votes.kind_of[found.voter], found.model) == ("booster", "14")
    assert found.flagged_after <= 10
    assert found.with_model == found.votes


def test_a_model_that_is_drawn_more_often_for_a_while_makes_nobody_suspicious():
    rng = np.random.default_rng(5)
    a, b = np.zeros(1000, int), rng.integers(1, 10, 1000)
    later = rng.permuted(np.tile(np.arange(10), (2000, 1)), axis=1)[:, :2]
    voter = np.r_[np.repeat(np.arange(100), 10), 100 + rng.integers(0, 200, 2000)]
    assert check_selection(np.r_[a, later[:, 0]], np.r_[b, later[:, 1]], ["tie"] * 3000, voter) == ()


def test_two_models_leave_nothing_to_select():
    assert check_selection(["x"] * 600, ["y"] * 600, ["tie"] * 600, np.arange(600) % 3) == ()


@pytest.mark.parametrize("models", [3, 4, 5, 6])
def test_where_few_models_fight_nobody_is_flagged_for_meeting_one_of_them_seldom(models):
    """With 5 models each is in 40 % of battles, so that twice its share is more than the least that a selector has."""
    rng = np.random.default_rng(models)
    pairs = rng.permuted(np.tile(np.arange(models), (1500, 1)), axis=1)[:, :2]
    assert check_selection(pairs[:, 0], pairs[:, 1], ["tie"] * 1500, rng.integers(0, 100, 1500)) == ()


def test_one_of_five_models_can_still_be_selected():
    rng = np.random.default_rng(5)
    pairs = rng.permuted(np.tile(np.arange(5), (1000, 1)), axis=1)[:, :2]
    voter = rng.integers(0, 100, 1000)
    voter[(pairs == 2).any(axis=1) & (rng.random(1000) < 0.2)] = 100  # who leaves the battles without it
    (found,) = check_selection(pairs[:, 0], pairs[:, 1], ["tie"] * 1000, voter)
    assert (found.voter, found.model, found.with_model) == (100, "2", found.votes)


def test_what_the_checks_refuse():
    columns = [["x", "y"], ["y", "x"], ["tie", "tie"], ["v", "w"]]
    for level in (0.0, 1.0):
        with pytest.raises(ratings.BadOption, match="out of range"):
            check_networks(*columns, [0.0, 1.0], level=level)
        with pytest.raises(ratings.BadOption, match="out of range"):
            check_selection(*columns, level=level)
    with pytest.raises(ratings.MissingValue, match="row 1: no time"):
        check_networks(*columns, [0.0, np.nan])
    with pytest.raises(ratings.MissingValue, match="row 0: no voter"):
        check_selection(*columns[:3], [None, "w"])
    with pytest.raises(ratings.LengthMismatch, match="time"):
        check_networks(*columns, [0.0])
    with pytest.raises(ratings.LengthMismatch, match="prompt"):
        check_networks(*columns, [0.0, 1.0], labels={"prompt": ["p"]})


def test_a_burst_of_a_hundred_accounts_is_found_and_none_on_an_honest_day_of_news():
    votes = month("100 accounts")
    found = check_bursts(votes.a, votes.b, votes.winner, votes.voter, votes.time)
    assert {burst.model for burst in found} == {"16"}
    assert sum(votes.kind_of[winner] != "honest" for winner in found[0].winners) >= 20
    assert found[0].won > found[0].expected
    honest = month()
    assert check_bursts(honest.a, honest.b, honest.winner, honest.voter, honest.time) == ()


def test_the_tail_is_that_of_the_binomial_where_all_chances_are_equal():
    for successes in (0, 3, 10):
        assert upper_tail(np.full(10, 0.3), successes) == pytest.approx(stats.binom.sf(successes - 1, 10, 0.3))


def test_a_burst_needs_a_level_within_its_range():
    with pytest.raises(ratings.BadOption, match="out of range"):
        check_bursts(["x"], ["y"], ["tie"], ["v"], [0.0], level=1.0)
