"""Votes, battles, verdicts and benchmark runs in SQLite or PostgreSQL."""

from sqlmodel import Session

from arena.errors import DatabaseError
from arena.store.connection_limits import ConnectionLimits
from arena.store.database import Database, open_database

__all__ = ["ConnectionLimits", "Database", "DatabaseError", "Session", "open_database"]
