"""The battle page under a finger: a phone with a keyboard on the screen, labels to tap, and a way back."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import (
    answer,
    ask,
    finished,
    has_shown,
    open_adopted,
    reveal,
    settled,
    vote,
    watch_text,
)
from tests.support.server import Arena

pytestmark = pytest.mark.slow

CONFIG = "[battles]\nundo_seconds = 60\n" + "".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = {delay}\nreplies = ["One two three."]\n'
    for name, delay in (("verity-one", 0.01), ("orpheus-two", 0.01))
)
SLOW = CONFIG.replace("delay = 0.01", "delay = 50")  # it is stopped before a word
FRAME = ".site-nav a, .languages a, .site-footer a, .theme-switch"
TABLE = (
    "Compare:\n\n| 算法 | 最好情况 | 最坏情况 | 空间复杂度 | 稳定性说明 |\n|---|---|---|---|---|\n| Quick |\n\n"
    + "Explain. " * 60
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    one = Arena(tmp_path_factory.mktemp("touch"), CONFIG)
    yield one
    one.stop(signal.SIGKILL)


def phone(browser: Browser, url: str, **more: object) -> Page:
    size = {"width": 390, "height": 844}
    return open_adopted(browser, url, viewport=size, has_touch=True, is_mobile=True, **{"locale": "en-GB", **more})


@pytest.fixture
def page(browser: Browser, served: Arena) -> Iterator[Page]:
    one = phone(browser, served.url)
    yield one
    one.context.close()


def has_keyboard(page: Page, has: bool = True) -> None:
    prompt = expect(page.locator("#prompt"))
    prompt.to_be_focused() if has else prompt.not_to_be_focused()


def voted(page: Page) -> None:
    ask(page, "What is snow?")
    finished(page)
    vote(page, "tie")
    reveal(page)
    settled(page)


def test_a_tap_on_the_words_beside_a_box_checks_the_box(page):
    voted(page)
    page.get_by_text("Publish this battle for all readers").tap()
    expect(page.locator("#share")).to_be_checked()


def test_a_checked_box_is_drawn_by_the_browser_not_as_a_white_tick_on_white(page):
    voted(page)
    assert page.locator("#share").evaluate("box => getComputedStyle(box).appearance") == "auto"


def test_the_page_says_why_a_link_is_not_copied_yet_and_shows_that_it_was(page):
    voted(page)
    link = page.locator("[data-focus=link]")
    link.tap(force=True)
    expect(page.locator("#told")).to_contain_text("Publish the battle first")
    page.locator("#share").tap()
    expect(link).to_have_attribute("aria-disabled", "false")
    settled(page)
    watch_text(link)
    link.tap()
    has_shown(link, "Copied")
    expect(link).to_have_text("Copy link")


def test_a_reason_is_taken_back_by_a_second_tap(page):
    ask(page, "What is snow?")
    finished(page)
    vote(page, "tie")
    settled(page)
    reason = page.locator(".reasons .chip").first
    for pressed in ("true", "false"):
        reason.tap()
        expect(reason).to_have_attribute("aria-pressed", pressed)
        settled(page)


def test_the_keyboard_of_a_phone_closes_when_a_prompt_is_sent_and_opens_only_for_a_tap(page):
    page.locator(".suggestion").first.tap()
    expect(page.locator("#prompt")).not_to_have_value("")
    page.locator("#prompt").tap()
    has_keyboard(page)
    page.locator("#send").tap()
    finished(page)
    has_keyboard(page, has=False)
    settled(page)
    page.locator("#new-battle").tap()
    page.locator(".suggestion").first.wait_for()
    has_keyboard(page, has=False)


def test_a_long_prompt_has_the_width_of_its_box_and_its_fold_stands_below(page):
    ask(page, TABLE)
    finished(page)
    box, text, fold = (page.locator(one).bounding_box() for one in (".prompt", ".prompt-text", ".prompt .fold"))
    assert box
    assert text
    assert fold
    assert text["width"] > 0.6 * box["width"]
    assert fold["y"] >= text["y"] + text["height"]


def test_the_heads_of_a_chinese_table_are_not_broken_between_characters(page):
    ask(page, TABLE)
    finished(page)
    heads = page.locator(".prompt-text th").all()
    assert [head.inner_text() for head in heads if head.evaluate("one => one.clientHeight") > 45] == []


def test_the_button_that_ends_editing_is_one_line(page):
    ask(page, "What is snow?")
    finished(page)
    page.get_by_role("button", name="Edit and send again").tap()
    has_keyboard(page)  # a change is typed: this tap asks for the keyboard
    cancel = page.get_by_role("button", name="Cancel")
    assert cancel.evaluate("one => getComputedStyle(one).whiteSpace") == "nowrap"


def test_models_that_are_stopped_at_once_are_not_said_to_be_lost_in_a_restart(browser, tmp_path):
    slow = Arena(tmp_path, SLOW)
    page = phone(browser, slow.url)
    page.locator("#prompt").fill("What is snow?")
    page.locator("#send").tap()
    page.locator("#stop:not([disabled])").tap()
    expect(page.locator("#notice")).to_contain_text("the models were stopped before both had begun to write")
    expect(page.locator("#status")).to_contain_text(
        "These answers are not whole"
    )  # it said: The answer is complete.
    expect(page).to_have_title("Interrupted · Arena")
    page.context.close()
    slow.stop(signal.SIGKILL)


def test_the_way_back_leads_to_the_battle_before(page):
    voted(page)
    first = page.url
    page.locator("#new-battle").tap()
    page.locator(".suggestion").first.wait_for()
    page.go_back()
    assert page.url == first
    page.locator("#reveal .cards").wait_for()
    page.go_back()
    page.locator(".suggestion").first.wait_for()
    page.go_forward()
    page.locator("#reveal .cards").wait_for()
    assert page.url == first


@pytest.mark.parametrize("path", ["/", "/how-it-works", "/leaderboard", "/api"])
def test_what_every_page_offers_a_finger_is_44_pixels_high(page, served, path):
    page.goto(served.url + path)
    touched = page.locator(f"{FRAME}, .button:visible, summary:visible")
    low = [
        (one.inner_text(), box) for one in touched.all() if (box := one.bounding_box()) and box["height"] < 43.5
    ]
    assert low == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_enter_key_of_a_phone_makes_a_new_line_which_the_prompt_then_shows(page):
    """A keyboard on glass has no Shift+Enter: no line feed could be typed, and one was shown as a space."""
    prompt = page.locator("#prompt")
    assert prompt.evaluate("field => field.enterKeyHint") == "enter"
    prompt.tap()
    page.keyboard.type("One line")
    page.keyboard.press("Enter")
    page.keyboard.type("and another")
    expect(page.locator(".turn")).to_have_count(0)
    page.locator("#send").tap()
    finished(page)
    assert page.locator(".prompt-text").inner_text() == "One line\nand another"


def test_all_reasons_are_in_sight_and_none_needs_a_swipe(page):
    ask(page, "What is snow?")
    finished(page)
    vote(page, "model_a")
    reasons = page.locator(".reasons .chip")
    expect(reasons).to_have_count(6)
    for reason in reasons.all():
        expect(reason).to_be_in_viewport(ratio=1)


def test_what_a_finger_opens_on_the_reveal_is_44_pixels_high_and_all_of_it_is_in_sight(page):
    voted(page)
    for link in page.locator(".reveal-card h3 a, #reveal summary, #reveal .button").all():
        box = link.bounding_box()
        assert box
        assert box["height"] >= 43.5, link.inner_text()
        expect(link).to_be_in_viewport(ratio=1)


def test_a_prompt_for_one_model_does_not_speak_of_two(page):
    page.get_by_label("Mode", exact=True).select_option("single")
    expect(page.locator("#prompt")).to_have_attribute("placeholder", "Ask the model")
    page.get_by_label("Model", exact=True).wait_for()
    ask(page, "What is snow?")
    expect(answer(page, "a")).to_contain_text("One two three.")
    expect(page.locator(".side .letter")).to_have_count(0)
    for text in page.locator("#prompt").all():
        assert text.evaluate("field => field.scrollWidth <= field.clientWidth")


SLOW_SHARE = """
const real = window.fetch;
window.fetch = async (path, init) => {
  if (String(path).includes("/shared")) await new Promise((done) => setTimeout(done, 1500));
  return real(path, init);
};
"""


def test_a_new_battle_that_is_wanted_while_consent_is_saved_is_not_lost(page):
    """The box of the battle that was left was then put back, and there was no battle."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    voted(page)
    page.evaluate(SLOW_SHARE)
    page.locator("#share").tap()
    page.locator("#new-battle").tap()
    page.locator(".suggestion").first.wait_for()
    page.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert errors == []
