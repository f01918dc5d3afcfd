"""Copies of a database into an empty one, SQLite or PostgreSQL, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, text
from sqlalchemy.exc import DBAPIError

from arena.errors import DatabaseError, DatabaseFailed
from arena.store.database import Database
from arena.store.outages import first_line
from arena.store.schema.accounts import AccountSession
from arena.store.schema.all_tables import all_tables
from arena.store.schema.battles import Server
from arena.store.schema.ledger import LedgerKey
from arena.store.schema.usage import AddressSalt, CookieKey, UsageEvent

BATCH = 2_000  # rows in memory at once
KEYS = (LedgerKey, CookieKey)  # a migration inserts each; nothing depends on them before the first seal and voter
# neither servers nor sign-ins of the source go on in the copy, and a copy must not hold the salt of addresses
NOT_COPIED = {table.__tablename__ for table in (Server, UsageEvent, AddressSalt, AccountSession)}
# called with the table, the number of copied rows, and the number of all rows
Progress = Callable[[str, int, int], None]


def copy_database(source: Database, target: Database, progress: Progress) -> dict[str, int]:
    """Copy every row of `source` with its number, in one transaction of `target`; returns the rows by table.

    The actions that limits count are not copied. `source` is read as of one moment, so an arena may continue to use
    it; later votes are not copied. The rows are counted before the transaction ends. Raises `DatabaseError` for a
    target that is not empty, and for a row that it refuses.
    """
    tables = [table for table in all_tables() if table.name not in NOT_COPIED]
    born_with = {key.__tablename__ for key in KEYS}
    with _snapshot(source) as reading, target.errors_translated(), target.writing() as writing:
        _must_be_empty(target, writing, [table for table in tables if table.name not in born_with])
        for key in KEYS:
            writing.execute(delete(key))
        expected = {table.name: _count(reading, table) for table in tables}
        total, done = sum(expected.values()), 0
        for table in tables:
            for rows in _batches(reading, table):
                _insert(target, writing, table, rows)
                done += len(rows)
                progress(table.name, done, total)
            _advance_sequence(writing, table)
        progress("checking", total, total)
        _must_agree(target, expected, {table.name: _count(writing, table) for table in tables})
    return expected


def _snapshot(database: Database) -> Connection:
    """A connection that reads one snapshot, which SQLite always does and PostgreSQL on request."""
    connection = database.engine.connect()
    if connection.dialect.name == "postgresql":
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def _must_be_empty(target: Database, connection: Connection, tables: list[Table]) -> None:
    for table in tables:
        rows = _count(connection, table)
        if rows:
            raise DatabaseError(
                f"{target.shown} is not empty: {rows:,} rows in {table.name}. Give an empty database."
            )


def _batches(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    result = connection.execute(
        select(table).order_by(*table.primary_key), execution_options={"yield_per": BATCH}
    ).mappings()
    for rows in result.partitions():
        yield [dict(row) for row in rows]


def _insert(target: Database, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert one batch; the error of a refused row names the first and last row of the batch."""
    try:
        connection.execute(table.insert(), rows)
    except DBAPIError as error:
        first, last = (", ".join(str(row[key.name]) for key in table.primary_key) for row in (rows[0], rows[-1]))
        raise DatabaseFailed(
            f"{target.shown} refused a row of {table.name} between {first} and {last}: {first_line(error)}. "
            "Nothing was copied."
        ) from error


def _advance_sequence(connection: Connection, table: Table) -> None:
    """Set the sequence of PostgreSQL for new rows, which inserts with numbers do not advance."""
    number = table.autoincrement_column
    if connection.dialect.name != "postgresql" or number is None:
        return
    sequence = connection.scalar(
        text("select pg_get_serial_sequence(:table, :column)"), {"table": f'"{table.name}"', "column": number.name}
    )
    last = connection.scalar(select(func.max(number)))
    if sequence is not None and last is not None:
        connection.execute(text("select setval(:sequence, :last)"), {"sequence": sequence, "last": last})


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _must_agree(target: Database, expected: dict[str, int], copied: dict[str, int]) -> None:
    for name, rows in expected.items():
        if copied[name] != rows:
            raise DatabaseFailed(
                f"{target.shown}: {copied[name]:,} of {rows:,} rows of {name} arrived. Nothing was copied."
            )
