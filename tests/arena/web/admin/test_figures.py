"""Each single figure of the overview leads to a list with exactly as many rows, also after a filter and over pages."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlmodel import col, select

from arena.config import AdminSettings, Settings
from arena.exchange.sealing import seal
from arena.rules.limits import OWN_CHANGE, Action, account_subject
from arena.rules.roles import Role
from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store import figure_rows
from arena.store.operator_figures import figures
from arena.store.quarantine import hold
from arena.store.schema.battles import Vote, now
from arena.store.schema.usage import UsageDay, UsageEvent
from arena.web.app import create_app
from arena.web.pages.admin import figures as pages
from tests.support.accounts import AdminBrowser, with_account
from tests.support.arenas import ready
from tests.support.ballots import PLAIN, ballot, ballots

FACT = re.compile(r"<dt>([^<]+)</dt><dd>(?:<a href=\"([^\"]*)\">)?([\d,.]+)")
FAST = QuarantineReason.TOO_FAST


def filled(database) -> None:
    """Two seals of eight votes, then 3 of a judge and 8 of people without one; votes of three voters and a judge held."""
    ballots(database)
    seal(database)
    ballots(database, PLAIN[:2], voter="late")
    seal(database)
    for a, b, winner in PLAIN[:3]:
        ballot(database, a, b, winner, source="judge:j", voter="judge:j")
    ballots(database)
    with database.write() as session:
        judged = session.exec(select(Vote.id).where(Vote.source == "judge:j")).all()
        hold(session, [1, 2, *judged], VoteState.QUARANTINED, FAST, by="x")
        hold(session, [3, 4], VoteState.PENDING, QuarantineReason.MODERATION, by="x")
        for name in ("root", "root", "nobody-of-this-name", f"rita {OWN_CHANGE}"):
            session.add(UsageEvent(subject=account_subject(name), action=Action.LOGIN))
        session.add(
            UsageEvent(subject=account_subject("root"), action=Action.LOGIN, created_at=now() - 2 * pages.DAY)
        )
        session.add(UsageEvent(subject="0" * 64, action=Action.LOGIN))  # the same attempt, counted for its address
        session.add(UsageDay(day=now().date().isoformat(), tokens=12_345, usd=6.78))
        session.add(UsageDay(day=(now() - pages.DAY).date().isoformat(), tokens=99, usd=0.5))


@pytest.fixture
def root(sqlite):
    filled(sqlite)
    with_account(sqlite, "root")
    with_account(sqlite, "rita", Role.REVIEWER)
    with AdminBrowser(create_app(Settings(admin=AdminSettings()), sqlite, ready())) as browser:
        browser.sign_in("root")
        yield browser


def listed(browser, link: str) -> tuple[int, list[str]]:
    """The total that a list states, and its rows over all its pages."""
    rows: list[str] = []
    total, address = -1, link
    while address:
        reply = browser.get(address)
        assert reply.status_code == 200, address
        text = reply.text
        total = int(re.search(r'<p class="hint">([\d,]+) rows?\.', text)[1].replace(",", ""))
        rows += re.findall(r'<tr><th scope="row".*?</tr>', text)
        older = re.search(r'<a href="([^"]+)">Older', text)
        address = unescape(older[1]) if older else ""
    return total, rows


def facts(browser) -> dict[str, tuple[str, str]]:
    """The figures of the overview by name: their link and their text."""
    return {name: (unescape(link), value) for name, link, value in FACT.findall(browser.get("/admin").text)}


@pytest.mark.parametrize("page", [100, 2])
def test_every_single_figure_is_the_number_of_the_rows_it_leads_to(root, monkeypatch, page):
    monkeypatch.setattr(pages, "PAGE", page)
    found = facts(root)
    assert [name for name, (link, _) in found.items() if not link] == []
    expected = {"Voters with held votes": 4, "Last seal": 2, "Votes not sealed yet": 11}
    expected["Attempts to sign in, 24 hours"] = 5  # with the one of this browser
    for name, number in expected.items():
        link, shown = found[name]
        total, rows = listed(root, link)
        assert int(shown) == total == len(rows) == number, name


def test_what_today_has_cost_is_the_row_of_today(root):
    found = facts(root)
    for name, shown in (("Tokens", "12,345"), ("USD", "6.78")):
        link, value = found[name]
        total, rows = listed(root, link)
        assert value == shown
        assert (total, len(rows)) == (1, 1)
        assert f"<bdi>{shown}</bdi>" in rows[0]
    assert listed(root, "/admin/figures/spending")[0] == 2


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("voters?state=pending", 2),
        ("voters?state=quarantined", 3),
        ("voters?state=none", 0),
        ("sign-ins?account=root", 3),
        ("sign-ins?account=nobody-of-this-name", 1),
        ("sign-ins?account=x", 0),
        ("sign-ins?account=rita", 1),
        ("unsealed?source=human", 8),
        ("unsealed?source=judge:j", 3),
        ("unsealed?source=x", 0),
        ("spending?day=2000-01-01", 0),
    ],
)
def test_a_filter_lists_as_many_rows_as_it_says(root, monkeypatch, address, number):
    monkeypatch.setattr(pages, "PAGE", 2)
    total, rows = listed(root, f"/admin/figures/{address}") if number else (0, [])
    if not number:
        assert "No row matches." in root.get(f"/admin/figures/{address}").text
    assert (total, len(rows)) == (number, number)


def test_the_held_votes_of_a_voter_lead_on_to_exactly_those(root):
    _, rows = listed(root, "/admin/figures/voters")
    links = [pair for row in rows for pair in re.findall(r'<a href="([^"]+state=[^"]+)"><bdi>(\d+)', row)]
    assert len(links) == 4 + 1  # one voter has both
    for link, number in links:
        assert root.get(unescape(link)).text.count('name="vote" value') == int(number), link


def test_the_lists_are_for_reviewers_and_hide_names_that_no_account_has(root):
    rita = AdminBrowser(root.app)
    rita.sign_in("rita")
    for link, _ in facts(rita).values():
        assert rita.get(link).status_code == 200, link
    assert AdminBrowser(root.app).get("/admin/figures/sign-ins").status_code == 303
    assert "nobody-of-this-name" not in rita.get("/admin/figures/sign-ins").text
    assert rita.get("/admin/figures/voters?before=0").status_code == 422


def test_the_lists_on_both_databases(database):
    filled(database)
    for name in ("root", "rita"):
        with_account(database, name)
    with database.read() as session:
        figured = figures(session, now())
        since = now() - timedelta(days=1)
        assert figure_rows.held_voters(session)[0] == figured.held_voters == 4
        assert len(figure_rows.held_voters(session)[1]) == 4
        assert figure_rows.sign_ins(session, since)[0] == figured.sign_ins == 4
        assert [row.account for row in figure_rows.sign_ins(session, since)[1]] == ["rita", None, "root", "root"]
        total, rows = figure_rows.unsealed(session)
        assert total == len(rows) == figured.unsealed == 11
        assert {row.state for row in rows if row.source == "judge:j"} == {VoteState.QUARANTINED}
        newest = session.exec(select(Vote.id).order_by(col(Vote.id).desc())).first()
        assert rows[0].id == newest
        assert figure_rows.seal_rows(session)[0] == figured.number == 2
        day = now().date().isoformat()
        assert [(row.tokens, row.usd) for row in figure_rows.spending_days(session, day)[1]] == [(12_345, 6.78)]
