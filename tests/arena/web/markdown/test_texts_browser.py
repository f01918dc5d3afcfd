"""Rendered texts in a browser: everything is shown, named, readable at three widths, and diagrams stay in their frame."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from arena.rules.votes import HUMAN
from arena.store import Database
from arena.store import battles as stored
from arena.store.schema.battles import Battle, BattleStatus, CompletionStatus
from arena.store.stored_battles import Written
from arena.store.votes import add_vote
from tests.arena.web.hostile_markdown import TEXTS
from tests.support.browser import PATIENCE
from tests.support.populated import populate, settings_of
from tests.support.server import Arena

pytestmark = pytest.mark.slow

ANSWER = r"""# Everything at once

Some *emphasis*, **strong** text, ~~no~~, `inline code`, a [link](https://example.org) and ![a cat](https://x.org/cat.png).
It costs $5 to $10. With $a_1 + \sqrt{b}$ and \(\mathbb{R}^n\), hence $\boxed{42}$ and $\cancel{x}$:

\[
x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}, \qquad \sum_{i=1}^{n} i = \frac{n(n+1)}{2}, \qquad \int_0^\infty e^{-x^2}\,dx
\]

$$
\begin{aligned} f(x) &= x^2 + 2x \\ &= x(x + 2) \end{aligned} \qquad
A = \begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix} \qquad
|x| = \begin{cases} x & x \ge 0 \\ -x & \text{else} \end{cases}
$$

## Code

```python
import math

class Point(object):  # a comment
    def norm(self, scale: float = 1.5) -> float:
        '''How long.'''
        return math.sqrt(self.x ** 2) * scale + len("a long line that goes on and on, far beyond the width of a phone")
```

```diff
- old
+ new
```

```
no language
```

1. First
   - [x] done
   - [ ] open, with `code`
2. Second

| Name | Number | A column with a long text in it that needs room |
|:-----|-------:|:----:|
| one | 1 | text text text text text text text text |
| two | 22 | $x^2$ |

> A quotation.

مرحبا بالعالم، هذا نص مع `code` و $x$.

- سلام
- نص

```mermaid
graph LR; A[Start] --> B{Choice}; B -->|yes| C[End]; B -->|no| A
```
"""
HOSTILE = "\n\n".join(TEXTS) + "\n\n```mermaid\nthis is no diagram\n```\n"


# what ends right of the page, unless it scrolls inside its own box
WIDER = """[...document.querySelectorAll("main *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest("pre, .table-scroll, math"))
  .map((one) => one.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Arena, str]]:
    """An arena with a battle to read whose completions have everything, and the address of that battle."""
    folder = tmp_path_factory.mktemp("texts")
    database = Database(f"sqlite:///{folder / 'arena.db'}")
    database.make_ready()
    names = populate(database, 4, 10)
    with database.write() as session:
        battle = session.get_one(Battle, stored.add_battle(session, "reader", names[0], names[1], 1.0).id)
        stored.add_turn(session, battle.id or 0, "What is $x$?\n\n```python\nx = 1\n```")
        texts = {side: Written(text, CompletionStatus.FINISHED) for side, text in (("a", ANSWER), ("b", HOSTILE))}
        stored.finish_turn(session, battle.id or 0, texts, BattleStatus.OPEN)
        add_vote(session, battle.id or 0, HUMAN, "reader", "model_a", stopped_early=False)
        battle.shared, battle.status = True, BattleStatus.VOTED
        session.add(battle)
        address = battle.public_id
    database.close()
    one = Arena(folder, settings_of(names))
    yield one, f"{one.url}/battles/{address}"
    one.stop(signal.SIGKILL)


def opened(browser: Browser, address: str, width: int = 1280, dark: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(address)
    return page


def side(page: Page, letter: str = "a") -> Locator:
    return page.locator(f".completion.{letter}").first


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(browser, arena, width, dark):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="install arena[dev]").Axe()
    page = opened(browser, arena[1], width, dark)
    frame = side(page).locator("iframe")
    side(page).locator("pre.mermaid").scroll_into_view_if_needed()
    expect(frame).to_be_visible(timeout=PATIENCE)
    found = axe.run(page).response["violations"]
    if folder := os.environ.get("ARENA_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"texts-{width}-{'dark' if dark else 'light'}.png", full_page=True)
    assert [f"{one['id']}: {one['nodes'][0]['html'][:150]}" for one in found] == []
    assert page.evaluate(WIDER) == []
    page.context.close()


def test_code_is_copied_and_scrolled_by_keyboard(browser, arena):
    page = opened(browser, arena[1])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    block = side(page).locator(".code-block").first
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("button")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("import math\n\nclass Point")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Python"
    page.context.close()


def test_a_formula_is_drawn_by_the_browser(browser, arena):
    page = opened(browser, arena[1])
    box = side(page).locator("math[display=block]").first.bounding_box()
    assert box is not None
    assert box["height"] > 30  # a fraction takes two lines
    page.context.close()


def test_a_diagram_has_no_origin_and_sends_nothing(browser, arena):
    page = opened(browser, arena[1])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    frame = side(page).locator("iframe")
    side(page).locator("pre.mermaid").scroll_into_view_if_needed()
    expect(frame).to_be_visible(timeout=PATIENCE)
    assert frame.get_attribute("sandbox") == "allow-scripts"
    inside = page.frame_locator(".completion.a iframe")
    expect(inside.locator("svg")).to_contain_text("Start")
    assert page.frames[1].evaluate("origin") == "null"
    assert page.frames[1].evaluate("fetch('/').then(() => 'sent', () => 'refused')") == "refused"
    assert {url.split("/")[2] for url in asked} == {arena[0].url.split("/")[2]}
    page.context.close()


def test_hostile_texts_load_nothing_and_a_bad_diagram_stays_its_source(browser, arena):
    page = opened(browser, arena[1])
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    last = side(page, "b").locator("pre.mermaid").last
    last.scroll_into_view_if_needed()
    page.wait_for_timeout(3_000)
    expect(last).to_be_visible()
    assert hosts <= {arena[0].url.split("/")[2]}
    assert page.locator(".completion.b img, .completion.b form, .completion.b [id]").count() == 0
    page.context.close()
