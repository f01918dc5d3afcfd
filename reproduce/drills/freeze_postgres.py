"""Freeze every process of PostgreSQL under votes (SIGSTOP), and let it go on after 15 seconds.

python -m reproduce.drills.freeze_postgres
"""

from __future__ import annotations

import signal
import time

from arena.store import Database
from reproduce.drills.outage import on_postgres
from reproduce.drills.postgres_process import PostgresProcess

FROZEN = 15.0  # seconds


def freeze(database: Database) -> None:
    server = PostgresProcess(database)
    server.signal(signal.SIGSTOP)
    time.sleep(FROZEN)
    server.signal(signal.SIGCONT)


if __name__ == "__main__":
    on_postgres("PostgreSQL frozen", freeze)
