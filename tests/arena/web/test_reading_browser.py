"""The pages to read in a real browser: controls, addresses, plots, a phone, and what a screen reader needs."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from arena.rules.votes import HUMAN
from arena.store import Database
from arena.store import battles as stored
from arena.store.schema.battles import BattleStatus, CompletionStatus, now
from arena.store.stored_battles import Written
from arena.store.votes import add_vote
from tests.support.populated import count_many, settings_of
from tests.support.populated_pages import populated_arena
from tests.support.server import Arena

pytestmark = pytest.mark.slow

PATIENCE = 30_000  # milliseconds


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """An arena with eight models and votes of people and judges."""
    folder = tmp_path_factory.mktemp("lived")
    with populated_arena(folder, 8, 120) as one:
        yield one


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """An arena with three hundred models."""
    folder = tmp_path_factory.mktemp("large")
    database = Database(f"sqlite:///{folder / 'arena.db'}")
    database.make_ready()
    names = count_many(database)
    database.close()
    one = Arena(folder, settings_of(names[:4]))
    yield one
    one.stop(signal.SIGKILL)


@pytest.fixture
def reading(browser: Browser, lived: Arena) -> Iterator[Page]:
    """The leaderboard on a wide screen; a script that fails, fails the test."""
    page = _page(browser, f"{lived.url}/leaderboard")
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    yield page
    page.context.close()
    assert failures == []


def _page(browser: Browser, url: str, width: int = 1280, dark: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme="dark" if dark else "light"
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(url)
    return page


def _rows(page: Page) -> list[str]:
    return page.locator(".board tbody tr[data-model]").evaluate_all("rows => rows.map(row => row.dataset.model)")


def _rows_are(page: Page, expected: int) -> None:
    expect(page.locator(".board tbody tr[data-model]")).to_have_count(expected, timeout=PATIENCE)


def test_search_filter_sort_and_the_way_back(reading):
    reading.get_by_role("searchbox").press_sequentially("aurora")
    _rows_are(reading, 1)
    assert reading.url.endswith("?q=aurora")
    assert reading.evaluate("document.activeElement.name") == "q", "the search lost the focus while typing"
    reading.go_back()
    _rows_are(reading, 8)
    expect(reading.get_by_role("searchbox")).to_have_value("")
    reading.get_by_text("Method, filters and columns").click()
    reading.locator("select[name=licence]").select_option("MIT")
    _rows_are(reading, 2)
    reading.locator("#board thead").get_by_text("Model").click()
    reading.wait_for_url(re.compile("sort=model"))
    expect(reading.locator("#board thead [aria-sort]")).to_have_attribute("aria-sort", "ascending")
    assert _rows(reading) == sorted(_rows(reading))
    reading.go_back()
    reading.go_back()
    _rows_are(reading, 8)


def test_the_source_is_switched_and_others_are_shown(reading):
    people = _rows(reading)
    reading.locator("select[name=source]").select_option("judge:south")
    reading.wait_for_url(re.compile("source=judge%3Asouth"))
    expect(reading.locator("#status")).to_contain_text("Judge south")
    assert sorted(_rows(reading)) == sorted(people)
    reading.get_by_text("Method, filters and columns").click()
    reading.get_by_role("checkbox", name="People and judges").check()
    expect(reading.locator(".board td.side").first).to_be_visible()
    reading.get_by_role("checkbox", name="Style control").check()
    expect(reading.locator("#board")).to_contain_text("Effect of style on votes")


def test_a_link_opens_the_view_it_was_copied_from(reading, browser, lived):
    words = "category=math&q=1&sort=-votes&columns=votes,context&beside=judges"
    other = _page(browser, f"{lived.url}/leaderboard?{words}")
    _rows_are(other, 8)
    expect(other.locator("select[name=category]")).to_have_value("math")
    expect(other.get_by_role("searchbox")).to_have_value("1")
    expect(other.locator("#board thead th").last).to_contain_text("Context")
    other.context.close()


def test_the_head_stays_in_sight_and_no_column_is_cut(reading):
    reading.locator(".board tbody tr").last.scroll_into_view_if_needed()
    assert reading.evaluate("document.querySelector('.board').getBoundingClientRect().right") <= 1280
    assert reading.evaluate("document.querySelector('.board thead th').getBoundingClientRect().top") >= 0


def test_chosen_models_stay_chosen_and_are_compared(reading):
    for name in ("birch-1", "cobalt-1"):
        reading.get_by_role("checkbox", name=f"Compare {name}").check()
    reading.locator("#board thead").get_by_text("Votes").click()
    reading.wait_for_url(re.compile("sort=-votes"))
    expect(reading.locator("#board input:checked")).to_have_count(2)
    reading.locator("#compare").get_by_role("button", name="Compare", exact=True).click()
    reading.wait_for_url(re.compile("/leaderboard/compare.*models=birch-1&models=cobalt-1"))
    expect(reading.get_by_role("heading", name="Against each other")).to_be_visible()


def test_a_choice_of_models_is_spoken_and_its_removal_keeps_the_focus(reading):
    for name in ("birch-1", "cobalt-1"):
        reading.get_by_role("checkbox", name=f"Compare {name}").check()
    said = reading.locator("#compare-said")
    expect(said).to_have_text("Models to compare: 2. The button to compare is below the table.")
    for name, following in (("birch-1", "Remove cobalt-1"), ("cobalt-1", "Compare cobalt-1")):
        reading.get_by_role("button", name=f"Remove {name}").focus()
        reading.keyboard.press("Enter")
        assert reading.evaluate("document.activeElement.getAttribute('aria-label')") == following
    expect(said).to_have_text("Models to compare: 0. The button to compare is below the table.")


def test_the_reason_why_a_plot_is_not_drawn_can_be_read(browser, lived):
    page = _page(browser, f"{lived.url}/leaderboard?category=nope")
    page.locator("#plots").scroll_into_view_if_needed()
    expect(page.get_by_role("group", name="Ratings.")).to_contain_text("has no votes")
    page.context.close()


def test_a_phone_sorts_by_a_list(browser, lived):
    page = _page(browser, f"{lived.url}/leaderboard", width=390)
    page.get_by_label("Sort by").select_option("-votes")
    page.wait_for_url(re.compile("sort=-votes"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.context.close()


def test_every_plot_is_drawn(reading):
    names = [tab.inner_text() for tab in reading.locator("#tabs a").all()]
    for name in names:
        reading.locator("#tabs").get_by_role("link", name=name, exact=True).click()
        expect(reading.locator("#tabs [aria-current]")).to_have_text(name)
        reading.locator("#plot .main-svg").first.wait_for(timeout=PATIENCE)
    reading.locator("#firm").scroll_into_view_if_needed()
    expect(reading.locator("#firm table tbody tr")).to_have_count(7)


def test_the_board_of_a_past_day_and_the_way_back(reading):
    day = (now() - timedelta(days=10)).strftime("%Y-%m-%d")
    reading.get_by_text("Method, filters and columns").click()
    reading.locator("#controls input[name=at]").fill(day)
    reading.wait_for_url(re.compile(f"at={day}"))
    expect(reading.locator("#status")).to_contain_text("filter every-1")
    expect(reading.locator("#board")).to_contain_text("Leaderboard of a past day")
    reading.go_back()
    expect(reading.locator("#status")).to_contain_text("120 votes")
    expect(reading.locator("#controls input[name=at]")).to_have_value("")


def test_why_did_it_move_is_answered_on_the_page(reading):
    day = (now() - timedelta(days=20)).strftime("%Y-%m-%d")
    reading.locator("#why").scroll_into_view_if_needed()
    expect(reading.locator("#moved .movers tbody tr")).to_have_count(8)
    reading.locator("#why input[name=from]").fill(day)
    reading.locator("#why select[name=model]").select_option("birch-1")
    expect(reading.locator("#moved")).to_contain_text("birch-1 went from")
    reading.locator("#plot-moved .main-svg").first.wait_for(timeout=PATIENCE)
    steps = reading.locator("#moved table").first.locator("td").all_inner_texts()
    *parts, whole = [float(text) for text in steps]
    assert sum(parts) == pytest.approx(whole, abs=0.2)  # each is rounded to a tenth
    reading.get_by_role("link", name="link to this result").click()
    expect(reading.locator("h1")).to_have_text("Rating changes")
    expect(reading.locator("#why select[name=model]")).to_have_value("birch-1")


def test_a_new_vote_comes_by_itself(reading, lived):
    _rows_are(reading, 8)
    database = Database(f"sqlite:///{lived.log.parent / 'arena.db'}")
    with database.write() as session:
        battle = stored.add_battle(session, "late", "aurora-1-instruct", "birch-1", 1.0)
        stored.add_turn(session, battle.id or 0, "Late?")
        done = Written("Yes.", CompletionStatus.FINISHED)
        stored.finish_turn(session, battle.id or 0, {"a": done, "b": done}, BattleStatus.OPEN)
        add_vote(session, battle.id or 0, HUMAN, "late", "model_a", stopped_early=False)
    database.close()
    expect(reading.locator("#status")).to_contain_text("121 votes", timeout=PATIENCE)


def test_from_a_model_to_a_battle_and_its_votes(browser, lived):
    page = _page(browser, f"{lived.url}/leaderboard")
    page.locator(".board tbody .name a").first.click()
    page.get_by_role("heading", name="Opponents").wait_for()
    page.goto(f"{lived.url}/battles")
    page.locator("select[name=source]").select_option("judge:north")
    page.wait_for_url(re.compile("source=judge"))
    page.locator(".cards a").first.click()
    page.get_by_text("keeps to the question").first.wait_for()
    expect(page.get_by_role("link", name="Explain the verdict")).to_have_count(0)  # no model here can be explained
    page.context.close()


def test_samples_of_another_model_are_one_choice_and_one_click_away(browser, lived):
    page = _page(browser, f"{lived.url}/benchmarks/0")
    page.get_by_label("Compare with").select_option("birch-1")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("b=birch-1"))
    page.context.close()


def test_models_are_chosen_and_stay_so_in_the_pictures(browser, lived):
    page = _page(browser, f"{lived.url}/benchmarks")
    page.get_by_text("Choose models (8 of 8)").click()
    for name in ("birch-1", "cobalt-1"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("models=birch-1&models=cobalt-1"))
    page.locator("#plot-scores").scroll_into_view_if_needed()
    page.locator("#plot-scores .main-svg").first.wait_for()
    expect(page.locator("#plot-scores .legendtext")).to_have_text(["birch-1", "cobalt-1"])
    page.context.close()


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_scrolls_only_downwards(browser, lived, dark):
    page = _page(browser, f"{lived.url}/leaderboard?beside=judges", width=390, dark=dark)
    page.locator("#plots").scroll_into_view_if_needed()
    page.locator(".main-svg").first.wait_for()
    battle = (
        "/battles/" + page.request.get(f"{lived.url}/battles").text().split('href="/battles/')[1].split('"')[0]
    )
    for path in (
        "",
        "/models/birch-1",
        "/battles",
        battle,
        "/leaderboard/moved?model=birch-1",
        "/benchmarks",
        "/benchmarks/0",
        "/leaderboard/fragility",
        battle.replace("/battles/", "/explain/"),
        "/nosuch",
    ):
        if path:
            page.goto(lived.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path or "/leaderboard"
    page.context.close()


def test_three_hundred_models_are_searched_and_sorted(browser, large):
    page = _page(browser, f"{large.url}/leaderboard")
    _rows_are(page, 300)
    page.get_by_role("searchbox").press_sequentially("juniper-2")
    _rows_are(page, 11)  # juniper-2 and juniper-20 to -29
    page.goto(f"{large.url}/leaderboard?sort=-model")
    assert _rows(page)[0].startswith("juniper")
    page.context.close()


@pytest.mark.parametrize("dark", [False, True])
def test_axe_has_no_findings(browser, lived, dark):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="install arena[dev] for axe-core"
    ).Axe()
    first = _page(browser, f"{lived.url}/battles")
    battle = first.locator(".cards a").first.get_attribute("href") or ""
    first.context.close()
    for path in (
        "/leaderboard?beside=judges&licence=MIT",
        "/leaderboard/moved?model=birch-1",
        "/models/birch-1",
        "/battles",
        "/benchmarks",
        "/benchmarks/0",
        "/leaderboard/fragility",
        "/nosuch",
        "/how-it-works",
        "/privacy",
        "/terms",
        "/api/v1",
        battle,
        battle.replace("/battles/", "/explain/"),
    ):
        page = _page(browser, lived.url + path, dark=dark)
        page.locator("h1").first.wait_for()
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        found = axe.run(page).response["violations"]
        assert [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found] == [], path
        page.context.close()
