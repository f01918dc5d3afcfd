"""No vote is ever deleted: nothing in the store removes rows of votes, and every way to hold them keeps each row."""

from __future__ import annotations

import ast
import re
import time
from pathlib import Path

import pytest
from sqlalchemy import event, text

import arena
from arena.config import AdminSettings, Settings
from arena.reviews.queue import fill
from arena.rules.vote_states import QuarantineReason, VoteState
from arena.rules.votes import HUMAN
from arena.store.appeals import Decision, add_appeal, decide
from arena.store.imports import NewVote, add_votes, begin_import
from arena.store.quarantine import NewHold, hold, release
from arena.store.schema.battles import Battle, now
from arena.store.set_aside import Selection, set_aside, take_back
from arena.store.tags import add_tags, delete_tags, replace_tags
from arena.store.voter_deletion import delete_voter
from arena.store.votes import add_vote, rewrite_pair_counts
from arena.web.app import create_app
from tests.arena.store.test_vote_cost import opened
from tests.support.accounts import PASSWORD, AdminBrowser, with_account
from tests.support.arenas import PLAIN as SERVED
from tests.support.arenas import ready
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.reviews import disputed_battles, public_id
from tests.support.served_paths import served_paths
from tests.support.typed import typed

FAST = QuarantineReason.TOO_FAST
SOURCES = sorted(Path(arena.__file__).parent.rglob("*.py"))
VOTE = "vote"


def names_the_table(call: ast.Call) -> bool:
    """Whether a call is `delete(Vote)`, or runs SQL that deletes votes."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    first = call.args[0] if call.args else None
    if name == "delete" and isinstance(first, ast.Name):
        return first.id == "Vote"
    is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
    return is_text and f"delete from {VOTE}" in " ".join(str(first.value).lower().split()).replace('"', "") + " "


def test_no_statement_in_the_sources_deletes_votes():
    assert names_the_table(ast.parse("delete(Vote)").body[0].value)
    assert names_the_table(ast.parse("text('DELETE FROM vote WHERE id = 1')").body[0].value)
    found = [
        f"{path}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and names_the_table(node)
    ]
    assert found == []


@pytest.fixture
def voted(database):
    """Eight votes of people, three of a judge, and four imported ones; every statement is noted."""
    ballots(database)
    for a, b, winner in PLAIN[:3]:
        ballot(database, a, b, winner, source="judge:j", voter="judge:j")
    with database.write() as session:
        given = ("birch", "amber", "model_a", "human")
        votes = [NewVote(f"b{n}", *given, f"w{n}", now()) for n in range(4)]
        add_votes(session, votes, begin_import(session, "mt"))
    return database


def votes(database):
    with database.read() as session:
        query = "SELECT id, battle_id, source, winner, stopped_early, import_id FROM vote ORDER BY id"
        return session.execute(text(query)).all()


def test_every_change_keeps_each_vote(voted):
    statements: list[str] = []
    event.listen(voted.engine, "before_cursor_execute", lambda *given: statements.append(given[2].lower()))
    judged, imported = Selection("judge", "judge:j"), Selection("import", "mt")

    def appealed(session):
        hold(session, [1], VoteState.QUARANTINED, FAST, by="x", again=True)
        battle = session.get_one(Battle, 1)
        number = add_appeal(session, battle.voter, battle.public_id, "please")
        decide(session, number, Decision.RELEASE, "fine", "rita")

    def held_at_once(session):
        add_vote(
            session, battle, HUMAN, "ann", "tie", stopped_early=False, held=NewHold(VoteState.PENDING, FAST, "x")
        )

    battle = opened(voted)
    changes = [
        lambda s: hold(s, range(1, 16), VoteState.PENDING, FAST, by="x"),
        lambda s: hold(s, range(1, 16), VoteState.QUARANTINED, FAST, by="x"),
        lambda s: release(s, range(1, 16), "fine", "x"),
        appealed,
        held_at_once,
        lambda s: set_aside(s, judged, "why", "x"),
        lambda s: set_aside(s, imported, "why", "x"),
        lambda s: take_back(s, judged, "fine", "x"),
        lambda s: take_back(s, imported, "fine", "x"),
        lambda s: add_tags(s, {1: ["math (llm)"]}, "llm-1 x"),
        lambda s: replace_tags(s, {1: ["code (llm)"]}, "llm-1 y"),
        lambda s: delete_tags(s, "llm-1 y"),
        rewrite_pair_counts,
        lambda s: delete_voter(s, "voter-0"),
    ]
    for change in changes:
        before = votes(voted)
        with voted.write() as session:
            change(session)
        assert votes(voted)[: len(before)] == before
    assert len(votes(voted)) == 16
    assert not [statement for statement in statements if "delete from vote " in statement.replace('"', "") + " "]


def test_every_command_on_votes_keeps_each_vote(voted):
    before = votes(voted)
    for words in (
        ["votes", "quarantine", "--reason", "burst", "--voter", "voter-1"],
        ["votes", "release", "--reason", "burst", "--why", "fine"],
        ["votes", "set-aside", "--judge", "j", "--reason", "why"],
        ["votes", "take-back", "--judge", "j", "--reason", "fine"],
        ["votes", "list"],
        ["votes", "log"],
        ["judge", "delete", "judge:j"],
        ["db", "recount", "--write"],
    ):
        typed(*words, "--db", voted.url)
        assert votes(voted) == before, words


WHY = {"reason": "why"}
PROMPT = {"language": "en", "category": "coding", "place": "0", "text": "Name three birds.", "to": "down"}
# What each action of the operator's and reviewer's pages is sent, in this order. {battle}, {assignment} and {seen} are
# filled in. An action that is added to the pages has to be added here.
ACTIONS: list[tuple[str, dict[str, object]]] = [
    ("/admin/battles/{public_id}/hide", WHY),
    ("/admin/battles/{public_id}/show", WHY),
    ("/admin/votes/quarantine", {**WHY, "vote": [1, 2, 3], "code": "burst"}),
    ("/admin/votes/quarantine", {**WHY, "voter": "voter-2"}),
    ("/admin/votes/release", {**WHY, "vote": [1]}),
    ("/admin/votes/release", {**WHY, "voter": "voter-2"}),
    ("/admin/appeals/decide", {**WHY, "appeal": "1", "decision": "release"}),
    ("/admin/appeals/decide", {**WHY, "appeal": "2", "decision": "keep"}),
    ("/admin/votes/quarantine-matching", {**WHY, "state": "pending", "number": 1, "newest": 1000}),
    ("/admin/votes/release-matching", {**WHY, "state": "quarantined", "number": 1000, "newest": 1000}),
    ("/review/skip", {"assignment": "{assignment}", "reason": "language"}),
    ("/review/undo", {}),
    ("/review/decide", {"assignment": "{assignment}", "winner": "model_a"}),
    ("/review/undo", {}),
    ("/review/decide", {"assignment": "{assignment}", "winner": "tie"}),
    ("/admin/export/seal", {}),
    ("/admin/export/begin", {}),
    ("/admin/models/{action}", {**WHY, "action": "pause", "model": SERVED.name}),
    ("/admin/models/{action}", {**WHY, "action": "retire", "model": SERVED.name}),
    ("/admin/models/{action}", {**WHY, "action": "enable", "model": SERVED.name}),
    ("/admin/models/{action}", {**WHY, "action": "weight", "model": SERVED.name, "value": "2"}),
    ("/admin/models/{action}", {**WHY, "action": "boost", "model": SERVED.name, "value": "9"}),
    ("/admin/models/reload", WHY),
    ("/admin/moderation/try", {"texts": "x"}),
    ("/admin/moderation/save", {"rules": ""}),
    ("/admin/prompts/add", {**PROMPT, **WHY, "text": "Name three trees."}),
    *((f"/admin/prompts/{action}", {**PROMPT, **WHY}) for action in ("change", "move", "retire")),
    ("/admin/prompts/restore", {"language": "en", "version": "1"}),
    ("/admin/terms/{page}/{language}/preview", {"text": "# Ours"}),
    ("/admin/terms/{page}/{language}/save", {"text": "# Ours"}),
    ("/admin/terms/{page}/{language}/restore", {"version": "1"}),
    ("/admin/accounts/add", {"name": "zoe", "role": "reviewer", "password": PASSWORD}),
    ("/admin/accounts/role", {"name": "zoe", "role": "operator"}),
    ("/admin/accounts/password", {"name": "zoe", "password": PASSWORD[::-1]}),
    ("/admin/accounts/disable", {"name": "zoe"}),
    ("/admin/accounts/enable", {"name": "zoe"}),
    ("/admin/account/password", {"current": PASSWORD, "password": PASSWORD[::-1]}),
    ("/admin/logout", {}),
]
REFUSED = {
    "/admin/moderation/save",
    "/admin/models/reload",
}  # texts are not checked here, and there is no settings file


@pytest.fixture
def operator(database):
    """An operator's browser, on both databases: disputed battles, and two appeals."""
    ballots(database)
    battles = disputed_battles(database, 3)
    fill(database, wanted=2, by="op")
    with database.write() as session:
        hold(session, [4, 5], VoteState.QUARANTINED, FAST, by="x")
        hold(session, [7], VoteState.PENDING, FAST, by="x")
        for number in (4, 5):
            battle = session.get_one(Battle, number)
            add_appeal(session, battle.voter, battle.public_id, "please")
    with_account(database)
    serving = ready(SERVED)
    serving.configured = (SERVED,)
    settings = Settings(models=(SERVED,), admin=AdminSettings(logins_per_account=1000, logins_per_address=1000))
    app = create_app(settings, database, serving)
    with AdminBrowser(app) as browser:
        assert browser.sign_in().status_code == 303
        yield browser, public_id(database, battles[0])


def rows_of(database, table):
    with database.read() as session:
        return {row.id: tuple(row) for row in session.execute(text(f"SELECT * FROM {table} ORDER BY id"))}


def sent(browser, path, form, battle):
    """Send a form as its page has it; whether the next page tells of a refusal."""
    given = dict(form)
    path = path.replace("{public_id}", battle).replace("{action}", str(given.pop("action", "")))
    path = path.replace("{page}/{language}", "terms/en")
    if given.get("assignment"):
        given["assignment"] = re.search(r'name="assignment" value="(\d+)"', browser.get("/review").text)[1]
    if path.startswith(("/admin/prompts", "/admin/terms")):
        page = "/admin/prompts" if "prompts" in path else "/admin/terms/terms/en"
        given["seen"] = re.search(r'name="seen" value="(\d+)"', browser.get(page).text)[1]
    reply = browser.submit(path, **given)
    assert reply.status_code in (200, 303), (path, reply.status_code)
    return reply.status_code == 303 and 'class="notice danger"' in browser.get("/admin/account").text


def test_the_walk_has_every_action_of_the_pages(operator):
    browser, _ = operator
    served = [
        path for path in served_paths(browser.app.routes, method="POST") if path.startswith(("/admin", "/review"))
    ]
    assert set(served) - {"/admin/login"} == {path for path, _ in ACTIONS}


def test_every_action_of_the_operators_pages_keeps_each_vote_and_battle(operator, database):
    browser, battle = operator
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2].lower()))
    for path, form in ACTIONS:
        before = {table: rows_of(database, table) for table in (VOTE, "battle")}
        refused = sent(browser, path, form, battle)
        assert refused == (path in REFUSED), (path, form)
        jobs, end = browser.app.state.admin.long_jobs, time.monotonic() + 60
        while jobs.running and time.monotonic() < end:
            time.sleep(0.02)
        for table, rows in before.items():
            after = rows_of(database, table)
            assert {number: after.get(number) for number in rows} == rows, (path, table)
    assert not [
        words
        for words in statements
        if re.match(r'\s*(delete from|truncate( table)?) "?(vote|battle)"?(\s|$)', words)
    ]
