"""The battle page on a phone, in both themes and in Chinese, and what axe-core finds on it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import ask, finished, open_adopted, reveal, settled, vote
from tests.support.server import Arena

pytestmark = pytest.mark.slow

REPLY = "A heading\\n\\n- one\\n- two\\n\\n```python\\nprint('x' * 200)\\n```\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n"
CONFIG = "[battles]\nundo_seconds = 60\n" + "".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.01\nreplies = ["{REPLY}"]\n'
    for name in ("verity-one", "orpheus-two")
)
# colours have no transition left
STILL = "!document.getAnimations().some((one) => one instanceof CSSTransition && one.playState === 'running')"
PHONE, DESKTOP = (390, 844), (1280, 800)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    one = Arena(tmp_path_factory.mktemp("phone"), CONFIG)
    yield one
    one.stop(signal.SIGKILL)


def opened(browser: Browser, url: str, size: tuple[int, int], dark: bool = False, locale: str = "en-GB") -> Page:
    view = {"width": size[0], "height": size[1]}
    scheme = "dark" if dark else "light"
    return open_adopted(browser, url, viewport=view, color_scheme=scheme, locale=locale, has_touch=size is PHONE)


def inside(page: Page, selector: str, height: int = 44) -> None:
    """Every such element is on the screen, and high enough for a finger."""
    size = page.viewport_size
    assert size
    for element in page.locator(selector).all():
        if not element.is_visible():
            continue
        box = element.bounding_box()
        assert box
        assert box["x"] >= 0, selector
        assert box["x"] + box["width"] <= size["width"], selector
        assert box["y"] + box["height"] <= size["height"], selector
        assert box["height"] >= height, (selector, element.inner_text(), box)


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_everything_without_sideways_scrolling(browser, served, dark):
    page = opened(browser, served.url, PHONE, dark)
    inside(page, "#send, #modes select")
    expect(page.locator("#consent")).to_be_in_viewport(ratio=1)
    ask(page, "What is snow? " + "x" * 200)
    finished(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    inside(page, "[data-vote], #send, #new-battle, [data-show]")
    page.locator("[data-show=b]").tap()
    expect(page.locator(".side.a")).to_be_hidden()
    expect(page.locator(".side.b")).to_be_visible()
    page.locator("[data-show=both]").tap()
    expect(page.locator(".side.a")).to_be_visible()
    vote(page, "model_b")
    reveal(page)
    inside(page, "#new-battle, #send")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.context.close()


def test_a_phone_in_chinese(browser, served):
    page = opened(browser, served.url, PHONE, locale="zh-CN")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    page.locator("#prompt").fill("为什么天空是蓝色的？")
    page.locator("#send").tap()
    page.locator("#status").get_by_text("两个回答都已完成").wait_for(state="attached")
    inside(page, "[data-vote], #send")
    settled(page)
    page.locator("[data-vote=model_a]").tap()
    reveal(page)
    shown = page.locator("body").inner_text()
    for english in ("New battle", "Which answer", "Your vote", "Publish", "Send"):
        assert english not in shown
    page.context.close()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_has_no_findings_before_during_and_after_a_vote(browser, served, size, dark):
    module = pytest.importorskip("axe_playwright_python.sync_playwright", reason="install arena[dev] for axe-core")
    axe, found = module.Axe(), {}

    def check(state: str) -> None:
        page.wait_for_function(STILL)
        for finding in axe.run(page).response["violations"]:
            found[f"{state}: {finding['id']}"] = [node["html"][:160] for node in finding["nodes"]][:3]

    page = opened(browser, served.url, size, dark)
    check("before a battle")
    ask(page, "What is snow?")
    finished(page)
    check("before the vote")
    page.locator("[data-vote=tie]").focus()
    page.keyboard.press("t")
    page.locator("[data-seconds]").wait_for()
    check("while it can be undone")
    reveal(page)
    check("after the vote")
    settled(page)
    page.get_by_role("button", name="Report", exact=True).click()
    page.locator("dialog[open]").wait_for()
    check("the report")
    assert found == {}
    page.context.close()
