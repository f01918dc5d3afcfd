"""Pages that follow a running turn: the newest ones, and no more frames than the server has time for."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from arena.web.followers import LONGEST_PAUSE, PER_TURN, Followers
from arena.web.queue_sessions import MAX_EVENTS
from reproduce.attacks.page import Page
from tests.support.server import Arena

pytestmark = pytest.mark.service

WORDS = "word " * 1500
CONFIG = "".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.03\nreplies = ["{WORDS}"]\n'
    for name in ("one", "two")
)


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    one = Arena(tmp_path_factory.mktemp("followers"), CONFIG)
    yield one
    one.stop(signal.SIGKILL)


def test_an_event_takes_the_place_of_the_last_one_of_its_page():
    followers = Followers()
    with followers.following("ann", "1", "tab") as first, followers.following("ann", "1", "tab") as second:
        assert (first.replaced, second.replaced, len(followers)) == (True, False, 1)
    assert followers._turns == {}


def test_a_turn_is_followed_by_its_newest_pages():
    followers = Followers()
    with followers.following("ann", "1", "a") as a, followers.following("ann", "1", "b") as b:
        with followers.following("ann", "1", "c") as c, followers.following("ann", "2", "a") as d:
            assert [one.replaced for one in (a, b, c, d)] == [True, False, False, False]
        assert len(followers) == PER_TURN - 1
    assert followers._turns == {}


def test_frames_take_at_most_half_of_the_time():
    followers = Followers()
    with followers.following("ann", "1", "a"), followers.following("bob", "2", "b"):
        assert followers.pause(0.01) == pytest.approx(0.04)
        assert followers.pause(60) == LONGEST_PAUSE


def cpu(arena: Arena) -> float:
    fields = Path(f"/proc/{arena.process.pid}/stat").read_text().split()
    return (int(fields[13]) + int(fields[14])) / 100


def test_forty_events_on_one_turn_hold_up_nobody(arena):
    with httpx.Client(base_url=arena.url, timeout=20, trust_env=False) as http:
        page = Page(http)
        page.join(page.events["send"], ["hello", ""])
        found, statuses, asked_at, spent = "", [], 0.0, 0.0
        for message in page.messages():
            battle = re.search(r'data-battle=\\?"([\w-]+)', str(message))
            if battle and not found:
                found, asked_at, spent = battle.group(1), time.monotonic(), cpu(arena)
                statuses = [page.join(page.events["resume"], [found]).status_code for _ in range(43)]
            if found and time.monotonic() - asked_at > 4:
                break
        wall = time.monotonic() - asked_at
        assert set(statuses) <= {200, 429}
        assert (cpu(arena) - spent) / wall < 0.8
        began = time.monotonic()
        with httpx.Client(base_url=arena.url, timeout=20, trust_env=False) as other:
            tab = Page(other)
            assert "process_completed" in tab.call(tab.events["resume"], [""])
        assert time.monotonic() - began < 5


def test_events_that_a_page_does_not_read_are_refused_in_words(arena):
    with httpx.Client(base_url=arena.url, timeout=20, trust_env=False) as http:
        page = Page(http)
        replies = [page.join(page.events["resume"], [""]) for _ in range(8)]
    assert [reply.status_code for reply in replies] == [200] * MAX_EVENTS + [429] * 2
    assert "too many unfinished events" in replies[-1].json()["detail"]
