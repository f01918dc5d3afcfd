"""Voters are cookies that this server has signed; whatever else a browser sends owns nothing."""

from __future__ import annotations

import threading
from collections import OrderedDict

import pytest
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from arena.config import Settings, WebSettings
from arena.errors import ConfigError, DatabaseUnavailable
from arena.store.usage import cookie_key
from arena.web.app import create_app
from arena.web.session import COOKIE, CookieSigner, Sessions, voter_of
from arena.web.voters import SessionVoters, cookie_signer
from tests.support.arenas import opened_battles, ready

OLD = "A" * 20 + "-_" + "b" * 21  # a cookie of version 0.2: 32 random bytes in base64url


@pytest.fixture
def client(sqlite):
    with TestClient(create_app(Settings(), sqlite, ready())) as one:
        yield one


@pytest.fixture
def signer(sqlite):
    with sqlite.read() as session:
        return CookieSigner(cookie_key(session))


def given(client: TestClient, cookie: str | None = None, path: str = "/") -> str | None:
    """The cookie that a page sets for a browser with `cookie`."""
    client.cookies.clear()
    headers = {} if cookie is None else {"cookie": f"theme=dark; {COOKIE}={cookie}"}
    reply = client.get(path, headers=headers)
    return reply.cookies.get(COOKIE)


def test_a_session_is_signed_and_comes_back_whole():
    signer = CookieSigner(b"k" * 32)
    assert signer.session(signer.signed("abc")) == "abc"
    assert CookieSigner(b"K" * 32).session(signer.signed("abc")) is None


@pytest.mark.parametrize("forged", ["", ".", "abc", "abc.", ".abc", "é.é", "a.b.c", "abc." + "A" * 43])
def test_what_the_server_has_not_signed_is_no_session(forged):
    assert CookieSigner(b"k" * 32).session(forged) is None


def test_every_changed_character_breaks_the_signature():
    signer = CookieSigner(b"k" * 32)
    cookie = signer.signed("abc")
    for i, character in enumerate(cookie):
        changed = cookie[:i] + ("x" if character != "x" else "y") + cookie[i + 1 :]
        assert signer.session(changed) is None


@pytest.mark.slow
def test_a_signed_cookie_is_kept(client, signer):
    cookie = given(client)
    assert signer.session(cookie)
    assert given(client, cookie) is None


def test_a_made_up_cookie_is_replaced(client, signer):
    for made_up in ("made-up", OLD, "a.b", '"quoted"', "x" * 4000):
        fresh = given(client, made_up)
        assert fresh != made_up
        assert signer.session(fresh)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ([f"{COOKIE}=made-up"], None),
        ([f"a=1; {COOKIE}=made-up; b=2"], "a=1; b=2"),
        ([f"{COOKIE}=made-up; {COOKIE} = made-up", f" {COOKIE}=made-up"], None),
        ([f"{COOKIE}=made-up; {COOKIE}=SIGNED; b"], f"b; {COOKIE}=abc"),
        ([f'{COOKIE}="SIGNED"'], f"{COOKIE}=abc"),
    ],
)
async def test_the_pages_see_signed_sessions_only(sent, seen):
    requests = []

    async def pages(scope, receive, send):
        requests.append(dict(scope["headers"]))

    async def nobody(voter: str) -> bool:
        return False

    signer = CookieSigner(b"k" * 32)
    headers = [(b"cookie", header.replace("SIGNED", signer.signed("abc")).encode()) for header in sent]
    await Sessions(pages, signer, nobody)({"type": "http", "headers": headers}, None, None)
    assert requests == [{b"cookie": seen.encode()} if seen else {}]


async def test_a_thousand_old_cookies_take_one_query():
    asked = []

    async def pages(scope, receive, send):
        pass

    async def nobody(voter: str) -> bool:
        asked.append(voter)
        return False

    cookies = "; ".join(f"{COOKIE}={number:043}" for number in range(1000))
    scope = {"type": "http", "headers": [(b"cookie", cookies.encode())]}
    await Sessions(pages, CookieSigner(b"k" * 32), nobody)(scope, None, None)
    assert asked == [voter_of("0" * 43)]


def test_large_headers_are_refused_before_the_cookies_in_them_are_read(client, monkeypatch):
    monkeypatch.setattr(Sessions, "__call__", None)
    reply = client.get("/robots.txt", headers={"cookie": "; ".join([f"{COOKIE}={OLD}"] * 1000)})
    assert reply.status_code == 431


async def test_an_outage_of_the_database_replaces_no_cookie():
    async def pages(scope, receive, send):
        await PlainTextResponse("", media_type="text/html")(scope, receive, send)

    async def unavailable(voter: str) -> bool:
        raise DatabaseUnavailable("out", "The database is out.")

    client = TestClient(Sessions(pages, CookieSigner(b"k" * 32), unavailable))
    assert given(client, OLD) is None
    assert given(client) is not None


async def test_a_voter_of_the_last_version_keeps_their_votes_and_gets_a_signature(client, signer, sqlite):
    battles = await opened_battles(sqlite)
    await battles.begin(voter_of(OLD), "hello")
    await battles.close()
    assert given(client, OLD) == signer.signed(OLD)
    assert given(client, signer.signed(OLD)) is None


def test_replicas_accept_the_cookies_of_one_another(client, sqlite):
    cookie = given(client)
    with TestClient(create_app(Settings(), sqlite, ready())) as other:
        assert given(other, cookie) is None


def test_a_key_of_the_settings_signs_in_place_of_the_stored_one(sqlite, monkeypatch):
    settings = WebSettings(cookie_key_env="COOKIE_KEY")
    monkeypatch.setenv("COOKIE_KEY", "k" * 32)
    assert cookie_signer(settings, sqlite).signed("a") == CookieSigner(b"k" * 32).signed("a")
    monkeypatch.setenv("COOKIE_KEY", "short")
    with pytest.raises(ConfigError, match="fewer than 32 characters"):
        cookie_signer(settings, sqlite)


@pytest.mark.parametrize(("proxies", "secure"), [((), False), (("10.0.0.0/8",), True)])
def test_a_cookie_is_secure_when_a_trusted_proxy_was_reached_by_https(sqlite, proxies, secure):
    settings = Settings(web=WebSettings(trusted_proxies=proxies))
    with TestClient(create_app(settings, sqlite, ready()), client=("10.1.2.3", 5000)) as client:
        cookie = client.get("/", headers={"x-forwarded-proto": "https"}).headers["set-cookie"]
    assert ("; Secure" in cookie) is secure


def test_a_cookie_is_secure_over_https(sqlite):
    with TestClient(create_app(Settings(), sqlite, ready()), base_url="https://testserver") as client:
        assert "; Secure" in client.get("/").headers["set-cookie"]


class Reading(SessionVoters):
    """Voters whose row changes, and who are forgotten, while it is read in a thread."""

    def __init__(self, database, voters: list[str | None]) -> None:
        super().__init__(database)
        self.voters = voters

    def _find(self, own: str) -> str | None:
        voter = self.voters.pop(0)
        if self.voters:
            self.forget()
        return voter


async def test_what_was_read_before_a_session_was_given_away_is_not_kept(sqlite):
    voters = Reading(sqlite, ["old", "new"])
    assert await voters("own") == "old"
    assert [await voters("own") for _ in range(3)] == ["new"] * 3


async def test_sessions_are_forgotten_by_threads_while_others_are_looked_up(sqlite):
    class Interrupted(OrderedDict):
        """Lets a thread forget at the worst moment: between two steps of a change."""

        def move_to_end(self, key, last=True):
            thread = threading.Thread(target=voters.forget)
            thread.start()
            thread.join()
            super().move_to_end(key, last)

    voters = SessionVoters(sqlite)
    voters._known = Interrupted()
    assert await voters("own") == "own"
