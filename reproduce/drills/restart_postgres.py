"""Restart PostgreSQL under votes: twice at once, then as after a crash with 5 seconds without a server.

python -m reproduce.drills.restart_postgres
"""

from __future__ import annotations

import time

from arena.store import Database
from reproduce.drills.outage import on_postgres
from reproduce.drills.postgres_process import PostgresProcess

DOWN = 5.0  # seconds


def restart(database: Database) -> None:
    server = PostgresProcess(database)
    for mode, seconds in (("fast", 0.0), ("fast", 0.0), ("immediate", DOWN)):
        server.stop(mode)
        time.sleep(seconds)
        server.start()
        if not seconds:
            time.sleep(2)


if __name__ == "__main__":
    on_postgres("PostgreSQL restarted three times", restart)
