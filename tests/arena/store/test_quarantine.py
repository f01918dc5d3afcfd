"""Held votes count nowhere at once, stay in the store, and count again as before when they are released."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import event, func, text
from sqlmodel import select

from arena.rules.vote_states import SENTENCES, QuarantineReason, VoteState, sentence_of
from arena.rules.votes import HUMAN
from arena.store.content_version import content_version
from arena.store.held_votes import held_ids, history_of, vote_ids_of
from arena.store.ledger import sealed_votes
from arena.store.packed_votes import packed_votes
from arena.store.quarantine import (
    HeldFilter,
    NewHold,
    changes,
    counts_by_state_and_reason,
    held,
    hold,
    release,
    vote_states,
)
from arena.store.query_filters import VoteSelection
from arena.store.schema.battles import Vote
from arena.store.schema.vote_states import VoteHold, VoteStateChange, VoteStateEvent
from arena.store.set_aside import Selection, aside_version, set_aside, take_back
from arena.store.tags import add_tags
from arena.store.vote_columns import ordered_votes
from arena.store.votes import add_vote, counted_sources, rewrite_pair_counts
from tests.arena.store.test_set_aside import holds, kept
from tests.arena.store.test_vote_cost import MOST, opened
from tests.support.ballots import PLAIN, ballot, ballots

PENDING, QUARANTINED = VoteState.PENDING, VoteState.QUARANTINED
FAST, BURST = QuarantineReason.TOO_FAST, QuarantineReason.BURST


@pytest.fixture
def voted(database):
    """Eight votes of three people and five verdicts of a judge."""
    ballots(database)
    for a, b, winner in PLAIN[:5]:
        ballot(database, a, b, winner, source="judge:j", voter="judge:j")
    return database


def events(session):
    rows = session.exec(select(VoteStateEvent).order_by(VoteStateEvent.id))
    return [(row.state, row.reason, row.detail, row.set_by, row.votes) for row in rows]


def number_of(session, table):
    return session.exec(select(func.count()).select_from(table)).one()


@pytest.mark.parametrize("state", [PENDING, QUARANTINED])
def test_held_votes_count_nowhere_and_come_back_as_they_were(voted, state):
    with voted.read() as session:
        before = kept(session)
    with voted.write() as session:
        assert hold(session, [1, 2, 9, 2], state, FAST, detail="0.2 s", check_version="v1", by="checks") == 3
    with voted.read() as session:
        assert holds(session)
        assert len(packed_votes(session, None)) == 10
        assert len(ordered_votes(session, None, "overall")[1]) == 10
        assert len(list(sealed_votes(session, selection=VoteSelection(counting=True)))) == 10
        assert len(list(sealed_votes(session))) == 13
    with voted.write() as session:
        assert release(session, [1, 2, 9], "looked at", "ann") == 3
    with voted.read() as session:
        assert kept(session) == before
        assert holds(session)
        back = VoteState.ACCEPTED if state == PENDING else VoteState.RELEASED
        assert events(session) == [(state, FAST, "0.2 s", "checks", 3), (back, FAST, "looked at", "ann", 3)]
        assert number_of(session, Vote) == 13
        assert number_of(session, VoteStateChange) == 6
        assert number_of(session, VoteHold) == 0


def test_a_vote_can_be_held_from_its_first_moment(database):
    battle, statements = opened(database), []
    with database.write() as session:
        event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        number = add_vote(
            session, battle, HUMAN, "ann", "model_a", stopped_early=False, held=NewHold(PENDING, FAST, "checks")
        )
    assert len(statements) <= MOST
    with database.write() as session:
        assert holds(session)
        assert counted_sources(session) == []
        assert release(session, [number], "the check has passed", "checks") == 1
        assert holds(session)
        assert len(packed_votes(session, HUMAN)) == 1


def test_a_vote_can_be_held_later_in_its_own_transaction(database):
    battle = opened(database)
    with database.write() as session:
        number = add_vote(session, battle, HUMAN, "ann", "model_a", stopped_early=False)
        assert hold(session, [number], QUARANTINED, FAST, by="checks") == 1
        assert counted_sources(session) == []
    with database.read() as session:
        assert holds(session)


def test_the_pair_counts_made_anew_leave_held_votes_out(voted):
    with voted.write() as session:
        hold(session, [1, 2, 9], QUARANTINED, FAST, by="checks")
        before = kept(session)
        rewrite_pair_counts(session)
        session.flush()
        assert kept(session) == before


def test_a_pending_vote_becomes_quarantined_and_not_the_reverse(voted):
    with voted.write() as session:
        assert hold(session, [1, 2], PENDING, FAST, by="checks") == 2
        assert hold(session, [1], PENDING, BURST, by="checks") == 0
        assert hold(session, [1, 3], QUARANTINED, BURST, by="checks") == 2
        assert hold(session, [1], QUARANTINED, FAST, by="checks") == 0
        assert hold(session, [1], PENDING, FAST, by="checks") == 0
        rows = session.exec(select(VoteHold).order_by(VoteHold.vote_id))
        assert [(row.vote_id, row.state, row.reason) for row in rows] == [
            (1, QUARANTINED, BURST), (2, PENDING, FAST), (3, QUARANTINED, BURST)]  # fmt: skip
        assert holds(session)
        assert release(session, [1, 2, 3, 4], "looked at", "ann") == 3
        assert holds(session)
        assert [row[:2] for row in events(session)[2:]] == [("accepted", FAST), ("released", BURST)]


def test_a_check_does_not_overrule_a_release(voted):
    with voted.write() as session:
        hold(session, [1], QUARANTINED, FAST, by="checks")
        release(session, [1], "looked at", "ann")
        assert hold(session, [1, 2], QUARANTINED, FAST, by="checks") == 1
        assert hold(session, [1], QUARANTINED, BURST, by="checks") == 1
        release(session, [1], "looked at", "ann")
        assert hold(session, [1], QUARANTINED, FAST, by="bob", again=True) == 1
        assert holds(session)


def test_unknown_votes_are_skipped(voted):
    with voted.write() as session:
        assert hold(session, [99], QUARANTINED, FAST, by="checks") == 0
        assert release(session, [1, 99], "looked at", "ann") == 0
        assert events(session) == []


def test_a_state_that_counts_and_a_long_reason_are_refused():
    with pytest.raises(ValueError, match=r"released votes count\. Hold votes as one of: pending, quarantined"):
        NewHold(VoteState.RELEASED, FAST, "checks")
    with pytest.raises(ValueError, match="reason has more than 40 characters"):
        NewHold(PENDING, "x" * 41, "checks")


def test_a_held_verdict_of_a_judge_that_is_set_aside_counts_when_both_end(voted):
    judged = Selection("judge", "judge:j")
    with voted.write() as session:
        before = kept(session)
        hold(session, [9, 10], QUARANTINED, FAST, by="checks")
        assert set_aside(session, judged, "too lenient", "ann") == 3
        assert holds(session)
        release(session, [9], "looked at", "ann")
        assert holds(session)
        assert take_back(session, judged, "checked", "ann") == 4
        assert holds(session)
        release(session, [10], "looked at", "ann")
        assert kept(session) == before


def test_later_tags_of_a_held_vote_do_not_count(voted):
    with voted.write() as session:
        hold(session, [1], QUARANTINED, FAST, by="checks")
        add_tags(session, {1: ["math (llm)"], 2: ["math (llm)"]}, "llm-1 x")
        assert holds(session)
        assert len(packed_votes(session, HUMAN, "math (llm)")) == 1
        release(session, [1], "looked at", "ann")
        assert len(packed_votes(session, HUMAN, "math (llm)")) == 2
        assert holds(session)


def test_votes_and_holds_at_once_lose_nothing(voted):
    """A vote of the same voter changes the same packed row while others are taken out of it."""

    def take_out():
        with voted.write() as session:
            hold(session, [1, 4, 7], QUARANTINED, FAST, by="checks", again=True)
        with voted.write() as session:
            release(session, [7, 4, 1], "looked at", "ann")

    def vote():
        ballot(voted, "cedar", "birch", "model_a", voter="voter-0")  # a pair of which no vote is held

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work) for work in (take_out, vote, take_out, vote) * 15]:
            done.result()
    with voted.read() as session:
        assert holds(session)
        assert len(packed_votes(session, HUMAN)) == 38


def test_no_vote_is_deleted_by_a_hold(voted):
    with voted.read() as session:
        before = session.execute(text("SELECT * FROM vote ORDER BY id")).all()
    with voted.write() as session:
        hold(session, range(1, 14), QUARANTINED, FAST, by="checks")
        assert counted_sources(session) == []
        assert session.execute(text("SELECT * FROM vote ORDER BY id")).all() == before
        release(session, range(1, 14), "looked at", "ann")
        assert session.execute(text("SELECT * FROM vote ORDER BY id")).all() == before


def test_every_reason_has_a_sentence():
    assert set(SENTENCES) == set(QuarantineReason)
    assert sentence_of(QUARANTINED, "too_fast") == FAST.sentence
    assert sentence_of(QUARANTINED, "of a newer version") == "of a newer version"
    assert "could not run yet" in sentence_of(PENDING, "too_fast")
    assert "counts again" in sentence_of(VoteState.RELEASED, "operator")


@pytest.fixture
def held_votes(voted):
    with voted.write() as session:
        hold(session, [1, 2], PENDING, FAST, detail="0.2 s", check_version="v1", by="checks")
        hold(session, [3, 4, 9], QUARANTINED, BURST, by="checks")
        release(session, [4], "looked at", "ann")
        hold(session, [5], PENDING, FAST, by="checks")
        release(session, [5], "the check has passed", "checks")
    return voted


def test_held_votes_are_found_newest_first(held_votes):
    with held_votes.read() as session:
        rows = held(session)
        assert [(row.vote, row.state, row.reason, row.source) for row in rows] == [
            (9, QUARANTINED, BURST, "judge:j"), (3, QUARANTINED, BURST, "human"),
            (2, PENDING, FAST, "human"), (1, PENDING, FAST, "human")]  # fmt: skip
        first = rows[-1]
        assert (first.model_a, first.model_b, first.winner, first.voter) == (
            "amber",
            "birch",
            "model_a",
            "voter-0",
        )
        assert (first.detail, first.check_version, first.set_by, first.event) == ("0.2 s", "v1", "checks", 1)
        assert [row.vote for row in held(session, limit=2)] == [9, 3]
        assert [row.vote for row in held(session, after=3)] == [2, 1]


@pytest.mark.parametrize(
    ("conditions", "votes"),
    [
        ({"state": PENDING}, [1, 2]),
        ({"reason": BURST}, [3, 9]),
        ({"voter": "voter-1"}, [2]),
        ({"model": "amber"}, [1, 2, 3, 9]),
        ({"model": "cedar"}, []),
        ({"model": "x"}, []),
        ({"day": date(2001, 1, 1)}, []),
        ({"state": PENDING, "voter": "voter-0"}, [1]),
    ],
)
def test_held_votes_are_chosen_by_conditions(held_votes, conditions, votes):
    with held_votes.read() as session:
        assert held_ids(session, HeldFilter(**conditions)) == votes


def test_votes_are_counted_by_state_and_reason(held_votes):
    with held_votes.read() as session:
        assert counts_by_state_and_reason(session) == {
            (VoteState.ACCEPTED, ""): 4, (PENDING, FAST): 2, (QUARANTINED, BURST): 1,
            (VoteState.RELEASED, BURST): 1}  # fmt: skip
        assert counts_by_state_and_reason(session, source=None)[QUARANTINED, BURST] == 2
        moment = datetime(2001, 1, 1, tzinfo=UTC)
        assert counts_by_state_and_reason(session, until=moment) == {(VoteState.ACCEPTED, ""): 0}
        assert counts_by_state_and_reason(session, since=moment) == counts_by_state_and_reason(session)
        states = vote_states(session, [1, 3, 4, 5, 6])
        assert [row.state for row in states.values()] == [
            "pending",
            "quarantined",
            "released",
            "accepted",
            "accepted",
        ]
        assert [row.event for row in states.values()] == [1, 2, 3, 5, None]
        assert [row.state for row in changes(session, after=2)] == ["released", "pending", "accepted"]
        assert [(row.state, row.detail) for row in history_of(session, 4)] == [
            ("quarantined", ""), ("released", "looked at")]  # fmt: skip
        assert vote_ids_of(session, "voter-0") == [1, 4, 7]


def test_boards_are_computed_again_where_a_hold_changes_them(database):
    ballots(database)
    battle = opened(database)

    def versions():
        with database.read() as session:
            return aside_version(session), content_version(session)

    def changed(function):
        before = versions()
        with database.write() as session:
            function(session)
        return [old != new for old, new in zip(before, versions(), strict=True)]

    new = NewHold(PENDING, FAST, "checks")
    assert changed(lambda s: add_vote(s, battle, HUMAN, "ann", "tie", stopped_early=False, held=new)) == [
        False,
        True,
    ]
    assert changed(lambda s: release(s, [9], "the check has passed", "checks")) == [True, True]
    assert changed(lambda s: hold(s, [1], PENDING, FAST, by="checks")) == [True, True]
    assert changed(lambda s: hold(s, [1], QUARANTINED, FAST, by="checks")) == [True, True]
    assert changed(lambda s: hold(s, [1], QUARANTINED, FAST, by="checks")) == [False, False]
