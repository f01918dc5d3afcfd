"""`/admin/votes` and `/admin/appeals`: what they show, what their forms change, and that all of it is in the audit trail."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from arena.config import AdminSettings, Settings
from arena.rules.roles import Role
from arena.rules.seals import published_voter
from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store import Database
from arena.store.appeals import add_appeal, appeals
from arena.store.audit import AuditFilter, entries
from arena.store.held_votes import held
from arena.store.ledger import ledger_key
from arena.store.quarantine import hold
from arena.store.schema.battles import Battle, Vote
from arena.store.voter_sessions import give_session
from arena.store.votes import recount
from arena.web.app import create_app
from arena.web.session import COOKIE, voter_of
from tests.support.accounts import OWN, AdminBrowser, with_account
from tests.support.arenas import ready
from tests.support.ballots import ballots

SCRIPT = "<script>alert(1)</script>"
FAST, PENDING, QUARANTINED = QuarantineReason.TOO_FAST, VoteState.PENDING, VoteState.QUARANTINED


@pytest.fixture
def arena(sqlite: Database) -> Iterator[tuple[AdminBrowser, AdminBrowser]]:
    """Eight votes of three voters, two of them held; browsers of an operator and of a reviewer."""
    ballots(sqlite)
    with sqlite.write() as session:
        hold(session, [1], QUARANTINED, FAST, detail=f"0.2 s {SCRIPT}", by="checks")
        hold(session, [2], PENDING, QuarantineReason.MODERATION, by="moderation")
    with_account(sqlite, "root")
    with_account(sqlite, "rita", Role.REVIEWER)
    app = create_app(Settings(admin=AdminSettings(logins_per_account=1000)), sqlite, ready())
    with AdminBrowser(app) as root:
        rita = AdminBrowser(app)
        assert (root.sign_in("root").status_code, rita.sign_in("rita").status_code) == (303, 303)
        yield root, rita


def votes_held(database):
    with database.read() as session:
        assert not recount(session)
        return sorted(row.vote for row in held(session))


def trail(database):
    with database.read() as session:
        return [
            (row.actor, row.action, row.target, row.reason)
            for row in entries(session, AuditFilter(), 100)
            if row.action.startswith(("vote.", "appeal."))
        ]


@pytest.mark.parametrize(
    ("query", "shown"),
    [("", [1, 2]), ("?state=pending", [2]), ("?reason=too_fast", [1]), ("?voter=voter-1", [2]), ("?model=cedar", []),
     ("?day=2001-01-01", []), ("?after=2", [1])],
)  # fmt: skip
def test_held_votes_are_listed_by_conditions(arena, query, shown):
    root, rita = arena
    page = root.get(f"/admin/votes{query}").text
    assert [number for number in range(1, 9) if f'name="vote" value="{number}"' in page] == shown
    assert SCRIPT not in page
    page = rita.get(f"/admin/votes{query}").text
    assert [int(number) for number in re.findall(r'<th scope="row" class="words">(\d+) ', page)] == shown[::-1]
    assert SCRIPT not in page
    assert 'type="checkbox"' not in page, "there is nothing to do with a chosen vote"


def test_a_voter_is_found_by_the_pseudonym_of_an_export(arena, sqlite):
    root, _ = arena
    with sqlite.read() as session:
        name = published_voter(ledger_key(session), "voter-1")
    page = root.get(f"/admin/votes?voter={name}").text
    assert re.findall(r'name="vote" value="(\d+)"', page) == ["2"]
    root.submit("/admin/votes/quarantine", voter=name, reason="as one")
    assert votes_held(sqlite) == [1, 2, 5, 8]
    root.submit("/admin/votes/release", voter=name, reason="a mistake")
    assert votes_held(sqlite) == [1]


def test_many_votes_change_in_parts_and_each_part_has_its_audit_entry(arena, sqlite, monkeypatch):
    monkeypatch.setattr("arena.store.vote_parts.PART", 2)
    root, _ = arena
    root.submit("/admin/votes/quarantine", vote=list("345678"), code="burst", reason="one act")
    assert votes_held(sqlite) == list(range(1, 9))
    with sqlite.read() as session:
        entries_ = [row.details for row in entries(session, AuditFilter("root", "vote.quarantine"), 100)]
    assert [entry["first"] for entry in entries_] == [[7, 8], [5, 6], [3, 4]]
    root.submit("/admin/votes/quarantine", vote="3", reason="again")
    assert "All of these votes are quarantined already." in root.get("/admin/votes").text
    root.submit("/admin/votes/release", vote=list("345678"), reason="a mistake")
    assert votes_held(sqlite) == [1, 2]
    assert [target for _, action, target, _ in trail(sqlite) if action == "vote.release"] == ["6 votes"] * 3


def test_the_page_of_a_battle_has_the_number_of_its_vote_and_changes_its_state(arena, sqlite):
    root, rita = arena
    with sqlite.read() as session:
        path = f"/admin/battles/{session.get_one(Battle, session.get_one(Vote, 8).battle_id).public_id}"
    page = root.get(path).text
    assert '<th scope="row" class="words">8</th>' in page
    assert 'action="/admin/votes/quarantine"' in page
    root.submit("/admin/votes/quarantine", vote="8", code="burst", reason="nine in a minute")
    page = root.get(path).text
    assert 'action="/admin/votes/release"' in page
    assert 'action="/admin/votes/quarantine"' not in page
    page = rita.get(path).text
    assert '<th scope="row" class="words">8</th>' in page
    assert "/admin/votes/release" not in page


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999"])
def test_a_number_that_no_vote_can_have_is_refused(arena, sqlite, number):
    root, _ = arena
    for path in ("quarantine", "release"):
        assert root.submit(f"/admin/votes/{path}", vote=number, reason="why").status_code == 422
    assert votes_held(sqlite) == [1, 2]


def test_chosen_votes_are_released(arena, sqlite):
    root, _ = arena
    answer = root.submit("/admin/votes/release", vote=["1", "2"], reason="looked at")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/votes")
    assert "Votes that count again: 2." in root.get("/admin/votes").text
    assert votes_held(sqlite) == []
    assert trail(sqlite) == [("root", "vote.release", "2 votes", "looked at")]


def test_a_vote_and_all_votes_of_a_voter_are_quarantined(arena, sqlite):
    root, _ = arena
    root.submit("/admin/votes/quarantine", vote="8", code="burst", reason="nine in a minute")
    assert votes_held(sqlite) == [1, 2, 8]
    root.submit("/admin/votes/quarantine", voter="voter-0", code="operator", reason=SCRIPT)
    assert votes_held(sqlite) == [1, 2, 4, 7, 8]
    assert SCRIPT not in root.get("/admin/votes?voter=voter-0").text
    root.submit("/admin/votes/release", voter="voter-0", reason="a mistake")
    assert votes_held(sqlite) == [2, 8]
    assert trail(sqlite) == [
        ("root", "vote.release", "voter voter-0", "a mistake"),
        ("root", "vote.quarantine", "voter voter-0", SCRIPT),
        ("root", "vote.quarantine", "vote 8", "nine in a minute"),
    ]


@pytest.mark.parametrize(
    ("path", "form", "message"),
    [
        ("quarantine", {"vote": "99", "reason": "why"}, "No such votes are here."),
        ("quarantine", {"voter": "nobody", "reason": "why"}, "No such votes are here."),
        ("release", {"vote": "8", "reason": "why"}, "None of these votes is held."),
    ],
)
def test_what_cannot_be_done_changes_nothing(arena, sqlite, path, form, message):
    root, _ = arena
    assert root.submit(f"/admin/votes/{path}", **form).status_code == 303
    assert message in root.get("/admin/votes").text
    assert (votes_held(sqlite), trail(sqlite)) == ([1, 2], [])


def test_a_reviewer_reads_and_does_not_change_votes(arena, sqlite):
    _, rita = arena
    assert "Quarantine a vote" not in rita.get("/admin/votes").text
    for path in ("quarantine", "release"):
        assert rita.submit(f"/admin/votes/{path}", vote="1", reason="why").status_code == 403
    assert (votes_held(sqlite), trail(sqlite)) == ([1, 2], [])


def test_a_form_without_its_token_changes_nothing(arena, sqlite):
    root, rita = arena
    assert root.post("/admin/votes/release", data={"vote": "1", "reason": "x"}, headers=OWN).status_code == 403
    form = {"appeal": "1", "decision": "release", "reason": "x"}
    assert rita.post("/admin/appeals/decide", data=form, headers=OWN).status_code == 403
    assert votes_held(sqlite) == [1, 2]


def appeal(database, vote):
    with database.write() as session:
        battle = session.get_one(Battle, session.get_one(Vote, vote).battle_id)
        return add_appeal(session, battle.voter, battle.public_id, f"I read both. {SCRIPT}")


def waiting(browser):
    """The number of appeals on the overview, which leads to them."""
    found = re.search(r'<dt>Appeals that wait</dt><dd><a href="/admin/appeals">(\d+)', browser.get("/admin").text)
    return int(found[1])


def test_a_reviewer_decides_appeals(arena, sqlite):
    _, rita = arena
    first, second = appeal(sqlite, 1), appeal(sqlite, 2)
    assert waiting(rita) == 2
    page = rita.get("/admin/appeals").text
    assert page.count("I read both. &lt;script&gt;") == 2
    assert SCRIPT not in page
    done = rita.submit("/admin/appeals/decide", appeal=str(first), decision="release", reason="in order")
    assert (done.status_code, done.headers["location"]) == (303, "/admin/appeals")
    rita.submit("/admin/appeals/decide", appeal=str(second), decision="keep", reason="too fast")
    assert votes_held(sqlite) == [2]
    assert waiting(rita) == 0
    assert "No appeal waits." in rita.get("/admin/appeals").text
    assert "too fast" in rita.get("/admin/appeals?decided=true").text
    rita.submit("/admin/appeals/decide", appeal=str(first), decision="keep", reason="again")
    assert "This appeal has been decided already." in rita.get("/admin/appeals").text
    assert trail(sqlite) == [
        ("rita", "appeal.keep", f"appeal {second}", "too fast"),
        ("rita", "appeal.release", f"appeal {first}", "in order"),
    ]
    with sqlite.read() as session:
        assert [(row.decision, row.decided_by) for row in appeals(session)] == [
            ("release", "rita"),
            ("keep", "rita"),
        ]


def test_nobody_decides_an_appeal_of_their_own(arena, sqlite):
    root, rita = arena
    number = appeal(sqlite, 1)
    rita.get("/me")
    with sqlite.write() as session:
        battle = session.get_one(Battle, session.get_one(Vote, 1).battle_id)
        give_session(session, own_of_cookie(rita), battle.voter)
    rita.app.state.voters.forget()
    rita.submit("/admin/appeals/decide", appeal=str(number), decision="release", reason="I am sure")
    assert "This appeal is about a vote of yours." in rita.get("/admin/appeals").text
    assert votes_held(sqlite) == [1, 2]
    root.submit("/admin/appeals/decide", appeal=str(number), decision="release", reason="in order")
    assert votes_held(sqlite) == [2]


def own_of_cookie(browser):
    """The hash of the session in the browser's cookie of a voter."""
    return voter_of(browser.cookies[COOKIE].rpartition(".")[0])


def form_of(page, path):
    """The fields of a form that a page has, by name; the token aside."""
    (form,) = re.findall(rf'<form method="post" action="{path}".*?</form>', page, re.DOTALL)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    del fields["csrf"]
    return fields


def test_all_votes_that_match_a_filter_are_released_and_no_others(arena, sqlite):
    root, rita = arena
    with sqlite.write() as session:
        hold(session, [4, 5], QUARANTINED, QuarantineReason.BURST, by="checks")
    page = root.get("/admin/votes?state=quarantined&reason=burst").text
    assert "Release all 2 that match" in page
    assert "/quarantine-matching" not in page, "they are quarantined already"
    assert "-matching" not in root.get("/admin/votes").text, "without a filter all held votes would be meant"
    assert "-matching" not in rita.get("/admin/votes?state=quarantined").text
    fields = form_of(page, "/admin/votes/release-matching")
    assert fields == {"number": "2", "newest": "5", "state": "quarantined", "held_for": "burst"}
    with sqlite.write() as session:
        hold(session, [7], QUARANTINED, QuarantineReason.BURST, by="checks")  # after the page was shown
    answer = root.submit("/admin/votes/release-matching", reason="a class", **fields)
    assert answer.headers["location"] == "/admin/votes?state=quarantined&reason=burst"
    assert "Votes that count again: 2." in root.get("/admin/votes").text
    assert votes_held(sqlite) == [1, 2, 7]
    with sqlite.read() as session:
        (entry,) = entries(session, AuditFilter("root", "vote.release"), 100)
    assert entry.details == {
        "filter": {"state": "quarantined", "reason": "burst"}, "votes": 2, "first": [4, 5]}  # fmt: skip


def test_all_pending_votes_that_match_are_quarantined_in_parts(arena, sqlite, monkeypatch):
    monkeypatch.setattr("arena.store.vote_parts.PART", 2)
    root, _ = arena
    with sqlite.write() as session:
        hold(session, [3, 4, 5], PENDING, QuarantineReason.CHALLENGE, by="visitors")
    page = root.get("/admin/votes?model=amber").text
    assert "3 held votes match." in page
    fields = form_of(page, "/admin/votes/quarantine-matching")
    root.submit("/admin/votes/quarantine-matching", reason="bots", code="challenge", **fields)
    with sqlite.read() as session:
        states = {row.vote: (row.state, row.reason) for row in held(session)}
        parts = [row.details["first"] for row in entries(session, AuditFilter("root", "vote.quarantine"), 100)]
    quarantined = [2, 3]  # of amber; the first was, and others stay pending
    assert states == {
        1: (QUARANTINED, FAST), 4: (PENDING, "challenge"), 5: (PENDING, "challenge"),
        **dict.fromkeys(quarantined, (QUARANTINED, "challenge"))}  # fmt: skip
    assert parts == [[2, 3]]


def test_more_votes_than_the_page_showed_are_not_changed(arena, sqlite):
    root, _ = arena
    fields = form_of(root.get("/admin/votes?voter=voter-0").text, "/admin/votes/release-matching")
    assert fields["number"] == "1"
    with sqlite.write() as session:
        hold(session, [4], QUARANTINED, FAST, by="checks")
    root.submit("/admin/votes/release-matching", reason="why", **{**fields, "newest": "8"})
    assert "2 votes match now, and 1 did when the page was shown." in root.get("/admin/votes").text
    root.submit("/admin/votes/release-matching", reason="why", number="9", newest="9")
    assert "No filter is set." in root.get("/admin/votes").text
    assert votes_held(sqlite) == [1, 2, 4]
    assert root.submit("/admin/votes/release-matching", reason="", **fields).status_code == 422


def test_nobody_releases_a_vote_of_their_own(arena, sqlite):
    root, _ = arena
    root.get("/me")
    with sqlite.write() as session:
        give_session(session, own_of_cookie(root), "voter-0")
        hold(session, [3, 4, 7], QUARANTINED, FAST, by="checks")
    root.app.state.voters.forget()
    page = root.get("/admin/votes").text
    assert page.count(">your own<") == 3
    assert re.findall(r'type="checkbox" name="vote" value="(\d+)"', page) == ["3", "2"]
    for form in ({"vote": "1"}, {"voter": "voter-0"}):
        root.submit("/admin/votes/release", reason="I am sure", **form)
        assert "These votes are your own, and stay held." in root.get("/admin/votes").text
    fields = form_of(root.get("/admin/votes?reason=too_fast").text, "/admin/votes/release-matching")
    root.submit("/admin/votes/release-matching", reason="looked at", **fields)
    assert "Votes that count again: 1. Votes of your own that stay held: 3." in root.get("/admin/votes").text
    assert votes_held(sqlite) == [1, 2, 4, 7]
    assert trail(sqlite) == [
        ("root", "vote.release", "vote 3", "looked at"),
        ("root", "vote.release_refused", "3 votes", "looked at"),
        ("root", "vote.release_refused", "3 votes", "I am sure"),
        ("root", "vote.release_refused", "vote 1", "I am sure"),
    ]
