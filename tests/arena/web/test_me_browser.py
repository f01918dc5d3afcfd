"""`/me` in a real browser: the board, a code in a second browser, the deletion, and what a screen reader needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from arena.store import Database
from arena.store.usage import cookie_key
from arena.web.session import COOKIE, CookieSigner, voter_of
from tests.support.browser import PATIENCE, has_shown, watch_text
from tests.support.own_votes import own_battle, own_votes
from tests.support.populated_pages import populated_arena
from tests.support.server import Arena

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Arena, Path]]:
    folder = tmp_path_factory.mktemp("me")
    with populated_arena(folder, 8, 400, tasks=False) as one:
        yield one, folder


def voter_with_votes(lived: tuple[Arena, Path], session: str, votes: int) -> str:
    """The cookie of a voter with votes for harbor-1, and one battle that waits for a vote."""
    database = Database(f"sqlite:///{lived[1] / 'arena.db'}")
    with database.read() as reading:
        signer = CookieSigner(cookie_key(reading))
    voter = voter_of(session) or ""
    own_votes(database, voter, votes, favourite="harbor-1")
    own_battle(database, voter, ("birch-1", "ember-1"), prompt="Waiting for a vote")
    database.close()
    return signer.signed(session)


def opened(
    browser: Browser, arena: Arena, path: str, cookie: str = "", width: int = 1280, dark: bool = False
) -> tuple[BrowserContext, Page]:
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme="dark" if dark else "light"
    )
    context.set_default_timeout(PATIENCE)
    if cookie:
        context.add_cookies([{"name": COOKIE, "value": cookie, "url": arena.url}])
    page = context.new_page()
    page.goto(arena.url + path)
    return context, page


def test_a_voter_moves_to_another_browser_and_deletes_everything(browser, lived):
    arena = lived[0]
    cookie = voter_with_votes(lived, "moves", 40)
    first, page = opened(browser, arena, "/me", cookie)
    expect(page.locator(".clear-differences")).to_contain_text("harbor-1")
    page.get_by_role("button", name="Make a recovery code").click()
    code = page.locator(".code").inner_text()
    copy = page.locator("[data-copy=recovery-code]")
    watch_text(copy)
    copy.click()
    has_shown(copy, "Copied")
    second, other = opened(browser, arena, "/me", width=390)
    other.get_by_label("Code from the other browser").fill(code.lower())
    other.get_by_role("button", name="Open my history here").click()
    expect(other.locator("#history")).to_contain_text("Waiting for a vote")
    other.get_by_role("link", name="Delete my data …").click()
    other.get_by_role("checkbox", name="I understand").check()
    other.get_by_role("button", name="Delete my data").click()
    expect(other.get_by_role("status")).to_contain_text("40 votes stay counted")
    page.goto(f"{arena.url}/me")
    expect(page.locator("main")).to_contain_text("You have no battles yet.")
    for context in (first, second):
        context.close()


def test_the_history_follows_the_search_without_a_reload(browser, lived):
    context, page = opened(browser, lived[0], "/me", voter_with_votes(lived, "searches", 22))
    page.get_by_role("searchbox").press_sequentially("waiting")
    expect(page.locator(".own-battles > li")).to_have_count(1)
    page.get_by_role("link", name="Continue this battle").click()
    page.wait_for_url("**/?battle=*")
    context.close()


def test_the_download_is_a_file(browser, lived):
    context, page = opened(browser, lived[0], "/me", voter_with_votes(lived, "downloads", 2))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download my data").click()
    assert download.value.suggested_filename == "arena-my-data.json"
    context.close()


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_and_a_phone_scrolls_only_downwards(browser, lived, dark):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="install arena[dev] for axe-core"
    ).Axe()
    cookie = voter_with_votes(lived, f"axe {dark}", 24)
    for path, known in (("/me", cookie), ("/me?lang=zh", cookie), ("/me/delete", cookie), ("/me", "")):
        context, page = opened(browser, lived[0], path, known, width=390, dark=dark)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        found = axe.run(page).response["violations"]
        assert [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found] == [], path
        context.close()


def test_a_code_is_entered_by_keyboard_and_a_mistake_in_it_can_be_mended(browser, lived):
    """The field was empty after a refusal: 25 letters had to be typed again."""
    context, page = opened(browser, lived[0], "/me", voter_with_votes(lived, "by keyboard", 2))
    make = page.get_by_role("button", name="Make a recovery code")
    make.focus()
    page.keyboard.press("Enter")
    code = page.locator(".code").inner_text()
    second, other = opened(browser, lived[0], "/me", width=390)
    field = other.get_by_label("Code from the other browser")
    field.focus()
    other.keyboard.type(code[:-1])
    other.keyboard.press("Enter")
    expect(other.get_by_role("alert")).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value(code[:-1])
    other.keyboard.press("End")
    other.keyboard.type(code[-1])
    other.keyboard.press("Enter")
    expect(other.locator("#history")).to_contain_text("Waiting for a vote")
    for one in (context, second):
        one.close()
