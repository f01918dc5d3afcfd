"""The review queue by keyboard and on a phone, and voting behind a sign-in, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select

from arena.reviews.queue import fill
from arena.rules.roles import Role
from arena.store import Database
from arena.store.schema.battles import Vote
from arena.store.schema.reviews import Review
from tests.support.accounts import PASSWORD, with_account
from tests.support.browser import ask, chromium, open_page, ready, revealed, settled, votable
from tests.support.provider import CLIENT, running_provider
from tests.support.reviews import disputed_battles
from tests.support.server import Arena

pytestmark = pytest.mark.slow
MODELS = "".join(
    f'[[models]]\nname = "{name}-model"\nendpoint = "scripted"\ndelay = 0.0\n' for name in ("plain", "lists")
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def stored(tmp_path) -> Iterator[Database]:
    """The database of the arena, with three disputed battles in the queue."""
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    database.make_ready()
    disputed_battles(database, 3)
    fill(database, wanted=2, by="op")
    with_account(database, "ann", Role.REVIEWER)
    yield database
    database.close()


def winners(database: Database) -> list[str]:
    with database.read() as session:
        rows = session.exec(select(Review).order_by(Review.id)).all()
    return [row.winner for row in rows if row.undone_at is None]


def at_review(arena: Arena, browser: Browser, **options: object) -> Page:
    """The page of a reviewer who has signed in."""
    page = browser.new_context(**options).new_page()  # type: ignore[arg-type]
    page.goto(f"{arena.url}/review")
    page.fill("[name=name]", "ann")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/review")
    return page


def press(page: Page, key: str) -> None:
    """Press a key once the scripts of the page run."""
    page.wait_for_load_state("load")
    page.keyboard.press(key)


def test_three_battles_are_decided_skipped_and_undone_by_keyboard(arena, browser, stored):
    page = at_review(arena(MODELS), browser)
    expect(page.get_by_text("You have reviewed 0 battles. 3 more wait for you.")).to_be_visible()
    press(page, "t")
    expect(page.get_by_text("You have reviewed 1 battle. 2 more wait for you.")).to_be_visible()
    press(page, "Alt+KeyN")
    expect(page.get_by_text("You have reviewed 2 battles. 1 more waits for you.")).to_be_visible()
    press(page, "Alt+KeyU")
    expect(page.get_by_text("You have reviewed 1 battle. 2 more wait for you.")).to_be_visible()
    assert winners(stored) == ["tie"]
    page.locator(".confirm summary").focus()
    page.keyboard.press("Enter")
    page.locator("select[name=reason]").focus()
    page.keyboard.press("a")  # of a list of reasons, not a vote
    page.locator("select[name=reason]").select_option("subject")
    page.get_by_role("button", name="Skip this battle").click()
    expect(page.get_by_text("1 more waits for you.")).to_be_visible()
    assert winners(stored) == ["tie"]


def test_a_phone_shows_both_answers_and_four_buttons_without_scrolling_sideways(arena, browser, stored):
    page = at_review(
        arena(MODELS), browser, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True
    )
    for path in ("/review", "/review/agreement"):
        page.goto(page.url.rpartition("/review")[0] + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.goto(page.url.rpartition("/review")[0] + "/review")
    page.get_by_role("button", name="B is better").tap()
    expect(page.get_by_text("You have reviewed 1 battle.")).to_be_visible()
    assert len(winners(stored)) == 1


def test_the_battle_page_says_that_a_vote_needs_a_sign_in_and_leads_there_and_back(arena, browser, tmp_path):
    with running_provider() as provider:
        settings = (
            f'[sign_in]\nissuer = "{provider.issuer}"\nclient_id = "{CLIENT}"\nname = "Example ID"\n'
            'required = "vote"\n[battles]\nundo_seconds = 0\n'
        )
        running = arena(MODELS + settings)
        page = open_page(browser, running.url)
        ask(page, "Hello?")
        link = page.get_by_role("link", name="Sign in to vote")
        link.wait_for()
        settled(page)
        link.click()
        expect(page.locator("[data-vote=tie]:not([disabled])")).to_have_count(0)
        page.get_by_role("link", name="Sign in at Example ID").click()
        page.wait_for_url("**/?battle=*")
        ready(page)
        votable(page)
        settled(page)
        page.locator("[data-vote=tie]").click()
        revealed(page)
        page.context.close()
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    with database.read() as session:
        assert [row.winner for row in session.exec(select(Vote))] == ["tie"]
    database.close()
