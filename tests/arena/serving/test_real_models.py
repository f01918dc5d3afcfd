"""One whole battle between the two bundled models, in a real browser."""

from __future__ import annotations

import pytest

from arena.serving.bundled import EMBEDDED
from arena.serving.downloads import KNOWN, is_fetched
from tests.support.browser import chromium, open_page, revealed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CONFIG = "".join(
    f'[[models]]\nname = "{model.name}"\nendpoint = "llama_cpp"\nweights = "{model.weights}"\nmax_tokens = 60\n'
    for model in EMBEDDED.values()
)


def test_two_real_models_fight_a_battle(arena):
    missing = [model.name for model in EMBEDDED.values() if not is_fetched(KNOWN[model.weights])]
    if missing:
        pytest.skip(f"no weights of {', '.join(missing)}; type: arena demo --fetch-only")
    with chromium() as browser:
        real = arena(CONFIG)
        page = open_page(browser, real.url)
        page.locator("#prompt textarea").fill("Name three fruits.")
        page.keyboard.press("Enter")
        page.get_by_text("You can vote, or continue the conversation").wait_for(timeout=120_000)
        for chat in ("#chat-a", "#chat-b"):
            assert len(page.locator(f"{chat} .bot").inner_text()) > 3
        page.keyboard.press("ArrowRight")
        line = revealed(page)
        assert all(model.name in line for model in EMBEDDED.values())
