"""Connections to an SQLite file, and the checks that the file is still the one that was opened."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

from arena.errors import DatabaseUnavailable
from arena.store.circuit_breaker import CircuitBreaker
from arena.store.connection_limits import ConnectionLimits
from arena.store.file_guard import FileGuard
from arena.store.outages import LOCKED, first_line, outage_reason
from arena.store.writer_turns import WriterTurns


def sqlite_engine(url: str, limits: ConnectionLimits, guard: FileGuard) -> Engine:
    """The engine of a file."""
    engine = create_engine(
        url,
        connect_args={"check_same_thread": False, "timeout": limits.busy_timeout},
        pool_size=limits.pool_size,
        max_overflow=limits.pool_overflow,
        pool_timeout=limits.pool_timeout,
    )
    event.listen(engine, "do_connect", partial(_connect, guard))
    event.listen(engine, "connect", partial(_set_pragmas, limits, guard))
    turns = WriterTurns(limits.busy_timeout)
    event.listen(engine, "begin", partial(_begin, guard, CircuitBreaker(), turns))
    event.listen(engine, "checkin", turns.end)
    event.listen(engine, "commit", lambda _connection: guard.check())
    return engine


def _connect(guard: FileGuard, _dialect: Any, _record: Any, args: list[Any], given: dict[str, Any]) -> None:
    """Open the file that is there; after the first connection, a missing file is not created again."""
    if guard.opened:
        guard.check()
        args[0] = existing(guard.path)
        given["uri"] = True


def existing(path: Path) -> str:
    """SQLite's URI of a file that must exist (sqlite.org/uri.html)."""
    return f"file:{quote(str(path))}?mode=rw"


def _set_pragmas(limits: ConnectionLimits, guard: FileGuard, connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # `_begin` emits BEGIN
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a vote that was acknowledged survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # the file keeps no text that was deleted or replaced
    cursor.execute(f"PRAGMA busy_timeout={round(limits.busy_timeout * 1000)}")
    cursor.close()
    if not guard.opened:
        guard.open(sqlite3.connect(existing(guard.path), uri=True, check_same_thread=False))
    guard.check()


def _begin(guard: FileGuard, breaker: CircuitBreaker, turns: WriterTurns, connection: Connection) -> None:
    """Begin a transaction; a writer locks at once, since a reader that becomes a writer cannot wait for others."""
    guard.check()
    if not connection.get_execution_options().get("arena_write"):
        connection.exec_driver_sql("BEGIN")
        return

    def failure(error: Exception) -> DatabaseUnavailable | None:
        if isinstance(error, OperationalError) and outage_reason(error) == LOCKED:
            return DatabaseUnavailable(f"{guard.shown}: {first_line(error)}", LOCKED)
        return None

    with breaker.attempt(failure):
        if not turns.begin(connection):
            raise DatabaseUnavailable(f"{guard.shown}: another write took too long", LOCKED)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
