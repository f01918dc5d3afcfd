"""A running arena and visitors who would run up a bill: made-up cookies, forged addresses, closed tabs, a blocked loop."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from arena.web.session import COOKIE
from reproduce.attacks.page import BATTLES
from tests.support.timing import until
from tests.support.voters import Voter

SLOW = "".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.05\nreplies = ["{"word " * 1200}"]\n'
    for name in ("slow-one", "slow-two")
)
QUICK = "".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.0\n' for name in ("quick-one", "quick-two")
)
pytestmark = pytest.mark.service


def rows(folder, query: str) -> list[tuple]:
    with closing(sqlite3.connect(f"file:{folder / 'arena.db'}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


FORGED = ("x", "0" * 43, "A" * 43 + "." + "B" * 43, "..", '""', "made-up")  # no server has signed these


@pytest.fixture
def visit() -> Iterator[Callable[[str], Voter]]:
    """Opens the page as one voter after the other."""
    with ExitStack() as stack:

        def visitor(url: str) -> Voter:
            voter = Voter(url)
            stack.enter_context(closing(voter.http))
            return voter

        yield visitor


@pytest.mark.slow
def test_made_up_cookies_start_nothing(arena, tmp_path, visit):
    voter = visit(arena(QUICK).url)
    signed = voter.http.cookies[COOKIE]
    voter.http.cookies.clear()
    for cookie in (*FORGED, signed[:-1] + ("x" if signed[-1] != "x" else "y")):
        voter.http.headers["cookie"] = f"{COOKIE}={cookie}"
        assert voter.code("POST", prompt="hello") == "no_session"
    assert rows(tmp_path, "select count(*) from battle") == [(0,)]


@pytest.mark.slow
def test_neither_new_cookies_nor_forged_addresses_pass_the_limit_of_an_address(arena, tmp_path, visit):
    url = arena(f"[limits]\nbattles_per_address = 3\n{QUICK}").url
    notices = []
    for number in range(5):
        voter = visit(url)
        voter.http.headers["x-forwarded-for"] = f"198.51.100.{number}"
        voter.http.headers["forwarded"] = f"for=198.51.100.{number}"
        notices.append(voter.page.send("POST", prompt="hello").text)
    assert [("Visitors from your network have started 3 battles in the last hour." in n) for n in notices] == [
        False, False, False, True, True,
    ]  # fmt: skip
    assert "You can start the next one in" in notices[-1]
    assert "web.trusted_proxies" in (tmp_path / "log.txt").read_text()
    assert voter.http.get("/healthz", headers={"host": "evil.example"}).status_code == 400
    assert voter.http.get("/healthz", headers={"host": "localhost:80"}).status_code == 200
    assert rows(tmp_path, "select count(*) from battle") == [(3,)]
    assert not any("127.0.0.1" in subject for (subject,) in rows(tmp_path, "select subject from usage_event"))


@pytest.mark.slow
def test_visitors_behind_a_named_proxy_have_limits_of_their_own(arena, tmp_path, visit):
    config = '[web]\ntrusted_proxies = ["127.0.0.1"]\n[limits]\nbattles_per_address = 1\n'
    url = arena(config + QUICK).url
    for forwarded in ("198.51.100.1", "6.6.6.6, 198.51.100.1", "198.51.100.2"):
        voter = visit(url)
        voter.http.headers["x-forwarded-for"] = forwarded
        voter.page.ask("hello")
    assert rows(tmp_path, "select count(*) from battle") == [(2,)]


@pytest.mark.slow
def test_a_turn_whose_stream_nobody_opens_is_stopped_and_keeps_its_text(arena, tmp_path, visit):
    voter = visit(arena(f"[battles]\nunread_seconds = 1.5\n{SLOW}").url)
    voter.page.begin("hello")
    ended = "select count(*) from completion where status = 'stopped' and text != ''"
    until(lambda: rows(tmp_path, ended) == [(2,)])
    assert rows(tmp_path, "select max(length(text)) < 3000 from completion") == [(1,)]
    assert rows(tmp_path, "select tokens < 1200 from usage_day") == [(1,)]


@pytest.mark.slow
def test_closing_the_tab_stops_the_turn_and_coming_back_goes_on(arena, tmp_path, visit):
    voter = visit(arena(f"[battles]\nunread_seconds = 1.5\n{SLOW}").url)
    battle = voter.page.begin("hello")
    with voter.http.stream("GET", f"{BATTLES}/{battle}/stream") as stream:
        lines = stream.iter_lines()
        end = time.monotonic() + 3
        while time.monotonic() < end:
            next(lines)
        assert rows(tmp_path, "select distinct status from completion") == [("running",)]
    until(lambda: rows(tmp_path, "select distinct status from completion") == [("stopped",)])
    again = visit(voter.url)
    again.http.cookies = voter.http.cookies
    assert again.page.send("GET", f"/{battle}").json()["can_vote"]
    assert again.vote(battle, "tie")
