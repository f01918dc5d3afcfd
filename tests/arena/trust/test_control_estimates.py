"""What control battles say of voters: from stored votes, and whether the intervals hold in a simulation."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from scipy.special import expit
from sqlmodel import select, update

from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store.control_battles import RepeatedVote, SameModelVote, add_control, repeated_votes, same_model_votes
from arena.store.quarantine import hold
from arena.store.schema.battles import CompletionRow, Vote
from arena.trust.control_estimates import control_estimates, estimates, share
from tests.support.voted_battles import add_voted_battle

DAY = timedelta(days=1)


def same(database, winner, voter="ann"):
    number = add_voted_battle(database, "Why?", "one", "two", winner, ("plain", "plain"))
    return marked(database, number, voter, "same_model")


def swapped(database, first, again, voters=("ann", "bob")):
    number = marked(database, add_voted_battle(database, "Why?", "one", "two", first), voters[0])
    return marked(database, add_voted_battle(database, "Why?", "two", "one", again), voters[1], "swapped", number)


def marked(database, number, voter, kind=None, repeats=None):
    with database.write() as session:
        session.exec(update(Vote).where(Vote.battle_id == number).values(voter=voter))
        if kind:
            add_control(session, number, kind, repeats)
    return number


def test_the_estimates_of_stored_votes(database):
    for winner in ("model_a", "model_a", "model_b", "tie"):
        same(database, winner)
    swapped(database, "model_a", "model_b")  # the same text won
    swapped(database, "model_a", "model_a")  # the left side won twice
    swapped(database, "model_b", "tie")
    swapped(database, "model_a", "model_b", ("ann", "ann"))
    with database.read() as session:
        found = control_estimates(session)
    assert (found.left.share, found.left.votes, found.left.voters) == (0.625, 4, 1)
    assert (found.decisive.share, found.decisive.lower) == (0.75, None)
    assert (found.reversed.share, found.reversed.votes) == (pytest.approx(1 / 3), 3)
    assert (found.reversed_by_the_same_voter.share, found.reversed_by_the_same_voter.votes) == (0.0, 1)
    assert found.undecided.share == 0.25
    assert (found.position.votes, found.position.logits > 0) == (4, True)


def test_without_control_battles_there_are_no_figures(sqlite):
    with sqlite.read() as session:
        found = control_estimates(session)
    assert (found.position, found.left.share, found.left.votes) == (None, None, 0)


def test_quarantined_votes_and_leaks_leave_by_the_filter(database):
    kept, held = same(database, "model_a"), same(database, "model_b")
    pair = swapped(database, "model_a", "model_a")
    with database.write() as session:
        vote = session.exec(select(Vote.id).where(Vote.battle_id == held)).one()
        hold(session, [vote], VoteState.QUARANTINED, QuarantineReason.OPERATOR, by="test")
        session.exec(update(CompletionRow).where(CompletionRow.side == "a").values(leaked=True))
    with database.read() as session:
        assert [vote.winner for vote in same_model_votes(session)] == ["model_a"]
        assert same_model_votes(session, leaked=False) == repeated_votes(session, leaked=False) == []
        assert len(repeated_votes(session)) == 1
        assert control_estimates(session, "capped-1").left.votes == 0
    assert kept
    assert pair


@pytest.mark.parametrize("change", ["attempt", "stopped"])
def test_what_was_written_again_or_stopped_early_is_no_repetition(sqlite, change):
    number = swapped(sqlite, "model_a", "model_a")
    with sqlite.write() as session:
        if change == "attempt":
            session.exec(update(CompletionRow).values(attempt=2))
        else:
            session.exec(update(Vote).where(Vote.battle_id == number).values(stopped_early=True))
    with sqlite.read() as session:
        assert repeated_votes(session) == []


def test_the_share_of_no_voters_and_of_one_vote_each():
    assert share([], []).share is None
    found = share([1.0, 0.0] * 50, [f"v{k}" for k in range(100)])
    assert (round(found.lower, 2), round(found.upper, 2)) == (0.4, 0.6)


def test_intervals_hold_what_the_simulation_puts_in():
    """60 voters with 1 to 8 control battles, own biases and own habits of ties: each interval holds its truth in 95 %."""
    random, runs = np.random.default_rng(1), 300
    held = {"position": 0, "decisive": 0, "reversed": 0}
    bias, ties, noise = 0.3, 0.25, []
    for run in range(runs + 1):
        voters = 4000 if run == 0 else 60  # the first run gives the share that the others must hold
        many = random.integers(1, 9, voters)
        own = bias + random.normal(0, 0.3, voters)
        tie = random.beta(10 * ties, 10 * (1 - ties), voters)
        same_votes, repeats = [], []
        for v in range(voters):
            for _ in range(many[v]):
                if random.random() < 0.5:
                    won = "tie" if random.random() < tie[v] else side(random, own[v])
                    same_votes.append(SameModelVote(won, f"v{v}"))
                else:
                    strength = random.normal(0, 1)
                    first = side(random, strength + bias)
                    again = side(random, -strength + own[v])
                    repeats.append(RepeatedVote(again, f"v{v}", first, "other"))
        found = estimates(same_votes, repeats)
        if run == 0:
            noise.append(found.reversed.share)
            continue
        held["position"] += found.position.lower <= bias <= found.position.upper
        held["decisive"] += found.decisive.lower <= 1 - ties <= found.decisive.upper
        held["reversed"] += found.reversed.lower <= noise[0] <= found.reversed.upper
    assert all(0.92 <= number / runs <= 0.99 for number in held.values()), held


def side(random, advantage):
    return "model_a" if random.random() < expit(advantage) else "model_b"
