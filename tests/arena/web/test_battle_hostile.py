"""Hostile prompts and completions in a real browser: nothing of them acts, covers the page or fetches anything."""

from __future__ import annotations

import json

import pytest

from arena.web.markdown import markdown
from tests.arena.web.hostile_markdown import DIAGRAM, IMAGES, LABEL, TEXTS
from tests.support.browser import answer, ask, copied, finished, open_page, revealed, vote

pytestmark = pytest.mark.slow

OVERLAY = "\\`<div style='position:fixed;inset:0;z-index:99999'>This model is offline</div>\\`"
ATTACK = (
    "<img src=x onerror='window.hit=1'><script>window.hit=1</script>"
    "[x](javascript:window.hit=1) ![p](http://127.0.0.1:9/pixel)"
)
REPLY = "\n\n".join(
    (
        f"The answer. \\`{LABEL}<button id=vote-model_a>.</button>\\` {OVERLAY}",
        "<button data-vote=model_a>.</button><iframe src='http://127.0.0.1:9/'></iframe><style>*{display:none}</style>",
        ATTACK,
        f"```html\n{DIAGRAM}\n```",
        *IMAGES,
        "`a<b`, \\(x<y\\) and `vec![1]`.",
    )
)
# Of the texts: elements that act or load, and attributes that act.
LIVE = """root => [...root.querySelectorAll("*")].filter((one) =>
  /^(IMG|IFRAME|SCRIPT|STYLE|FORM|OBJECT|EMBED|LINK|META|BASE|VIDEO|AUDIO)$/.test(one.tagName)
  || (one.tagName === "BUTTON" && !one.closest(".code-bar"))
  || (one.tagName === "LABEL" && one.htmlFor)
  || (one.tagName === "INPUT" && !(one.type === "checkbox" && one.disabled))
  || [...one.attributes].some(({name, value}) => /^on/.test(name) || name === "style" || name === "data-vote"
    || (name === "href" && !/^(https?:|mailto:|#|\\/)/i.test(value))))
  .map((one) => one.outerHTML.slice(0, 120))"""


def _saying(reply: str) -> str:
    lines = f'endpoint = "scripted"\ndelay = 0\nreplies = [{json.dumps(reply)}]\n'
    models = (f'[[models]]\nname = "{name}"\n{lines}' for name in ("verity-one", "orpheus-two"))
    return "[battles]\nundo_seconds = 1\n" + "".join(models)


def test_the_html_of_no_text_has_anything_that_acts(browser):
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    found = {}
    for text in TEXTS:
        page.evaluate("html => { document.body.innerHTML = html }", str(markdown(text)))
        if bad := page.evaluate(f"({LIVE})(document.body)"):
            found[text] = bad
    assert found == {}
    assert asked == []
    page.close()


def test_a_hostile_completion_neither_votes_nor_hides_the_page_and_is_copied_as_written(browser, arena):
    page = open_page(browser, arena(_saying(REPLY)).url)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda _dialog: pytest.fail("a dialog opened"))
    ask(page, ATTACK)
    finished(page)
    answer(page, "a").get_by_text("vec![1]").wait_for()
    assert page.evaluate(f"({LIVE})(document.querySelector('#turns .side-text'))") == []
    assert page.evaluate(f"({LIVE})(document.querySelector('#turns .prompt-text'))") == []
    assert page.evaluate("window.hit") is None
    assert [url for url in asked if ":9/" in url] == []
    assert "<label for=vote-model_a" in answer(page, "a").inner_text()
    page.locator("[data-focus='copy-1-a']").click()
    assert copied(page, "The answer.").startswith(f"The answer. \\`{LABEL}")
    page.mouse.click(300, 300)
    page.wait_for_timeout(300)
    assert page.locator("[data-seconds], #reveal .cards").count() == 0
    vote(page, "model_a")
    revealed(page)
    page.context.close()


def test_even_live_html_in_an_answer_presses_no_button_and_stays_in_its_side(browser, arena):
    """The second barrier, as if the first had failed."""
    page = open_page(browser, arena(_saying("An answer.")).url)
    ask(page, "Why?")
    finished(page)
    page.evaluate(
        "html => { document.querySelector('.side-text .done').innerHTML = html }",
        "<label for=send>more</label><button data-vote=model_a>.</button>"
        "<div id=overlay style='position:fixed;inset:0;z-index:99999'></div>",
    )
    page.locator(".side-text [data-vote]").evaluate("button => button.click()")
    page.locator(".side-text label").evaluate("label => label.click()")
    page.wait_for_timeout(300)
    assert page.locator("[data-seconds], #reveal .cards").count() == 0
    box, side = page.locator("#overlay").bounding_box(), answer(page, "a").bounding_box()
    assert box
    assert side
    assert box["width"] <= side["width"]
    assert box["height"] <= side["height"]
    page.context.close()
