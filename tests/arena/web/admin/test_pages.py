"""The pages below `/admin`: what each shows, what its forms change, and that every change is in the audit trail."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlmodel import select

from arena.config import AdminSettings, Settings
from arena.rules.funnel import STEP_NAMES
from arena.rules.roles import Role
from arena.rules.vote_states import VoteState
from arena.store import Database
from arena.store.audit import AuditFilter, entries
from arena.store.quarantine import hold
from arena.store.reports import add_report
from arena.store.schema.accounts import AuditEntry
from arena.store.schema.battles import Battle, Turn, Vote, now
from arena.web.app import create_app
from tests.support.accounts import OWN, PASSWORD, AdminBrowser, with_account
from tests.support.arenas import ready
from tests.support.populated import populated_file
from tests.support.served_paths import served_paths

ADMIN = AdminSettings(logins_per_account=1000, logins_per_address=1000)
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def arena(tmp_path_factory) -> Iterator[tuple[FastAPI, Database]]:
    database, _ = populated_file(tmp_path_factory.mktemp("admin") / "arena.db", 6, 60)
    with_account(database, "root")
    with_account(database, "rita", Role.REVIEWER)
    with_account(database, "vic", Role.VOTER)
    app = create_app(Settings(admin=ADMIN), database, ready())
    with AdminBrowser(app):
        yield app, database
    database.close()


@pytest.fixture(scope="module")
def browsers(arena) -> dict[str, AdminBrowser]:
    """A browser that is signed in for each name."""
    found = {}
    for name in ("root", "rita", "vic"):
        found[name] = AdminBrowser(arena[0])
        assert found[name].sign_in(name).status_code == 303
    return found


@pytest.fixture
def root(browsers) -> AdminBrowser:
    return browsers["root"]


def newest(database: Database) -> AuditEntry:
    with database.read() as session:
        return entries(session, AuditFilter(), 1)[0]


def shared_battle(database: Database, number: int = 0) -> str:
    with database.read() as session:
        return session.exec(select(Battle.public_id).where(Battle.shared == True)).all()[number]  # noqa: E712


def pages(app: FastAPI) -> list[str]:
    return [path for path in served_paths(app.routes) if path.startswith("/admin") and "{" not in path]


def test_every_page_needs_a_session(arena):
    app, _ = arena
    stranger = AdminBrowser(app)
    for path in pages(app):
        if path != "/admin/login":
            assert stranger.get(path).status_code == 303, path


def test_every_form_needs_a_session_a_role_and_a_token(arena, browsers):
    app, database = arena
    paths = served_paths(app.routes, method="POST")
    forms = [re.sub(r"{[^}]*}", "x", path) for path in paths if path.startswith("/admin")]
    assert len(forms) > 8
    before = newest(database).id
    for path in forms:
        assert AdminBrowser(app).post(path, headers=OWN).status_code == 403, path
        assert browsers["root"].post(path, headers=OWN).status_code == 403, path
        if not path.startswith(("/admin/account/", "/admin/log", "/admin/appeals/")):  # of reviewers, too
            assert browsers["rita"].submit(path, name="root", role="voter", reason="x").status_code == 403, path
    assert newest(database).id == before


def test_pages_of_operators_are_closed_to_reviewers_and_voters(browsers):
    for path in ("/admin/audit", "/admin/accounts"):
        assert browsers["root"].get(path).status_code == 200
        assert browsers["rita"].get(path).status_code == 403
    assert browsers["rita"].get("/admin/battles").status_code == 200
    assert browsers["vic"].get("/admin/battles").status_code == 403
    assert browsers["vic"].get("/admin/account").status_code == 200
    assert "/admin/audit" not in browsers["rita"].get("/admin").text


@pytest.mark.parametrize("step", STEP_NAMES)
def test_battles_of_each_step_are_listed(root, step):
    assert root.get(f"/admin/battles?step={step}").status_code == 200


@pytest.mark.parametrize("query", ["day=x", "step=x", "before=0", "hour=x", "model=" + "x" * 1001])
def test_an_odd_filter_is_refused(root, query):
    assert root.get(f"/admin/battles?{query}").status_code == 422


def test_the_list_is_filtered_and_has_pages(arena, root):
    _, database = arena
    assert root.get("/admin/battles?shared=1").text.count('<th class="name" scope="row">') == 20
    first = root.get("/admin/battles").text
    assert first.count('scope="row"') == 50
    older = first.split('class="pager"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert root.get(older).text.count('scope="row"') == 10
    assert root.get("/admin/battles?model=nobody").text.count("No battle matches.") == 1
    with database.read() as session:
        voter = session.exec(select(Battle.voter)).first()
    assert "/admin/battles?voter=" in first
    assert root.get("/admin/battles", params={"voter": voter}).text.count('scope="row"') == 2


def test_a_hidden_battle_is_gone_for_readers_until_it_is_shown_again(arena, root):
    app, database = arena
    battle = shared_battle(database)
    reader = AdminBrowser(app)
    assert reader.get(f"/battles/{battle}").status_code == 200
    reply = root.submit(f"/admin/battles/{battle}/hide", reason=f"names {SCRIPT}")
    assert reply.headers["location"] == f"/admin/battles/{battle}"
    page = root.get(f"/admin/battles/{battle}").text
    assert "is hidden from readers" in page
    assert SCRIPT not in page
    assert "Hidden from readers since" in page
    assert "is hidden from readers" not in root.get(f"/admin/battles/{battle}").text, "the message is shown once"
    entry = newest(database)
    assert (entry.action, entry.target, entry.actor, entry.reason) == (
        "battle.hide",
        battle,
        "root",
        f"names {SCRIPT}",
    )
    assert reader.get(f"/battles/{battle}").status_code == 404
    assert battle not in reader.get("/battles").text
    assert battle not in reader.get("/api/v1/battles").text
    assert battle in root.get("/admin/battles?hidden=1").text
    root.submit(f"/admin/battles/{battle}/show", reason="fixed")
    assert reader.get(f"/battles/{battle}").status_code == 200
    assert newest(database).action == "battle.show"


def test_what_cannot_be_hidden_or_shown_is_told_and_leaves_no_entry(arena, root):
    _, database = arena
    before = newest(database).id
    for path in ("nobody/hide", f"{shared_battle(database, 3)}/show"):
        reply = root.post(
            f"/admin/battles/{path}",
            data={"csrf": root.token(), "reason": "x"},
            headers={**OWN, "referer": "http://testserver/admin/battles?shared=1"},
        )
        assert reply.headers["location"] == "/admin/battles?shared=1"
        assert 'class="notice danger"' in root.get("/admin/battles?shared=1").text
    assert root.submit("/admin/battles/x/hide").status_code == 422, "without a reason"
    assert newest(database).id == before


def test_a_page_of_another_site_is_no_place_to_go_back_to(root):
    headers = {**OWN, "referer": "http://evil.example/admin/battles"}
    reply = root.post("/admin/battles/x/hide", data={"csrf": root.token(), "reason": "x"}, headers=headers)
    assert reply.headers["location"] == "/admin"


def test_texts_of_voters_are_shown_as_text(arena, root):
    _, database = arena
    battle = shared_battle(database, 1)
    with database.write() as session:
        row = session.exec(select(Battle).where(Battle.public_id == battle)).one()
        session.exec(select(Turn).where(Turn.battle_id == row.id)).one().prompt = SCRIPT
        add_report(session, row.id, "v", "other", SCRIPT)
    for path in (f"/admin/battles/{battle}", "/admin/battles?reported=1"):
        page = root.get(path).text
        assert SCRIPT not in page
        assert "&lt;script&gt;" in page
    assert root.get("/admin/battles/nobody").status_code == 404


def test_an_operator_adds_and_changes_accounts(arena, root):
    app, database = arena
    assert root.submit("/admin/accounts/add", name="Zoe", role="reviewer", password=PASSWORD).status_code == 303
    assert "The account zoe was added." in root.get("/admin/accounts").text
    zoe = AdminBrowser(app)
    assert zoe.sign_in("zoe").status_code == 303
    root.submit("/admin/accounts/role", name="zoe", role="operator", reason=SCRIPT)
    assert zoe.get("/admin/audit").status_code == 200
    assert SCRIPT not in root.get("/admin/audit").text
    root.submit("/admin/accounts/password", name="zoe", password="another long pass phrase")
    assert zoe.get("/admin").status_code == 303
    assert zoe.sign_in("zoe", "another long pass phrase").status_code == 303
    root.submit("/admin/accounts/disable", name="zoe", reason="left")
    assert zoe.get("/admin").status_code == 303
    root.submit("/admin/accounts/enable", name="zoe")
    with database.read() as session:
        found = [entry.action for entry in entries(session, AuditFilter(target="zoe", actor="root"), 50)]
    assert sorted(found) == [
        "account.add", "account.disable", "account.enable", "account.password", "account.role",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "form", "problem"),
    [
        ("add", {"name": SCRIPT, "role": "voter", "password": PASSWORD}, "cannot be used"),
        ("add", {"name": "new", "role": "voter", "password": "short"}, "has 5 characters"),
        ("role", {"name": "root", "role": "voter"}, "last operator"),
        ("disable", {"name": "root"}, "last operator"),
        ("password", {"name": SCRIPT, "password": PASSWORD}, "no account"),
    ],
)
def test_a_change_of_accounts_that_is_refused_is_told(root, path, form, problem):
    with_zoe = root.get("/admin/accounts").text
    if "zoe" in with_zoe:
        root.submit("/admin/accounts/role", name="zoe", role="voter")
    assert root.submit(f"/admin/accounts/{path}", **form).status_code == 303
    page = root.get("/admin/accounts").text
    assert problem in page
    assert SCRIPT not in page


def test_an_unknown_role_is_no_role(root):
    assert root.submit("/admin/accounts/role", name="rita", role="root").status_code == 422
    assert root.submit("/admin/accounts/add", name="x", role="", password=PASSWORD).status_code == 422


def test_ones_own_password_needs_the_current_one_and_ends_the_other_sessions(arena):
    app, database = arena
    with_account(database, "paul", Role.VOTER)
    here, there = AdminBrowser(app), AdminBrowser(app)
    for browser in (here, there):
        browser.sign_in("paul")
    change = {"password": "another long pass phrase"}
    here.token("/admin/account")
    token = here.token("/admin/account")
    for current, message in (("wrong", "current password is wrong"), (PASSWORD, "Your password was changed")):
        form = {"csrf": token, "current": current, **change, "name": "root"}
        here.post(
            "/admin/account/password", data=form, headers={**OWN, "referer": "http://testserver/admin/account"}
        )
        assert message in here.get("/admin/account").text
        assert (there.get("/admin/account").status_code == 200) == (current == "wrong")
    assert AdminBrowser(app).sign_in("root").status_code == 303


def test_the_trail_is_filtered(arena, root):
    assert "session.begin" in root.get("/admin/audit").text
    page = root.get("/admin/audit?action=account.add&actor=tests&target=rita").text
    assert page.count('scope="row"') == 1
    assert root.get("/admin/audit?day=2000-01-01").text.count("No entry matches.") == 1
    assert root.get("/admin/audit?day=2000-13-01").status_code == 422


def test_the_overview_leads_to_the_rows_behind_each_number(arena, root):
    _, database = arena
    with database.write() as session:
        for number, vote in enumerate(session.exec(select(Vote).where(Vote.source == "human")).all()):
            vote.created_at = now() if number % 2 else vote.created_at
        first = [vote.id for vote in session.exec(select(Vote).where(Vote.source == "human")).all()][1:7:2]
        hold(session, first, VoteState.QUARANTINED, "burst", by="a check")
    page = root.get("/admin").text
    cells = re.findall(
        r'<a href="(/admin/battles\?[^"]*(?:day|hour|since|reported)=[^"]*)">(?:<title>[^<]*: )?([\d,]+)', page
    )
    assert len(cells) > 10
    for link, number in cells:
        listed = root.get(link.replace("&amp;", "&")).text.count('class="name" scope="row"')
        assert listed == min(50, int(number.replace(",", ""))), link
    assert "Unusually many votes for one model" in page
    assert "plain-model" in page
    assert "seal votes" in page


def test_the_overview_of_an_empty_arena(sqlite):
    with_account(sqlite)
    with AdminBrowser(create_app(Settings(), sqlite, ready())) as browser:
        browser.sign_in()
        page = browser.get("/admin").text
    assert "No battle today." in page
    assert "No vote of the last 48 hours is held." in page
