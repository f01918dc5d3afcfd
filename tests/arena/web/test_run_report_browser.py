"""A report in a browser: offline, on a phone, in both schemes."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from arena.web.run_pages.document import Completion, Message, RunDocument, ShownSample
from arena.web.run_pages.file import FEW, html
from tests.support.faulty_judge import FaultyJudge
from tests.support.judged_sets import HOSTILE, a_set
from tests.support.typed import typed

RUN = ("judge", "pairwise", "--prompts", "set", "--judge", "judge", "--report", "out.html")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A report of a run with hostile completions, made before the browser runs."""
    folder = tmp_path_factory.mktemp("report")
    texts = [(text, f"{text} and more") for text in HOSTILE]
    texts.append(("The quick brown fox jumps.", "The quick red fox jumps."))
    with contextlib.chdir(folder), FaultyJudge(share=0.5, times=99, faults=("no verdict",)) as judge:
        a_set(typed, folder, judge.url, texts)
        typed(*RUN)
    return folder / "out.html"


@pytest.fixture
def page(written, browser: Browser):
    """The report, opened from the disk at 390 px without a network."""
    context = browser.new_context(viewport={"width": 390, "height": 800}, offline=True, color_scheme="dark")
    page = context.new_page()
    page.goto(written.as_uri())
    yield page
    context.close()


def test_a_report_works_offline_on_a_phone(page: Page):
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    for sample in page.locator(".run-sample > summary").all():
        sample.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("window.pwned") is None
    assert requests == []


def test_filters_numbers_search_and_order_choose_samples(page: Page):
    shown = page.locator(".run-sample:visible")
    total = shown.count()
    chip = page.locator(".chip[data-tag=unparsed]")
    number = int(chip.inner_text().split()[-1])
    assert 0 < number < total
    chip.click()
    expect(shown).to_have_count(number)
    expect(page.locator("#run-count")).to_have_text(f"{number} of {total} samples")
    page.locator("[data-tag='']").click()
    expect(shown).to_have_count(total)
    page.locator("td a[data-tag^=won-]").first.click()
    expect(page.locator("#run-count")).to_contain_text("wins")
    page.locator("[data-tag='']").click()
    page.locator("#run-search").fill("question 6")
    expect(page.locator("#run-count")).to_contain_text(f" of {total}")
    page.locator("#run-search").fill("no such words")
    expect(page.locator("#run-count")).to_have_text("No sample matches.")
    page.locator("#run-search").fill("")
    page.locator("#run-order").select_option("longest")
    lengths = [int(one.get_attribute("data-length") or 0) for one in shown.all()]
    assert lengths == sorted(lengths, reverse=True)


def test_two_completions_are_compared_word_by_word(page: Page):
    sample = page.locator(".run-sample", has_text="Question 6?").first
    sample.locator("summary").first.click()
    sample.get_by_role("button", name="Show differences").click()
    expect(sample.locator(".run-diff del")).to_have_text("brown")
    expect(sample.locator(".run-diff ins")).to_have_text("red")
    expect(sample.locator(".run-completions")).to_be_hidden()
    sample.get_by_role("button", name="Show differences").click()
    expect(sample.locator(".run-completions")).to_be_visible()


def test_the_samples_of_a_long_run_are_built_when_they_are_opened(browser: Browser, tmp_path):
    completions = [Completion("a", HOSTILE[0] + " brown fox"), Completion("b", HOSTILE[0] + " red fox")]
    samples = [ShownSample(f"p{n}", "", [Message("user", f"Why {n}?")], completions) for n in range(FEW + 1)]
    document = RunDocument("Judge run", "judge", datetime(2026, 1, 5, tzinfo=UTC), (), (), (), (), samples)
    (tmp_path / "out.html").write_text(html(document))
    page = browser.new_context(offline=True).new_page()
    page.goto((tmp_path / "out.html").as_uri())
    assert page.locator(".completion").count() == 0
    sample = page.locator("#s7")
    sample.locator("summary").click()
    sample.get_by_role("button", name="Show differences").click()
    expect(sample.locator(".run-diff ins")).to_have_text("red")
    assert page.locator(".run-completions").count() == 1
    assert page.evaluate("window.pwned") is None
    page.context.close()
