"""A voter sees on `/me` and in the API which votes do not count and why, and appeals with one click."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from arena.config import Settings
from arena.rules.vote_states import PENDING_SENTENCE, RELEASED_SENTENCE, QuarantineReason, VoteState
from arena.store import Database
from arena.store.appeals import Decision, appeals, decide
from arena.store.quarantine import hold, release
from arena.store.votes import last_vote_id
from arena.web.app import create_app
from tests.arena.web.test_me import OWN, Browser
from tests.support.arenas import ready

REASON = QuarantineReason.TOO_FAST


@pytest.fixture
def browser(sqlite: Database) -> Iterator[Browser]:
    settings = Settings(limits={"appeals_per_voter": 3})  # a dict, which adds to the environment of the tests
    with TestClient(create_app(settings, sqlite, ready())) as running:
        yield Browser(running.app, sqlite)


def held(browser, state=VoteState.QUARANTINED) -> str:
    """A battle of the browser whose vote is held."""
    battle = browser.battle(winner="model_a")
    with browser.database.write() as session:
        hold(session, [last_vote_id(session)], state, REASON, detail="the recipe", check_version="7", by="checks")
    return battle


def appealed(browser):
    with browser.database.read() as session:
        return appeals(session)


def of_api(browser, battle):
    rows = browser.get("/api/v1/me/battles").json()["battles"]
    return next(row["vote"] for row in rows if row["battle"] == battle)


def test_a_held_vote_is_shown_with_its_reason_and_not_with_the_recipe(browser):
    counted, battle = browser.battle(winner="tie"), held(browser)
    page = browser.get("/me").text
    assert "1 of your votes does not count at the moment." in page
    assert REASON.sentence in page
    assert "the recipe" not in page
    assert page.count('action="/me/appeal"') == 1
    only = browser.get("/me?winner=not_counted").text
    assert battle in only
    assert counted not in only
    assert of_api(browser, counted) == {"state": "accepted"}
    assert of_api(browser, battle) == {
        "state": "quarantined", "reason": "too_fast", "sentence": REASON.sentence, "appeal": None}  # fmt: skip
    assert browser.get("/api/v1/me").json()["votes_not_counted"] == 1


def test_a_pending_vote_is_shown_as_one_that_waits(browser):
    held(browser, VoteState.PENDING)
    page = browser.get("/me").text
    assert "This vote waits for a check." in page
    assert PENDING_SENTENCE in page


def test_one_click_appeals_and_the_text_is_escaped(browser):
    battle = held(browser)
    answer = browser.change("appeal", battle=battle)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/me#battle-{battle}")
    (row,) = appealed(browser)
    assert (row.held.battle, row.text) == (battle, "")
    page = browser.get("/me").text
    assert "You have appealed this." in page
    assert 'action="/me/appeal"' not in page
    with browser.database.write() as session:
        decide(session, row.id, Decision.KEEP, "Read <script>both</script>.", "rita")
    page = browser.get("/me").text
    assert "Read &lt;script&gt;both&lt;/script&gt;." in page
    assert "<script>both" not in page
    assert of_api(browser, battle)["appeal"] == {"decision": "keep", "why": "Read <script>both</script>."}


def test_a_voter_sees_that_an_appeal_was_followed_until_the_vote_is_held_again(browser):
    battle = held(browser)
    browser.change("appeal", battle=battle)
    (row,) = appealed(browser)
    with browser.database.write() as session:
        decide(session, row.id, Decision.RELEASE, "Read <b>both</b>.", "rita")
    page = browser.get("/me").text
    assert "This vote counts again." in page
    assert "Read &lt;b&gt;both&lt;/b&gt;." in page
    assert "<b>both" not in page
    with browser.database.write() as session:
        hold(session, [row.held.vote], VoteState.QUARANTINED, REASON, by="root", again=True)
    page = browser.get("/me").text
    assert "This vote counts again." not in page
    assert "This vote does not count." in page


def test_a_second_appeal_and_one_of_another_voter_are_refused(browser):
    battle = held(browser)
    browser.change("appeal", battle=battle)
    assert "You have appealed this already" in browser.change("appeal", battle=battle).text
    other = browser.other()
    assert "There is no vote of yours" in other.change("appeal", battle=battle).text
    assert len(appealed(browser)) == 1


def test_a_form_of_another_site_appeals_nothing(browser):
    battle = held(browser)
    answer = browser.post("/me/appeal", data={"battle": battle}, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    assert appealed(browser) == []


def test_appeals_are_limited_with_the_time_to_wait(browser):
    for _ in range(3):
        assert browser.change("appeal", battle=held(browser)).status_code == 303
    answer = browser.change("appeal", battle=held(browser))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "You have sent 3 appeals in the last hour" in answer.text


def test_the_api_appeals(browser):
    battle = held(browser)
    path = f"/api/v1/battles/{battle}/appeal"
    assert browser.post(path, json={"text": "I read both."}, headers=OWN).status_code == 204
    assert [row.text for row in appealed(browser)] == ["I read both."]
    again = browser.post(path, json={}, headers=OWN)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_status")
    with browser.database.write() as session:
        release(session, [1], "in order", "rita")
    assert of_api(browser, battle) == {"state": "released"}
    assert browser.post(path, json={}, headers=OWN).json()["code"] == "not_found"


def of_download(browser, battle):
    rows = browser.get("/api/v1/me/export").json()["battles"]
    return next(row["vote"] for row in rows if row["battle"] == battle)


def test_a_released_vote_is_called_released_everywhere_and_a_pending_one_accepted(browser):
    """On the page, in the API, in the download and in the receipt; without an appeal, too."""
    quarantined, pending = held(browser), held(browser, VoteState.PENDING)
    with browser.database.write() as session:
        release(session, [1, 2], "looked at", "root")
    page = browser.get("/me").text
    assert page.count("This vote counts again.") == 1
    assert "It was held, and a review found nothing against it." in page
    assert of_api(browser, quarantined) == {"state": "released"}
    assert of_api(browser, pending) == {"state": "accepted"}
    assert of_download(browser, quarantined)["state"] == "released"
    assert of_download(browser, quarantined)["state_reason"] == RELEASED_SENTENCE
    assert of_download(browser, pending)["state"] == "accepted"
    receipt = browser.get(of_download(browser, quarantined)["receipt"]["proof"]).json()
    assert receipt["state"] == "released"


def test_the_page_in_chinese(browser):
    held(browser)
    page = browser.get("/me?lang=zh-Hans").text
    assert "此投票不计入" in page
    assert REASON.sentence not in page
