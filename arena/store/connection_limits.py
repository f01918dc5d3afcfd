"""How long a program waits for its database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ConnectionLimits:
    """Limits in seconds. The defaults are for commands, which may wait; `[database]` has those of `arena serve`."""

    busy_timeout: float = 30.0  # SQLite: a writer waits for another
    connect_timeout: float = 10.0  # PostgreSQL
    statement_timeout: float | None = None  # PostgreSQL: one statement, and a server that sends nothing
    pool_size: int = 5
    pool_overflow: int = 10  # further connections under load
    pool_timeout: float = 30.0  # for a free connection
