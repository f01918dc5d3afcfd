"""One whole battle between the two bundled models, in a real browser."""

from __future__ import annotations

import pytest

from arena.serving.bundled import EMBEDDED
from arena.serving.downloads import KNOWN, is_fetched
from tests.support.browser import answer, ask, chromium, finished, open_page, revealed, vote

pytestmark = pytest.mark.slow

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
        ask(page, "Name three fruits.")
        finished(page, patience=120_000)
        for side in ("a", "b"):
            assert len(answer(page, side).inner_text()) > 3
        vote(page, "model_b")
        shown = revealed(page)
        assert all(model.name in shown for model in EMBEDDED.values())
