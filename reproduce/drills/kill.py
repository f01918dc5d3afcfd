"""SIGKILL servers at random moments while voters vote; print what was lost.

    python -m reproduce.drills.kill --database sqlite --kills 200
    python -m reproduce.drills.kill --database postgresql --kills 200

SQLite has one server, which is started again at once. PostgreSQL has two; they are killed in turn, and the other one
closes the battles of the dead one. Half of the votes can be undone for a second, and a fifth of these is. Exit code 1 if
a vote was lost or doubled, an undone one counted, or a battle was stuck for 15 s.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import func
from sqlmodel import col, select

from arena.store import Database, DatabaseError
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, CompletionStatus, PendingVote, Vote
from arena.store.votes import recount
from reproduce.drills.crowd import Crowd
from reproduce.drills.served import Served, scripted_model
from reproduce.temporary_postgres import required_binaries, temporary_postgres

VOTERS = 4
LIFE = (0.1, 4.0)  # seconds from the first reply to the kill
REST = (0.0, 12.0)  # PostgreSQL: seconds until the killed server is started again, so that the other one must act
STUCK = 15.0  # seconds
WORDS = 30  # of each completion; with DELAY, a turn takes 0.6 s
DELAY = 0.02
PENDING = 0.5  # of votes
UNDO = 1.0  # seconds
REVISITED = 3.0  # seconds in which voters come back to the last battles that a kill cut off
MODELS = f"[battles]\nundo_seconds = {UNDO}\n" + "".join(
    scripted_model(name, WORDS, DELAY) for name in ("one", "two")
)


@dataclass
class Watch:
    """How long each battle has been running without a break, seen from outside."""

    database: Database
    began: dict[int, float] = field(default_factory=dict)
    longest: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.over.wait(0.2):
            try:
                self._look()
            except DatabaseError:  # a locked file
                continue

    def _look(self) -> None:
        with self.database.read() as session:
            running = set(session.exec(select(Battle.id, Battle.changed_at).where(Battle.status == "running")))
        seen = time.monotonic()
        self.began = {turn: self.began.get(turn, seen) for turn in running}  # type: ignore[misc,index]
        self.longest = max([self.longest, *(seen - began for began in self.began.values())])

    def wait(self) -> None:
        """Wait until no battle runs and no vote is pending, for the time after which a battle counts as stuck."""
        end = time.monotonic() + STUCK + 1
        while self._is_busy() and time.monotonic() < end:
            time.sleep(0.2)

    def _is_busy(self) -> bool:
        try:
            with self.database.read() as session:
                running = select(Battle.id).where(Battle.status == BattleStatus.RUNNING).limit(1)
                return bool(
                    session.exec(running).first() or session.exec(select(PendingVote.battle_id).limit(1)).first()
                )
        except DatabaseError:  # a locked file
            return True


@dataclass(frozen=True)
class Result:
    """What is in the database after the drill, compared with what was acknowledged."""

    acknowledged: int
    lost: int
    changed: int
    doubled: int
    revived: int
    miscounted: int
    unacknowledged: int
    interrupted: int
    running: int


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="arena-drill-") as name,
        _database(options.database, Path(name)) as url,
    ):
        shared = options.database == "postgresql"
        servers = [Served(Path(name) / str(number), url, MODELS) for number in range(1 + shared)]
        began = time.monotonic()
        crowd, longest, start = drill(servers, options.kills, random.Random(options.seed))
        result = compare(url, crowd)
    show(options, result, crowd, {"a battle was running": longest, "a server took to start": start}, began)
    bad = result.lost + result.changed + result.doubled + result.revived + result.miscounted
    return int(bool(bad) or longest > STUCK)


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'arena.db'}"
        return
    with temporary_postgres(required_binaries()) as url:
        yield url


def drill(servers: list[Served], kills: int, chance: random.Random) -> tuple[Crowd, float, float]:
    """Kill servers under voters; returns the voters, and the longest running battle and start in seconds."""
    for server in servers:
        server.start()
    database = Database(servers[0].database_url)
    watch, crowd = Watch(database), Crowd([server.url for server in servers], VOTERS, PENDING)
    watching = threading.Thread(target=watch.run, daemon=True)
    watching.start()
    crowd.start()
    starts = []
    for number in range(kills):
        time.sleep(chance.uniform(*LIFE))
        server = servers[number % len(servers)]
        server.kill()
        if len(servers) > 1 and number % 5 == 0:
            time.sleep(chance.uniform(*REST))
        began = time.monotonic()
        server.start()
        starts.append(time.monotonic() - began)
    time.sleep(REVISITED)
    crowd.stop()
    watch.wait()
    watch.over.set()
    watching.join()
    for server in servers:
        server.kill()
    database.close()
    return crowd, watch.longest, max(starts)


def compare(url: str, crowd: Crowd) -> Result:
    database, acknowledged = Database(url), crowd.acknowledged
    with database.read() as session:
        votes = session.exec(select(Battle.public_id, Vote.winner).join(Vote)).all()
        stored = dict(votes)
        interrupted = session.exec(
            select(func.count())
            .select_from(CompletionRow)
            .where(col(CompletionRow.status) == CompletionStatus.ABANDONED, CompletionRow.text != "")
        ).one()
        running = session.exec(
            select(func.count()).select_from(Battle).where(Battle.status == BattleStatus.RUNNING)
        ).one()
        result = Result(
            acknowledged=len(acknowledged),
            lost=sum(battle not in stored for battle in acknowledged),
            changed=sum(stored.get(battle, winner) != winner for battle, winner in acknowledged.items()),
            doubled=len(votes) - len(stored),
            revived=len(crowd.undone & stored.keys()),
            miscounted=len(recount(session)),
            unacknowledged=len(stored.keys() - acknowledged.keys()),
            interrupted=interrupted,
            running=running,
        )
    database.close()
    return result


def show(
    options: argparse.Namespace, result: Result, crowd: Crowd, longest: dict[str, float], began: float
) -> None:
    minutes = (time.monotonic() - began) / 60
    table = Table(title=f"{options.kills} SIGKILLs, {options.database}, {VOTERS} voters, {minutes:.0f} minutes")
    table.add_column("what")
    table.add_column("number", justify="right")
    rows = {
        "acknowledged votes": result.acknowledged,
        "of these lost": result.lost,
        "of these stored with another winner": result.changed,
        "battles with two votes": result.doubled,
        "undone votes": len(crowd.undone),
        "of these counted": result.revived,
        "pair counts that differ from the votes": result.miscounted,
        "votes on disk whose reply was cut off": result.unacknowledged,
        "completions of killed servers that kept text": result.interrupted,
        **dict(sorted(crowd.counts.items())),
        **{f"longest time that {what}": f"{seconds:.1f} s" for what, seconds in longest.items()},
    }
    for what, number in rows.items():
        table.add_row(what, f"{number:,}" if isinstance(number, int) else str(number))
    Console(width=100).print(table)


if __name__ == "__main__":
    sys.exit(main())
