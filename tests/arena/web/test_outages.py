"""What readers, programs, voters and orchestrators are told while the database is out."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import sqlite3
import threading
import time
from contextlib import closing, contextmanager

import httpx
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from arena.config import Settings
from arena.errors import DatabaseUnavailable
from arena.serving.models import serve
from arena.store import Database
from arena.store.file_guard import MOVED
from arena.store.outages import LOCKED
from arena.web.app import create_app
from arena.web.healthz import NO_ANSWER, DatabaseProbe
from arena.web.outages import TRY_AGAIN, OutageLog
from reproduce.drills.postgres_process import PostgresProcess
from tests.support.arenas import emptied, ready
from tests.support.served_paths import served_paths
from tests.support.timing import NO_HANG, PATIENCE, until, until_async
from tests.support.voters import Voter

PERSON = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
WITHOUT_DATABASE = {
    "/livez", "/openapi.json", "/reading/plotly.js", "/reading/1", "/api/v1/openapi.json", "/api/v1/1", "/api/v1",
    "/api/v1/", "/api/v1/arena", "/diagram", "/how-it-works", "/privacy", "/terms",
}  # fmt: skip
OF_A_VOTER = re.compile(r"/api/v1/(battles/|images/|me\b)")
CONFIG = "[database]\nbusy_timeout = 1\n" + "".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.002\n' for name in ("one", "two")
)


@pytest.fixture
def moved(tmp_path):
    """A client of an arena whose file was moved away, and the function that moves it back."""
    place, away = tmp_path / "arena.db", tmp_path / "away.db"
    database = Database(f"sqlite:///{place}")
    database.make_ready()
    with TestClient(create_app(Settings(database_url=database.url), database, ready())) as client:
        token = client.post("/api/v1/sessions").json()["token"]
        client.headers["authorization"] = f"Bearer {token}"
        place.rename(away)
        yield client, lambda: away.rename(place)
        if not place.exists():
            away.rename(place)
    database.close()


def addresses(routes):
    """Every address for GET that needs the database, with its parameters filled."""
    paths = (path.replace("{leaf}", "0" * 64) for path in served_paths(routes))
    filled = {re.sub(r"{.*?}", "intervals" if "plot" in path else "1", path) for path in paths}
    return sorted(filled - WITHOUT_DATABASE)


def test_a_page_without_its_database_is_a_503_in_words(moved):
    client, _ = moved
    pages = [path for path in addresses(client.app.routes) if not path.startswith("/api/")]
    assert len(pages) > 10
    for path in pages:
        reply = client.get(path, headers=PERSON)
        assert reply.status_code == 503, path
        assert MOVED in reply.text
        assert reply.headers["retry-after"] == "5"
        assert "arena.db" not in reply.text  # no path
        if not path.endswith("z"):
            assert reply.headers["content-type"].startswith("text/html")
            assert "<h1>Service unavailable</h1>" in reply.text
            assert "Try again in a few seconds." in reply.text


@pytest.mark.parametrize("accept", ["application/json", "text/html", "image/png", "text/csv"])
def test_the_api_answers_503_with_a_problem_document_whatever_is_accepted(moved, accept):
    client, _ = moved
    paths = [path for path in addresses(client.app.routes) if path.startswith("/api/v1/")]
    assert len(paths) >= 10
    for path in paths:
        reply = client.get(
            path, params={"model": "one", "from": "2026-01-01", "to": "2026-02-01"}, headers={"accept": accept}
        )
        assert (path, reply.status_code) == (path, 503)
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.headers["retry-after"] == "5"
        own = OF_A_VOTER.match(path)  # a voter is not told what the operator did, and programs get a code
        said = (TRY_AGAIN, "unreachable") if own else (f"{MOVED} {TRY_AGAIN}", None)
        assert (reply.json()["detail"], reply.json().get("code")) == said, path


def test_liveness_readiness_and_health(moved):
    client, move_back = moved
    assert client.get("/livez").json() == {"status": "ok"}
    state = client.get("/readyz")
    assert (state.status_code, state.json()["reasons"]) == (503, [MOVED])
    health = client.get("/healthz")
    assert (health.status_code, health.json()["reason"]) == (503, MOVED)
    assert {"status", "boot", "models_ready", "models_waiting"} <= health.json().keys()
    move_back()
    until(lambda: client.get("/readyz").status_code == 200)  # a result is used for a second
    assert client.get("/readyz").json() == {
        "status": "ready", "reasons": [], "models_ready": 2, "models_waiting": 0, "draining": False,
    }  # fmt: skip
    assert client.get("/healthz").status_code == 200


@pytest.mark.slow
def test_an_arena_without_two_models_is_alive_and_not_ready(sqlite):
    with TestClient(create_app(Settings(database_url=sqlite.url), sqlite, serve([]))) as client:
        assert client.get("/livez").status_code == client.get("/healthz").status_code == 200
        state = client.get("/readyz")
    assert state.status_code == 503
    assert "needs two models" in state.json()["reasons"][0]


class Frozen:
    """A database whose check ends when it is thawed."""

    def __init__(self):
        self.checks = 0
        self.thawed = threading.Event()

    def check(self):
        self.checks += 1
        assert self.thawed.wait(PATIENCE)


async def test_a_hundred_probes_of_a_frozen_database_are_answered_and_use_one_thread():
    database = Frozen()
    probe = DatabaseProbe(database, timeout=0.1)
    said = await asyncio.gather(*(probe.problem() for _ in range(100)))
    assert set(said) == {NO_ANSWER}
    assert database.checks == 1
    database.thawed.set()
    await until_async(lambda: probe._check.done())
    assert await probe.problem() is None
    assert database.checks <= 2  # the hundred have not left one each; the second comes where a second has passed


def test_a_crowd_in_an_outage_is_one_line_in_the_log(caplog):
    log = OutageLog()
    with caplog.at_level(logging.ERROR):
        for _ in range(1000):
            log.report(DatabaseUnavailable("sqlite:///x: locked", LOCKED))
    (record,) = caplog.records
    assert record.exc_info is None


@contextmanager
def another_writer(folder):
    with closing(sqlite3.connect(folder / "arena.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.mark.slow
def test_a_voter_reads_words_at_every_request_while_another_program_writes(arena, tmp_path):
    url = arena(CONFIG).url
    voter = Voter(url)
    battle = voter.begin("Hello?")
    with another_writer(tmp_path):
        start = time.monotonic()  # five times the default timeout are 25 s
        assert voter.code("POST", prompt="Hello again?") == "not_saved"
        assert voter.code("POST", f"/{battle}/turns", prompt="And now?") == "not_saved"
        assert voter.code("POST", f"/{battle}/vote", winner="model_a") == "not_saved"
        assert voter.code("POST", f"/{battle}/regenerate") == "not_saved"
        assert voter.code("POST", f"/{battle}/leave") == "not_saved"
        assert time.monotonic() - start < NO_HANG
        assert httpx.get(f"{url}/readyz", trust_env=False).json()["reasons"] == [LOCKED]
        assert httpx.get(f"{url}/leaderboard", trust_env=False).status_code == 200  # reading goes on
    time.sleep(1.1)
    assert voter.vote(battle, "model_a")
    with another_writer(tmp_path):
        assert voter.code("PUT", f"/{battle}/shared", shared=True) == "not_saved"
        assert voter.vote(battle, "model_a")  # it is counted: nothing has to be written


@pytest.mark.slow
def test_a_vote_into_a_moved_file_is_not_acknowledged(arena, tmp_path):
    voter = Voter(arena(CONFIG).url)
    battle = voter.begin("Hello?")
    (tmp_path / "arena.db").rename(tmp_path / "away.db")
    assert voter.code("POST", f"/{battle}/vote", winner="tie") == "not_saved"
    assert voter.code("GET", f"/{battle}") == "unreachable"
    assert not (tmp_path / "arena.db").exists()
    (tmp_path / "away.db").rename(tmp_path / "arena.db")
    assert voter.vote(battle, "tie")


@pytest.mark.slow
def test_a_vote_whose_connection_is_cut_after_the_commit_is_acknowledged(postgres, arena):
    """The commit is on disk and its reply is lost: the vote is read again instead of being called lost."""
    emptied(postgres).close()
    voter = Voter(arena(CONFIG, "--db", postgres).url)
    battle = voter.begin("Hello?")
    other = Database(postgres)
    with other.writing() as connection:
        connection.execute(text(CUT_AFTER_VOTE))
    assert voter.code("POST", f"/{battle}/vote", winner="model_b", final=True) in (
        "",
        "not_saved",
    )  # cut after or before
    with other.writing() as connection:
        connection.execute(text("DROP TRIGGER cut ON vote"))
    assert voter.vote(battle, "model_b")
    with other.read() as session:
        assert session.execute(text("SELECT count(*) FROM vote")).scalar() == 1
    other.close()


CUT_AFTER_VOTE = """
CREATE FUNCTION cut() RETURNS trigger AS
$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$ LANGUAGE plpgsql;
CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON vote DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION cut();
"""


@pytest.mark.slow
def test_a_frozen_server_hangs_nobody(postgres, arena):
    emptied(postgres).close()
    limits = "[database]\nconnect_timeout = 2\nstatement_timeout = 2\n"
    url = arena(limits + CONFIG.partition("= 1\n")[2], "--db", postgres).url
    voter = Voter(url)
    battle = voter.begin("Hello?")
    other = Database(postgres)
    server = PostgresProcess(other)
    time.sleep(1.1)  # a result of the probe is used for a second
    server.signal(signal.SIGSTOP)
    try:
        for path in ("/livez", "/readyz", "/healthz", "/leaderboard", "/battles"):
            status = httpx.get(url + path, trust_env=False, timeout=NO_HANG).status_code
            assert status == (200 if path == "/livez" else 503)
        assert voter.code("POST", f"/{battle}/vote", winner="model_a") == "not_saved"
    finally:
        server.signal(signal.SIGCONT)
        other.close()
    time.sleep(1.1)
    assert voter.vote(battle, "model_a")
