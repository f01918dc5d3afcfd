"""What a vote costs: each statement is a round trip to PostgreSQL, and SQLAlchemy takes longer for it than the database."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from arena.rules.votes import HUMAN
from arena.store import battles as stored
from arena.store.models import register_models
from arena.store.schema.battles import BattleStatus, CompletionStatus
from arena.store.stored_battles import Written
from arena.store.votes import add_vote

MOST = 14  # 21 when a vote asked twice for the same, 16 when it asked for the key and the open rows apart
MOST_WAITS = 20  # 27 when lists of rows and a cursor for one vote took several each


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
    battle, statements = opened(database), []
    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    with database.write() as session:
        add_vote(session, battle, HUMAN, "ann", "model_a", stopped_early=False)
    assert 5 < len(statements) <= MOST, "\n".join(statements)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_vote_waits_few_times_for_postgresql(database, monkeypatch):
    psycopg = pytest.importorskip("psycopg")
    battle, waits = opened(database), []
    wait = psycopg.Connection.wait

    def counted(self, *given, **options):
        waits.append(given)
        return wait(self, *given, **options)

    monkeypatch.setattr(psycopg.Connection, "wait", counted)
    with database.write() as session:
        add_vote(session, battle, HUMAN, "ann", "model_a", stopped_early=False)
    assert 5 < len(waits) <= MOST_WAITS
