"""Copying a whole database into an empty one, of the same kind or another: all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, text
from sqlalchemy.exc import DBAPIError

from arena.errors import DatabaseError, DatabaseFailed
from arena.store.database import Database, first_line
from arena.store.schema.all_tables import all_tables
from arena.store.schema.ledger import LedgerKey

BATCH = 2_000  # rows in memory at once
BORN_WITH = LedgerKey.__tablename__  # a migration makes a key, on which nothing hangs before the first seal
# told the table, how many of all rows are copied, and of how many
Progress = Callable[[str, int, int], None]


def copy_database(source: Database, target: Database, progress: Progress) -> dict[str, int]:
    """Every row of `source` with its own number, in one transaction of `target`; returns the rows by table.

    `source` is read at one moment, so an arena may go on with it; votes after that moment are not copied. The
    rows that arrived are counted before the transaction ends. Raises `DatabaseError` for a target that holds
    anything, and for a row that it does not take.
    """
    known = all_tables()
    with _snapshot(source) as reading, target.errors_translated(), target.writing() as writing:
        _must_be_empty(target, writing, [table for table in known if table.name != BORN_WITH])
        writing.execute(delete(LedgerKey))
        expected = {table.name: _count(reading, table) for table in known}
        total, done = sum(expected.values()), 0
        for table in known:
            for rows in _batches(reading, table):
                _insert(target, writing, table, rows)
                done += len(rows)
                progress(table.name, done, total)
            _go_on_counting(writing, table)
        progress("checking", total, total)
        _must_agree(target, expected, {table.name: _count(writing, table) for table in known})
    return expected


def _snapshot(database: Database) -> Connection:
    """A connection that sees one moment. SQLite's readers always do; PostgreSQL's have to ask for it."""
    connection = database.engine.connect()
    if connection.dialect.name == "postgresql":
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def _must_be_empty(target: Database, connection: Connection, known: list[Table]) -> None:
    for table in known:
        rows = _count(connection, table)
        if rows:
            raise DatabaseError(
                f"{target.shown} is not empty: {rows:,} rows in {table.name}; name an empty database to copy to"
            )


def _batches(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    found = connection.execute(
        select(table).order_by(*table.primary_key), execution_options={"yield_per": BATCH}
    ).mappings()
    for rows in found.partitions():
        yield [dict(row) for row in rows]


def _insert(target: Database, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """One batch; where a row is refused, the error says which rows it is among."""
    try:
        connection.execute(table.insert(), rows)
    except DBAPIError as error:
        first, last = (", ".join(str(row[key.name]) for key in table.primary_key) for row in (rows[0], rows[-1]))
        raise DatabaseFailed(
            f"{target.shown} does not take a row of {table.name} between {first} and {last}: {first_line(error)}; "
            "nothing was copied"
        ) from error


def _go_on_counting(connection: Connection, table: Table) -> None:
    """PostgreSQL numbers new rows by a sequence, which rows that bring their number do not move."""
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


def _must_agree(target: Database, expected: dict[str, int], there: dict[str, int]) -> None:
    for name, rows in expected.items():
        if there[name] != rows:
            raise DatabaseFailed(
                f"{target.shown}: {there[name]:,} of {rows:,} rows of {name} arrived; nothing was copied"
            )
