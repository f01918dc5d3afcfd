"""Move the SQLite file of a running arena away under votes, and back after 8 seconds.

python -m reproduce.drills.move_file
"""

from __future__ import annotations

import time
from pathlib import Path

from arena.store import Database
from reproduce.drills.outage import on_sqlite

AWAY = 8.0  # seconds


def move(database: Database) -> None:
    place = Path(database.file or "")
    away = place.with_name("away.db")
    place.rename(away)
    time.sleep(AWAY)
    if place.exists():
        raise RuntimeError("The arena created an empty database in the place of its file.")
    away.rename(place)


if __name__ == "__main__":
    on_sqlite("SQLite file moved away and back", move)
