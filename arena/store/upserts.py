"""INSERT with a clause for rows that are there already, which SQLAlchemy has for each database apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, true, union_all
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


FEW = 16  # rows of one statement: its text grows with them, and is built once for each number


def given(column: Any) -> Callable[[int], Any]:
    """The value of a column in each of the rows, by its number; see `literal_rows`."""
    return lambda number: bindparam(f"{column.key}_{number}", type_=column.type)


def literal_rows(columns: Mapping[str, Callable[[int], Any]], number: int) -> Any:
    """The SELECT of so many rows of columns, for INSERT: one round trip to PostgreSQL, where a list of rows takes three."""
    each = [select(*(made(n).label(name) for name, made in columns.items())) for n in range(number)]
    table = union_all(*each).subquery()
    return select(*table.c).where(true())  # without a condition SQLite would read ON CONFLICT as that of a join


def values_of(given_rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The parameters of `literal_rows`."""
    return {f"{name}_{n}": value for n, row in enumerate(given_rows) for name, value in row.items()}
