"""A voter with keyboard and screen reader: the focus, what is spoken, the time to choose, names, zoom and system colours."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import answer, ask, finished, open_page, reveal, revealed, run_again
from tests.support.server import Arena

pytestmark = pytest.mark.slow

WORDS = " ".join(f"word{number}" for number in range(60))
SECONDS = 6  # in which a vote can be undone
LONG = 60  # where a test undoes it: a slow machine presses late


def settings(*faults: str, undo: int = SECONDS) -> str:
    models = "".join(
        f'[[models]]\nname = "model-{number}"\nendpoint = "scripted"\ndelay = 0.01\nreplies = ["{WORDS}"]\n{fault}\n'
        for number, fault in enumerate(faults)
    )
    return f'[battles]\npacing = "off"\nundo_seconds = {undo}\n{models}'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    one = Arena(tmp_path_factory.mktemp("keyboard"), settings("", ""))
    yield one
    one.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    one = Arena(tmp_path_factory.mktemp("lenient"), settings("", "", undo=LONG))
    yield one
    one.stop(signal.SIGKILL)


@pytest.fixture
def page(browser: Browser, lenient: Arena) -> Iterator[Page]:
    """A page whose votes can be undone for long."""
    one = open_page(browser, lenient.url)
    yield one
    one.context.close()


@pytest.fixture
def counting(browser: Browser, served: Arena) -> Iterator[Page]:
    """A page whose votes count by themselves after `SECONDS`."""
    one = open_page(browser, served.url)
    yield one
    one.context.close()


def focused(page: Page) -> str:
    """The name of what has the focus; BODY when nothing has it."""
    return str(
        page.evaluate(
            "(node => node.dataset.focus ?? node.dataset.vote ?? (node.id || node.tagName))(document.activeElement)"
        )
    )


def has_focus(page: Page, name: str) -> None:
    wanted = f"[data-focus='{name}']:focus, [data-vote='{name}']:focus, #{name}:focus"
    expect(page.locator(wanted), f"the focus is on {focused(page)}").to_have_count(1)


def begun(page: Page, prompt: str = "Hello?") -> None:
    ask(page, prompt)
    finished(page)


def saved(page: Page, key: str = "Alt+j") -> None:
    page.keyboard.press(key)
    page.locator("[data-seconds]").wait_for()


def undo_until(page: Page) -> str:
    """When the vote counts, as the arena says."""
    battle = page.url.rpartition("battle=")[2]
    origin = page.url.partition("/?")[0]
    return str(page.request.get(f"{origin}/api/v1/battles/{battle}").json()["vote"]["undo_until"])


def test_an_undo_is_spoken_and_the_focus_returns_to_the_vote(page):
    begun(page)
    page.locator("[data-vote=model_b]").focus()
    page.keyboard.press("Enter")
    has_focus(page, "undo")
    page.keyboard.press("Enter")
    has_focus(page, "model_b")
    expect(page.locator("#said")).to_contain_text("Your vote is undone. Nothing was counted.")


def test_a_key_undoes_a_vote_from_the_composer(page):
    begun(page)
    saved(page)
    expect(page.locator("#status")).to_have_text(
        "Vote saved: A is better. It counts in a few seconds; press Alt+U to undo it."
    )
    page.keyboard.press("Alt+u")
    expect(page.locator("[data-vote=model_a]")).to_be_enabled()
    has_focus(page, "prompt")


@pytest.mark.parametrize("control", ["again-1-a", "both-1"])
def test_a_control_that_goes_away_leaves_the_focus_in_the_composer(page, control):
    begun(page)
    page.locator(f"[data-focus='{control}']").focus()
    page.keyboard.press("Enter")
    has_focus(page, "prompt")
    run_again(page, 2)
    finished(page)
    page.locator(f"[data-focus='{control}']").focus()
    saved(page)
    has_focus(page, "undo")


def test_another_model_after_a_failure_leaves_the_focus_in_the_composer(browser, arena):
    page = open_page(browser, arena(settings("", 'fault = "midway"')).url)
    ask(page, "Hello?")
    reroll = page.get_by_role("button", name="Another model for")
    reroll.focus()
    page.keyboard.press("Enter")
    expect(reroll).to_have_count(0)
    has_focus(page, "prompt")
    page.context.close()


def test_a_late_press_of_undo_neither_leaves_the_reveal_nor_begins_a_battle(counting):
    """The focus went to New battle, where the same key threw the reveal away."""
    page = counting
    begun(page)
    page.locator("[data-vote=tie]").focus()
    page.keyboard.press("Enter")
    has_focus(page, "undo")
    revealed(page)
    has_focus(page, "reveal-title")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    page.wait_for_timeout(500)
    assert page.get_by_role("heading", name="Your vote: Tie.").is_visible()


def test_a_voter_who_goes_through_the_reasons_has_the_time_to_choose(counting):
    page = counting
    begun(page)
    page.locator("[data-vote=model_a]").focus()
    page.keyboard.press("Enter")
    has_focus(page, "undo")
    end = time.monotonic() + SECONDS + 2
    while time.monotonic() < end:
        page.keyboard.press("Tab")
        page.wait_for_timeout(400)
        page.keyboard.press("Shift+Tab")
        page.wait_for_timeout(400)
    for _ in range(2):
        page.keyboard.press("Tab")
    has_focus(page, "reason-correct")
    page.keyboard.press("Space")
    expect(page.locator("[data-focus='reason-correct']")).to_have_attribute("aria-pressed", "true")
    has_focus(page, "reason-correct")
    revealed(page)


def test_a_reason_that_is_pressed_without_the_focus_keeps_the_vote_and_takes_the_focus(page):
    """As a screen reader's own cursor and Safari press: nothing renewed the time to undo."""
    begun(page)
    saved(page)
    before = undo_until(page)
    for name in ("correct", "complete"):
        page.locator(f"[data-focus='reason-{name}']").evaluate("button => button.click()")
        expect(page.locator(f"[data-focus='reason-{name}']")).to_have_attribute("aria-pressed", "true")
        has_focus(page, f"reason-{name}")
        before, earlier = undo_until(page), before
        assert before > earlier
    reveal(page)


def test_the_title_names_the_state_of_the_battle(page):
    expect(page).to_have_title("Arena")
    begun(page)
    expect(page).to_have_title("Which answer is better? · Arena")
    saved(page)
    expect(page).to_have_title("Vote saved · Arena")
    reveal(page)
    expect(page).to_have_title("The models of this battle · Arena")


def test_before_a_battle_no_landmark_is_empty(page):
    names = page.get_by_role("region")
    expect(names).to_have_count(2)  # prompts and answers, and the composer
    begun(page)
    expect(page.get_by_role("region", name="Your vote", exact=True)).to_have_count(1)
    saved(page)
    reveal(page)
    expect(page.get_by_role("region", name="The models of this battle")).to_have_count(1)


def test_what_the_page_tells_stands_once_in_the_accessibility_tree(page):
    page.locator("#prompt").press("Enter")
    told = page.get_by_text("Type a prompt first.")
    expect(told).to_have_count(1)
    assert page.locator("#told").get_attribute("aria-live") == "polite"


def test_why_no_battle_can_begin_is_drawn_once(browser, arena):
    """Enter drew it again below the banner."""
    page = browser.new_context().new_page()
    page.goto(arena(settings("")).url)
    page.locator("#prompt").fill("Hello?")
    page.locator("#prompt").press("Enter")
    expect(page.locator("#said")).to_contain_text("A battle needs two models")
    expect(page.locator("#banner")).to_contain_text("A battle needs two models")
    expect(page.locator("#told .notice")).to_have_count(0)
    page.context.close()


def test_a_stop_is_not_spoken_as_a_complete_answer(browser, arena):
    page = open_page(browser, arena(settings("", "").replace("0.01", "0.5")).url)
    ask(page, "Hello?")
    answer(page, "a").get_by_text("word1").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("#status")).to_have_text("Stopped. You can vote, or continue the conversation.")
    page.context.close()


def test_buttons_headings_and_answers_of_two_turns_have_names_of_their_own(page):
    for prompt in ("Hello?", "And now?"):
        begun(page, prompt)
    page.locator("[data-number='2']").wait_for()
    finished(page)
    for name in ("Run side A again", "Run side B again"):
        expect(page.get_by_role("button", name=name)).to_have_count(1)
    for number in (1, 2):
        turn = page.get_by_role("article", name=f"Turn {number}", exact=True)
        for name in ("Copy answer A", "Copy answer B", "Widen answer A"):
            expect(turn.get_by_role("button", name=name, exact=True)).to_have_count(1)
        expect(page.get_by_role("group", name=f"Turn {number}: answer of Model A")).to_have_count(1)


def test_a_battle_with_one_model_speaks_of_one(page):
    page.get_by_label("Mode", exact=True).select_option("single")
    page.get_by_label("Model", exact=True).wait_for()
    ask(page, "Hello?")
    page.locator("#status").get_by_text("The answer is complete").wait_for(state="attached")
    text = page.locator("main, [data-live]").all_inner_texts()
    assert "Both" not in " ".join(text)
    expect(page.locator("#prompt")).to_have_attribute("placeholder", "Ask the model again")


def test_the_field_has_the_reason_of_a_refusal_and_what_is_being_changed(page):
    ask(page, "x" * 20_001)
    expect(page.locator("#prompt")).to_have_attribute("aria-invalid", "true")
    described = page.locator("#" + (page.locator("#prompt").get_attribute("aria-describedby") or "none"))
    expect(described).to_contain_text("at most 20,000 are allowed")
    begun(page)
    assert page.locator("#prompt").get_attribute("aria-invalid") is None
    page.locator("[data-focus='edit-1']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#prompt")).to_have_attribute("aria-describedby", "editing")


@pytest.mark.parametrize("size", [(640, 400), (320, 256)], ids=["200 %", "400 %"])
def test_at_high_zoom_the_page_scrolls_and_the_answers_are_in_sight(browser, served, size):
    page = open_page(browser, served.url, *size)
    begun(page)
    text = answer(page, "a")
    text.scroll_into_view_if_needed()
    box = text.bounding_box()
    assert box
    assert box["height"] > 60
    assert page.evaluate(
        "([x, y]) => Boolean(document.elementFromPoint(x, y)?.closest('.side.a .side-text'))",
        [box["x"] + box["width"] / 2, max(box["y"], 0) + 10],
    )
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.context.close()


def test_what_is_chosen_is_seen_in_the_colours_of_the_system(page):
    begun(page)
    page.emulate_media(forced_colors="active")
    saved(page)
    page.locator("[data-focus='reason-clear']").focus()
    page.keyboard.press("Space")
    chosen = page.locator("[data-focus='reason-clear'][aria-pressed=true]")
    chosen.wait_for()
    colour = "node => getComputedStyle(node).backgroundColor"
    plain = page.locator("[data-focus='reason-correct']").evaluate(colour)
    assert chosen.evaluate(colour) != plain
    assert page.locator("[data-vote=model_a]").evaluate(colour) != plain


def test_axe_has_no_findings_in_states_between(browser, lenient, arena):
    module = pytest.importorskip("axe_playwright_python.sync_playwright", reason="install arena[dev] for axe-core")
    axe, found = module.Axe(), {}

    def check(one: Page, state: str) -> None:
        for finding in axe.run(one).response["violations"]:
            found[f"{state}: {finding['id']}"] = [node["html"][:160] for node in finding["nodes"]][:3]

    page = open_page(browser, lenient.url)
    begun(page)
    ask(page, "And now?")
    page.locator("[data-number='2']").wait_for()
    check(page, "a second turn")
    finished(page)
    saved(page)
    page.keyboard.press("Alt+u")
    page.get_by_text("Your vote is undone").wait_for(state="attached")
    check(page, "after an undo")
    page.locator("[data-focus='edit-2']").focus()
    page.keyboard.press("Enter")
    check(page, "a change of the prompt")
    page.context.close()
    page = open_page(browser, arena(settings("", 'fault = "midway"')).url)
    ask(page, "Hello?")
    page.get_by_role("button", name="Another model for").wait_for()
    expect(page.locator("#notice .primary")).to_have_count(1)  # one way out comes first
    expect(page.locator("#new-battle.primary")).to_have_count(0)
    check(page, "after a failure")
    page.context.close()
    assert found == {}
