"""Votes that are held and released in parts: what a crash between two parts leaves, and who can vote meanwhile."""

from __future__ import annotations

import pytest
from sqlmodel import select

from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store import vote_parts
from arena.store.packed_votes import packed_differences
from arena.store.quarantine import hold, release
from arena.store.schema.battles import Vote
from arena.store.schema.vote_states import VoteHold, VoteStateEvent
from arena.store.set_aside import counted_by_source
from arena.store.vote_parts import changed_in_parts, in_parts
from arena.store.votes import recount
from tests.support.ballots import ballot, ballots

HUMAN = ("human", "overall")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(vote_parts, "PART", 3)


@pytest.fixture
def votes(database):
    """The ids of eight votes."""
    ballots(database)
    with database.read() as session:
        return sorted(session.exec(select(Vote.id)))


def held_by(session, ids):
    return hold(session, ids, VoteState.QUARANTINED, QuarantineReason.BURST, detail="one act", by="op", again=True)


def held(database):
    """The held votes; fails unless every count is that of the votes."""
    with database.read() as session:
        assert not recount(session)
        assert not packed_differences(session)
        return sorted(session.exec(select(VoteHold.vote_id)))


def test_a_crash_between_parts_leaves_right_counts_and_the_act_run_again_does_the_rest(database, votes):
    def crashing(session, ids):
        changed = held_by(session, ids)
        if votes[4] in ids:
            raise ConnectionError("the machine stopped")
        return changed

    with pytest.raises(ConnectionError):
        in_parts(database, votes, crashing)
    assert held(database) == votes[:3], "the part that failed is taken back, the one before it stays"
    assert in_parts(database, votes, held_by) == len(votes) - 3
    assert held(database) == votes
    with database.read() as session:
        events = session.exec(select(VoteStateEvent)).all()
    assert sum(event.votes for event in events) == len(votes), "no vote is held twice"
    assert {(event.reason, event.detail, event.set_by) for event in events} == {("burst", "one act", "op")}
    assert in_parts(database, votes, lambda session, ids: release(session, ids, "looked at", "op")) == len(votes)
    assert held(database) == []


def test_voters_vote_between_the_parts(database, votes):
    cast = []

    def seen(done, total):
        cast.append((done, total, ballot(database, "amber", "birch", "tie", voter=f"late-{done}")))

    assert in_parts(database, votes, held_by, seen) == len(votes)
    assert [(done, total) for done, total, _ in cast] == [(3, 8), (6, 8), (8, 8)]
    assert held(database) == votes
    with database.read() as session:
        assert counted_by_source(session)[HUMAN] == len(cast)


def test_a_dry_run_tells_what_all_parts_would_change_and_changes_nothing(database, votes):
    tried = changed_in_parts(database, votes[:7], held_by, dry_run=True)
    assert held(database) == []
    done = changed_in_parts(database, votes[:7], held_by)
    assert tried.votes == done.votes == 7
    assert (done.before[HUMAN], done.after[HUMAN]) == (8, 1)
    assert {key: votes for key, votes in tried.after.items() if votes} == done.after
    assert tried.before == done.before


def test_no_votes_are_no_part(database):
    assert in_parts(database, [], held_by) == 0
