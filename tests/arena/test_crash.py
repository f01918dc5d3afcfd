"""Kill -9 at fifty random moments under voters: an acknowledged vote is never lost and never doubled."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import socket
import threading
import time
from dataclasses import dataclass, field

import httpx
import pytest
from sqlmodel import select
from voters import Voter

from arena.battles import WINNERS
from arena.leaderboard import publish
from arena.store import Database
from arena.store.tables import Battle, BattleStatus, Vote
from arena.store.votes import recount, rewrite_pair_counts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KILLS = 50
VOTERS = 4
LIFE = (0.1, 1.2)  # seconds from the first answer to the kill


def serve(url: str, listener: socket.socket) -> None:
    """The server process: the real application over two quick scripted models."""
    import asyncio

    import uvicorn

    from arena.config import ScriptedSettings, Settings
    from arena.serving import serve as serving_of
    from arena.web.app import create_app

    settings = Settings(
        models=tuple(ScriptedSettings(name=n, endpoint="scripted", delay=0.002) for n in ("one", "two"))
    )
    database = Database(url)
    database.lock()
    database.make_ready()
    app = create_app(settings, database, serving_of(settings.models))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
    asyncio.run(server.serve(sockets=[listener]))


@dataclass
class Crowd:
    """Voters that go on whatever happens to the server, and remember what was acknowledged."""

    url: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._vote, args=(seed,)) for seed in range(VOTERS)]
        for thread in threads:
            thread.start()
        return threads

    def _vote(self, seed: int) -> None:
        chance = random.Random(seed)
        voter: Voter | None = None
        while not self.over.is_set():
            try:
                voter = voter or Voter(self.url)
                battle, winner = voter.begin("Hello?"), chance.choice(WINNERS)
                if voter.vote(battle, winner):
                    self.acknowledged[battle] = winner
            except (httpx.HTTPError, IndexError):
                voter = None  # the server died: nothing was acknowledged
                time.sleep(0.05)


def wait_until_open(url: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if httpx.get(f"{url}/healthz", trust_env=False, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.02)
    raise AssertionError("the server did not open")


def test_every_acknowledged_vote_survives_fifty_kills(tmp_path):
    database_url = f"sqlite:///{tmp_path / 'arena.db'}"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["arena.web.app", "uvicorn"])  # imported once, not fifty times
    listener = socket.create_server(("127.0.0.1", 0))
    crowd = Crowd(f"http://127.0.0.1:{listener.getsockname()[1]}")
    chance = random.Random(0)
    threads: list[threading.Thread] = []
    for _ in range(KILLS):
        server = context.Process(target=serve, args=(database_url, listener))
        server.start()
        wait_until_open(crowd.url)
        threads = threads or crowd.start()
        time.sleep(chance.uniform(*LIFE))
        os.kill(server.pid, signal.SIGKILL)
        server.join()
    crowd.over.set()
    listener.close()
    for thread in threads:
        thread.join(timeout=30)
    _check(database_url, crowd.acknowledged)


def _check(database_url: str, acknowledged: dict[str, str]) -> None:
    assert len(acknowledged) > KILLS, "too few votes to mean anything"
    database = Database(database_url)
    with database.read() as session:
        rows = session.exec(select(Battle.public_id, Vote.winner).join(Vote)).all()
        assert len(rows) == len(dict(rows)), "a battle was voted on twice"
        assert {battle: dict(rows).get(battle) for battle in acknowledged} == acknowledged
        assert len(rows) - len(acknowledged) <= KILLS * VOTERS  # on disk, but the answer was cut off
        assert recount(session) == []
        before = publish(session).board
    with database.write() as session:
        rewrite_pair_counts(session)
    with database.read() as session:
        assert publish(session).board == before
        voted = session.exec(select(Battle.status).where(Battle.public_id.in_(acknowledged))).all()
    assert set(voted) == {BattleStatus.VOTED}
    database.close()
