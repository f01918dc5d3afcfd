"""Statements that are sent without waiting: they are written, and their errors are those of any statement."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from arena.errors import DatabaseUnavailable
from arena.store.models import register_models
from arena.store.unanswered import unanswered


def names(database):
    with database.read() as session:
        return session.execute(text("SELECT name FROM model ORDER BY name")).scalars().all()


def send(database, *statements, then=None):
    with database.write() as session, unanswered(session):
        for statement in statements:
            session.connection().execute(text(statement))
        if then is not None:
            raise then


def test_what_is_sent_is_written_in_order(database):
    with database.write() as session:
        register_models(session, ["amber", "birch"])
        with unanswered(session):
            session.connection().execute(text("UPDATE model SET name = 'cedar' WHERE name = 'amber'"))
            session.connection().execute(
                text("UPDATE model SET name = :new WHERE name = :old"),
                [{"old": "cedar", "new": "elm"}, {"old": "birch", "new": "fir"}],
            )
        assert session.execute(text("SELECT count(*) FROM model WHERE name IN ('elm', 'fir')")).scalar_one() == 2
    assert names(database) == ["elm", "fir"]


def test_an_error_inside_is_raised_and_nothing_is_written(database):
    with database.write() as session:
        register_models(session, ["amber", "birch"])
    with pytest.raises(IntegrityError):
        send(
            database,
            "UPDATE model SET name = 'cedar' WHERE name = 'birch'",
            "UPDATE model SET name = 'amber' WHERE name = 'cedar'",
            "UPDATE model SET name = 'elm' WHERE name = 'amber'",
        )
    assert names(database) == ["amber", "birch"]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_connection_that_is_cut_inside_is_an_outage_and_the_next_write_has_another(database):
    with database.write() as session:
        register_models(session, ["amber"])
    with pytest.raises(DatabaseUnavailable):
        send(database, "UPDATE model SET name = 'birch'", "SELECT pg_terminate_backend(pg_backend_pid())")
    with database.write() as session:
        register_models(session, ["cedar"])
    assert names(database) == ["amber", "cedar"]


def test_an_exception_inside_takes_everything_back(database):
    with database.write() as session:
        register_models(session, ["amber"])
    with pytest.raises(ZeroDivisionError):
        send(database, "UPDATE model SET name = 'birch'", then=ZeroDivisionError())
    assert names(database) == ["amber"]
