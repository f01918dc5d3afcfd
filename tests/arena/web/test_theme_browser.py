"""Light and dark in a real browser: the switch, what is remembered, and one header on every page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import has_shown, watch_text
from tests.support.populated_pages import populated_arena
from tests.support.server import Arena

pytestmark = pytest.mark.slow

PATHS = ("/leaderboard", "/battles", "/benchmarks", "/privacy", "/api/v1", "/nosuch")
# what a visitor sees first: the colour of the page when its content is there, before any script that waits
FIRST_COLOUR = """addEventListener('DOMContentLoaded',
  () => { window.firstColour = getComputedStyle(document.body).backgroundColor; }, true);"""
LIGHT, DARK = "rgb(250, 250, 248)", "rgb(21, 25, 26)"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    folder = tmp_path_factory.mktemp("lived")
    with populated_arena(folder, 4, 40) as one:
        yield one


def _page(browser: Browser, scheme: str = "light", width: int = 1280) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.add_init_script(FIRST_COLOUR)
    return page


def test_a_chosen_theme_holds_on_every_page_from_the_first_paint(browser, lived):
    page = _page(browser, "light")
    page.goto(f"{lived.url}/battles")
    assert page.evaluate("window.firstColour") == LIGHT
    switch = page.locator(".theme-switch")
    switch.click()
    assert switch.get_attribute("aria-label") == "Theme: light"
    switch.click()
    assert switch.get_attribute("aria-label") == "Theme: dark"
    for path in PATHS:
        page.goto(lived.url + path)
        assert page.evaluate("window.firstColour") == DARK, path
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark", path
    page.locator(".theme-switch").click()  # as the system again
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == LIGHT
    page.context.close()


def test_without_a_choice_the_theme_follows_the_system(browser, lived):
    page = _page(browser, "dark")
    page.goto(f"{lived.url}/battles")
    assert page.evaluate("window.firstColour") == DARK
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"getComputedStyle(document.body).backgroundColor === '{LIGHT}'")
    page.context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_header_is_in_one_place_and_every_page_is_in_sight(browser, lived, width):
    page = _page(browser, width=width)
    places = set()
    for path in PATHS:
        page.goto(lived.url + path)
        links = page.locator(".site-nav a").evaluate_all(
            "(all) => all.map((one) => { const box = one.getBoundingClientRect(); return [box.left, box.top, box.right]; })"
        )
        places.add(tuple((round(left), round(top)) for left, top, _ in links[:1]))
        assert all(left >= 0 and right <= width for left, _, right in links), path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.locator(".site-name").inner_text() == "Arena"
    assert len(places) == 1
    page.context.close()


def test_a_click_copies_the_badge_of_a_model(browser, lived):
    page = _page(browser)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{lived.url}/models/aurora-1-instruct")
    button = page.locator("[data-copy=badge-code]")
    watch_text(button)
    button.click()
    has_shown(button, "Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"[![Arena]({lived.url}/api/v1/badge.svg?model=aurora-1-instruct)]")
    page.context.close()
