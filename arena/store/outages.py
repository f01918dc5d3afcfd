"""Errors of the database that are outages, with a reason that readers may see."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from arena.rules.messages import gettext_noop

NO_ANSWER = gettext_noop("The database server cannot be reached or does not respond.")
NO_CONNECTION = gettext_noop("All connections to the database are in use.")
TOO_SLOW = gettext_noop("The database took too long for a statement.")
LOCKED = gettext_noop("Another program is writing to the database.")
FAILED = gettext_noop("The database cannot be read or written.")
FULL = gettext_noop("The disk of the database is full.")
READ_ONLY = gettext_noop("The database is read-only.")
DAMAGED = gettext_noop("The database file is damaged.")
# result codes of SQLite (sqlite.org/rescode.html)
SQLITE_REASONS = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_FULL: FULL,
}
# classes of SQLSTATE (postgresql.org/docs/current/errcodes-appendix.html)
POSTGRES_REASONS = {"57014": TOO_SLOW, "53100": FULL, "53300": NO_CONNECTION, "25006": READ_ONLY, "55P03": LOCKED}
POSTGRES_CLASSES = {"08": NO_ANSWER, "57": NO_ANSWER, "XX": DAMAGED}


def outage_reason(error: SQLAlchemyError) -> str | None:
    """The reason of an outage for readers, without paths and names; None for an error of the program."""
    if isinstance(error, PoolTimeout):
        return NO_CONNECTION
    if not isinstance(error, DBAPIError):
        return None
    if error.connection_invalidated:
        return NO_ANSWER
    if (
        not isinstance(error, OperationalError | InterfaceError | InternalError)
        and type(error) is not DatabaseError
    ):
        return None  # a constraint, a value, the text of a statement
    return _reason(error.orig)


def _reason(error: Any) -> str | None:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR) & 0xFF  # the low byte is the primary code
        return None if code == sqlite3.SQLITE_ERROR else SQLITE_REASONS.get(code, FAILED)
    state = getattr(error, "sqlstate", None)
    if not state:
        return NO_ANSWER  # the client's own error: no connection, or one that was cut
    return POSTGRES_REASONS.get(state) or POSTGRES_CLASSES.get(state[:2], FAILED)


def first_line(error: SQLAlchemyError) -> str:
    """The first line of the reason of an error."""
    reason = error.orig if isinstance(error, DBAPIError) else error
    return str(reason).strip().splitlines()[0]
