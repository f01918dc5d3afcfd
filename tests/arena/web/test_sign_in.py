"""Sign-in by OpenID Connect through the whole application, with a real provider and browsers that do it right or wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlmodel import select, update

from arena.accounts.accounts import set_disabled
from arena.config import AdminSettings, BattleSettings, Settings, SignInSettings
from arena.rules.roles import Actor, Role
from arena.store.account_voters import voters_of
from arena.store.audit import AuditFilter, entries
from arena.store.schema.accounts import Account, AccountSession
from arena.store.schema.battles import Battle, now
from arena.store.schema.sign_in import AccountVoter, UsedSignIn
from arena.web.app import create_app
from arena.web.session import COOKIE
from tests.support.accounts import with_account
from tests.support.arenas import ready
from tests.support.provider import CLIENT, SECRET, running_provider

OWN = {"origin": "http://testserver", "accept": "text/html"}
BATTLES = "/api/v1/battles"


@pytest.fixture(scope="module")
def running():
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(running, monkeypatch):
    """The provider as it is at first."""
    monkeypatch.setenv("ARENA_TEST_SECRET", SECRET)
    running.reset()
    return running


@pytest.fixture
def app(provider, sqlite):
    return made(provider, sqlite)


def made(provider, database, **given):
    sign_in = SignInSettings(
        issuer=provider.issuer, client_id=CLIENT, secret_env="ARENA_TEST_SECRET", reviewers=("staff",),
        operators=("admins",), **given,
    )  # fmt: skip
    settings = Settings(
        sign_in=sign_in, admin=AdminSettings(), battles=BattleSettings(undo_seconds=0, pacing="off")
    )
    return create_app(settings, database, ready())


class Browser(TestClient):
    """A browser that follows no redirect by itself."""

    def __init__(self, app, provider) -> None:
        super().__init__(app, follow_redirects=False, headers={"accept": "text/html"})
        self.provider = provider

    def begin(self, to: str = "/me") -> str:
        """The address at the provider."""
        return self.get("/sign-in/begin", params={"to": to}).headers["location"]

    def back(self, to: str = "/me") -> str:
        """The address to which the provider sends the browser back."""
        return self.provider.authorize(self.begin(to))

    def sign_in(self, to: str = "/me", **person):
        if person:
            self.provider.person = person
        return self.get(self.back(to))

    def voter(self) -> str:
        return self.get("/api/v1/me/export").json()["voter"]

    def battle(self) -> str:
        begun = self.post(BATTLES, json={"prompt": "Hello?"}, headers=OWN).json()
        for _ in range(200):
            state = self.get(f"{BATTLES}/{begun['id']}").json()
            if state["status"] == "open":
                return state["id"]
        raise AssertionError(state)

    def vote(self, battle: str):
        return self.post(f"{BATTLES}/{battle}/vote", json={"winner": "tie"}, headers=OWN)


@pytest.fixture
def new_browser(app, provider):
    with browsers(app, provider) as make:
        yield make


@contextmanager
def browsers(app, provider) -> Iterator:
    """Browsers of one application, whose lifespan the first one runs."""
    with Browser(app, provider) as first:
        first.get("/me")

        def make() -> Browser:
            browser = Browser(app, provider)
            browser.portal = first.portal  # one event loop for all
            browser.get("/me")
            return browser

        yield make


def rows(database, table):
    with database.read() as session:
        return list(session.exec(select(table)))


def test_a_voter_signs_in_and_keeps_battles_and_votes(new_browser, sqlite):
    browser = new_browser()
    battle = browser.battle()
    assert browser.vote(battle).status_code == 200
    before = browser.voter()
    page = browser.sign_in(sub="ann", email="ann@example.org", groups=[])
    assert page.status_code == 200
    assert 'content="0; url=/me"' in page.text
    assert browser.voter() == before
    assert browser.get("/api/v1/me").json()["signed_in_since"]
    (account,) = rows(sqlite, Account)
    assert (account.role, account.oidc_issuer) == ("voter", browser.provider.issuer)
    stored = str([row.model_dump() for table in (Account, AccountVoter) for row in rows(sqlite, table)])
    assert "ann" not in stored, "neither the address nor the subject is stored"
    assert rows(sqlite, AccountSession) == [], "a voter opens no page for reviewers"


def test_two_browsers_of_one_account_are_one_voter(new_browser, sqlite):
    first, second = new_browser(), new_browser()
    battle, other = first.battle(), second.battle()
    voters = first.voter(), second.voter()
    first.sign_in(sub="ann")
    second.sign_in(sub="ann")
    assert first.voter() == second.voter() == voters[0]
    assert second.vote(battle).status_code == 200
    with sqlite.read() as session:
        assert voters_of(session, rows(sqlite, Account)[0].id) == list(voters)
    exported = [one["battle"] for one in second.get("/api/v1/me/export").json()["battles"]]
    assert sorted(exported) == sorted([battle, other])


def test_another_account_in_the_same_browser_is_another_voter(new_browser):
    browser = new_browser()
    browser.battle()
    browser.sign_in(sub="ann")
    ann = browser.voter()
    browser.sign_in(sub="bob")
    assert browser.voter() != ann
    assert browser.get("/api/v1/me").json()["battles"] == 0
    browser.sign_in(sub="ann")
    assert browser.voter() == ann


def test_signing_out_ends_the_session_and_signing_in_brings_the_history_back(new_browser):
    browser = new_browser()
    browser.battle()
    browser.sign_in(sub="ann")
    ann, cookie = browser.voter(), browser.cookies[COOKIE]
    assert browser.post("/sign-in/out", headers=OWN).status_code == 303
    assert browser.voter() != ann
    thief = new_browser()
    thief.cookies.clear()
    thief.cookies.set(COOKIE, cookie)
    thief.get("/me")
    assert thief.get("/api/v1/me").status_code == 401 or thief.voter() != ann
    browser.sign_in(sub="ann")
    assert browser.voter() == ann


def test_a_session_that_somebody_planted_before_opens_nothing_after_the_sign_in(new_browser):
    browser = new_browser()
    browser.battle()
    planted = browser.cookies[COOKIE]
    browser.sign_in(sub="ann")
    ann = browser.voter()
    attacker = new_browser()
    attacker.cookies.clear()
    attacker.cookies.set(COOKIE, planted)
    attacker.get("/me")
    assert attacker.get("/api/v1/me").status_code == 401 or attacker.voter() != ann


def test_deletion_removes_the_link_and_what_other_browsers_did_before(new_browser, sqlite):
    first, second = new_browser(), new_browser()
    first.vote(first.battle())
    second.vote(second.battle())
    first.sign_in(sub="ann")
    second.sign_in(sub="ann")
    deleted = first.delete("/api/v1/me", headers=OWN).json()
    assert deleted["votes"] == 2
    assert {battle.voter.split(":")[0] for battle in rows(sqlite, Battle)} == {"former"}
    (account,) = rows(sqlite, Account)
    assert (account.oidc_subject, account.oidc_issuer) == (None, None)
    assert account.disabled_at is not None
    assert rows(sqlite, AccountVoter) == []
    second.get("/me")
    assert second.get("/api/v1/me").json()["battles"] == 0
    tomorrow(sqlite)
    assert first.sign_in(sub="ann").status_code == 200
    assert len(rows(sqlite, Account)) == 2, "somebody new"


def tomorrow(database):
    """Let what was noted for the rest of the day be of yesterday."""
    with database.write() as session:
        session.execute(update(UsedSignIn).values(used_at=now() - timedelta(minutes=1)))


def test_a_deletion_gives_nobody_a_second_voter_on_the_same_day(new_browser, sqlite):
    browser = new_browser()
    browser.sign_in(sub="ann")
    browser.vote(browser.battle())
    browser.delete("/api/v1/me", headers=OWN)
    for one in (browser, new_browser()):
        refused = one.sign_in(sub="ann")
        assert refused.status_code == 403
        assert "from tomorrow" in refused.text
        assert not one.get("/api/v1/me").json()["signed_in_since"]
    assert new_browser().sign_in(sub="ben").status_code == 200
    tomorrow(sqlite)
    assert browser.sign_in(sub="ann").status_code == 200


def test_a_reviewer_who_deletes_votes_is_no_second_voter_on_the_same_day(new_browser, sqlite):
    browser = new_browser()
    staff = {"sub": "rita", "groups": ["staff"]}
    browser.sign_in(**staff)
    browser.vote(browser.battle())
    browser.delete("/api/v1/me", headers=OWN)
    assert browser.sign_in(**staff).status_code == 200
    assert browser.get("/review").status_code == 200
    assert rows(sqlite, AccountVoter) == []
    tomorrow(sqlite)
    browser.sign_in(**staff)
    assert len(rows(sqlite, AccountVoter)) == 1


def test_a_deletion_does_not_undo_that_an_account_is_disabled(new_browser, sqlite):
    browser = new_browser()
    browser.sign_in(sub="mallory")
    browser.vote(browser.battle())
    set_disabled(sqlite, rows(sqlite, Account)[0].name, True, Actor.terminal("root"))
    assert browser.delete("/api/v1/me", headers=OWN).status_code == 200
    tomorrow(sqlite)
    refused = new_browser().sign_in(sub="mallory")
    assert refused.status_code == 403
    assert "disabled" in refused.text
    assert len(rows(sqlite, Account)) == 1


def test_deletion_page_offers_to_delete_an_account_without_battles(new_browser, sqlite):
    browser = new_browser()
    browser.sign_in(sub="ann")
    assert 'action="/me/delete"' in browser.get("/me/delete").text
    assert browser.post("/me/delete", data={"confirm": "yes"}, headers=OWN).status_code == 200
    assert rows(sqlite, AccountVoter) == []


def test_a_reply_is_taken_once_and_only_in_the_browser_that_began(new_browser, provider):
    provider.replayable = True
    victim, attacker = new_browser(), new_browser()
    provider.person = {"sub": "mallory"}
    address = attacker.back()
    refused = victim.get(address)
    assert refused.status_code == 400, "an attacker's code in a victim's browser"
    assert not victim.get("/api/v1/me").json()["signed_in_since"]
    kept = dict(attacker.cookies)
    assert attacker.get(address).status_code == 200
    attacker.cookies.update(kept)
    assert attacker.get(address).status_code == 403, "the same reply again, with its cookie"


@pytest.mark.parametrize(
    "change",
    [
        lambda p: {**p, "state": "x" * 43},
        lambda p: {**p, "state": ""},
        lambda p: {**p, "state": p["state"][:12] + "x" * 31},
        lambda p: {name: value for name, value in p.items() if name != "state"},
        lambda p: {**p, "code": ""},
        lambda p: {**p, "code": "x" * 5000},
        lambda p: {**p, "iss": "https://evil.example"},
        lambda p: {**p, "error": "access_denied", "code": ""},
    ],
)
def test_a_changed_reply_signs_nobody_in(new_browser, change):
    browser = new_browser()
    address = httpx.URL(browser.back())
    reply = browser.get(str(address.copy_with(params=change(dict(address.params)))))
    assert reply.status_code in (400, 403, 422)
    assert reply.status_code == 422 or 'href="/sign-in/begin' in reply.text
    assert not browser.get("/api/v1/me").json()["signed_in_since"]


def test_parameters_that_come_twice_are_refused(new_browser):
    browser = new_browser()
    assert browser.get(f"{browser.back()}&code=other").status_code == 400


def test_a_cookie_that_was_changed_or_is_old_is_refused(new_browser, monkeypatch):
    browser = new_browser()
    address = browser.back()
    (name,) = [name for name in browser.cookies if name.startswith("arena_sign_in_")]
    value = browser.cookies[name]
    browser.cookies.clear()
    browser.get("/me")
    browser.cookies.set(name, value[:-1] + ("0" if value[-1] != "0" else "1"), path="/sign-in")
    assert browser.get(address).status_code == 400
    browser = new_browser()
    address = browser.back()
    late = now().timestamp() + 601
    monkeypatch.setattr("arena.web.sign_in_attempts.time.time", lambda: late)
    assert browser.get(address).status_code == 400


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/%2f/evil.example", "javascript:alert(1)", "/a/../b",
     "/sign-in/out", "/me\r\nx: y", "/./x", "", '/me"onload="x'],
)  # fmt: skip
def test_a_sign_in_leads_to_no_other_site(new_browser, to):
    browser = new_browser()
    assert 'content="0; url=/me"' in browser.sign_in(to, sub="ann").text


def test_a_sign_in_leads_back_to_the_page_it_came_from(new_browser):
    browser = new_browser()
    assert 'content="0; url=/?battle=abc"' in browser.sign_in("/?battle=abc", sub="ann").text


def test_another_site_cannot_begin_a_sign_in_or_end_one(new_browser):
    browser = new_browser()
    reply = browser.get("/sign-in/begin", headers={"sec-fetch-site": "cross-site"})
    assert reply.headers["location"] == "/sign-in"
    browser.sign_in(sub="ann")
    assert browser.post("/sign-in/out", headers={"origin": "https://evil.example"}).status_code == 403
    assert browser.get("/sign-in/out").status_code == 405
    assert browser.get("/api/v1/me").json()["signed_in_since"]


def test_roles_open_the_pages_and_every_change_is_in_the_trail(new_browser, sqlite):
    browser = new_browser()
    browser.sign_in("/review", sub="rev", groups=["staff"], preferred_username="Rita@example.org")
    assert browser.get("/review").status_code == 200
    browser.sign_in("/admin", sub="rev", groups=["admins"])
    assert browser.get("/admin").status_code == 200
    browser.sign_in(sub="rev", groups=[])
    assert browser.get("/admin").status_code == 303, "an earlier session ends with the role"
    with sqlite.read() as session:
        trail = [(entry.action, entry.actor) for entry in reversed(entries(session, AuditFilter(), 100))]
    assert trail == [
        ("account.add", "rita"), ("session.begin", "rita"), ("account.role", "rita"), ("session.begin", "rita"),
        ("account.role", "rita"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "person",
    [
        {"sub": "eve", "role": "operator", "groups": []},
        {"sub": "eve", "groups": "staff admins"},
        {"sub": "eve", "preferred_username": "ann", "groups": []},
    ],
)
def test_a_voter_cannot_give_themselves_a_role(new_browser, person):
    browser = new_browser()
    address = browser.back()
    browser.provider.person = person
    browser.get(browser.back())
    browser.get(f"{address}&groups=admins&role=operator")
    for page in ("/admin", "/review"):
        assert browser.get(page).status_code in (303, 404)


def test_a_name_at_the_provider_does_not_make_somebody_an_account_with_that_name(new_browser, sqlite):
    with_account(sqlite, "root", Role.OPERATOR)
    browser = new_browser()
    browser.sign_in(sub="eve", groups=["staff"], preferred_username="root")
    assert sorted(account.name for account in rows(sqlite, Account)) == ["root", "root-2"]
    assert browser.get("/review").status_code == 200


def test_a_disabled_account_cannot_sign_in(new_browser, sqlite):
    browser = new_browser()
    browser.sign_in(sub="ann")
    with sqlite.write() as session:
        session.exec(select(Account)).one().disabled_at = now()
    assert browser.sign_in(sub="ann").status_code == 403


def test_while_the_provider_is_down_a_clear_page_comes_and_votes_count(new_browser, provider):
    browser = new_browser()
    provider.down = True
    reply = browser.get("/sign-in/begin")
    assert reply.status_code == 503
    assert "cannot be reached" in reply.text
    assert browser.vote(browser.battle()).status_code == 200


def test_where_votes_need_a_sign_in_the_api_says_so_and_takes_them_after_it(provider, sqlite):
    with browsers(made(provider, sqlite, required="vote"), provider) as make:
        browser = make()
        facts = browser.get("/api/v1/arena").json()["sign_in"]
        assert facts == {"required": True, "signed_in": False, "provider": urlsplit(provider.issuer).hostname}
        battle = browser.battle()
        refused = browser.vote(battle)
        assert (refused.status_code, refused.json()["code"]) == (403, "sign_in")
        provider.down = True
        assert browser.vote(battle).status_code == 403
        provider.down = False
        browser.sign_in(sub="ann")
        assert browser.get("/api/v1/arena").json()["sign_in"]["signed_in"] is True
        assert browser.vote(battle).status_code == 200
        with sqlite.write() as session:
            session.exec(select(Account)).one().disabled_at = now()
        assert browser.vote(browser.battle()).status_code == 403


def test_without_a_provider_nothing_of_it_is_served(sqlite):
    with TestClient(create_app(Settings(), sqlite, ready())) as client:
        for path in ("/sign-in", "/sign-in/begin", "/sign-in/callback"):
            assert client.get(path).status_code == 404
        assert client.get("/api/v1/arena").json()["sign_in"] is None
        assert "/sign-in" not in client.get("/me").text


def test_the_page_has_the_button_and_then_who_is_signed_in(new_browser):
    browser = new_browser()
    assert "127.0.0.1" in browser.get("/sign-in").text
    assert 'href="/sign-in?to=/me"' in browser.get("/me").text
    browser.sign_in(sub="ann", groups=["staff"])
    assert "reviewer" in browser.get("/sign-in").text
    assert 'action="/sign-in/out"' in browser.get("/me").text
