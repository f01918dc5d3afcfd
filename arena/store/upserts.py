"""INSERT with a clause for rows that are there already, which SQLAlchemy has for each database apart."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session


def upsert(session: Session, table: Any) -> Any:
    """An INSERT of this session's database with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return upsert_of(dialect_of(session), table)


def upsert_of(dialect: str, table: Any) -> Any:
    """The INSERT of `upsert` for a database by the name of its dialect."""
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


def dialect_of(session: Session) -> str:
    """The name of the dialect of this session's database."""
    return session.get_bind().dialect.name
