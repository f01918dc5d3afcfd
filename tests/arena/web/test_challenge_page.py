"""The battle page solves a challenge by itself, on a phone as well, under the policy of the page."""

from __future__ import annotations

import hashlib
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.browser import ask, finished, open_adopted, settled
from tests.support.server import Arena
from tests.support.verify_server import verify_server

pytestmark = pytest.mark.slow

MODELS = "".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0\nreplies = ["Birch."]\n'
    for name in ("one-x", "two-y")
)
CONFIG = f'[challenge]\nkind = "proof_of_work"\nwork = WORK\nbattles = 2\n{MODELS}'
PHONE = {"width": 390, "height": 844}
SOLVER = """
async ([address, messages]) => {
  const source = await (await fetch(address)).text();
  const numbers = [];
  const solver = new Function("postMessage", `${source}; return onmessage;`);
  const onmessage = solver((said) => { if ("number" in said) numbers.push(said.number); });
  const begin = performance.now();
  for (const data of messages) onmessage({ data });
  return [numbers, performance.now() - begin];
}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    one = Arena(tmp_path_factory.mktemp("challenge"), CONFIG.replace("WORK", "300000"))
    yield one
    one.stop(signal.SIGKILL)


@pytest.mark.parametrize(
    ("locale", "words"), [("en-GB", "Checking that you are a person"), ("zh-CN", "正在确认您是真人")]
)
def test_a_phone_solves_the_challenge_and_shows_how_far_it_is(browser, served, locale, words):
    page = open_adopted(browser, served.url, viewport=PHONE, has_touch=True, locale=locale)
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    said = page.evaluate_handle(
        """() => { const said = new Set();
        new MutationObserver(() => said.add(document.querySelector("#notice").textContent))
          .observe(document.querySelector("#notice"), { subtree: true, childList: true, characterData: true });
        return said; }"""
    )
    ask(page, "Name a tree.")
    page.locator(".turn.last .side-text").first.wait_for()
    shown = page.evaluate("(said) => [...said]", said)
    assert any(words in text for text in shown), shown
    expect(page.locator("#notice .waiting")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert [text for text in problems if "428" not in text] == []  # the browser logs each status of an error
    page.context.close()


def test_the_second_battle_of_a_pass_asks_nothing(browser, served):
    page = open_adopted(browser, served.url, viewport=PHONE)
    ask(page, "Name a tree.")
    finished(page)
    statuses: list[int] = []
    page.on("response", lambda reply: statuses.append(reply.status) if reply.request.method == "POST" else None)
    settled(page)
    page.locator("#new-battle").click()
    ask(page, "Name a flower.")
    finished(page)
    assert 428 not in statuses
    page.context.close()


def test_the_script_hashes_as_everybody_does_and_gives_up_where_there_is_no_number(browser, served):
    page = open_adopted(browser, served.url, viewport=PHONE)
    salts = [f"{n:032x}" for n in (0, 7, 2**127)]
    wanted = [0, 1234, 59_999]
    messages = [
        {"salt": salt, "target": hashlib.sha256(f"{salt}{number}".encode()).hexdigest(), "most": 60_000}
        for salt, number in zip(salts, wanted, strict=True)
    ]
    address = page.locator("#composer").get_attribute("data-worker")
    numbers, _ = page.evaluate(SOLVER, [address, [*messages, {**messages[0], "target": "0" * 64, "most": 100}]])
    assert numbers == [*wanted, None]
    page.context.close()


def test_the_function_of_the_docs_solves_the_challenge(served):
    text = (Path(__file__).parents[3] / "docs" / "battle-api.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(
        next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "def begin" in block), names
    )
    with httpx.Client(base_url=f"{served.url}/api/v1", timeout=60, trust_env=False) as http:
        http.headers["authorization"] = f"Bearer {http.post('/sessions').json()['token']}"
        assert http.get(f"/battles/{names['begin'](http, 'Name a tree.')}").status_code == 200


def test_the_page_shows_the_widget_of_a_third_party_and_begins_after_its_answer(browser, tmp_path):
    with verify_server() as third:
        third.secret = os.environ["HOME"]  # a variable that the process of the arena has, too
        challenge = (
            '[challenge]\nkind = "turnstile"\nsite_key = "public"\nsecret_env = "HOME"\n'
            f'verify_url = "{third.origin}/siteverify"\nscript_url = "{third.origin}/api.js"\nhosts = ["{third.origin}"]\n'
        )
        served = Arena(tmp_path, challenge + MODELS)
        try:
            page = open_adopted(browser, served.url, viewport=PHONE, has_touch=True)
            ask(page, "Name a tree.")
            page.locator("#challenge").get_by_text("Are you a person?").wait_for()
            page.locator("#challenge").get_by_text("Cancel").click()
            page.locator("#notice").get_by_text("without the check that you are a person").wait_for()
            settled(page)
            page.locator("#notice").get_by_text("Try again").click()
            page.locator("#i-am").click()
            finished(page)
            assert [form["response"] for form in third.asked] == [["a-person"]]
            page.context.close()
        finally:
            served.stop(signal.SIGKILL)
