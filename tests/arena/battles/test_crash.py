"""Kill -9 at fifty random moments under voters: an acknowledged vote is never lost and never doubled."""

from __future__ import annotations

import random
import signal
import threading
import time
from dataclasses import dataclass, field

import httpx
import pytest
from sqlmodel import select

from arena.leaderboards.leaderboard import publish
from arena.rules.votes import WINNERS
from arena.store import Database
from arena.store.schema.battles import Battle, BattleStatus, Vote
from arena.store.votes import recount, rewrite_pair_counts
from tests.support.server import Arena
from tests.support.voters import Voter

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KILLS = 50
VOTERS = 4
LIFE = (0.1, 2.5)  # seconds from the first answer to the kill


CONFIG = "".join(f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.002\n' for name in ("one", "two"))


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
        voter = Voter(self.url)
        while not self.over.is_set():
            try:
                battle, winner = voter.begin("Hello?"), chance.choice(WINNERS)
                if voter.vote(battle, winner):
                    self.acknowledged[battle] = winner
            except (httpx.HTTPError, IndexError):
                time.sleep(0.05)  # the server died: nothing was acknowledged


def test_every_acknowledged_vote_survives_fifty_kills(tmp_path):
    arena = Arena(tmp_path, CONFIG)
    crowd = Crowd(arena.url)
    chance = random.Random(0)
    threads = crowd.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(*LIFE))
        arena.stop(signal.SIGKILL)
        arena = Arena(tmp_path, CONFIG, "--port", crowd.url.rsplit(":", 1)[1])
    crowd.over.set()
    for thread in threads:
        thread.join(timeout=30)
    arena.stop(signal.SIGKILL)
    _check(f"sqlite:///{tmp_path / 'arena.db'}", crowd.acknowledged)


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
