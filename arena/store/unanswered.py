"""Statements whose results nobody reads, sent without waiting for the answer to each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session


@contextmanager
def unanswered(session: Session) -> Iterator[None]:
    """Inside, PostgreSQL is sent every statement at once and answers at the end, in one wait; SQLite is as always.

    Statements inside must be written to the database alone: their rows and numbers of rows are not there. An error of any
    of them is raised at the end, as SQLAlchemy raises it.
    """
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    try:
        with driver.pipeline():
            yield
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy(connection, error) from error


def _as_sqlalchemy(connection: Connection, error: Any) -> BaseException:
    """The error of the driver as SQLAlchemy raises it; a connection that it ends is not used again."""
    dialect = connection.dialect
    is_cut = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if is_cut:
        connection.invalidate(error)
    base = dialect.loaded_dbapi.Error
    raised: BaseException = DBAPIError.instance(
        None, None, error, base, connection_invalidated=is_cut, dialect=dialect
    )
    return raised
