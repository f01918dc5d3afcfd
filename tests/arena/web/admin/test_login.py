"""Signing in and out of `/admin`: who gets in, how long, and what a form of another site can do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlmodel import select

from arena.accounts import passwords
from arena.accounts.accounts import set_disabled, set_password, set_role
from arena.config import AdminSettings, Settings
from arena.rules.roles import Actor, Role
from arena.store import Database
from arena.store.audit import AuditFilter, entries
from arena.store.schema.accounts import AccountSession
from arena.store.schema.battles import now
from arena.web.admin import known_browsers
from arena.web.app import create_app
from tests.support.accounts import OWN, PASSWORD, AdminBrowser, with_account
from tests.support.arenas import ready

ROOT = Actor.terminal("root")
ADMIN = AdminSettings(logins_per_account=1000, logins_per_address=1000)


@pytest.fixture
def app(sqlite: Database) -> FastAPI:
    return create_app(Settings(admin=ADMIN), sqlite, ready())


@pytest.fixture
def browser(app: FastAPI, sqlite: Database) -> Iterator[AdminBrowser]:
    with_account(sqlite)
    with AdminBrowser(app) as one:
        yield one


def actions(database: Database) -> list[str]:
    with database.read() as session:
        return [entry.action for entry in reversed(entries(session, AuditFilter(), 100))]


def test_without_an_account_the_pages_do_not_exist(app, sqlite):
    with TestClient(app) as client:
        for path in ("/admin", "/admin/login"):
            assert client.get(path).status_code == 404
        assert client.post("/admin/login", headers=OWN).status_code == 404


def test_the_settings_can_close_the_pages(sqlite):
    with_account(sqlite)
    with TestClient(create_app(Settings(admin=AdminSettings(enabled=False)), sqlite, ready())) as client:
        assert client.get("/admin/login").status_code == 404
        assert client.get("/admin").status_code == 404


def test_a_first_account_opens_the_pages_of_a_running_arena(app, sqlite):
    with AdminBrowser(app) as browser:
        with_account(sqlite)
        assert browser.sign_in().status_code == 303


def test_a_reader_is_sent_to_the_sign_in_and_back(browser):
    reply = browser.get("/admin")
    assert (reply.status_code, reply.headers["location"]) == (303, "/admin/login?next=%2Fadmin")
    reply = browser.sign_in(" Ann ")
    assert (reply.status_code, reply.headers["location"]) == (303, "/admin")
    page = browser.get("/admin")
    assert page.status_code == 200
    assert "<bdi>ann</bdi>" in page.text
    assert browser.get("/admin/login?next=/admin").status_code == 303


def test_replies_are_kept_in_no_cache_and_no_frame(browser):
    browser.sign_in()
    for path in ("/admin", "/admin/login", "/admin/nothing", "/review"):
        reply = browser.get(path)
        assert reply.headers["cache-control"] == "no-store", path
        assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
        assert "unsafe-inline" not in reply.headers["content-security-policy"].split("style-src")[0]


@pytest.mark.parametrize(
    ("name", "password"), [("ann", "wrong"), ("bob", "wrong"), ("", ""), ("a\0b", ""), ("x" * 200, "x")]
)
def test_every_refusal_has_the_same_text(browser, name, password):
    reply = browser.sign_in(name, password)
    assert reply.status_code == 403
    assert "The name or the password is wrong." in reply.text
    assert browser.get("/admin").status_code == 303


def test_the_token_changes_at_the_sign_in(browser):
    browser.get("/admin/login")
    planted = browser.cookies["arena_account"]
    assert browser.sign_in().status_code == 303
    assert browser.cookies["arena_account"] != planted
    stranger = AdminBrowser(browser.app, cookies={"arena_account": planted})
    assert stranger.get("/admin").status_code == 303


def test_the_database_has_no_token(browser, sqlite):
    browser.sign_in()
    token = browser.cookies["arena_account"]
    with sqlite.read() as session:
        (row,) = session.exec(select(AccountSession)).all()
    assert token not in str(row.model_dump())


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_is_hidden_from_scripts_and_other_sites(app, sqlite, scheme):
    with_account(sqlite)
    with AdminBrowser(app, base_url=f"{scheme}://testserver") as browser:
        reply = browser.sign_in(origin=f"{scheme}://testserver")
    cookie = next(value for value in reply.headers.get_list("set-cookie") if "arena_account" in value)
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert ("Secure" in cookie) == (scheme == "https") == cookie.startswith("__Host-")


def test_signing_out_ends_the_session_for_good(browser, sqlite):
    browser.sign_in()
    stolen = browser.cookies["arena_account"]
    assert browser.submit("/admin/logout").headers["location"] == "/admin/login"
    assert AdminBrowser(browser.app, cookies={"arena_account": stolen}).get("/admin").status_code == 303
    assert actions(sqlite) == ["account.add", "session.begin", "session.end"]


def test_a_disabled_account_is_out_at_once(browser, sqlite):
    browser.sign_in()
    set_disabled(sqlite, "ann", True, ROOT)
    assert browser.get("/admin").status_code == 303
    assert browser.sign_in().status_code == 403
    set_disabled(sqlite, "ann", False, ROOT)
    assert browser.get("/admin").status_code == 303
    assert browser.sign_in().status_code == 303


def test_another_password_ends_every_session(browser, sqlite):
    browser.sign_in()
    set_password(sqlite, "ann", "another long pass phrase", ROOT)
    assert browser.get("/admin").status_code == 303
    assert browser.sign_in().status_code == 403
    assert browser.sign_in(password="another long pass phrase").status_code == 303


def test_another_role_counts_at_once(browser, sqlite):
    browser.sign_in()
    set_role(sqlite, "ann", Role.VOTER, ROOT)
    assert browser.get("/admin").status_code == 403


@pytest.mark.parametrize(
    "values",
    [{"seen_at": now() - timedelta(minutes=61)}, {"expires_at": now() - timedelta(seconds=1)}],
    ids=["idle", "old"],
)
def test_a_session_ends_by_itself(browser, sqlite, values):
    browser.sign_in()
    with sqlite.write() as session:
        session.execute(update(AccountSession).values(values))
    assert browser.get("/admin").status_code == 303


def test_a_used_session_stays(browser, sqlite):
    browser.sign_in()
    with sqlite.write() as session:
        session.execute(update(AccountSession).values(seen_at=now() - timedelta(minutes=59)))
    assert browser.get("/admin").status_code == 200
    with sqlite.read() as session:
        assert now() - session.exec(select(AccountSession)).one().seen_at < timedelta(minutes=1)


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://testserver.evil.example"])
@pytest.mark.parametrize("path", ["/admin/login", "/admin/logout"])
def test_a_form_of_another_site_is_refused(browser, path, origin):
    if path == "/admin/logout":
        browser.sign_in()
    page = "/admin/login" if path == "/admin/login" else "/admin"
    form = {"csrf": browser.token(page), "name": "ann", "password": "wrong"}
    headers = {} if origin is None else {"origin": origin}
    assert browser.post(path, data=form, headers=headers).status_code == 403
    assert path == "/admin/login" or browser.get("/admin").status_code == 200


@pytest.mark.parametrize("token", [None, "", "x" * 64, "é"])
def test_a_form_without_its_token_is_refused(browser, token):
    browser.sign_in()
    form = {} if token is None else {"csrf": token}
    assert browser.post("/admin/logout", data=form, headers=OWN).status_code == 403
    assert browser.get("/admin").status_code == 200
    stranger = AdminBrowser(browser.app)
    stranger.get("/admin/login")
    assert stranger.post("/admin/login", data={**form, "name": "ann"}, headers=OWN).status_code == 403


@pytest.mark.parametrize(
    "place",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/admin//evil.example", "/admin/../battles", "/battles",
     "/admin\n/x", "javascript:alert(1)", "/adminx", "/admin@evil.example", "/admin/%2e%2e", "admin"],
)  # fmt: skip
def test_a_sign_in_leads_to_no_other_site(browser, place):
    assert browser.sign_in(next_=place).headers["location"] == "/admin"


def test_a_sign_in_leads_to_the_page_that_was_asked_for(browser):
    assert browser.sign_in(next_="/admin/audit?actor=ann").headers["location"] == "/admin/audit?actor=ann"


def test_attempts_on_an_account_are_limited_over_all_addresses(sqlite):
    with_account(sqlite)
    settings = Settings(admin=AdminSettings(logins_per_account=3))
    app = create_app(settings, sqlite, ready())
    for name in ("ann", "nobody"):
        statuses = []
        for number in range(4):
            browser = AdminBrowser(app, client=(f"192.0.2.{number}", 50_000))
            statuses.append(browser.sign_in(name, "wrong"))
        assert [reply.status_code for reply in statuses] == [403, 403, 403, 429]
        assert int(statuses[-1].headers["retry-after"]) > 3000
    assert AdminBrowser(app, client=("192.0.2.9", 5)).sign_in().status_code == 429


def test_attempts_of_an_address_are_limited_over_all_accounts(sqlite):
    with_account(sqlite)
    app = create_app(Settings(admin=AdminSettings(logins_per_address=3)), sqlite, ready())
    browser = AdminBrowser(app)
    assert [browser.sign_in(f"name{n}", "x").status_code for n in range(4)] == [403, 403, 403, 429]
    assert browser.sign_in().status_code == 429
    assert AdminBrowser(app, client=("192.0.2.9", 5)).sign_in().status_code == 303


@pytest.fixture
def besieged(sqlite: Database) -> Iterator[tuple[FastAPI, AdminBrowser]]:
    """An arena where strangers used up the attempts on ann's account, and the browser in which ann had signed in."""
    with_account(sqlite)
    app = create_app(Settings(admin=AdminSettings(logins_per_account=3, logins_per_address=5)), sqlite, ready())
    with AdminBrowser(app) as own:
        assert own.sign_in().status_code == 303
        own.submit("/admin/logout")
        for number in range(3):
            AdminBrowser(app, client=(f"192.0.2.{number}", 5)).sign_in("ann", "wrong")
        assert AdminBrowser(app, client=("192.0.2.9", 5)).sign_in().status_code == 429
        yield app, own


def known_cookie(browser: AdminBrowser) -> tuple[str, str]:
    """The name and the value of the cookie that a sign-in leaves."""
    return next((name, value) for name, value in browser.cookies.items() if name.startswith("arena_known_"))


def test_strangers_who_try_passwords_do_not_keep_the_operator_out(besieged):
    _, own = besieged
    assert own.sign_in(" Ann ").status_code == 303


def test_strangers_of_the_same_address_do_not_keep_the_operator_out(besieged):
    app, own = besieged
    stranger = AdminBrowser(app)
    assert [stranger.sign_in(f"name{n}", "x").status_code for n in range(5)][-1] == 429
    assert own.sign_in().status_code == 303


def test_a_known_browser_has_as_few_attempts_as_strangers_and_its_number_for_good(besieged):
    _, own = besieged
    number = known_cookie(own)[1].partition(".")[0]
    assert [own.sign_in("ann", "wrong").status_code for _ in range(4)] == [403, 403, 403, 429]
    assert own.sign_in().status_code == 429
    assert known_cookie(own)[1].partition(".")[0] == number


@pytest.mark.parametrize("change", ["other account", "other number", "later", "no signature", "expired"])
def test_a_made_up_or_old_cookie_is_a_strangers(besieged, monkeypatch, change):
    app, own = besieged
    name, value = known_cookie(own)
    browser, at, mac = value.split(".")
    changed = {
        "other number": f"{'x' * 22}.{at}.{mac}",
        "later": f"{browser}.{int(at) + 1}.{mac}",
        "no signature": f"{browser}.{at}.",
    }.get(change, value)
    if change == "other account":
        with_account(app.state.admin.database, "bob")
        assert own.sign_in("bob").status_code == 303
        changed = next(
            value for other, value in own.cookies.items() if other.startswith("arena_known_") and other != name
        )
    if change == "expired":
        monkeypatch.setattr(known_browsers, "LASTS", -1)
    stranger = AdminBrowser(app, client=("192.0.2.10", 5), cookies={name: changed})
    assert stranger.sign_in().status_code == 429


def test_a_failed_sign_in_makes_no_browser_known(sqlite):
    with_account(sqlite)
    with AdminBrowser(create_app(Settings(admin=ADMIN), sqlite, ready())) as browser:
        browser.sign_in("ann", "wrong")
        assert not [name for name in browser.cookies if name.startswith("arena_known_")]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_of_a_known_browser_is_hidden_from_scripts_and_other_sites(app, sqlite, scheme):
    with_account(sqlite)
    with AdminBrowser(app, base_url=f"{scheme}://testserver") as browser:
        reply = browser.sign_in(origin=f"{scheme}://testserver")
    cookie = next(value for value in reply.headers.get_list("set-cookie") if "arena_known_" in value)
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=15552000"} <= set(cookie.split("; "))
    assert ("Secure" in cookie) == (scheme == "https") == cookie.startswith("__Host-")
    assert "ann" not in cookie


def test_strangers_do_not_keep_the_operator_from_changing_the_password(sqlite):
    with_account(sqlite)
    app = create_app(Settings(admin=AdminSettings(logins_per_account=3, logins_per_address=5)), sqlite, ready())
    with AdminBrowser(app) as own:
        own.sign_in()
        for number in range(3):
            AdminBrowser(app, client=(f"192.0.2.{number}", 5)).sign_in("ann", "wrong")
        own.submit("/admin/account/password", current=PASSWORD, password="another long pass phrase")
        assert "Your password was changed." in own.get("/admin/account").text


@contextmanager
def flood() -> Iterator[None]:
    """As many attempts as the arena compares and lets wait."""
    with ExitStack() as places:
        while passwords._PLACES.acquire(blocking=False):
            places.callback(passwords._PLACES.release)
        yield


def test_a_flood_of_attempts_takes_no_more_threads_and_keeps_no_known_browser_out(browser):
    browser.sign_in()
    browser.submit("/admin/logout")
    stranger = AdminBrowser(browser.app)
    with flood():
        for name in ("ann", "nobody"):
            reply = stranger.sign_in(name)
            assert (reply.status_code, reply.headers["retry-after"]) == (429, "6")
            assert "Too many sign-ins" in reply.text
        assert browser.sign_in().status_code == 303
    assert stranger.sign_in().status_code == 303
