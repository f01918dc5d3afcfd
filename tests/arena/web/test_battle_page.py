"""Whole battles in a real browser against a real server with scripted models."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import PATIENCE, WireTap, ask, chromium, finished, open_page, ready, revealed, votable
from tests.support.server import Arena

pytestmark = pytest.mark.slow

ONE, TWO = "verity-secret-one", "orpheus-secret-two"
CONFIG = f"""
[[models]]
name = "{ONE}"
endpoint = "scripted"
delay = 0.03

[[models]]
name = "{TWO}"
endpoint = "scripted"
style = "lists"
delay = 0.03
"""
WORDS = " ".join(f"word{number}" for number in range(300))


def saying(reply: str, delay: float) -> str:
    """Settings of two models that give the same reply."""
    lines = f'endpoint = "scripted"\ndelay = {delay}\nreplies = ["{reply}"]\n'
    return "".join(f'[[models]]\nname = "{name}"\n{lines}' for name in (ONE, TWO))


SLOW = saying(WORDS, delay=0.03)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


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
    """Completions of nine seconds."""
    yield from _arena(tmp_path_factory.mktemp("slow"), SLOW)


def votes(arena: Arena) -> int:
    return httpx.get(f"{arena.url}/api/v1/leaderboard", trust_env=False).json()["votes"]


@pytest.mark.parametrize(
    ("key", "said"),
    [("ArrowLeft", "A is better"), ("b", "B is better"), ("ArrowUp", "tie"), ("x", "both are bad")],
)
def test_a_battle_with_each_vote_by_key(browser, quick, key, said):
    before = votes(quick)
    page = open_page(browser, quick.url)
    ask(page, "Why is the sky blue?")
    finished(page)
    page.keyboard.press(key)
    line = revealed(page)
    assert f"Your vote: {said}." in line
    assert ONE in line
    assert TWO in line
    assert votes(quick) == before + 1
    page.context.close()


@pytest.mark.parametrize("winner", ["model_a", "model_b", "tie", "both_bad"])
def test_a_battle_with_each_vote_by_click(browser, quick, winner):
    page = open_page(browser, quick.url)
    ask(page, "What is a comet?")
    finished(page)
    page.locator(f"#vote-{winner}").click()
    assert "Your vote:" in revealed(page)
    page.context.close()


def test_a_conversation_of_two_turns(browser, quick):
    page = open_page(browser, quick.url)
    ask(page, "First question?")
    finished(page)
    ask(page, "Second question?")
    page.locator("#chat-a").get_by_text("Second question?").first.wait_for()
    finished(page)
    for chat in ("#chat-a", "#chat-b"):
        expect(page.locator(f"{chat} .bot")).to_have_count(2)
    page.keyboard.press("t")
    revealed(page)
    page.context.close()


def test_an_early_vote_stops_both_models(browser, slow):
    page = open_page(browser, slow.url)
    ask(page, "Tell me everything.")
    votable(page)
    page.locator("#vote-tie").click()
    assert "cut short by your vote" in revealed(page)
    page.wait_for_timeout(1500)
    assert "word299" not in page.locator("#chat-a").inner_text()
    expect(page.locator("#vote-model_a")).to_be_disabled()
    page.context.close()


def test_regenerate_asks_again_and_new_battle_starts_afresh(browser, quick):
    page = open_page(browser, quick.url)
    ask(page, "What is a tide?")
    finished(page)
    page.locator("#regenerate").click()
    page.get_by_text("Both models are writing").wait_for()
    finished(page)
    page.locator("#new-battle").click()
    page.get_by_text("Two anonymous models will answer").wait_for()
    expect(page.locator("#chat-a .bot")).to_have_count(0)
    page.context.close()


def test_the_page_needs_nothing_that_its_policy_forbids(browser, quick):
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    reply = page.goto(quick.url)
    assert "unsafe-eval" not in reply.headers["content-security-policy"]
    ready(page)
    ask(page, "Why is $$x^2$$ a parabola?")
    finished(page)
    page.locator("#regenerate").click()
    page.get_by_text("Both models are writing").wait_for()
    finished(page)
    page.reload()
    finished(page)
    page.keyboard.press("t")
    revealed(page)
    page.locator("#share input").check()
    page.locator("#new-battle").click()
    page.get_by_text("Two anonymous models will answer").wait_for()
    assert said == []
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
    page.keyboard.press("ArrowUp")
    revealed(page)
    assert ONE.encode() in tap.received
    assert TWO.encode() in tap.received
    tap.close()
    page.context.close()


def test_a_reload_in_mid_battle_goes_on_where_it_was(browser, slow):
    page = open_page(browser, slow.url)
    ask(page, "Tell me everything.")
    votable(page)
    page.reload()
    page.locator("#chat-a").get_by_text("word20").wait_for()
    votable(page)
    page.keyboard.press("ArrowLeft")
    assert "A is better" in revealed(page)
    page.reload()
    assert "A is better" in revealed(page)
    page.context.close()


def test_a_double_click_is_one_vote(browser, quick):
    before = votes(quick)
    page = open_page(browser, quick.url)
    ask(page, "What is rain?")
    finished(page)
    page.locator("#vote-model_a").dblclick()
    revealed(page)
    page.wait_for_timeout(500)
    assert votes(quick) == before + 1
    page.context.close()


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
        tab.keyboard.press("ArrowUp")
        revealed(tab)
    assert "In the first tab?" in first.locator("#chat-a").inner_text()
    assert "In the second tab?" in second.locator("#chat-a").inner_text()
    assert votes(quick) == before + 2
    first.context.close()


def test_a_failing_model_says_the_same_neutral_words_and_does_not_count(browser, arena):
    failing = arena(CONFIG.replace('style = "lists"', 'fault = "midway"'))
    page = open_page(browser, failing.url)
    ask(page, "Hello?")
    page.get_by_text("this battle does not count").wait_for()
    expect(page.locator("#vote-tie")).to_be_disabled()
    shown = page.locator("body").inner_text()
    assert ONE not in shown
    assert TWO not in shown
    assert "script says" not in shown
    page.locator("#new-battle").click()
    page.get_by_text("Two anonymous models will answer").wait_for()
    assert votes(failing) == 0
    page.context.close()


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_all_of_it_without_sideways_scrolling(browser, quick, dark):
    page = open_page(browser, quick.url, width=390, height=844, dark=dark)
    ask(page, "What is snow? " + "x" * 200)
    finished(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for link in page.locator("nav.pages a").all():
        box = link.bounding_box()
        assert box["x"] >= 0, link.inner_text()
        assert box["x"] + box["width"] <= 390, link.inner_text()
    for winner in ("model_a", "model_b", "tie", "both_bad"):
        box = page.locator(f"#vote-{winner}").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["y"] + box["height"] <= 844
        assert box["height"] >= 44
    page.locator("#vote-model_b").click()
    revealed(page)
    page.goto(f"{quick.url}/leaderboard")
    page.locator(".board").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.context.close()


def test_the_keyboard_alone_is_enough(browser, quick):
    page = open_page(browser, quick.url)
    page.locator("#prompt textarea").focus()
    page.keyboard.type("axbt in a text box is text")
    page.keyboard.press("Enter")
    page.locator("#chat-a").get_by_text("axbt in a text box is text").first.wait_for()
    finished(page)
    page.locator("#vote-model_a").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert "Your vote: tie." in revealed(page)
    page.context.close()


ATTACK = (
    "<img src=x onerror='window.hit=1'><script>window.hit=1</script>"
    "[x](javascript:window.hit=1) ![p](http://127.0.0.1:9/pixel)"
)


def test_neither_prompt_nor_completion_can_run_or_fetch_anything(browser, arena):
    reply = ATTACK.replace('"', "'") + " <iframe src='http://127.0.0.1:9/'></iframe><style>*{display:none}</style>"
    evil = arena(saying(reply, delay=0))
    page = open_page(browser, evil.url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda _dialog: pytest.fail("a dialog opened"))
    ask(page, ATTACK)
    finished(page)
    for link in page.locator("#chat-a a").all():
        assert not (link.get_attribute("href") or "").startswith("javascript:")
    assert page.evaluate("window.hit") is None
    assert page.locator("#chat-a .message :is(iframe, img, script, style)").count() == 0
    assert "<img src=x" in page.locator("#chat-a").inner_text()
    assert [url for url in asked if ":9/" in url] == []
    page.context.close()


@pytest.mark.parametrize(
    ("prompt", "said"),
    [("   ", "Type a prompt first"), ("y" * 200_000, "200,000 characters; at most 20,000")],
    ids=["empty", "huge"],
)
def test_a_prompt_that_cannot_be_sent_is_explained_and_kept(browser, quick, prompt, said):
    page = open_page(browser, quick.url)
    ask(page, prompt)
    page.get_by_text(said).wait_for()
    assert len(page.locator("#prompt textarea").input_value()) == len(prompt)
    page.context.close()


def test_a_kill_in_mid_battle_keeps_the_text_and_the_voter_runs_it_again(browser, tmp_path, arena):
    first = arena(SLOW)
    page = open_page(browser, first.url)
    ask(page, "Tell me everything.")
    votable(page)
    page.wait_for_timeout(1500)  # the text is saved every second
    first.stop(signal.SIGKILL)
    page.get_by_text("The arena cannot be reached").wait_for()
    arena(SLOW, "--port", first.url.rsplit(":", 1)[1])
    page.get_by_text("these answers are not whole").wait_for(timeout=PATIENCE)
    expect(page.locator("#vote-tie")).to_be_disabled()
    assert len(page.locator("#chat-a .bot").last.inner_text()) > len("(nothing)")
    page.locator("#regenerate").click()
    votable(page)
    page.locator("#new-battle").click()
    page.get_by_text("Two anonymous models will answer").wait_for()
    expect(page.locator("#chat-a .bot")).to_have_count(0)  # also when the turn's last frame comes after the click
    expect(page.locator("#prompt textarea")).to_have_attribute("placeholder", "Ask both models")
    page.context.close()


def test_the_leaderboard_shows_a_vote_at_once(browser, quick):
    board = browser.new_page()
    board.goto(f"{quick.url}/leaderboard")
    board.locator(".board").wait_for()
    before = votes(quick)
    page = open_page(browser, quick.url)
    ask(page, "What is fog?")
    finished(page)
    page.keyboard.press("ArrowUp")
    revealed(page)
    board.get_by_text(f"{before + 1} vote").wait_for(timeout=5000)
    board.close()
    page.context.close()


def test_with_one_model_the_page_is_reported(browser, arena):
    lonely = arena(f'[[models]]\nname = "{ONE}"\nendpoint = "scripted"\n')
    page = browser.new_page()
    page.goto(lonely.url)
    page.get_by_text("A battle needs two models, and 1 is enabled here").wait_for()
    expect(page.locator("#send")).to_be_disabled()
    page.close()


def test_models_that_cannot_be_used_are_reported_to_the_operator_and_not_to_the_voter(browser, arena, tmp_path):
    (tmp_path / "broken.gguf").write_bytes(b"GGUF but not really")
    models = "".join(
        f'[[models]]\nname = "{name}"\nendpoint = "llama_cpp"\npath = "broken.gguf"\n' for name in (ONE, TWO)
    )
    broken = arena(models)
    page = browser.new_page()
    page.goto(broken.url)
    page.get_by_text("Fewer than two models are available now").wait_for(timeout=PATIENCE)
    assert ONE not in page.locator("body").inner_text()
    assert f"{ONE} is unavailable: broken.gguf" in broken.log.read_text()
    page.close()


def test_the_page_asks_for_nothing_from_elsewhere(browser, quick):
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(quick.url)
    ready(page)
    page.goto(f"{quick.url}/leaderboard")
    page.locator(".board").wait_for()
    assert [url for url in asked if not url.startswith((quick.url, "data:", "blob:"))] == []
    page.close()
