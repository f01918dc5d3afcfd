"""Make the times in docs/trust.md: votes held and released among a million, and what an ordinary vote pays for it.

    OPENBLAS_NUM_THREADS=1 python reproduce/quarantine.py --votes 1000000 --held 1 --held 1000 --held 100000

Fills a database as reproduce/board.py does, gives its votes to many voters, and holds and releases the votes of the first
ones. Times are of one transaction; those of an ordinary vote are medians, before any vote is held and while many are.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from sqlalchemy import text

from arena.rules.vote_states import QuarantineReason, VoteState
from arena.rules.votes import HUMAN
from arena.store import Database
from arena.store import battles as stored
from arena.store.packed_votes import packed_differences
from arena.store.quarantine import hold, release
from arena.store.schema.battles import BattleStatus, CompletionStatus
from arena.store.stored_battles import Written
from arena.store.votes import add_vote, recount, rewrite_pair_counts
from reproduce.board import EACH, _databases, draw, fill

REPEATS = 30


def spread(database: Database) -> None:
    """Give every vote a voter with some forty votes, in and out of the packed form."""
    with database.write() as session:
        for table in ("battle", "vote"):
            key = "id" if table == "battle" else "battle_id"
            session.execute(text(f"UPDATE {table} SET voter = 'voter-' || ({key} / {EACH})"))
        rewrite_pair_counts(session)


def vote_ms(database: Database) -> float:
    """The median time of the transaction of an ordinary vote, in milliseconds."""
    times = []
    for _ in range(REPEATS):
        with database.write() as session:
            battle = stored.add_battle(session, "new voter", "model-000", "model-001", 1.0).id or 0
            stored.add_turn(session, battle, "Write a Python function that adds two numbers.")
            done = Written("def add(a, b): return a + b", CompletionStatus.FINISHED)
            stored.finish_turn(session, battle, {"a": done, "b": done}, BattleStatus.OPEN)
        start = time.perf_counter()
        with database.write() as session:
            add_vote(session, battle, HUMAN, "new voter", "model_a", stopped_early=False)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def measure(database: Database, votes: int, held: int) -> dict[str, object]:
    """Seconds to hold and to release votes, and the median of an ordinary vote while they are held."""
    start = time.perf_counter()
    with database.write() as session:
        assert (
            hold(
                session, range(1, held + 1), VoteState.QUARANTINED, QuarantineReason.VOTER_TEST, by="x", again=True
            )
            == held
        )
    done = time.perf_counter()
    with_held = vote_ms(database)
    with database.read() as session:
        assert not recount(session)
    again = time.perf_counter()
    with database.write() as session:
        assert release(session, range(1, held + 1), "measured", "x") == held
    released = time.perf_counter() - again
    with database.read() as session:
        assert not recount(session)
        assert not packed_differences(session)
    kind = "SQLite" if database.file else "PostgreSQL"
    return {"database": kind, "votes": votes, "held": held, "hold_s": round(done - start, 3),
            "release_s": round(released, 3), "vote_ms": round(with_held, 2)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--votes", type=int, default=1_000_000, help="number of stored votes")
    parser.add_argument("--held", type=int, action="append", help="number of votes to hold; repeat for several")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append", help="repeat for both")
    given = parser.parse_args()
    drawn = draw(given.votes)
    with (
        tempfile.TemporaryDirectory(prefix="arena-quarantine-") as folder,
        _databases(given.database or ["sqlite", "postgresql"], Path(folder)) as databases,
    ):
        for kind, url in databases:
            database = Database(url)
            database.make_ready()
            fill(database, drawn)
            spread(database)
            print(json.dumps({"database": kind, "held": 0, "vote_ms": round(vote_ms(database), 2)}), flush=True)
            for held in given.held or [1, 1_000, 100_000]:
                print(json.dumps(measure(database, given.votes, held)), flush=True)
            database.close()


if __name__ == "__main__":
    main()
