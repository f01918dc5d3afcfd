"""Make the times in docs/admin.md: the overview of operators among many battles, altogether and by part.

    python reproduce/overview.py --battles 1000000

Fills a database with battles of `DAYS` days, with turns, completions, votes and held votes (in bulk, untimed), and times
what `/admin` asks of it: each part once on a new connection, then the median of `REPEATS`; then the page itself, as first
opened after a start, then with no count of a day known, and as opened again at once.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from fastapi.testclient import TestClient
from sqlalchemy import text

from arena.accounts.accounts import add_account
from arena.config import AdminSettings, Settings
from arena.rules.roles import Actor, Role
from arena.serving.models import Serving
from arena.store import Database, Session
from arena.store.funnel import day_counts, failures, votes_by_hour
from arena.store.models import register_models
from arena.store.operator_figures import figures
from arena.store.schema.battles import now
from arena.store.spending import spent
from arena.store.timings import timings
from arena.web.admin import days as counted_days
from arena.web.admin.hours import HOURS
from arena.web.app import create_app
from reproduce.board import _databases

DAYS, WEEK = 30, 7
MODELS = 30
REPEATS = 5
PASSWORD = "correct horse battery staple"
COMPLETION = "A completion of ordinary length says what it has to say, and then some more. " * 5
# Of 20 battles 14 are voted on, 3 were abandoned, 1 while its models wrote, 1 failed and 1 waits.
STATUS = """CASE WHEN n % 20 < 14 THEN 'voted' WHEN n % 20 < 18 THEN 'abandoned' WHEN n % 20 < 19 THEN 'failed'
    ELSE 'open' END"""
WRITTEN = "CASE WHEN n % 20 = 17 THEN 'abandoned' WHEN n % 20 = 18 THEN 'failed' ELSE 'finished' END"
VOTER = "'voter-' || (n * 7919 % 50000)"
WINNER = "CASE n % 3 WHEN 0 THEN 'model_a' WHEN 1 THEN 'model_b' ELSE 'tie' END"
HELD_EACH = 50  # one vote of so many is held


def fill(database: Database, battles: int) -> None:
    """Battles that end now, and all that belongs to them."""
    sqlite = database.file is not None
    step = timedelta(days=DAYS) / battles
    begin = datetime.now(UTC) - step * (battles + 1)
    if sqlite:
        numbers = f"(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {battles}) SELECT n FROM c)"
        at = f"strftime('%Y-%m-%d %H:%M:%f000', {begin.timestamp()} + n * {step.total_seconds()}, 'unixepoch')"
    else:
        numbers = f"(SELECT generate_series(1, {battles}::bigint) AS n)"
        at = f"to_timestamp({begin.timestamp()} + n * {step.total_seconds()})"
    false = "0" if sqlite else "false"
    with database.write() as session:
        register_models(session, [f"model-{number:03}" for number in range(MODELS)])
        for statement in _statements(at, false):
            session.execute(text(statement.replace("NUMBERS", f"{numbers} numbers")))
        if not sqlite:
            for table in ("battle", "turn", "completion", "vote", "vote_state_event"):
                session.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if sqlite else "VACUUM ANALYZE"))


def _statements(at: str, false: str) -> list[str]:
    left, right = f"1 + n % {MODELS}", f"1 + (n + 1 + n / {MODELS} % {MODELS - 1}) % {MODELS}"
    return [
        f"""INSERT INTO battle (id, public_id, voter, model_a_id, model_b_id, pair_probability, category, shared, status,
            created_at, changed_at)
            SELECT n, 'p' || n, {VOTER}, {left}, {right}, 1.0, 'overall', {false}, {STATUS}, {at}, {at} FROM NUMBERS""",
        f"INSERT INTO turn (id, battle_id, number, prompt, created_at) SELECT n, n, 1, 'Explain it.', {at} FROM NUMBERS",
        f"""INSERT INTO completion (id, turn_id, side, attempt, text, status, failure, completion_tokens,
            first_token_seconds, seconds, leaked, created_at)
            SELECT 2 * n + s, n, CASE s WHEN 0 THEN 'a' ELSE 'b' END, 1, '{COMPLETION}',
            CASE s WHEN 0 THEN {WRITTEN} ELSE 'finished' END, CASE WHEN s = 0 AND n % 20 = 18 THEN 'timeout' END,
            90, 0.4, 3.0, {false}, {at} FROM NUMBERS, (SELECT 0 AS s UNION ALL SELECT 1) sides""",
        f"""INSERT INTO vote (id, battle_id, source, voter, winner, stopped_early, created_at)
            SELECT n, n, 'human', {VOTER}, {WINNER}, {false}, {at} FROM NUMBERS WHERE n % 20 < 14""",
        f"""INSERT INTO vote_state_event (id, state, reason, detail, check_version, set_by, votes, changes_boards, set_at)
            SELECT n, 'quarantined', 'voter_test', '', '', 'x', 1, {false}, {at} FROM NUMBERS WHERE n = 1""",
        f"""INSERT INTO vote_hold (vote_id, state, reason, event_id)
            SELECT id, 'quarantined', 'voter_test', 1 FROM vote WHERE id % {HELD_EACH} = 0""",
    ]


def _parts(at: datetime) -> dict[str, Callable[[Session], object]]:
    today = at.date()
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    days = [today - timedelta(days=number) for number in range(WEEK)]
    return {
        "today": lambda session: day_counts(session, today),
        "week": lambda session: [day_counts(session, day) for day in days],
        "votes_by_hour": lambda session: votes_by_hour(session, at - timedelta(hours=HOURS)),
        "failures": lambda session: failures(session, midnight),
        "timings": timings,
        "figures": lambda session: figures(session, at),
        "spent": lambda session: spent(session, today.isoformat()),
    }


def measure(database: Database, battles: int) -> dict[str, object]:
    """Milliseconds of each part, (first, median of later ones), and of the page."""
    found: dict[str, object] = {"database": "SQLite" if database.file else "PostgreSQL", "battles": battles}
    database.engine.dispose()
    for name, part in _parts(now()).items():
        times = [_ms(lambda part=part: _read(database, part)) for _ in range(REPEATS + 1)]  # type: ignore[misc]
        found[name] = (times[0], round(statistics.median(times[1:]), 1))
    return found | page(database)


def _read(database: Database, part: Callable[[Session], object]) -> None:
    with database.read() as session:
        part(session)


def page(database: Database) -> dict[str, object]:
    """Milliseconds of the page."""
    add_account(database, "ann", Role.OPERATOR, PASSWORD, Actor.terminal("overview"))
    app = create_app(Settings(admin=AdminSettings()), database, Serving({}))
    # The jobs of the server do not run: only its pages are asked.
    with closing(TestClient(app, headers={"accept": "text/html"}, follow_redirects=False)) as http:
        _sign_in(http)
        fresh, past = counted_days.FRESH, counted_days.PAST
        counted_days.FRESH = counted_days.PAST = 0.0
        first = _ms(lambda: _opened(http))
        uncounted = [_ms(lambda: _opened(http)) for _ in range(REPEATS)]
        counted_days.FRESH, counted_days.PAST = fresh, past
        _opened(http)
        again = [_ms(lambda: _opened(http)) for _ in range(REPEATS)]
    return {
        "page_first": first,
        "page_uncounted": statistics.median(uncounted),
        "page_again": statistics.median(again),
    }


def _ms(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return round(1000 * (time.perf_counter() - start), 1)


def _sign_in(http: TestClient) -> None:
    token = re.search(r'name="csrf" value="([^"]+)"', http.get("/admin/login").text)
    assert token is not None
    form = {"csrf": token[1], "name": "ann", "password": PASSWORD, "next": "/admin/account"}
    assert http.post("/admin/login", data=form, headers={"origin": "http://testserver"}).status_code == 303


def _opened(http: TestClient) -> None:
    assert http.get("/admin").status_code == 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--battles", type=int, default=1_000_000, help="number of stored battles")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append", help="repeat for both")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="arena-overview-") as folder,
        _databases(given.database or ["sqlite", "postgresql"], Path(folder)) as databases,
    ):
        for _, url in databases:
            database = Database(url)
            database.make_ready()
            fill(database, given.battles)
            print(json.dumps(measure(database, given.battles)), flush=True)
            database.close()


if __name__ == "__main__":
    main()
