"""`arena view` as it is typed, and its pages in a browser."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.support.faulty_judge import FaultyJudge
from tests.support.judged_sets import HOSTILE, a_set
from tests.support.typed import typed


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address that the command prints; it ends with Ctrl-C and exit code 0."""
    folder = tmp_path_factory.mktemp("view")
    texts = [*((text, f"{text} and more") for text in HOSTILE), ("The quick brown fox.", "The quick red fox.")]
    with contextlib.chdir(folder), FaultyJudge() as judge:
        a_set(typed, folder, judge.url, texts)
        typed("judge", "pairwise", "--prompts", "set", "--judge", "judge")
    command = [sys.executable, "-m", "arena", "view", "judge/1", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as served:
        try:
            assert served.stderr is not None
            found = re.search(r"http://127\.0\.0\.1:\d+/judge/1", served.stderr.readline())
            assert found is not None
            yield found[0]
        finally:
            served.send_signal(signal.SIGINT)
            assert served.wait(60) == 0


def test_the_command_prints_the_address_of_the_run(address):
    assert "judge:judge · set" in httpx.get(address, timeout=60).text


def test_a_sample_is_loaded_when_it_is_opened_and_nothing_of_it_runs(address, browser: Browser):
    context = browser.new_context(viewport={"width": 390, "height": 800})
    context.set_default_timeout(60_000)
    page, problems = context.new_page(), list[str]()
    page.on("console", lambda message: problems.append(message.text))
    page.goto(address)
    for sample in page.locator(".run-sample").all():
        sample.locator("summary").first.click()
        expect(sample.locator(".run-completions")).to_be_visible()
    sample = page.locator(".run-sample", has_text="Question 6?").first
    sample.get_by_role("button", name="Show differences").click()
    expect(sample.locator(".run-diff ins")).to_have_text("red")
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert problems == []
    context.close()


def test_the_list_leads_to_a_run_and_a_number_to_its_samples(address, browser: Browser):
    context = browser.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(address.removesuffix("judge/1"))
    page.get_by_role("link", name="judge:judge").click()
    expect(page).to_have_url(address)
    page.locator(".run-board td a").first.click()
    expect(page.locator("#run-count")).to_contain_text(" of ")
    context.close()
