"""What the battle page says after a vote that changes no board: a held one, and one on a private model."""

from __future__ import annotations

import signal

import pytest
from playwright.sync_api import Browser, expect

from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store import Database
from arena.store.quarantine import hold
from arena.store.schema.battles import Battle, Vote
from tests.support.browser import ask, finished, open_page, revealed, settled, vote
from tests.support.server import Arena

pytestmark = pytest.mark.slow

CONFIG = '[battles]\npacing = "off"\nundo_seconds = 2\n'
HELD = "Your vote is saved and does not count on the leaderboard at the moment."
PRIVATE = "A model without a name is tested in private. Your vote is kept and changes no rating."


def models(*more: str) -> str:
    return "".join(
        f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.0\nreplies = ["Yes."]\n{extra}'
        for name, extra in (("verity-one", ""), ("orpheus-two", "".join(more)))
    )


def voted(page):
    ask(page, "Hello?")
    finished(page)
    vote(page, "tie")
    revealed(page)


def test_a_held_vote_is_said_to_be_held_with_the_way_to_its_reason(browser: Browser, tmp_path):
    served = Arena(tmp_path, CONFIG + models())
    page = open_page(browser, served.url)
    voted(page)
    assert HELD not in page.locator("#reveal").inner_text()
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    with database.write() as session:
        hold(session, [1], VoteState.QUARANTINED, QuarantineReason.DUPLICATE_PROMPT, by="a check")
        battle = session.get_one(Battle, session.get_one(Vote, 1).battle_id).public_id
    database.close()
    page.goto(f"{served.url}/?battle={battle}")
    expect(page.locator("#reveal").get_by_text(HELD)).to_be_visible()
    expect(page.locator("#status")).to_contain_text(HELD)
    settled(page)
    page.get_by_role("link", name="Show why, and appeal").click()
    expect(page.get_by_text("One voter voted on the same prompt several times.")).to_be_visible()
    expect(page.get_by_role("button", name="Appeal")).to_be_visible()
    page.context.close()
    served.stop(signal.SIGKILL)


def test_a_private_model_has_a_code_without_a_page_and_the_vote_is_said_to_change_no_rating(browser, tmp_path):
    served = Arena(tmp_path, CONFIG + models("private = true\n"))
    page = open_page(browser, served.url)
    voted(page)
    text = page.locator("#reveal").inner_text()
    assert PRIVATE in text
    assert "private:" in text
    assert "orpheus" not in text
    assert page.locator("#reveal .cards a").count() == 1, "a code leads nowhere"
    assert HELD not in text
    expect(page.locator("#status")).not_to_contain_text("Your vote counts")
    page.context.close()
    served.stop(signal.SIGKILL)
