"""SIGTERM a server under load; print what became of its turns and votes.

    python -m reproduce.drills.sigterm --rounds 3

Turns take 2 to 20 seconds and the server waits `--drain` seconds for them. Exit code 1 if a vote was lost, a turn was
left without its text, or the server took longer than it may.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlmodel import col, select

from arena.store import Database
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, CompletionStatus, Turn, Vote
from reproduce.drills.crowd import Crowd
from reproduce.drills.served import Served, scripted_model

VOTERS = 12
LOAD = 10.0  # seconds of voting before the signal
MARGIN = 10.0  # seconds that a server may take after its drain
SHORT, LONG = 100, 1000  # words
DELAY = 0.02  # seconds a word
TABLES = """
[web]
drain_seconds = {drain}
[battles]
running_per_voter = 100
""" + "".join(
    scripted_model(name, words, DELAY)
    for name, words in (*((f"short-{n}", SHORT) for n in range(4)), ("long", LONG))
)


@dataclass(frozen=True)
class Round:
    """What one SIGTERM did."""

    running: int  # turns at the signal
    finished: int  # of these
    kept: int  # of these, with text of both sides
    without_text: int
    still_running: int
    acknowledged: int
    lost: int
    seconds: float  # from the signal to the end of the process
    code: int | None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--drain", type=float, default=8.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="arena-drill-") as name:
        rounds = [drill(Path(name) / str(number), options.drain) for number in range(options.rounds)]
    show(rounds, options.drain)
    bad = sum(r.lost + r.without_text + r.still_running + (r.seconds > options.drain + MARGIN) for r in rounds)
    return int(bool(bad))


def drill(folder: Path, drain: float) -> Round:
    url = f"sqlite:///{folder / 'arena.db'}"
    server = Served(folder, url, TABLES.format(drain=drain))
    server.start()
    crowd = Crowd([server.url], VOTERS)
    crowd.start()
    time.sleep(LOAD)
    database = Database(url)
    with database.read() as session:
        running = session.exec(select(Battle.id).where(Battle.status == BattleStatus.RUNNING)).all()
    began = time.monotonic()
    server.send(signal.SIGTERM)
    code = server.wait(drain + 5 * MARGIN)
    seconds = time.monotonic() - began
    crowd.stop()
    result = _result(database, [number or 0 for number in running], crowd, seconds, code)
    database.close()
    return result


def _result(database: Database, running: list[int], crowd: Crowd, seconds: float, code: int | None) -> Round:
    with database.read() as session:
        rows = session.exec(
            select(Turn.battle_id, CompletionRow.status, CompletionRow.text)
            .join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
            .where(col(Turn.battle_id).in_(running))
        ).all()
        stored = dict(session.exec(select(Battle.public_id, Vote.winner).join(Vote)).all())
        left = session.exec(select(Battle.id).where(Battle.status == BattleStatus.RUNNING)).all()
    interrupted = {battle for battle, status, _ in rows if status == CompletionStatus.ABANDONED}
    words = Counter(battle for battle, _, text in rows if text.strip())
    kept = {battle for battle in interrupted if words[battle] == 2}
    return Round(
        running=len(running),
        finished=len(running) - len(interrupted),
        kept=len(kept),
        without_text=len(interrupted - kept),
        still_running=len(left),
        acknowledged=len(crowd.acknowledged),
        lost=sum(stored.get(battle) != winner for battle, winner in crowd.acknowledged.items()),
        seconds=seconds,
        code=code,
    )


def show(rounds: list[Round], drain: float) -> None:
    title = f"SIGTERM, {VOTERS} voters, turns of {SHORT * DELAY:.0f} to {LONG * DELAY:.0f} s, drain_seconds = {drain:g}"
    table = Table(title=title)
    for name in ("turns at the signal", "finished", "interrupted, text kept", "without text", "still running"):
        table.add_column(name, justify="right")
    for name in ("votes acknowledged", "lost", "seconds to the end", "exit code"):
        table.add_column(name, justify="right")
    for r in rounds:
        numbers = (r.running, r.finished, r.kept, r.without_text, r.still_running, r.acknowledged, r.lost)
        table.add_row(*map(str, numbers), f"{r.seconds:.1f}", str(r.code))
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.exit(main())
