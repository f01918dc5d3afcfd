"""Make the times in docs/trust.md: votes held and released among a million, and what an ordinary vote pays for it.

    OPENBLAS_NUM_THREADS=1 python reproduce/quarantine.py --votes 1000000 --held 1 --held 1000 --held 100000

Fills a database as reproduce/board.py does, gives its votes to many voters, and holds and releases the votes of the first
ones, in parts as `arena votes quarantine` does. Times of an ordinary vote are medians, before any vote is held and while
many are; `longest_wait_s` is that of somebody who votes all the time meanwhile.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from sqlalchemy import text

from arena.rules.vote_states import QuarantineReason, VoteState
from arena.rules.votes import HUMAN
from arena.store import Database, Session
from arena.store import battles as stored
from arena.store.packed_votes import packed_differences
from arena.store.quarantine import hold, release
from arena.store.schema.battles import BattleStatus, CompletionStatus
from arena.store.stored_battles import Written
from arena.store.vote_parts import in_parts
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


def vote_ms(database: Database, votes: int = REPEATS) -> float:
    """The median time of the transaction of an ordinary vote, in milliseconds."""
    times = []
    for _ in range(votes):
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
    with _voting(database) as waits:
        assert in_parts(database, range(1, held + 1), _hold) == held
    done = time.perf_counter()
    with_held = vote_ms(database)
    with database.read() as session:
        assert not recount(session)
    again = time.perf_counter()
    with _voting(database) as later:
        assert in_parts(database, range(1, held + 1), _release) == held
    released = time.perf_counter() - again
    with database.read() as session:
        assert not recount(session)
        assert not packed_differences(session)
    kind = "SQLite" if database.file else "PostgreSQL"
    return {"database": kind, "votes": votes, "held": held, "hold_s": round(done - start, 3),
            "release_s": round(released, 3), "vote_ms": round(with_held, 2),
            "longest_wait_s": round(max([0.0, *waits, *later]), 2), "votes_meanwhile": len(waits) + len(later)}  # fmt: skip


def _hold(session: Session, votes: Sequence[int]) -> int:
    return hold(session, votes, VoteState.QUARANTINED, QuarantineReason.VOTER_TEST, by="x", again=True)


def _release(session: Session, votes: Sequence[int]) -> int:
    return release(session, votes, "measured", "x")


@contextmanager
def _voting(database: Database) -> Iterator[list[float]]:
    """Somebody who votes all the time meanwhile, on connections of their own; the seconds that each vote took."""
    waits: list[float] = []
    ended = threading.Event()

    def vote() -> None:
        while not ended.wait(0.05):
            waits.append(vote_ms(other, 1) / 1000)

    other = Database(database.url)
    with ThreadPoolExecutor(1) as pool:
        voting = pool.submit(vote)
        try:
            yield waits
        finally:
            ended.set()
            voting.result()
            other.close()


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
