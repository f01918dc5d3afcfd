"""A quarantine and a release at the command line change the boards of a running server within a second."""

from __future__ import annotations

import time

import httpx
import pytest

from arena.store import Database
from tests.support.ballots import ballots
from tests.support.typed import typed

CONFIG = """
[[models]]
name = "amber"
endpoint = "scripted"

[[models]]
name = "birch"
endpoint = "scripted"
"""
WITHIN = 1.0  # second


@pytest.mark.slow
def test_live_boards_follow_within_a_second(arena, tmp_path):
    database = f"sqlite:///{tmp_path / 'arena.db'}"
    running = arena(CONFIG, "--db", database)
    one = Database(database)
    ballots(one)
    one.close()
    with httpx.Client(base_url=running.url, trust_env=False, timeout=20) as reader:

        def votes() -> int:
            return reader.get("/api/v1/leaderboard").raise_for_status().json()["votes"]

        def seconds_until(number: int) -> float:
            start = time.monotonic()
            while votes() != number:
                assert time.monotonic() - start < 10, "the board never followed"
                time.sleep(0.02)
            assert f"{number:,} votes" in reader.get("/leaderboard").text
            return time.monotonic() - start

        seconds_until(8)
        for words, number in (
            (("quarantine", "--reason", "burst", "--vote", 1, "--vote", 2), 6),
            (("quarantine", "--reason", "burst", "--voter", "voter-1"), 4),
            (("release", "--reason", "burst", "--why", "looked at"), 8),
        ):
            assert typed("votes", *words, "--db", database).returncode == 0
            assert seconds_until(number) < WITHIN
