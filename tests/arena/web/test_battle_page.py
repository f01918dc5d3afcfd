"""Whole battles in a real browser against a real server with scripted models."""

from __future__ import annotations

import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import (
    PATIENCE,
    WireTap,
    answer,
    ask,
    finished,
    open_page,
    ready,
    revealed,
    run_again,
    settled,
    votable,
    vote,
)
from tests.support.server import Arena
from tests.support.timing import until

pytestmark = pytest.mark.slow

SHELL = "**/assets/index-*.js"  # the script of Gradio
ONE, TWO = "verity-secret-one", "orpheus-secret-two"
CONFIG = f"""
[battles]
undo_seconds = 1  # test_battle_actions.py and test_battle_phone.py look at the page meanwhile

[[models]]
name = "{ONE}"
endpoint = "scripted"
delay = 0.02

[[models]]
name = "{TWO}"
endpoint = "scripted"
style = "lists"
delay = 0.02
"""
WORDS = " ".join(f"word{number}" for number in range(1000))  # no test waits for their end


def saying(reply: str, delay: float) -> str:
    """Settings of two models that give the same reply."""
    lines = f'endpoint = "scripted"\ndelay = {delay}\nreplies = ["{reply}"]\n'
    return "".join(f'[[models]]\nname = "{name}"\n{lines}' for name in (ONE, TWO))


SLOW = saying(WORDS, delay=0.1)


def _arena(folder: Path, config: str) -> Iterator[Arena]:
    one = Arena(folder, config)
    yield one
    one.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """Short completions, about a second each."""
    yield from _arena(tmp_path_factory.mktemp("quick"), CONFIG)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """Completions of more than a minute: a slow machine stops them late."""
    yield from _arena(tmp_path_factory.mktemp("slow"), SLOW)


@pytest.fixture
def page(browser: Browser, quick: Arena) -> Iterator[Page]:
    """The page of a new voter on a quick arena."""
    one = open_page(browser, quick.url)
    yield one
    one.context.close()


@pytest.fixture
def slow_page(browser: Browser, slow: Arena) -> Iterator[Page]:
    one = open_page(browser, slow.url)
    yield one
    one.context.close()


def released(page: Page, address: str, held: list[Route]) -> None:
    """Let go the request to an address that `held` takes, once it has come, and all after it."""
    while not held:
        page.wait_for_timeout(50)
    for route in held:
        route.continue_()
    page.unroute(address)


def votes(arena: Arena) -> int:
    return int(httpx.get(f"{arena.url}/api/v1/leaderboard", trust_env=False).json()["votes"])


@pytest.mark.parametrize(
    ("key", "said"),
    [("Alt+j", "A is better"), ("Alt+l", "B is better"), ("Alt+k", "Tie"), ("Alt+n", "Both are bad")],
)
def test_a_key_with_alt_votes_from_the_composer_and_names_the_models(page, quick, key, said):
    before = votes(quick)
    ask(page, "Why is the sky blue?")
    finished(page)
    page.keyboard.press(key)
    shown = revealed(page)
    assert ONE in shown
    assert TWO in shown
    assert f"Your vote: {said}." in page.locator("#reveal").inner_text()
    assert votes(quick) == before + 1


@pytest.mark.parametrize("winner", ["model_a", "model_b", "tie", "both_bad"])
def test_a_click_votes(page, winner):
    ask(page, "What is a comet?")
    finished(page)
    vote(page, winner)
    revealed(page)
    expect(page.locator(f"[data-vote={winner}]")).to_have_attribute("aria-pressed", "true")


def test_letters_and_arrows_never_vote_outside_the_vote_bar(page, quick):
    """The first letter of a follow-up was a vote, and ArrowDown to scroll was one."""
    before = votes(quick)
    ask(page, "What is a star?")
    finished(page)
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.type("tell me about axbt")
    page.locator("h3").first.click()
    for key in ("ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "a", "b", "t", "x", "j", "k"):
        page.keyboard.press(key)
    page.wait_for_timeout(500)
    assert page.locator("#prompt").input_value() == "tell me about axbt"
    assert page.locator("[data-seconds], #reveal .cards").count() == 0
    assert votes(quick) == before


def test_the_keyboard_alone_is_enough(page):
    page.keyboard.type("axbt in a text box is text")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("a second line")
    page.keyboard.press("Enter")
    finished(page)
    assert page.locator(".prompt-text").inner_text().startswith("axbt in a text box is text")
    page.keyboard.press("Shift+Tab")
    while page.evaluate("document.activeElement.dataset.vote") is None:
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowLeft")  # moves, does not vote
    assert page.locator("#reveal .cards").count() == 0
    page.keyboard.press("t")
    revealed(page)
    assert "Your vote: Tie." in page.locator("#reveal").inner_text()
    page.locator("#new-battle").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Which model answers better?").wait_for()
    expect(page.locator("#prompt")).to_be_focused()


def test_an_input_method_that_composes_never_sends(page):
    box = page.locator("#prompt")
    box.focus()
    cdp = page.context.new_cdp_session(page)
    cdp.send("Input.imeSetComposition", {"text": "ni hao", "selectionStart": 6, "selectionEnd": 6})
    cdp.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": 229})
    page.evaluate(
        "document.querySelector('#prompt').dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    page.wait_for_timeout(300)
    assert page.locator(".turn").count() == 0
    cdp.send("Input.insertText", {"text": "你好"})
    page.keyboard.press("Enter")
    finished(page)
    assert page.locator(".prompt-text").inner_text() == "你好"


def test_a_conversation_of_two_turns_keeps_the_focus_in_the_composer(page):
    ask(page, "First question?")
    finished(page)
    page.locator("#prompt").fill("Second question?")
    page.keyboard.press("Enter")
    page.locator(".turn[data-number='2'] .prompt-text").get_by_text("Second question?").wait_for()
    expect(page.locator("#prompt")).to_be_focused()
    assert page.locator("#prompt").input_value() == ""
    finished(page)
    expect(page.locator(".turn")).to_have_count(2)
    assert page.locator(".turn[data-number='1'] [data-side=a] .side-text").inner_text() != ""
    vote(page, "tie")
    revealed(page)


def test_an_early_vote_stops_both_models(slow_page):
    page = slow_page
    ask(page, "Tell me everything.")
    vote(page, "tie")
    revealed(page)
    page.wait_for_timeout(1500)
    assert "word999" not in page.locator("#turns").inner_text()
    expect(page.locator("[data-vote=model_a]")).to_be_disabled()


def test_regenerate_runs_both_again_and_new_battle_empties_the_page(page):
    ask(page, "What is a tide?")
    finished(page)
    page.locator("[data-focus='both-1']").click()
    run_again(page, 2)
    finished(page)
    settled(page)
    page.locator("#new-battle").click()
    page.get_by_text("Which model answers better?").wait_for()
    expect(page.locator(".turn")).to_have_count(0)
    assert page.url.rstrip("/").endswith(str(page.url.split("/")[2]))


def test_the_page_needs_nothing_that_its_policy_forbids(browser, quick):
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    reply = page.goto(quick.url)
    assert "'unsafe-inline'" not in reply.headers["content-security-policy"].partition("style-src")[0]
    ready(page)
    page.locator("[data-part=composer] #composer").wait_for()  # Gradio's shell has taken the parts in
    ask(page, "Why is $$x^2$$ a parabola?")
    finished(page)
    page.reload()
    finished(page)
    vote(page, "tie")
    revealed(page)
    settled(page)
    page.locator("#share").check()
    page.locator("#new-battle").click()
    page.get_by_text("Which model answers better?").wait_for()
    assert [text for text in said if "/api/v1/arena" not in text] == []
    context.close()


def test_nothing_the_browser_receives_names_a_model_before_the_vote(browser, quick):
    tap = WireTap(quick.url)
    page = open_page(browser, tap.url)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    ask(page, "Who are you?")
    finished(page)
    page.reload()
    finished(page)
    before = bytes(tap.received)
    assert b"Who are you?" in before, "the tap hears nothing"
    for name in (ONE, TWO, "verity", "orpheus"):
        assert name.encode() not in before
        assert name not in " ".join(said)
    vote(page, "tie")
    revealed(page)
    assert ONE.encode() in tap.received
    assert TWO.encode() in tap.received
    tap.close()
    page.context.close()


def test_the_parts_work_before_gradio_has_loaded_and_keep_text_and_focus_when_it_has(browser, quick):
    context = browser.new_context()
    page = context.new_page()
    held: list[Route] = []
    page.route(SHELL, lambda route: held.append(route))
    page.goto(quick.url)
    ready(page)
    page.locator("#prompt").fill("typed before Gradio came")
    page.locator("#prompt").evaluate("box => box.setSelectionRange(3, 7)")
    assert page.locator("[data-part]").count() == 0
    released(page, SHELL, held)
    page.locator("[data-part=composer] #composer").wait_for(timeout=PATIENCE)
    assert page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]") == ["prompt", 3]
    assert page.locator("#prompt").input_value() == "typed before Gradio came"
    expect(page.locator("main")).to_have_count(1)  # when the last part is taken in
    context.close()


def test_a_press_that_lasts_while_gradio_takes_the_parts_in_is_not_lost(browser, quick):
    """The browser makes no click of a press whose button was moved meanwhile: the prompt stayed where it was."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.add_init_script(
        "document.addEventListener('arena:part', ({detail}) =>"
        " { window.hasSlot ||= Boolean(detail.querySelector('[data-part=composer]')); })"
    )
    held: list[Route] = []
    page.route(SHELL, lambda route: held.append(route))
    page.goto(quick.url)
    ready(page)
    page.locator("#prompt").fill("Hello?")
    page.locator("#send").hover()
    page.mouse.down()
    released(page, SHELL, held)
    page.wait_for_function("window.hasSlot")
    page.mouse.up()
    finished(page)
    page.locator("[data-part=composer] #composer").wait_for()
    context.close()


def test_a_reload_in_mid_battle_goes_on_where_it_was(slow_page):
    page = slow_page
    ask(page, "Tell me everything.")
    votable(page)
    page.reload()
    answer(page, "a").get_by_text("word20").wait_for()
    vote(page, "model_a")
    revealed(page)
    page.reload()
    revealed(page)
    assert "Your vote: A is better." in page.locator("#reveal").inner_text()


def test_two_tabs_have_a_battle_each(browser, quick):
    before = votes(quick)
    first = open_page(browser, quick.url)
    second = first.context.new_page()
    second.goto(quick.url)
    ready(second)
    ask(first, "In the first tab?")
    ask(second, "In the second tab?")
    for tab in (first, second):
        tab.bring_to_front()
        finished(tab)
        vote(tab, "tie")
        revealed(tab)
    assert "In the first tab?" in first.locator("#turns").inner_text()
    assert "In the second tab?" in second.locator("#turns").inner_text()
    assert votes(quick) == before + 2
    first.context.close()


@pytest.mark.parametrize(
    ("prompt", "said"),
    [("   ", "Type a prompt first"), ("y" * 200_000, "200,000 characters")],
    ids=["empty", "huge"],
)
def test_a_prompt_that_cannot_be_sent_is_explained_and_kept(page, prompt, said):
    ask(page, prompt)
    page.get_by_text(said).first.wait_for()
    assert len(page.locator("#prompt").input_value()) == len(prompt)


def test_a_failing_model_keeps_the_prompt_and_offers_ways_out(browser, arena):
    failing = arena(CONFIG.replace('style = "lists"', 'fault = "midway"'))
    page = open_page(browser, failing.url)
    ask(page, "Hello?")
    page.get_by_text("This battle does not count. Your prompt is kept.").wait_for()
    assert page.locator("#vote-bar").is_hidden()
    assert page.locator("#prompt").input_value() == "Hello?"
    shown = page.locator("body").inner_text()
    for word in (ONE, TWO, "script says"):
        assert word not in shown
    settled(page)
    held: list[Route] = []  # the stream would tell of the next failure
    page.route("**/stream?*", lambda route: held.append(route))
    page.get_by_role("button", name="Try again with the same models").click()
    # it runs again: the prompt is not there to be sent as a second one
    expect(page.locator("#prompt")).to_have_value("")
    released(page, "**/stream?*", held)
    expect(page.locator("#prompt")).to_have_value("Hello?")
    settled(page)
    page.locator("#new-battle").click()
    page.get_by_text("Which model answers better?").wait_for()
    assert votes(failing) == 0
    page.context.close()


def test_offline_disables_the_buttons_and_says_that_the_vote_did_not_count(page, quick):
    before = votes(quick)
    ask(page, "What is wind?")
    finished(page)
    settled(page)
    page.route("**/vote?*", lambda route: route.abort())
    page.locator("[data-vote=model_a]").click()
    page.locator("#notice").get_by_text("Your vote was NOT counted.").wait_for()
    page.context.set_offline(True)
    page.locator("#banner").get_by_text("The arena cannot be reached").wait_for()
    expect(page.locator("[data-vote=model_a]")).to_be_disabled()
    expect(page.locator("#send")).to_be_disabled()
    page.unroute("**/vote?*")
    page.context.set_offline(False)
    expect(page.locator("#banner")).to_be_hidden()
    assert votes(quick) == before
    vote(page, "model_a")
    revealed(page)
    assert votes(quick) == before + 1


def is_saved(folder: Path) -> bool:
    """Whether some text of both sides is in the database; it is saved every second."""
    with closing(sqlite3.connect(f"file:{folder / 'arena.db'}?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM completion WHERE text LIKE '%word1%'").fetchone() == (2,)


def test_a_kill_in_mid_battle_keeps_the_text_and_the_voter_runs_it_again(browser, arena, tmp_path):
    first = arena(SLOW)
    page = open_page(browser, first.url)
    ask(page, "Tell me everything.")
    votable(page)
    until(lambda: is_saved(tmp_path))
    first.stop(signal.SIGKILL)
    page.get_by_text("The arena cannot be reached").first.wait_for()
    arena(SLOW, "--port", first.url.rsplit(":", 1)[1])
    page.locator("#notice").get_by_text("these answers are not whole").wait_for(timeout=PATIENCE)
    expect(page.locator("[data-vote=tie]")).to_be_disabled()
    assert "word1" in answer(page, "a").inner_text()
    settled(page)
    page.get_by_role("button", name="Run both again").last.click()
    votable(page)
    page.context.close()


def test_the_leaderboard_shows_a_vote_at_once(browser, quick, page):
    board = browser.new_page()
    board.goto(f"{quick.url}/leaderboard")
    before = votes(quick)
    ask(page, "What is fog?")
    finished(page)
    vote(page, "tie")
    revealed(page)
    board.get_by_text(f"{before + 1} vote").first.wait_for()
    board.close()


def test_the_page_asks_for_nothing_from_elsewhere(browser, quick):
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(quick.url)
    ready(page)
    page.locator("[data-part=composer] #composer").wait_for()
    assert [url for url in asked if not url.startswith((quick.url, "data:", "blob:"))] == []
    assert [url for url in asked if "/queue/" in url] == []
    page.close()


def test_answers_that_end_before_their_stream_begins_are_shown(browser: Browser, quick: Arena) -> None:
    """The first event says that the turn has ended; before, the page left the stream and showed nothing."""
    page = open_page(browser, quick.url)
    page.route("**/stream?*", lambda route: (page.wait_for_timeout(4000), route.continue_()))
    ask(page, "Hello?")
    votable(page)
    for side in "ab":
        expect(page.locator(f'[data-side="{side}"] .side-text')).not_to_have_text("", timeout=PATIENCE)
    page.context.close()


def test_a_stream_that_another_one_replaced_is_followed_again_when_the_arena_does_not_answer(browser, quick):
    page = open_page(browser, quick.url)
    streams, reads = [], []

    def stream(route: Route) -> None:
        streams.append(route)
        if len(streams) == 1:
            route.fulfill(content_type="text/event-stream", body="event: replaced\ndata: null\n\n")
        else:
            route.continue_()

    def read(route: Route) -> None:
        reads.append(route)
        route.abort() if len(reads) == 1 else route.continue_()

    page.route("**/stream?*", stream)
    page.route(re.compile(r"/api/v1/battles/[^/?]+(\?[^/]*)?$"), read)
    ask(page, "Hello?")
    votable(page)
    assert reads
    for side in "ab":
        expect(page.locator(f'[data-side="{side}"] .side-text')).not_to_have_text("", timeout=PATIENCE)
    page.context.close()
