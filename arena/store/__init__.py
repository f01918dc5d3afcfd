"""Votes, battles, verdicts and benchmark runs in SQLite or PostgreSQL."""

from sqlmodel import Session

from arena.errors import DatabaseError
from arena.store.database import Database, open_database

__all__ = ["Database", "DatabaseError", "Session", "open_database"]
