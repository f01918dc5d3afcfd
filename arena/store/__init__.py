"""Votes, battles, verdicts and benchmark runs in SQLite or PostgreSQL."""

from sqlmodel import Session

from arena.errors import DatabaseError
from arena.store.database import Database

__all__ = ["Database", "DatabaseError", "Session"]
