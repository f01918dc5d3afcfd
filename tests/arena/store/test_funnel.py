"""Battles by step of their way: each number is the number of rows that its list has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import select

from arena.rules.funnel import STEP_NAMES, Funnel, Step
from arena.rules.vote_states import VoteState
from arena.rules.votes import HUMAN
from arena.store import Database
from arena.store import battles as stored
from arena.store.funnel import BattleFilter, day_counts, failures, listed_battles, votes_by_hour
from arena.store.hidden_battles import NotHideable, hide, show
from arena.store.models import register_models
from arena.store.pending_votes import add_pending
from arena.store.quarantine import hold
from arena.store.schema.battles import Battle, BattleStatus, CompletionStatus, Vote, now
from arena.store.stored_battles import Written
from arena.store.votes import add_vote

MODELS = ("amber", "birch", "cedar")
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def battle(database: Database, status: BattleStatus, *, cut: bool = False, failure: str | None = None) -> int:
    """A battle of amber and birch at noon, in this status."""
    kept = {"a": CompletionStatus.STOPPED if cut else CompletionStatus.FINISHED, "b": CompletionStatus.FINISHED}
    with database.write() as session:
        register_models(session, MODELS)
        number = stored.add_battle(session, "ann", "amber", "birch", 1.0).id
        stored.add_turn(session, number, "Hello?")
        if status is not BattleStatus.RUNNING:
            written = {side: Written("x", kept[side], failure=failure if side == "b" else None) for side in kept}
            stored.finish_turn(session, number, written, BattleStatus.FAILED if failure else BattleStatus.OPEN)
        if status is BattleStatus.VOTED:
            add_vote(session, number, HUMAN, "ann", "model_a", stopped_early=False)
            session.exec(select(Vote).where(Vote.battle_id == number)).one().created_at = NOON
        row = session.get_one(Battle, number)
        row.status, row.created_at = status, NOON
    return number


@pytest.fixture
def filled(database: Database) -> Database:
    for status in (
        BattleStatus.RUNNING,
        BattleStatus.OPEN,
        BattleStatus.VOTED,
        BattleStatus.VOTED,
        BattleStatus.ABANDONED,
    ):
        battle(database, status)
    battle(database, BattleStatus.ABANDONED, cut=True)
    battle(database, BattleStatus.FAILED, failure="timeout")
    pending = battle(database, BattleStatus.OPEN)
    with database.write() as session:
        add_pending(session, pending, "ann", "tie", (), now() + timedelta(seconds=5))
    return database


def test_each_number_is_that_of_the_rows_behind_it(filled):
    with filled.read() as session:
        counts = day_counts(session, NOON.date())
        assert counts.total == Funnel(running=1, failed=1, stopped=1, waiting=1, left=1, undoable=1, revealed=2)
        assert set(counts.by_model) == {"amber", "birch"}
        for step in STEP_NAMES:
            for model, funnel in {"": counts.total, **counts.by_model}.items():
                rows = listed_battles(session, BattleFilter(day=NOON.date(), step=step, model=model))
                assert len(rows) == funnel.number(step), (step, model)
        assert day_counts(session, NOON.date() - timedelta(days=1)).total == Funnel()
        assert listed_battles(session, BattleFilter(day=NOON.date(), step=Step.STARTED, model="cedar")) == []


def test_failures_are_counted_by_model_and_kind(filled):
    with filled.read() as session:
        assert failures(session, NOON) == {("birch", "timeout"): 1}
        assert failures(session, NOON + timedelta(seconds=1)) == {}
        assert len(listed_battles(session, BattleFilter(failure="timeout"))) == 1


def test_votes_of_an_hour_are_counted_by_state_and_lead_to_their_battles(filled):
    with filled.write() as session:
        first = session.exec(select(Vote.id).order_by(Vote.id)).first()
        hold(session, [first], VoteState.QUARANTINED, "burst", by="a check")
    with filled.read() as session:
        hours = votes_by_hour(session, NOON - timedelta(hours=1))
        assert hours == {(NOON, "accepted", ""): 1, (NOON, "quarantined", "burst"): 1}
        for (hour, state, _), number in hours.items():
            assert len(listed_battles(session, BattleFilter(hour=hour, state=state))) == number
        assert listed_battles(session, BattleFilter(hour=NOON + timedelta(hours=1))) == []
        assert listed_battles(session, BattleFilter(state="pending")) == []


def test_pages_follow_each_other(filled):
    with filled.read() as session:
        rows = listed_battles(session, BattleFilter())
        assert listed_battles(session, BattleFilter(before=rows[2].id), 2) == rows[3:5]


def test_only_battles_that_readers_see_can_be_hidden_and_only_hidden_ones_shown(filled):
    with filled.read() as session:
        ids = {row.status: row.public_id for row in listed_battles(session, BattleFilter())}
    for status in ("open", "running", "failed"):
        with pytest.raises(NotHideable, match="no battle"), filled.write() as session:
            hide(session, ids[status], "x", "root")
    for _ in range(2):
        with filled.write() as session:
            hide(session, ids["voted"], "x", "root")
    with filled.read() as session:
        assert [row.public_id for row in listed_battles(session, BattleFilter(hidden=True))] == [ids["voted"]]
    with filled.write() as session:
        show(session, ids["voted"])
    with pytest.raises(NotHideable, match="not hidden"), filled.write() as session:
        show(session, ids["voted"])


def test_a_day_is_read_from_the_index_of_days_alone_however_old_the_arena_is(sqlite):
    battle(sqlite, BattleStatus.ABANDONED, cut=True)
    battle(sqlite, BattleStatus.VOTED)
    statements = []
    with sqlite.read() as session:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *given: statements.append(given[2:4]))
        assert day_counts(session, NOON.date()).total == Funnel(stopped=1, revealed=1)
        plans = [
            [row[3] for row in connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {sql}", given)]
            for sql, given in list(statements)
            if "FROM battle" in sql
        ]
    assert len(plans) == 3
    for plan in plans:
        assert any("COVERING INDEX battle_day" in step for step in plan)
        assert not any("battle_status" in step for step in plan)
