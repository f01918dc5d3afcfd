"""A vote that does not count yet survives kill -9 of its server, and counts at the next start."""

from __future__ import annotations

import signal
from contextlib import ExitStack

import httpx
import pytest
from sqlmodel import select

from arena.store import Database
from arena.store.schema.battles import PendingVote, Vote
from tests.support.server import Arena
from tests.support.timing import until

pytestmark = pytest.mark.slow

CONFIG = """
[battles]
undo_seconds = 8

[[models]]
name = "plain"
endpoint = "scripted"
delay = 0

[[models]]
name = "lists"
endpoint = "scripted"
style = "lists"
delay = 0
"""


@pytest.fixture
def stack():
    with ExitStack() as entered:
        yield entered


def client(stack: ExitStack, arena: Arena, token: str | None = None) -> httpx.Client:
    http = stack.enter_context(httpx.Client(base_url=f"{arena.url}/api/v1", trust_env=False, timeout=60))
    token = token or http.post("/sessions").raise_for_status().json()["token"]
    http.headers["authorization"] = f"Bearer {token}"
    return http


def test_a_vote_that_can_be_undone_survives_a_kill(arena, stack, tmp_path):
    first = arena(CONFIG)
    voter = client(stack, first)
    battle = voter.post("/battles", json={"prompt": "Why is the sky blue?"}).raise_for_status().json()["id"]
    until(lambda: voter.get(f"/battles/{battle}").json()["status"] == "open")
    saved = voter.post(f"/battles/{battle}/vote", json={"winner": "model_a"}).raise_for_status().json()
    assert (saved["status"], saved["models"]) == ("open", None)
    first.stop(signal.SIGKILL)
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    with database.read() as session:
        assert session.exec(select(Vote)).all() == []
        assert session.exec(select(PendingVote.winner)).all() == ["model_a"]
    again = client(stack, arena(CONFIG), voter.headers["authorization"].removeprefix("Bearer "))
    until(lambda: again.get(f"/battles/{battle}").json()["status"] == "voted")
    with database.read() as session:
        assert session.exec(select(Vote.winner)).all() == ["model_a"]
        assert session.exec(select(PendingVote)).all() == []
    database.close()
