"""What a voter can do besides a plain vote: undo, reasons, edit, one side, modes, sharing, views of the answers."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import (
    answer,
    ask,
    copied,
    finished,
    open_page,
    ready,
    reveal,
    revealed,
    run_again,
    settled,
    vote,
)
from tests.support.server import Arena

pytestmark = pytest.mark.slow

WORDS = " ".join(f"word{number}" for number in range(400))
LONG = " ".join(f"word{number}" for number in range(1500))  # no test waits for its end
NAMES = ("verity-one", "orpheus-two", "sibyl-three", "delphi-four")
MODELS = "".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.004\nreplies = ["{WORDS}"]\n' for name in NAMES
)
# all parts look as if they had been drawn this moment, however slow the machine is
JUST_DRAWN = "for (const part of document.querySelectorAll('[data-live]')) part.dataset.changed = performance.now() + 60_000"


IS_BESIDE = "([a, b]) => b.scrollTop > 20 && Math.abs(a.scrollTop - b.scrollTop) < 20"
# to the beginning, and in the very next frame to the end: the other answer stayed at the beginning
SCROLL_IN_TWO_FRAMES = """text => {
  const toTheEnd = () => requestAnimationFrame(() => { text.scrollTop = text.scrollHeight; });
  text.addEventListener("scroll", toTheEnd, { once: true });
  text.scrollTop = 0;
}"""

# where the reader's own scrolling upwards has ended: what follows the text ends near its end
NOTE_REST = """text => text.addEventListener("scrollend", () => {
  if (text.scrollHeight - text.scrollTop - text.clientHeight > 100) text.rested ??= text.scrollTop;
})"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """Completions are there in two seconds, and a vote can be undone for long: a slow machine presses late."""
    one = Arena(tmp_path_factory.mktemp("actions"), f'[battles]\npacing = "off"\nundo_seconds = 60\n{MODELS}')
    yield one
    one.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def paced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """Completions are shown for more than half a minute: a slow machine stops them late."""
    one = Arena(tmp_path_factory.mktemp("paced"), MODELS.replace(WORDS, LONG))
    yield one
    one.stop(signal.SIGKILL)


@pytest.fixture
def page(browser: Browser, served: Arena) -> Iterator[Page]:
    one = open_page(browser, served.url)
    one.context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield one
    one.context.close()


@pytest.fixture
def paced_page(browser: Browser, paced: Arena) -> Iterator[Page]:
    one = open_page(browser, paced.url)
    yield one
    one.context.close()


def press(page: Page, name: str) -> None:
    button = page.get_by_role("button", name=name, exact=True)
    button.wait_for()
    settled(page)
    button.click()


def votes(served: Arena) -> int:
    return int(httpx.get(f"{served.url}/api/v1/leaderboard", trust_env=False).json()["votes"])


def test_a_vote_is_undone_before_it_counts(page, served):
    before = votes(served)
    ask(page, "Hello?")
    finished(page)
    vote(page, "model_b")
    press(page, "Undo")
    expect(page.locator("[data-vote=tie]")).to_be_enabled()
    battle = page.url.rpartition("battle=")[2]
    assert (
        page.request.get(f"{served.url}/api/v1/battles/{battle}").json()["vote"] is None
    )  # nothing waits to count
    assert page.locator("#reveal .cards").count() == 0
    assert votes(served) == before


def test_a_reason_is_kept_and_the_models_are_revealed_at_once(page, served):
    before = votes(served)
    ask(page, "Hello?")
    finished(page)
    vote(page, "model_a")
    press(page, "clear")
    expect(page.get_by_role("button", name="clear", exact=True)).to_have_attribute("aria-pressed", "true")
    reveal(page)
    assert votes(served) == before + 1


def test_clicks_where_a_button_was_do_nothing(page, served):
    """The second click of a double click published the battle."""
    before = votes(served)
    ask(page, "Hello?")
    finished(page)
    settled(page)
    page.locator("[data-part=votes] [data-vote=model_a]").wait_for()  # Gradio has taken the part in
    place = page.locator("[data-vote=model_a]").bounding_box()
    assert place
    x, y = place["x"] + 30, place["y"] + 15
    page.mouse.dblclick(x, y)
    page.locator("[data-seconds]").wait_for()
    for _ in range(8):
        page.mouse.click(x, y)
        page.wait_for_timeout(100)
    reveal(page)
    page.evaluate(JUST_DRAWN)
    page.mouse.dblclick(x, y)
    assert page.locator("#share").is_checked() is False
    assert page.locator("#reveal .cards").is_visible()
    assert votes(served) == before + 1


def test_the_last_prompt_is_edited_and_sent_again(page):
    ask(page, "First version")
    finished(page)
    page.locator("[data-focus='edit-1']").click()
    assert page.locator("#prompt").input_value() == "First version"
    page.locator("#prompt").fill("Second version")
    page.keyboard.press("Enter")
    page.locator(".prompt-text").get_by_text("Second version").wait_for()
    finished(page)
    expect(page.locator(".turn")).to_have_count(1)
    assert page.locator("#prompt").input_value() == ""


def test_one_side_is_run_again_and_an_answer_is_copied(page):
    ask(page, "Hello?")
    finished(page)
    page.locator("[data-focus='again-1-a']").click()
    run_again(page, 2)
    finished(page)
    page.locator("[data-focus='copy-1-a']").click()
    assert copied(page, WORDS) == WORDS


def test_escape_stops_the_models_and_the_text_can_be_voted_on(paced_page):
    page = paced_page
    ask(page, "Hello?")
    answer(page, "a").get_by_text("word3").wait_for()
    page.keyboard.press("Escape")
    page.locator("#send").wait_for()
    assert "word1499" not in answer(page, "a").inner_text()
    vote(page, "tie")
    revealed(page)


def test_a_battle_is_shared_only_by_choice_reported_and_run_with_other_models(page, served):
    ask(page, "Hello?")
    finished(page)
    vote(page, "tie")
    reveal(page)
    settled(page)
    link = page.get_by_role("button", name="Copy link")
    expect(link).to_have_attribute("aria-disabled", "true")
    page.locator("#share").check()
    expect(link).to_have_attribute("aria-disabled", "false")
    settled(page)
    link.click()
    address = copied(page, "http")
    assert httpx.get(address, trust_env=False).status_code == 200
    press(page, "Report")
    page.get_by_label("It is broken or unreadable").check()
    page.get_by_role("button", name="Send the report").click()
    page.locator("dialog[open]").wait_for(state="detached")
    expect(page.locator("#told")).to_contain_text("Thank you. The operator will read your report.")
    press(page, "Same prompt, two other models")
    finished(page)
    assert page.locator(".prompt-text").inner_text() == "Hello?"


def test_one_model_and_two_chosen_models_answer_without_a_vote(page, served):
    before = votes(served)
    page.get_by_label("Mode", exact=True).select_option("single")
    page.get_by_label("Model", exact=True).select_option(NAMES[2])
    ask(page, "Hello?")
    page.locator("#status").get_by_text("The answer is complete").wait_for(state="attached")
    expect(page.locator(".side")).to_have_count(1)
    assert NAMES[2] in page.locator(".side h3").inner_text()
    expect(page.locator("#vote-bar")).to_be_hidden()
    press(page, "New battle")
    page.get_by_label("Mode", exact=True).select_option("chosen")
    page.get_by_label("Model B", exact=True).select_option(NAMES[2])
    ask(page, "Hello?")
    page.locator("#status").get_by_text("The answer is complete").wait_for(state="attached")
    expect(page.locator(".side")).to_have_count(2)
    assert votes(served) == before


def test_answers_are_widened_made_high_and_scrolled_together(page):
    ask(page, "Hello?")
    finished(page)
    a, b = answer(page, "a"), answer(page, "b")
    page.locator("#synced").click()
    a.evaluate("text => { text.scrollTop = text.scrollHeight / 3 }")
    page.wait_for_function(IS_BESIDE, arg=[a.element_handle(), b.element_handle()])
    a.evaluate(SCROLL_IN_TWO_FRAMES)
    page.wait_for_function(
        "text => text.scrollHeight - text.scrollTop - text.clientHeight < 20", arg=b.element_handle()
    )
    page.locator("#expand").click()
    assert a.evaluate("text => text.scrollHeight - text.clientHeight") <= 1
    page.locator("#expand").click()
    page.locator(".side.a .widen").click()
    expect(page.locator(".side.b")).to_be_hidden()
    page.locator(".side.a .widen").click()
    expect(page.locator(".side.b")).to_be_visible()


def test_a_reader_who_scrolls_up_is_left_where_they_are(paced_page):
    page = paced_page
    ask(page, "Hello?")
    text = answer(page, "a")
    text.get_by_text("word320").wait_for()
    assert text.evaluate("text => text.scrollHeight - text.scrollTop - text.clientHeight") < 60
    text.hover()
    text.evaluate(NOTE_REST)
    page.mouse.wheel(0, -150)
    page.wait_for_function("text => text.rested", arg=text.element_handle())
    text.get_by_text("word380").wait_for(state="attached")  # text has come for longer than a touch keeps the place
    assert text.evaluate("text => text.scrollTop === text.rested")


def test_a_suggested_prompt_is_put_into_the_composer(page):
    suggestion = page.locator(".suggestion").first
    suggestion.wait_for()
    text = suggestion.inner_text()
    suggestion.click()
    assert page.locator("#prompt").input_value() == text
    page.reload()
    ready(page)
    assert page.locator("#prompt").input_value() == text  # a draft survives a reload
