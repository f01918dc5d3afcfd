"""Disputed battles are dealt to reviewers: each to `wanted` of them, one at a time, blind, and never twice to one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import col, select, update

from arena.reviews.desk import Desk, ReviewRefused
from arena.reviews.queue import fill
from arena.rules.reviews import QUARANTINED, REVIEWED, UNDO_WITHIN
from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store import review_queue
from arena.store.quarantine import hold, release
from arena.store.reviews import labels, progress, reviewers, reviews
from arena.store.schema.battles import Battle, Vote, now
from arena.store.schema.reviews import AssignmentStatus, Review, ReviewAssignment
from arena.store.voter_deletion import delete_voter
from tests.support.reviews import add_reviewers, disputed_battles


@pytest.fixture
def reviewer(database):
    """Three reviewers."""
    return add_reviewers(database, "ann", "bob", "cy")


def filled(database, many=2, wanted=3, **given):
    battles = disputed_battles(database, many)
    fill(database, wanted=wanted, by="op", **given)
    return battles


def rows(database, table):
    with database.read() as session:
        return list(session.exec(select(table).order_by(table.id)))


def reviewed(desk, account, winner="model_a"):
    task = desk.next(account)
    if task is not None:
        desk.decide(account, task.assignment, winner)
    return task


def test_a_battle_is_dealt_to_as_many_reviewers_as_wanted_and_to_each_once(database, reviewer):
    battles = filled(database, 3, wanted=2)
    desk = Desk(database, hours=24)
    while any(reviewed(desk, account) for account in reviewer):
        pass
    given = [(row.battle_id, row.account_id) for row in rows(database, Review)]
    assert len(given) == len(set(given)) == 6
    assert sorted(battle for battle, _ in given) == sorted([*battles, *battles])
    with database.read() as session:
        done = progress(session)
    assert (done.queued, done.complete, done.reviews, done.open) == (3, 3, 6, 0)
    assert done.causes == {"against": 3}


def test_the_choice_is_stored_in_the_sides_of_the_battle_whatever_the_reviewer_saw(database, reviewer):
    battles = filled(database, 12, wanted=3)
    desk = Desk(database, hours=24)
    seen = set()
    for _ in battles:
        task = desk.next(reviewer[0])
        text = task.turns[0].left
        seen.add(text.startswith("Left"))
        desk.decide(reviewer[0], task.assignment, "model_a" if text.startswith("Left") else "model_b")
    assert seen == {True, False}, "sides are shuffled"
    assert {row.winner for row in rows(database, Review)} == {"model_a"}
    with database.read() as session:
        assert {review.seen for review in reviews(session)} == {"model_a", "model_b"}


def test_a_reload_shows_the_same_battle_with_the_same_sides(database, reviewer):
    filled(database)
    desk = Desk(database, hours=24)
    assert desk.next(reviewer[0]) == desk.next(reviewer[0])


def test_two_submissions_of_one_choice_are_one_review_and_another_choice_is_refused(database, reviewer):
    filled(database)
    desk = Desk(database, hours=24)
    task = desk.next(reviewer[0])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: desk.decide(reviewer[0], task.assignment, "tie"), range(4)))
    with pytest.raises(ReviewRefused):
        desk.decide(reviewer[0], task.assignment, "model_a")
    assert [row.winner for row in rows(database, Review)] == ["tie"]


def test_many_at_once_never_get_more_assignments_than_wanted(database):
    accounts = add_reviewers(database, *(f"r{number}" for number in range(6)))
    filled(database, 1, wanted=2)
    with ThreadPoolExecutor(6) as pool:
        tasks = list(pool.map(lambda account: Desk(database, hours=24).next(account), accounts))
    assert sum(task is not None for task in tasks) == 2


def test_a_reviewer_cannot_decide_or_skip_what_another_has(database, reviewer):
    filled(database)
    desk = Desk(database, hours=24)
    task = desk.next(reviewer[0])
    for action in (
        lambda: desk.decide(reviewer[1], task.assignment, "tie"),
        lambda: desk.skip(reviewer[1], task.assignment, "other"),
        lambda: desk.decide(reviewer[1], 10_000, "tie"),
    ):
        with pytest.raises(ReviewRefused):
            action()
    assert rows(database, Review) == []


def test_an_expired_assignment_returns_and_its_reviewer_can_have_it_again(database, reviewer):
    filled(database, 1, wanted=1)
    late = Desk(database, hours=-1)
    task = late.next(reviewer[0])
    other = Desk(database, hours=24).next(reviewer[1])
    assert other is not None
    with pytest.raises(ReviewRefused):
        late.decide(reviewer[0], task.assignment, "tie")
    Desk(database, hours=24).skip(reviewer[1], other.assignment, "subject")
    again = Desk(database, hours=24).next(reviewer[0])
    assert again.assignment == task.assignment
    assert len(rows(database, ReviewAssignment)) == 2


def test_a_skipped_battle_goes_to_somebody_else_and_keeps_the_reason(database, reviewer):
    filled(database, 1, wanted=1)
    desk = Desk(database, hours=24)
    task = desk.next(reviewer[0])
    with pytest.raises(ReviewRefused):
        desk.skip(reviewer[0], task.assignment, "no such reason")
    desk.skip(reviewer[0], task.assignment, "subject")
    assert desk.next(reviewer[0]) is None
    assert desk.next(reviewer[1]) is not None
    with database.read() as session:
        assert (reviewers(session)[0].name, reviewers(session)[0].skips) == ("ann", {"subject": 1})


def test_a_decision_that_others_may_have_been_compared_with_is_not_undone(database, reviewer):
    filled(database, 1)
    desk = Desk(database, hours=24)
    reviewed(desk, reviewer[0])
    with database.write() as session:
        session.execute(update(ReviewAssignment).values(decided_at=now() - UNDO_WITHIN))
    with pytest.raises(ReviewRefused, match="five minutes"):
        desk.undo(reviewer[0])
    assert [row.undone_at for row in rows(database, Review)] == [None]


def test_undo_takes_the_last_decision_back_and_the_review_stays_in_the_store(database, reviewer):
    filled(database, 2)
    desk = Desk(database, hours=24)
    with pytest.raises(ReviewRefused):
        desk.undo(reviewer[0])
    first = reviewed(desk, reviewer[0])
    desk.next(reviewer[0])
    desk.undo(reviewer[0])
    assert desk.next(reviewer[0]).assignment == first.assignment
    desk.decide(reviewer[0], first.assignment, "model_b")
    assert [(row.undone_at is None) for row in rows(database, Review)] == [False, True]
    with database.read() as session:
        assert len(reviews(session)) == 1
    states = [row.status for row in rows(database, ReviewAssignment)]
    assert states == [AssignmentStatus.REVIEWED, AssignmentStatus.RETURNED]


def test_a_battle_that_its_voter_did_not_share_is_dealt_only_where_the_operator_allows_it(database, reviewer):
    disputed_battles(database, 1, shared=False)
    filling = fill(database, wanted=1, by="op")
    assert (filling.fitting, filling.unreadable, filling.added) == (1, 1, 0)
    assert fill(database, wanted=1, by="op", unshared=True).added == 1
    assert Desk(database, hours=24).next(reviewer[0]) is None
    assert Desk(database, hours=24, unshared=True).next(reviewer[0]) is not None


def test_a_battle_that_is_no_longer_shared_leaves_the_desk_at_once(database, reviewer):
    (battle,) = filled(database, 1)
    desk = Desk(database, hours=24)
    assert desk.next(reviewer[0]) is not None
    with database.write() as session:
        session.get_one(Battle, battle).shared = False
    assert desk.next(reviewer[0]) is None


def test_the_texts_of_a_deleted_voter_are_not_dealt_and_reviews_keep_their_winner(database, reviewer):
    filled(database, 1)
    desk = Desk(database, hours=24, unshared=True)
    reviewed(desk, reviewer[0])
    with database.write() as session:
        delete_voter(session, "voter-0")
    assert desk.next(reviewer[1]) is None
    with database.read() as session:
        assert len(reviews(session)) == 1


def test_nobody_reviews_a_battle_of_their_own(database, reviewer):
    filled(database, 1)
    desk = Desk(database, hours=24)
    assert desk.next(reviewer[0], own=["voter-0"]) is None
    assert desk.next(reviewer[0], own=["somebody-else"]) is not None


def test_labels_are_the_choice_of_most_and_a_tie_where_nobody_has_most(database, reviewer):
    filled(database, 1, wanted=3)
    desk = Desk(database, hours=24)

    def label():
        with database.read() as session:
            return [winner for winner, _ in labels(session).values()]

    by_side = {True: "model_a", False: "model_b"}
    for account, expected in zip(reviewer, ([], ["model_a"], ["model_a"]), strict=True):
        task = desk.next(account)
        is_left = task.turns[0].left.startswith("Left")
        if account == reviewer[2]:
            is_left = not is_left
        desk.decide(account, task.assignment, by_side[is_left])
        assert label() == expected


def test_battles_that_split_their_reviewers_go_to_two_more(database, reviewer):
    filled(database, 1, wanted=2)
    desk = Desk(database, hours=24)
    for account, winner in zip(reviewer, ("tie", "model_a"), strict=False):
        reviewed(desk, account, winner)
    assert desk.next(reviewer[2]) is None
    fill(database, [REVIEWED], wanted=2, by="op")
    assert desk.next(reviewer[2]) is not None


def test_the_most_disputed_battle_comes_first_and_a_limit_keeps_the_rest_out(database, reviewer):
    battles = disputed_battles(database, 5)
    assert fill(database, limit=2, wanted=1, by="op").added == 2
    assert fill(database, limit=2, wanted=1, by="op").added == 0, "the same two"
    assert fill(database, wanted=1, by="op").added == len(battles) - 2
    assert fill(database, category="maths", wanted=1, by="op").fitting == 0


def test_expiry_is_a_time_not_a_number_of_requests(database, reviewer):
    filled(database, 1)
    Desk(database, hours=24).next(reviewer[0])
    (row,) = rows(database, ReviewAssignment)
    assert timedelta(hours=23) < row.expires_at - now() <= timedelta(hours=24)


def quarantined(database, battles, state=VoteState.QUARANTINED):
    """Hold the votes of people on battles; their ids."""
    with database.write() as session:
        ids = list(
            session.exec(select(Vote.id).where(col(Vote.battle_id).in_(battles), col(Vote.source) == "human"))
        )
        hold(session, ids, state, QuarantineReason.VOTER_TEST, by="the test")
    return ids


def test_battles_with_a_vote_in_quarantine_are_dealt_and_no_others(database, reviewer, monkeypatch):
    monkeypatch.setattr(review_queue, "AT_ONCE", 2)  # more battles than one statement names
    battles = disputed_battles(database, 7)
    held = quarantined(database, battles[:5])
    quarantined(database, battles[5:6], VoteState.PENDING)
    with database.write() as session:
        release(session, held[:1], "a class that voted together", "op")
    done = fill(database, [QUARANTINED], wanted=1, by="op")
    assert (done.fitting, done.unreadable, done.added, done.causes) == (4, 0, 4, {QUARANTINED: 4})
    desk = Desk(database, hours=24)
    dealt = []
    while (task := reviewed(desk, reviewer[0])) is not None:
        dealt.append(task)
    assert len(dealt) == 4
    assert {row.battle_id for row in rows(database, Review)} == set(battles[1:5])
    with database.read() as session:
        assert set(labels(session)) == set(battles[1:5])


def test_a_quarantined_vote_is_as_urgent_as_the_largest_dispute_and_is_queued_once(database, reviewer):
    battles = disputed_battles(database, 2)
    quarantined(database, battles)
    done = fill(database, ["against", QUARANTINED], wanted=2, by="op")
    assert (done.added, sum(done.causes.values())) == (2, 2)
    assert fill(database, [QUARANTINED], wanted=2, by="op").added == 0


def test_battles_in_quarantine_whose_texts_reviewers_may_not_read_are_counted_and_left_out(database, reviewer):
    quarantined(database, disputed_battles(database, 2, shared=False))
    done = fill(database, [QUARANTINED], wanted=1, by="op")
    assert (done.fitting, done.unreadable, done.added) == (2, 2, 0)
