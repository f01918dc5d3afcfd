"""The same votes give the same flags over HTTP and in a store; an attack moves its target by one place at most."""

from __future__ import annotations

import pytest

from arena.config import LimitSettings
from arena.store import Database
from arena.store.held_votes import EVERY_HELD
from arena.store.quarantine import held
from arena.store.trust_votes import trust_votes
from arena.trust.checks import findings
from reproduce.riggers.attacks import attack
from reproduce.riggers.crowd import crowd
from reproduce.riggers.in_store import put
from reproduce.riggers.outcome import admitted, held_by_checks, places, trust_columns
from reproduce.riggers.over_http import Visitors, arena
from tests.support.arenas import new_file


def month(name, limits=True):
    plan = crowd(2).joined(attack(name, 2))
    votes, at_the_vote = admitted(plan, 2, LimitSettings() if limits else None)
    return plan, votes, at_the_vote | held_by_checks(votes, findings(trust_columns(votes)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["omnipresent", "network, one prompt pool"])
def test_an_attack_leaves_its_target_within_one_place(name):
    plan, votes, whole = month(name)
    left = places(votes, whole, name, plan.targets[name])
    assert abs(left.checked - left.honest) <= 1
    assert (whole & (votes.kind == "honest")).sum() <= 0.015 * len(votes)


def test_without_limits_the_checks_alone_hold_a_booster():
    plan, votes, whole = month("booster", limits=False)
    mine = votes.kind == "booster"
    assert mine.sum() > 30
    assert whole[mine].all()
    left = places(votes, whole, "booster", plan.targets["booster"])
    assert left.checked == left.honest


@pytest.mark.slow
def test_over_http_and_in_a_store_the_same_votes_give_the_same_flags(tmp_path):
    plan = (
        crowd(5, voters=40, votes=250)
        .joined(attack("always left", 5).first(50))
        .joined(attack("booster", 5).first(60))
    )
    with arena(limits=False, check_every=0) as (url, clock, folder):
        played = Visitors(url, clock, plan).play()
        votes = played.votes(plan)
        of_http = Database(f"sqlite:///{folder / 'arena.db'}")
        with of_http.read() as session:
            from_http = trust_votes(session)
            at_once = {row.reason for row in held(session, EVERY_HELD, limit=None)}
        of_http.close()
    database = new_file(tmp_path / "arena.db")
    put(database, votes)
    with database.read() as session:
        from_store = trust_votes(session)
    assert len(from_http) == len(from_store) == len(votes)
    flags = [
        sorted((str(one.reason), one.votes, one.reached) for one in findings(columns))
        for columns in (from_http, from_store)
    ]
    assert flags[0] == flags[1]
    assert {reason for reason, *_ in flags[0]} >= {"voter_test"}
    assert "too_fast" in at_once  # of the booster, who votes when the texts have ended
