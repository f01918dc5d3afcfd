"""`/review` through the whole application: who may decide what, and what a reviewer sees before and after."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlmodel import select, update

from arena.config import AdminSettings, ReviewSettings, Settings
from arena.reviews.queue import fill
from arena.rules.reviews import UNDO_WITHIN
from arena.rules.roles import Role
from arena.store.schema.battles import Battle, CompletionRow, now
from arena.store.schema.reviews import Review, ReviewAssignment
from arena.store.voter_sessions import give_session
from arena.web.app import create_app
from arena.web.session import COOKIE, voter_of
from tests.support.accounts import OWN, AdminBrowser, with_account
from tests.support.arenas import ready
from tests.support.reviews import disputed_battles, public_id

ADMIN = AdminSettings(logins_per_account=1000, logins_per_address=1000)
ASSIGNMENT = re.compile(r'name="assignment" value="(\d+)"')


@pytest.fixture
def app(sqlite):
    return create_app(Settings(admin=ADMIN, reviews=ReviewSettings(reviewers=2)), sqlite, ready())


@pytest.fixture
def browser_of(app, sqlite):
    """Signs somebody with a role in; returns their browser."""
    opened = []

    def open_(name, role=Role.REVIEWER):
        with_account(sqlite, name, role)
        browser = AdminBrowser(app) if opened else AdminBrowser(app).__enter__()
        opened.append(browser)
        assert browser.sign_in(name).status_code == 303
        return browser

    yield open_
    if opened:
        opened[0].__exit__(None, None, None)


def queued(database, many=2, **given):
    battles = disputed_battles(database, many, **given)
    fill(database, wanted=2, by="op")
    return battles


def assignment(browser):
    found = ASSIGNMENT.search(browser.get("/review").text)
    return found[1] if found else None


def submit(browser, path, **form):
    return browser.post(path, data={"csrf": browser.token("/review"), **form}, headers=OWN)


def rows(database, table):
    with database.read() as session:
        return list(session.exec(select(table)))


def test_a_reviewer_sees_one_battle_without_names_votes_and_judges(browser_of, sqlite):
    (battle,) = queued(sqlite, 1)
    with sqlite.write() as session:
        row = session.exec(select(CompletionRow).where(CompletionRow.side == "a")).one()
        row.text = "I am amber, a model. Ask me, not birch."
    page = browser_of("ann").get("/review").text
    assert "Prompt 0?" in page
    for secret in ("amber", "birch", "judge:j", "voter-0", public_id(sqlite, battle)):
        assert secret not in page
    assert "▇▇▇▇" in page


def test_deciding_brings_the_next_battle_and_then_nothing_is_left(browser_of, sqlite):
    queued(sqlite, 2)
    browser = browser_of("ann")
    for _ in range(2):
        reply = submit(browser, "/review/decide", assignment=assignment(browser), winner="tie")
        assert (reply.status_code, reply.headers["location"]) == (303, "/review")
    assert "No battle waits for you" in browser.get("/review").text
    assert len(rows(sqlite, Review)) == 2


def test_a_double_submit_is_one_review(browser_of, sqlite):
    queued(sqlite, 1)
    browser = browser_of("ann")
    number = assignment(browser)
    for winner in ("tie", "tie", "model_a"):
        submit(browser, "/review/decide", assignment=number, winner=winner)
    assert [row.winner for row in rows(sqlite, Review)] == ["tie"]
    assert "no longer yours" in browser.get("/review").text


def test_nobody_decides_the_battle_of_another_or_one_that_is_not_assigned(browser_of, sqlite):
    queued(sqlite, 1)
    ann, bob = browser_of("ann"), browser_of("bob")
    number = assignment(ann)
    for given in (number, "1000000", "0", "-1", "x", "9" * 30):
        submit(bob, "/review/decide", assignment=given, winner="tie")
        submit(bob, "/review/skip", assignment=given, reason="other")
    assert rows(sqlite, Review) == []
    assert [row.status for row in rows(sqlite, ReviewAssignment) if str(row.id) == number] == ["open"]


def test_a_battle_cannot_be_read_by_its_id_before_it_is_assigned(browser_of, sqlite):
    (battle,) = queued(sqlite, 1, shared=False)
    with sqlite.write() as session:
        name = session.get_one(Battle, battle).public_id
    browser = browser_of("ann")
    for path in (f"/review/{battle}", f"/review/{name}", f"/review?battle={name}", f"/battles/{name}"):
        assert "Prompt 0?" not in browser.get(path).text


@pytest.mark.parametrize("path", ["/review/decide", "/review/skip", "/review/undo"])
def test_a_form_of_another_site_or_without_the_token_changes_nothing(browser_of, sqlite, path):
    queued(sqlite, 1)
    browser = browser_of("ann")
    form = {"assignment": assignment(browser), "winner": "tie", "reason": "other"}
    token = browser.token("/review")
    assert browser.post(path, data=form, headers=OWN).status_code == 403
    assert browser.post(path, data={**form, "csrf": "x"}, headers=OWN).status_code == 403
    away = {**OWN, "origin": "https://evil.example"}
    assert browser.post(path, data={**form, "csrf": token}, headers=away).status_code == 403
    assert rows(sqlite, Review) == []


def test_a_voter_and_a_stranger_do_not_get_in(browser_of, sqlite, app):
    queued(sqlite, 1)
    voter = browser_of("eve", Role.VOTER)
    for path in ("/review", "/review/agreement", "/review/agreement.json"):
        assert voter.get(path).status_code == 403
        assert AdminBrowser(app).get(path).headers["location"].startswith("/admin/login?next=")
    assert rows(sqlite, ReviewAssignment) == []


def test_skip_and_undo_work_by_their_forms(browser_of, sqlite):
    queued(sqlite, 1)
    browser = browser_of("ann")
    number = assignment(browser)
    submit(browser, "/review/skip", assignment=number, reason="subject")
    assert assignment(browser) is None
    assert 'action="/review/undo"' in browser.get("/review").text
    submit(browser, "/review/undo")
    assert assignment(browser) == number
    assert 'action="/review/undo"' not in browser.get("/review").text, "nothing more can be undone"


def test_the_agreement_has_own_figures_for_a_reviewer_and_all_for_an_operator(browser_of, sqlite):
    queued(sqlite, 8)
    ann, bob = browser_of("ann"), browser_of("bob")
    assert "No battle is reviewed yet" in ann.get("/review/agreement").text
    for browser in (ann, bob):
        while number := assignment(browser):
            submit(browser, "/review/decide", assignment=number, winner="tie")
    assert ann.get("/review/agreement.json").json() == {"battles": 0, "all": [], "reviewers": []}, (
        "what can be undone"
    )
    page = ann.get("/review/agreement").text
    assert "No battle is reviewed yet" not in page
    assert "The first figures come some minutes after the first reviews." in page
    assert "<dt>Reviewers</dt><dd>2</dd>" in page
    with sqlite.write() as session:
        session.execute(update(Review).values(created_at=now() - UNDO_WITHIN - timedelta(minutes=1)))
    own = ann.get("/review/agreement.json").json()
    assert own["battles"] == 8
    assert [one["name"] for one in own["reviewers"]] == ["ann"]
    shared = {one["measure"]: one for one in own["all"] if one["with"] == "reviewers"}
    assert (shared["agreement"]["value"], shared["agreement"]["items"]) == (1, 8)
    page = ann.get("/review/agreement").text
    assert "You" in page
    operator = browser_of("root", Role.OPERATOR)
    assert [one["name"] for one in operator.get("/review/agreement.json").json()["reviewers"]] == ["ann", "bob"]
    assert "<bdi>bob</bdi>" in operator.get("/review/agreement").text


def test_nobody_reviews_a_battle_that_was_begun_in_their_browser(browser_of, sqlite):
    queued(sqlite, 1)
    ann, ben = browser_of("ann"), browser_of("ben")
    ann.get("/me")
    with sqlite.write() as session:
        give_session(session, voter_of(ann.cookies[COOKIE].rpartition(".")[0]), "voter-0")
    ann.app.state.voters.forget()
    assert assignment(ann) is None
    assert assignment(ben) is not None
