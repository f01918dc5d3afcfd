"""Pause, retire, add and weight models of two servers under load; print what became of battles and votes.

    python -m reproduce.drills.live_models --seconds 60 --postgres

With `--postgres` two servers share a temporary database; without it one server has a file. Voters fight all the time.
Exit code 1 if a vote was lost, a battle failed, or a paused model was drawn more than `LATE` seconds after the change.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from arena.rules.model_states import ModelAction
from arena.store import Database, model_states
from arena.store.schema.battles import Battle, BattleStatus, Model, Vote
from reproduce.drills.crowd import Crowd
from reproduce.drills.served import Served, scripted_model
from reproduce.temporary_postgres import required_binaries, temporary_postgres

VOTERS = 8
STEP = 4.0  # seconds between two changes
LATE = 2.5  # seconds after which no server may draw a paused model: two for a poll, the rest for a busy machine
WORDS, DELAY = 25, 0.02  # of a completion
STEADY = "".join(scripted_model(f"steady-{number}", WORDS, DELAY) for number in range(3))
CHANGING = scripted_model("changing", WORDS, DELAY)
ADDED = scripted_model("added", WORDS, DELAY)
BATTLES = "[battles]\nrunning_per_voter = 100\ncontrol_share = 0\n"


@dataclass
class Result:
    """What became of the battles and votes."""

    changes: int = 0
    battles: int = 0
    of_changing: int = 0  # battles with the model that is changed
    of_added: int = 0  # and with the one that is added
    broken: int = 0  # battles that failed
    acknowledged: int = 0
    lost: int = 0
    refused: int = 0  # votes and begins that were refused
    late: int = 0  # draws of a model more than `LATE` after it was paused
    latest: float = 0.0  # seconds from a pause to the last draw

    @property
    def bad(self) -> bool:
        return bool(self.broken + self.lost + self.late) or not (self.of_added and self.of_changing)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--postgres", action="store_true", help="two servers that share a PostgreSQL")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="arena-drill-") as name:
        if options.postgres:
            with temporary_postgres(required_binaries()) as url:
                result = drill(Path(name), url, 2, options.seconds)
        else:
            result = drill(Path(name), f"sqlite:///{Path(name) / 'arena.db'}", 1, options.seconds)
    show(result)
    return int(result.bad)


def drill(folder: Path, url: str, servers: int, seconds: float, voters: int = VOTERS) -> Result:
    """Change models for so long, and count."""
    database = Database(url)
    database.make_ready()
    arenas = [Served(folder / str(number), url, BATTLES + STEADY + CHANGING) for number in range(servers)]
    for arena in arenas:
        arena.start()
    crowd = Crowd([arena.url for arena in arenas], voters, pending=0.5)
    crowd.start()
    pauses = _change_models(database, arenas, seconds)
    crowd.stop()
    time.sleep(6)  # the votes that could be undone are counted
    result = _result(database, crowd, pauses)
    for arena in arenas:
        arena.kill()
    database.close()
    return result


def _change_models(
    database: Database, arenas: Sequence[Served], seconds: float
) -> list[tuple[datetime, datetime]]:
    """Pause, weight, retire and enable one model in turns, and add another; returns when it was not to be drawn."""
    pauses, end, paused_at = [], time.monotonic() + seconds, datetime.now(UTC)
    add_to_files(arenas)
    _apply(database, ModelAction.RELOAD, "")
    while time.monotonic() < end:
        for action in (ModelAction.PAUSE, ModelAction.ENABLE, ModelAction.RETIRE, ModelAction.ENABLE):
            time.sleep(STEP)
            _apply(database, action, "changing")
            if action is ModelAction.ENABLE:
                pauses.append((paused_at, datetime.now(UTC)))
                _apply(database, ModelAction.WEIGHT, "changing", 3.0)
            paused_at = datetime.now(UTC)
    return pauses


def add_to_files(arenas: Sequence[Served]) -> None:
    for arena in arenas:
        file = arena.folder / "arena.toml"
        file.write_text(file.read_text(encoding="utf-8") + ADDED, encoding="utf-8")


def _apply(database: Database, action: ModelAction, name: str, value: float | None = None) -> None:
    with database.write() as session:
        if action is ModelAction.RELOAD:
            model_states.note(session, name, action, reason="drill", by="drill")
        else:
            model_states.change(session, name, action, reason="drill", by="drill", value=value)


def _result(database: Database, crowd: Crowd, pauses: Sequence[tuple[datetime, datetime]]) -> Result:
    counts = crowd.counts
    with database.read() as session:
        rows = _battles(session)
        votes: dict[str, str] = dict(session.exec(select(Battle.public_id, Vote.winner).join(Vote)).all())
        changes = len(model_states.changes(session))
    delays = [
        (at - begin).total_seconds()
        for at, _, names in rows
        if "changing" in names
        for begin, end in pauses
        if begin < at < end
    ]
    return Result(
        changes=changes,
        battles=len(rows),
        of_changing=sum("changing" in names for *_, names in rows),
        of_added=sum("added" in names for *_, names in rows),
        broken=sum(status == BattleStatus.FAILED for _, status, _ in rows),
        acknowledged=len(crowd.acknowledged),
        lost=sum(votes.get(battle) != winner for battle, winner in crowd.acknowledged.items()),
        refused=sum(number for name, number in counts.items() if "refused" in name or "cut off" in name),
        late=sum(delay > LATE for delay in delays),
        latest=max(delays, default=0.0),
    )


def _battles(session: Any) -> list[tuple[datetime, str, tuple[str, str]]]:
    """When each battle began, its status and its models."""
    left, right = aliased(Model), aliased(Model)
    query = (
        select(Battle.created_at, Battle.status, left.name, right.name)
        .join(left, col(left.id) == Battle.model_a_id)
        .join(right, col(right.id) == Battle.model_b_id)
    )
    return [(at, status, (a, b)) for at, status, a, b in session.exec(query)]


def show(result: Result) -> None:
    table = Table(
        "", "", title=f"{VOTERS} voters while models are paused, retired, weighted and added", show_header=False
    )
    for name, value in vars(result).items():
        table.add_row(name.replace("_", " "), f"{value:.2f}" if isinstance(value, float) else f"{value:,}")
    Console(width=100).print(table)


if __name__ == "__main__":
    sys.exit(main())
