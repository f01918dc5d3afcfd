"""A quarantine and a release at the command line change the boards of a running server soon."""

from __future__ import annotations

import httpx
import pytest

from arena.store import Database
from tests.support.ballots import ballots
from tests.support.timing import NO_HANG, until
from tests.support.typed import typed

CONFIG = """
[[models]]
name = "amber"
endpoint = "scripted"

[[models]]
name = "birch"
endpoint = "scripted"
"""


@pytest.mark.slow
def test_live_boards_follow_without_a_restart(arena, tmp_path):
    database = f"sqlite:///{tmp_path / 'arena.db'}"
    running = arena(CONFIG, "--db", database)
    one = Database(database)
    ballots(one)
    one.close()
    with httpx.Client(base_url=running.url, trust_env=False, timeout=60) as reader:

        def votes() -> int:
            return reader.get("/api/v1/leaderboard").raise_for_status().json()["votes"]

        def shown(number: int) -> None:
            until(lambda: votes() == number, seconds=NO_HANG)
            assert f"{number:,} votes" in reader.get("/leaderboard").text

        shown(8)
        for words, number in (
            (("quarantine", "--reason", "burst", "--vote", 1, "--vote", 2), 6),
            (("quarantine", "--reason", "burst", "--voter", "voter-1"), 4),
            (("release", "--reason", "burst", "--why", "looked at"), 8),
        ):
            assert typed("votes", *words, "--db", database).returncode == 0
            shown(number)
