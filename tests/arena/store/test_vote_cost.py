"""What a vote costs: each statement is a round trip to PostgreSQL, and SQLAlchemy takes longer for it than the database."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from arena.battles.votes import count_vote
from arena.rules.votes import HUMAN
from arena.store import battles as stored
from arena.store.ledger import voters_vote
from arena.store.models import register_models
from arena.store.pair_votes import votes_on_pair
from arena.store.schema.battles import Battle, BattleStatus, CompletionStatus
from arena.store.stored_battles import Written, find_changed
from arena.store.votes import add_vote

MOST = 12  # 21 when a vote asked twice for the same, 14 when it read prompts and completions apart
MOST_WAITS = 14  # 27 when lists of rows took several each, 18 when each write waited for its answer


@contextmanager
def statements_of(database):
    """The statements that reach the database inside, transactions aside."""
    statements = []

    def note(*given):
        if not given[2].startswith("BEGIN"):
            statements.append(given[2])

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)


def opened(database):
    """The id of a battle that waits for a vote."""
    with database.write() as session:
        register_models(session, ["amber", "birch"])
        session.flush()
        battle = stored.add_battle(session, "ann", "amber", "birch", 1.0)
        stored.add_turn(session, battle.id, "What is a tree?")
        texts = {side: Written("A plant.", CompletionStatus.FINISHED) for side in "ab"}
        stored.finish_turn(session, battle.id, texts, BattleStatus.OPEN)
        return battle.id


def test_a_vote_takes_few_statements(database):
    battle = opened(database)
    with statements_of(database) as statements, database.write() as session:
        add_vote(session, battle, HUMAN, "ann", "model_a", stopped_early=False)
    assert 5 < len(statements) <= MOST, "\n".join(statements)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_vote_waits_few_times_for_postgresql(database, monkeypatch):
    psycopg = pytest.importorskip("psycopg")
    battle, waits = opened(database), []
    wait = psycopg.Connection.wait

    def counted(self, *given, **options):
        if not self.pgconn.pipeline_status:  # in a pipeline nothing is waited for but its end
            waits.append(given)
        return wait(self, *given, **options)

    monkeypatch.setattr(psycopg.Connection, "wait", counted)
    with database.write() as session:
        add_vote(session, battle, HUMAN, "ann", "model_a", stopped_early=False)
    assert 5 < len(waits) <= MOST_WAITS


def test_a_battle_is_locked_and_read_with_one_statement_each(database):
    battle = opened(database)
    with database.read() as session:
        public_id = session.get_one(Battle, battle).public_id
    with statements_of(database) as statements, database.write() as session:
        found = stored.lock_open(session, public_id)
    assert len(statements) == 2, "\n".join(statements)
    assert [turn.completions["b"].text for turn in found.turns] == ["A plant."]
    with statements_of(database) as statements, database.write() as session:
        count_vote(session, "ann", public_id, "model_a")
    assert 5 < len(statements) <= MOST + 2, "\n".join(statements)


def test_the_votes_that_a_reveal_shows_take_few_statements(database):
    battle = opened(database)
    with database.write() as session:
        add_vote(session, battle, HUMAN, "ann", "model_a", stopped_early=False)
    with statements_of(database) as statements, database.read() as session:
        vote, pair = voters_vote(session, battle), votes_on_pair(session, "birch", "amber")
    assert 0 < len(statements) <= 4, "\n".join(statements)
    assert (vote.model_a, vote.model_b, vote.winner, vote.control) == ("amber", "birch", "model_a", None)
    assert (pair.wins, pair.losses) == (0, 1)


def test_a_battle_without_turns_is_found(database):
    with database.write() as session:
        register_models(session, ["amber", "birch"])
        session.flush()
        new = stored.add_battle(session, "ann", "amber", "birch", 1.0)
        assert find_changed(session, new.public_id).turns == ()
