"""Make the table of times in docs/leaderboard.md: a board of many votes, and the delay until a new vote shows.

    OPENBLAS_NUM_THREADS=1 python reproduce/board.py --votes 100000 --votes 1000000 --votes 10000000

Fills SQLite and PostgreSQL with battles, votes, pair counts and packed votes of 300 models (in bulk, untimed), then
times what a reader waits for: pair counts to ratings with intervals and ranks, the whole page, a vote's transaction, and
the page that shows it. Every time is the median of several repeats; nothing is cached between them.
`arena serve` sets the variable itself.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import itertools
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection, insert, text

from arena.config import Settings
from arena.leaderboards.cache import ResultCache
from arena.leaderboards.leaderboard import publish_choice
from arena.leaderboards.query import BoardChoice
from arena.rules.vote_clusters import SHARED, VOTER_BITS
from arena.rules.votes import HUMAN, OVERALL
from arena.store import Database
from arena.store import battles as stored
from arena.store.models import register_models
from arena.store.packed_votes import ENTRY, FULL, PARTS
from arena.store.schema.battles import BattleStatus, CompletionStatus, PairCount
from arena.store.schema.clusters import PackedVotes
from arena.store.stored_battles import Written
from arena.store.votes import add_vote
from arena.web.board_view import CachedBoards
from arena.web.pages import leaderboard
from arena.web.rendering import templates
from reproduce.temporary_postgres import binaries, temporary_postgres

MODELS = 300
REPEATS = 7
IN_A_ROW = 21  # votes without a reader between them
WARM_UP = 10  # votes before the timed ones: a driver prepares a statement when it has been sent some times
CHUNK = 200_000
SPREAD = 1.0  # standard deviation of strength, in logits
OUTCOMES = ("model_a", "model_b", "tie", "both_bad")
CATEGORIES = {OVERALL: 1.0, "english": 0.6, "code": 0.2, "hard": 0.15, "math": 0.1}
EACH = 40  # votes of a voter
SUGGESTED = 0.05  # of the votes are on one of so many suggested prompts
PROMPTS = 60
CREATED = "2026-01-01 00:00:00+00:00"
BATTLE = (
    "id, public_id, voter, model_a_id, model_b_id, pair_probability, category, shared, status, "
    "created_at, changed_at"
)
VOTE = "id, battle_id, source, voter, winner, stopped_early, created_at"


@dataclass(frozen=True)
class Drawn:
    """Columns (votes,) of simulated votes: places of both models, and the outcome's."""

    a: np.ndarray
    b: np.ndarray
    outcome: np.ndarray


def draw(votes: int, seed: int = 0) -> Drawn:
    rng = np.random.default_rng(seed)
    xi = rng.normal(0, SPREAD, MODELS)
    a = rng.integers(0, MODELS, votes)
    b = (a + rng.integers(1, MODELS, votes)) % MODELS
    wins = rng.random(votes) < 1 / (1 + np.exp(xi[b] - xi[a]))
    tied = rng.random(votes)
    outcome = np.where(tied < 0.15, 2, np.where(tied < 0.2, 3, np.where(wins, 0, 1)))
    return Drawn(a, b, outcome)


def fill(database: Database, drawn: Drawn) -> None:
    """Models, battles, votes and the pair counts that follow from them."""
    with database.write() as session:
        register_models(session, [f"model-{number:03}" for number in range(MODELS)])
    with database.engine.begin() as connection:
        copy = _copy_sqlite if database.file else _copy_postgres
        copy(connection, drawn)
        for category, part in _categories(drawn):
            connection.execute(insert(PairCount), _count_rows(drawn, category, part))
            connection.execute(insert(PackedVotes), _packed_rows(drawn, category, part))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if database.file else "VACUUM ANALYZE"))  # as on a server of some age


def _copy_sqlite(connection: Connection, drawn: Drawn) -> None:
    raw = connection.connection.cursor()
    for start in range(0, len(drawn.a), CHUNK):
        numbers = range(start + 1, min(start + CHUNK, len(drawn.a)) + 1)
        a, b, outcome = (column[start : start + CHUNK].tolist() for column in (drawn.a, drawn.b, drawn.outcome))
        raw.executemany(
            f"INSERT INTO battle ({BATTLE}) VALUES (?,?,'v',?,?,1.0,'{OVERALL}',0,'voted','{CREATED}','{CREATED}')",
            ((n, f"p{n:09}", x + 1, y + 1) for n, x, y in zip(numbers, a, b, strict=True)),
        )
        raw.executemany(
            f"INSERT INTO vote ({VOTE}) VALUES (?,?,'{HUMAN}','v',?,0,'{CREATED}')",
            ((n, n, OUTCOMES[o]) for n, o in zip(numbers, outcome, strict=True)),
        )


def _copy_postgres(connection: Connection, drawn: Drawn) -> None:
    raw = connection.connection.cursor()
    raw.execute("SET session_replication_role = replica")  # the keys are right by construction
    for table, columns in (("battle", BATTLE), ("vote", VOTE)):
        with raw.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for start in range(0, len(drawn.a), CHUNK):
                copy.write("".join(_lines(table, drawn, start)))
        raw.execute(f"SELECT setval('{table}_id_seq', {len(drawn.a)})")
    raw.execute("SET session_replication_role = DEFAULT")


def _lines(table: str, drawn: Drawn, start: int) -> Iterator[str]:
    a, b, outcome = (column[start : start + CHUNK].tolist() for column in (drawn.a, drawn.b, drawn.outcome))
    for place, (x, y, o) in enumerate(zip(a, b, outcome, strict=True)):
        n = start + place + 1
        if table == "battle":
            yield f"{n}\tp{n:09}\tv\t{x + 1}\t{y + 1}\t1.0\t{OVERALL}\tf\tvoted\t{CREATED}\t{CREATED}\n"
        else:
            yield f"{n}\t{n}\t{HUMAN}\tv\t{OUTCOMES[o]}\tf\t{CREATED}\n"


def _categories(drawn: Drawn) -> Iterator[tuple[str, np.ndarray]]:
    """Every category with the places of its votes; all but the first have a random part of them."""
    rng = np.random.default_rng(1)
    for category, share in CATEGORIES.items():
        yield category, np.flatnonzero(rng.random(len(drawn.a)) < share)


def _count_rows(drawn: Drawn, category: str, part: np.ndarray) -> list[dict[str, object]]:
    """Pair counts of a category."""
    key = (drawn.a[part] * MODELS + drawn.b[part]) * 4 + drawn.outcome[part]
    table = np.bincount(key, minlength=MODELS * MODELS * 4).reshape(-1, 4)
    met = np.flatnonzero(table.sum(axis=1))
    return [
        {"model_a_id": pair // MODELS + 1, "model_b_id": pair % MODELS + 1, "category": category, "source": HUMAN,
         "wins": w, "losses": lost, "ties": t, "both_bad": d}
        for pair, (w, lost, t, d) in zip(met.tolist(), table[met].tolist(), strict=True)
    ]  # fmt: skip


def _packed_rows(drawn: Drawn, category: str, part: np.ndarray) -> list[dict[str, object]]:
    """Packed votes of a category: a voter gave `EACH` votes, some on suggested prompts, the others on their own."""
    rng = np.random.default_rng(2)
    voters = rng.integers(0, 1 << VOTER_BITS, max(2, len(drawn.a) // EACH), dtype=np.uint32)
    votes = np.empty(len(drawn.a), dtype=ENTRY)
    votes["vote"] = np.arange(1, len(votes) + 1)
    votes["voter"] = voters[rng.integers(0, len(voters), len(votes))] << 2 | drawn.outcome.astype(np.uint32)
    shared = rng.random(len(votes)) < SUGGESTED
    own = rng.integers(0, SHARED, len(votes), dtype=np.uint32)
    votes["prompt"] = np.where(shared, np.uint32(SHARED) + own % np.uint32(PROMPTS), own)
    votes["a"], votes["b"] = drawn.a + 1, drawn.b + 1
    votes = votes[part]
    place = (votes["voter"] >> 2) % PARTS
    votes = votes[np.argsort(place, kind="stable")]
    ends = np.searchsorted(np.sort(place), np.arange(PARTS + 1))
    return [
        {
            "category": category,
            "source": HUMAN,
            "part": number,
            "chunk": chunk,
            "votes": votes[at : min(at + FULL // 16, end)].tobytes(),
        }
        for number, (start, end) in enumerate(itertools.pairwise(ends.tolist()))
        for chunk, at in enumerate(range(start, end, FULL // 16))
    ]


def measure(database: Database, votes: int) -> dict[str, float | int | str]:
    """Medians in milliseconds."""
    choice = BoardChoice()

    def fit() -> None:
        with database.read() as session:
            assert publish_choice(session, choice).board.battles >= votes

    def page() -> None:
        assert "<tbody" in _reader(database).get("/leaderboard").text

    fit()  # once for the caches of the database, as on a running server
    page()
    for _ in range(WARM_UP):
        _vote(database)
    written, shown = zip(*(_vote_and_look(database, votes + WARM_UP + n + 1) for n in range(REPEATS)), strict=True)
    alone = [_vote(database) for _ in range(IN_A_ROW)]
    with database.read() as session:
        rows = session.execute(text("SELECT count(*) FROM pair_count")).scalar_one()
        packed = round(session.execute(text("SELECT sum(length(votes)) FROM packed_votes")).scalar_one() / 1e6)
    return {
        "database": "SQLite" if database.file else "PostgreSQL",
        "votes": votes,
        "pair_count_rows": rows,
        "packed_mb": packed,
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
        "fit_ms": _median(fit),
        "fit_cpu_ms": _median(fit, time.process_time),
        "page_ms": _median(page),
        "page_cpu_ms": _median(page, time.process_time),
        "vote_ms": 1000 * statistics.median(alone),
        "vote_after_a_page_ms": 1000 * statistics.median(written),
        "visible_ms": 1000 * statistics.median(shown),
        "visible_worst_ms": 1000 * max(shown),
    }


def _reader(database: Database) -> TestClient:
    """The leaderboard page alone, with an empty cache."""
    app = FastAPI()
    settings = Settings()
    app.state.v1 = SimpleNamespace(settings=settings)  # for the address of the arena
    app.include_router(leaderboard.routes(CachedBoards(ResultCache(database), settings), templates("Arena")))
    return TestClient(app)


def _vote_and_look(database: Database, number: int) -> tuple[float, float]:
    """Seconds of a vote's transaction, and from its end until a page shows it; readers looked just before."""
    reader = _reader(database)
    reader.get("/leaderboard")
    seconds, voted = _vote(database), time.perf_counter()
    while f"{number:,} votes" not in reader.get("/leaderboard").text:
        assert time.perf_counter() - voted < 60, f"vote {number} never came up"
    return seconds, time.perf_counter() - voted


def _vote(database: Database) -> float:
    """Seconds of a vote's transaction, on a battle that is open."""
    with database.write() as session:
        battle = stored.add_battle(session, "v", "model-000", "model-001", 1.0)
        stored.add_turn(session, battle.id or 0, "Write a Python function that adds two numbers.")
        done = Written("def add(a, b): return a + b", CompletionStatus.FINISHED)
        stored.finish_turn(session, battle.id or 0, {"a": done, "b": done}, BattleStatus.OPEN)
        battle_id = battle.id or 0
    start = time.perf_counter()
    with database.write() as session:
        add_vote(session, battle_id, HUMAN, "v", "model_a", stopped_early=False)
    return time.perf_counter() - start


def _median(work: Callable[[], None], clock: Callable[[], float] = time.perf_counter) -> float:
    times = []
    for _ in range(REPEATS):
        start = clock()
        work()
        times.append(clock() - start)
    return 1000 * statistics.median(times)


@contextmanager
def _databases(kinds: list[str], folder: Path) -> Iterator[list[tuple[str, str]]]:
    """(kind, URL) of each requested database."""
    sqlite = [("sqlite", f"sqlite:///{folder / 'board.db'}")] if "sqlite" in kinds else []
    programs = binaries() if "postgresql" in kinds else None
    if "postgresql" in kinds and programs is None:
        sys.exit("PostgreSQL's initdb and pg_ctl not found. Install postgresql, or pass --database sqlite.")
    if programs is None:
        yield sqlite
        return
    with temporary_postgres(programs) as url:
        yield [*sqlite, ("postgresql", url)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--votes", type=int, action="append", help="number of votes; repeat for several boards")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append", help="repeat for both")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    figures = []
    for votes in given.votes or [100_000, 1_000_000]:
        drawn = draw(votes)
        with (
            tempfile.TemporaryDirectory(prefix="arena-board-") as folder,
            _databases(given.database or ["sqlite", "postgresql"], Path(folder)) as databases,
        ):
            for _, url in databases:
                database = Database(url)
                database.make_ready()
                start = time.perf_counter()
                fill(database, drawn)
                print(f"{votes:,} votes filled in {time.perf_counter() - start:.0f} s", file=sys.stderr)
                figures.append(measure(database, votes))
                print(json.dumps(figures[-1]), flush=True)
                database.close()
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
