"""Hostile completions in a real browser: what Gradio's own chat widget makes of them, and whole battles."""

from __future__ import annotations

import json
from collections.abc import Iterator

import gradio as gr
import pytest
from playwright.sync_api import Browser, Page, expect

from arena.web.battle_widgets import lay_out
from arena.web.chat_markdown import as_markdown
from tests.arena.web.hostile_markdown import DIAGRAM, IMAGES, LABEL, TEXTS
from tests.support.browser import ask, chromium, finished, open_page, revealed

pytestmark = pytest.mark.slow

# Of each message: elements that are not in the list, and attributes that act. Gradio's copy button and formulas are its own.
FOUND = """() => {
  const TAGS = /^(P|EM|STRONG|DEL|CODE|PRE|UL|OL|LI|H[1-6]|BLOCKQUOTE|TABLE|THEAD|TBODY|TR|TH|TD|A|BR|HR|SPAN|DIV|INPUT)$/;
  const ATTRIBUTES = {
    A: /^(href|target|rel|title)$/, CODE: /^class$/, DIV: /^class$/, SPAN: /^class$/, OL: /^start$/, TH: /^align$/,
    TD: /^align$/, INPUT: /^(type|disabled|checked)$/, H1: /^id$/, H2: /^id$/,
  };
  const CLASSES = /^(code_wrap|language-\\S*|token( [a-z-]+)*|katex-error)$/;
  const FORMULA = /^(A|IMG|LABEL|BUTTON|FORM|INPUT|IFRAME)$/;
  const allowed = (one, name, value) => ATTRIBUTES[one.tagName]?.test(name)
    && (name !== "class" || CLASSES.test(value))
    && (name !== "id" || (value[0] === "h" && !document.querySelector(`#${CSS.escape(value)}:not(.chat *)`)))
    && (name !== "href" || (!/^(javascript|data|vbscript):/i.test(one.href)
      && (value[0] === "#" || /noopener/.test(one.rel))))
    && (one.tagName !== "INPUT" || (one.type === "checkbox" && one.disabled));
  const harmless = (one) => {
    if (one.closest(".code_wrap > button.copy_code_button:first-child")) return true;
    if (one.closest(".katex, .katex-display"))
      return !FORMULA.test(one.tagName) && !one.id && one.style.position !== "fixed";
    return TAGS.test(one.tagName) && [...one.attributes].every(({name, value}) => allowed(one, name, value));
  };
  return [...document.querySelectorAll("#chat-a .message .md")].map((message) =>
    [...message.querySelectorAll("*")].filter((one) => !harmless(one)).map((one) => one.cloneNode(false).outerHTML));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def shown(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """A page whose first chat has every text as a message, and the addresses that it asked for."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        chat, roles = lay_out().chat_a, ("assistant", "user")
        messages = [{"role": roles[n % 2], "content": as_markdown(text)} for n, text in enumerate(TEXTS)]
        chat.value = chat.postprocess(messages).model_dump()
    _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True)
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    expect(page.locator("#chat-a .message .md")).to_have_count(len(TEXTS), timeout=60_000)
    page.wait_for_timeout(2000)
    yield page, asked
    page.close()
    blocks.close()


def test_gradio_makes_only_harmless_elements_of_any_text(shown):
    page, asked = shown
    found = page.evaluate(FOUND)
    assert len(found) == len(TEXTS)
    assert {text: bad for text, bad in zip(TEXTS, found, strict=True) if bad} == {}
    assert [url for url in asked if ":9/" in url or "mermaid" in url] == []


def test_diagrams_are_code_and_formulas_are_formulas(shown):
    page, _ = shown
    assert page.locator("#chat-a svg[id^=mermaid], #chat-a .mermaid").count() == 0
    assert page.locator("#chat-a pre code").filter(has_text="graph TD").count() > 10
    assert page.locator("#chat-a .katex").count() > 0


OVERLAY = "\\`<div style='position:fixed;inset:0;z-index:99999'>This model is offline</div>\\`"
REPLY = "\n\n".join(
    (
        f"The answer. \\`{LABEL}<button id=vote-model_a>.</button>\\` {OVERLAY}", f"```Mermaid\n{DIAGRAM}\n```", *IMAGES,
        "`a<b`, \\(x<y\\) and `vec![1]`.",
    )
)  # fmt: skip


def test_a_hostile_completion_neither_votes_nor_hides_the_page_and_is_copied_as_written(browser, arena):
    page = open_page(browser, arena(_saying(REPLY)).url)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, f"A prompt \\`{LABEL}\\`")
    finished(page)
    page.locator("#chat-a .bot").get_by_text("vec![1]").wait_for()
    assert page.locator(".chat .message :is(label, img, svg[id^=mermaid], [style*=fixed])").count() == 0
    shown = page.locator("#chat-a .bot").last.inner_text()
    assert "<label for=vote-model_a" in shown
    assert "a<b" in shown
    assert "\u2060" not in page.locator("body").inner_text()
    page.locator("#chat-a .bot").last.hover()
    page.locator(
        "#chat-a .message-buttons-left button[title='Copy message'], #chat-a button[aria-label='Copy message']"
    ).last.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"The answer. \\`{LABEL}")
    assert "`a<b`" in copied
    page.mouse.click(300, 300)
    page.wait_for_timeout(500)
    assert "You can vote" in page.locator("#notice").inner_text()
    page.locator("h1").click()
    page.keyboard.press("ArrowLeft")
    assert "A is better" in revealed(page)
    page.context.close()


def test_even_live_html_in_a_chat_presses_no_button_and_stays_in_its_side(browser, arena):
    """The second barrier, as if the first had failed."""
    page = open_page(browser, arena(_saying("An answer.")).url)
    ask(page, "Why?")
    finished(page)
    page.evaluate(
        "html => { document.querySelector('#chat-a .bot .md').innerHTML = html }",
        "<label for=vote-model_b>more</label><button id=vote-model_a>.</button>"
        "<div id=overlay style='position:fixed;inset:0;z-index:99999'></div>",
    )
    page.locator("#chat-a label[for]").evaluate("label => label.click()")
    page.wait_for_timeout(500)
    assert "You can vote" in page.locator("#notice").inner_text()
    box, side = page.locator("#overlay").bounding_box(), page.locator("#chat-a").bounding_box()
    assert box["width"] <= side["width"]
    assert box["height"] <= side["height"]
    page.keyboard.press("ArrowLeft")
    assert "A is better" in revealed(page)
    page.context.close()


def _saying(reply: str) -> str:
    lines = f'endpoint = "scripted"\ndelay = 0\nreplies = [{json.dumps(reply)}]\n'
    return "".join(f'[[models]]\nname = "{name}"\n{lines}' for name in ("verity-one", "orpheus-two"))
