"""SIGTERM to a real server: running turns end, or their texts are kept, and an open page does not hold it up."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter

import httpx
import pytest
from sqlmodel import select

from arena.store import Database
from arena.store.schema.battles import Battle, CompletionRow
from tests.support.timing import NO_HANG, PATIENCE, until
from tests.support.voters import Voter

SEEN = 5  # words of each side that the open page shows when a test begins
CONFIG = "[web]\ndrain_seconds = {drain}\n" + "".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.02\nreplies = ["{{words}}"]\n'
    for name in ("one", "two")
)


def config(words: int, drain: float) -> str:
    return CONFIG.format(drain=drain, words="word " * words)


def turn(folder) -> tuple[str, list[tuple[str, int]]]:
    """The status of the one battle; the status and number of words of each completion."""
    database = Database(f"sqlite:///{folder / 'arena.db'}")
    with database.read() as session:
        rows = session.exec(select(CompletionRow)).all()
        status = session.exec(select(Battle.status)).one()
    database.close()
    return status, [(row.status, row.text.count("word")) for row in rows]


def battle_of(folder) -> str:
    database = Database(f"sqlite:///{folder / 'arena.db'}")
    with database.read() as session:
        public_id = session.exec(select(Battle.public_id)).one()
    database.close()
    return public_id


@pytest.fixture
def running(arena, tmp_path):
    """Starts an arena with a running turn and an open page that watches it; returns the arena."""
    streams, voters = [], []

    def start(words: int, drain: float):
        served = arena(config(words, drain))
        voter = Voter(served.url)
        voters.append(voter)
        stream = voter.page.events(voter.page.begin("go"), html=False)
        streams.append(stream)
        seen: Counter[str] = Counter()
        while min(seen["a"], seen["b"]) <= SEEN:  # each side, so that both have texts to keep
            name, more = next(stream)
            if name == "set":  # whole texts
                seen.clear()
            if name in ("text", "set"):
                seen.update({side: text.count("word") for side, text in more.items()})
        return served

    start.voters = voters
    yield start
    for stream in streams:
        stream.close()


def draining(served) -> bool:
    return httpx.get(f"{served.url}/readyz", trust_env=False, timeout=60).json()["draining"]


def stop(served, *signals: signal.Signals) -> float:
    """Send the signals, each when the one before has been taken; returns the seconds until the process has ended."""
    started = time.monotonic()
    for number, sent in enumerate(signals):
        if number:
            until(lambda: draining(served))
        os.kill(served.process.pid, sent)
    served.process.join(PATIENCE)
    assert not served.process.is_alive()
    return time.monotonic() - started


@pytest.mark.slow
def test_sigterm_lets_a_turn_end_and_ends_with_it(running, tmp_path):
    served = running(words=60, drain=60)
    assert stop(served, signal.SIGTERM) < NO_HANG
    assert served.process.exitcode == -signal.SIGTERM
    assert turn(tmp_path) == ("open", [("finished", 60), ("finished", 60)])


@pytest.mark.slow
def test_sigterm_keeps_the_texts_of_a_turn_that_takes_too_long(running, tmp_path):
    served = running(words=3000, drain=0.5)
    assert stop(served, signal.SIGTERM) < NO_HANG
    status, sides = turn(tmp_path)
    assert status == "open"
    assert all(ended == "abandoned" and words > SEEN for ended, words in sides)


@pytest.mark.slow
def test_after_the_restart_the_voter_sees_the_text_and_runs_the_models_again(arena, running, tmp_path):
    served = running(words=3000, drain=0)
    stop(served, signal.SIGTERM)
    voter = running.voters[0]
    again = arena(config(3000, 0), "--port", served.url.rsplit(":", 1)[1])
    battle = battle_of(tmp_path)
    state = voter.page.send("GET", f"/{battle}").json()
    assert "word word" in state["turns"][0]["completions"]["a"]["text"]
    assert (state["interrupted"], state["can_vote"]) == (True, False)
    assert voter.code("POST", f"/{battle}/vote", winner="tie") in ("interrupted", "wrong_status")
    assert voter.page.send("POST", f"/{battle}/regenerate").json()["status"] == "running"
    next(event for event in voter.page.events(battle, html=False) if event[0] in ("text", "set"))
    stop(again, signal.SIGTERM)
    assert len(turn(tmp_path)[1]) == 4  # both attempts are on record


@pytest.mark.slow
def test_a_second_signal_ends_at_once_and_keeps_the_texts(running, tmp_path):
    served = running(words=3000, drain=60)
    assert stop(served, signal.SIGINT, signal.SIGINT) < NO_HANG
    status, sides = turn(tmp_path)
    assert status == "open"
    assert all(ended == "abandoned" and words > SEEN for ended, words in sides)


@pytest.mark.slow
def test_a_draining_arena_refuses_battles_with_words_and_answers(running):
    served = running(words=500, drain=60)
    os.kill(served.process.pid, signal.SIGTERM)
    until(lambda: draining(served))
    other = Voter(served.url)
    assert other.code("POST", prompt="go") == "restarting"
    assert httpx.get(f"{served.url}/leaderboard", trust_env=False, timeout=60).status_code == 200
    served.process.join(PATIENCE)
    assert served.process.exitcode == -signal.SIGTERM
