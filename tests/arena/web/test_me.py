"""`/me`: history, own leaderboard, download, deletion and the recovery code, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from arena.config import Settings
from arena.store import Database
from arena.store.schema.battles import BattleStatus
from arena.store.usage import is_voter
from arena.web.app import create_app
from arena.web.session import COOKIE, voter_of
from tests.support.arenas import ready
from tests.support.own_votes import own_battle, own_votes
from tests.support.populated import populated_file

OWN = {"origin": "http://testserver"}
CODE = re.compile(r'class="code"[^>]*>([A-Z-]{29})<')
FAVOURITE = "fjord-1"  # the weakest of six in the opinion of the crowd


class Browser(TestClient):
    """A browser with a session of its own in an arena."""

    def __init__(self, app, database: Database) -> None:
        super().__init__(app, follow_redirects=False)
        self.database = database
        self.get("/nosuch", headers={"accept": "text/html"})

    @property
    def cookie(self) -> str:
        return self.cookies.get(COOKIE)

    @property
    def voter(self) -> str:
        return voter_of(self.cookie.rpartition(".")[0])

    def battle(self, models=("amber", "birch"), winner=None, **more) -> str:
        return own_battle(self.database, self.voter, models, winner, **more)

    def change(self, path: str, **form: str):
        return self.post(f"/me/{path}", data=form, headers=OWN)

    def new_code(self) -> str:
        return CODE.search(self.change("code").text)[1]

    def other(self) -> Browser:
        return Browser(self.app, self.database)


@pytest.fixture(scope="module")
def arena(tmp_path_factory) -> Iterator[tuple[object, Database]]:
    database, _ = populated_file(tmp_path_factory.mktemp("me") / "arena.db", 6, 60)
    settings = Settings(limits={"codes_per_address": 0})
    with TestClient(create_app(settings, database, ready())) as running:
        yield running.app, database
    database.close()


@pytest.fixture
def browser(arena) -> Browser:
    return Browser(*arena)


@pytest.mark.slow
def test_a_new_browser_has_an_empty_page_and_may_enter_a_code(browser):
    page = browser.get("/me").text
    assert "You have no battles yet." in page
    assert 'action="/me/recover"' in page
    assert "/me/delete" not in page


def test_names_of_models_stand_only_in_battles_with_a_vote(browser):
    browser.battle(("amber", "birch"), "model_a", prompt="Voted?")
    waiting = browser.battle(("cedar", "dogwood"), prompt="Waiting?", text="I am Cedar.")
    page = browser.get("/me").text
    assert "amber" in page
    assert "cedar" not in page.lower()
    assert "dogwood" not in page
    assert f'href="/?battle={waiting}"' in page
    assert "not voted" in page


def test_the_history_of_others_is_not_shown(browser):
    own_battle(browser.database, "f" * 32, ("amber", "birch"), "model_a", prompt="Of somebody else")
    assert "Of somebody else" not in browser.get("/me").text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q=sky", {"sky"}),
        ("q=amber-words", {"sky"}),
        ("q=secret-words", set()),  # a completion of a blind battle is not searched: it may name its model
        ("model=amber", {"sky", "tie"}),
        ("model=cedar", set()),
        ("winner=tie", {"tie"}),
        ("winner=won&model=amber", {"sky"}),
        ("winner=lost&model=birch", {"sky"}),
        ("winner=won", {"sky", "tie", "blind"}),  # won and lost need a model
        ("winner=not_voted", {"blind"}),
        ("winner=decided", {"sky"}),
        ("page=2", set()),
    ],
)
def test_the_history_is_searched_and_filtered(browser, query, shown):
    browser.battle(("amber", "birch"), "model_a", prompt="Prompt sky", text="amber-words")
    browser.battle(("amber", "birch"), "tie", prompt="Prompt tie", text="plain")
    browser.battle(("cedar", "birch"), prompt="Prompt blind", text="secret-words")
    page = browser.get(f"/me?{query}").text
    assert {word for word in ("sky", "tie", "blind") if f"Prompt {word}" in page} == shown


def test_a_long_history_has_pages(browser):
    for number in range(21):
        browser.battle(("amber", "birch"), "model_a", prompt=f"Number {number:02}.")
    first, second = browser.get("/me").text, browser.get("/me?page=2").text
    assert "Number 20." in first
    assert "Number 00." not in first
    assert "Older" in first
    assert "Number 00." in second


def test_the_board_comes_with_twenty_votes(browser):
    own_votes(browser.database, browser.voter, 19)
    assert "1 more vote, and this place" in browser.get("/me").text
    browser.battle(("birch-1", "cobalt-1"), "model_a")
    page = browser.get("/me").text
    assert "dumbbells" in page
    assert "1 more vote" not in page


@pytest.mark.slow
def test_a_strong_taste_is_named_and_nothing_else(browser):
    own_votes(browser.database, browser.voter, 120, favourite=FAVOURITE)
    page = browser.get("/me").text
    stated = page.split('class="clear-differences"')[1].split("</ul>")[0]
    assert f">{FAVOURITE}</a>" in stated
    assert "you rate it higher" in stated


def test_without_a_clear_difference_none_is_stated(browser):
    own_votes(browser.database, browser.voter, 20)
    page = browser.get("/me").text
    assert "show no clear difference" in page
    assert "clear-differences" not in page


@pytest.mark.parametrize(
    "path", ["/me/delete", "/me/code", "/me/code/revoke", "/me/recover", "/me/sign-out-others"]
)
@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}])
def test_forms_of_other_sites_change_nothing(browser, path, headers):
    browser.battle(winner="model_a")
    reply = browser.post(path, data={"confirm": "yes", "code": "x", "leave": "yes"}, headers=headers)
    assert reply.status_code == 403
    with browser.database.read() as session:
        assert is_voter(session, browser.voter)


def test_the_download_has_everything_and_hides_what_is_blind(browser):
    browser.battle(("amber", "birch"), "tie", prompt="Mine", text="An answer")
    browser.battle(("plain-model", "birch"), prompt="Blind", text="I am Plain-Model, by the way.")
    reply = browser.get("/me/export")
    assert reply.headers["content-disposition"].startswith("attachment")
    assert reply.headers["cache-control"] == "no-store"
    data = reply.json()
    voted, blind = data["battles"]
    assert (voted["model_a"], voted["vote"]["winner"], voted["prompts"][0]["prompt"]) == ("amber", "tie", "Mine")
    assert voted["completions"][0]["text"] == "An answer (a)"
    receipt = voted["vote"]["receipt"]
    assert (receipt["content"]["winner"], receipt["content"]["battle"]) == ("tie", voted["battle"])
    assert browser.get(receipt["proof"]).json()["leaf"] == receipt["leaf"]
    assert (blind["model_a"], blind["model_b"], blind["vote"]) == (None, None, None)
    assert "plain-model" not in reply.text.lower()
    assert "seconds" not in blind["completions"][0]
    assert data["voter"] == browser.voter


def test_a_deletion_is_explained_confirmed_and_final(browser):
    shared = browser.battle(("amber", "birch"), "model_a", prompt="Erase me", shared=True)
    browser.battle()
    assert browser.get(f"/battles/{shared}").status_code == 200
    assert "What stays" in browser.get("/me/delete").text
    assert "Nothing was deleted" in browser.change("delete").text
    before, votes = browser.cookie, browser.get("/api/v1/leaderboard").json()["votes"]
    reply = browser.change("delete", confirm="yes")
    assert "1 vote stays counted" in reply.text
    assert "1 battle without a vote was removed" in reply.text
    assert browser.cookie != before
    assert browser.get(f"/battles/{shared}").status_code == 404
    assert "Erase me" not in browser.get("/me").text
    assert browser.get("/api/v1/leaderboard").json()["votes"] == votes


def test_the_old_cookie_of_a_deleted_voter_is_worth_nothing(browser):
    browser.battle(winner="model_a")
    old = browser.cookie
    browser.change("delete", confirm="yes")
    stale = TestClient(browser.app, cookies={COOKIE: old})
    assert stale.get("/me").cookies.get(COOKIE) not in (None, old)
    token = {"authorization": f"Bearer {old}"}
    assert TestClient(browser.app).get("/api/v1/me", headers=token).status_code == 401


def test_a_battle_that_runs_elsewhere_keeps_the_deletion_waiting(browser):
    browser.battle(("amber", "birch"), status=BattleStatus.RUNNING)
    reply = browser.change("delete", confirm="yes")
    assert "still running" in reply.text
    assert COOKIE not in reply.cookies


def test_a_code_opens_the_history_in_another_browser(browser):
    browser.battle(("amber", "birch"), "model_a", prompt="Follow me")
    shown = browser.change("code")
    assert shown.headers["cache-control"] == "no-store"
    code = CODE.search(shown.text)[1]
    assert code not in browser.get("/me").text
    other = browser.other()
    before = other.cookie
    assert "Follow me" not in other.get("/me").text
    reply = other.change("recover", code=f" {code.lower().replace('-', ' ')} ")
    assert reply.status_code == 303
    assert other.cookie != before
    assert "Follow me" in other.get("/me").text
    assert "1 further browser was added" in browser.get("/me").text


def test_a_browser_with_battles_of_its_own_has_to_agree_to_leave_them(browser):
    browser.battle(("amber", "birch"), "model_a", prompt="Follow me")
    code = browser.new_code()
    other = browser.other()
    other.battle(prompt="Left")
    assert "would leave behind" in other.change("recover", code=code).text
    other.change("recover", code=code, leave="yes")
    page = other.get("/me").text
    assert "Follow me" in page
    assert "Left" not in page


def test_a_refused_code_is_an_error_of_its_field(browser):
    page = browser.change("recover", code="WRONG").text
    assert 'aria-invalid="true" aria-describedby="code-problem" autofocus' in page
    assert page.index('id="code-problem"') > page.index('action="/me/recover"')


def test_a_new_code_replaces_the_old_one_and_a_revoked_one_is_refused(browser):
    browser.battle(winner="model_a")
    first, second = (browser.new_code() for _ in range(2))
    other = browser.other()
    assert "not valid" in other.change("recover", code=first).text
    assert browser.change("code/revoke").status_code == 303
    assert "not valid" in other.change("recover", code=second).text


def test_other_browsers_are_signed_out_from_any_of_them(browser):
    browser.battle(("amber", "birch"), "model_a", prompt="Follow me")
    code = browser.new_code()
    other = browser.other()
    other.change("recover", code=code)
    assert other.change("sign-out-others").status_code == 303
    assert "Follow me" in other.get("/me").text
    assert "Follow me" not in browser.get("/me").text
    third = browser.other()
    assert "not valid" in third.change("recover", code=code).text


def test_without_battles_there_is_no_code(browser):
    assert "nothing to recover yet" in browser.change("code").text


def test_a_deletion_reaches_every_browser(browser):
    browser.battle(("amber", "birch"), "model_a", prompt="Follow me")
    code = browser.new_code()
    other = browser.other()
    other.change("recover", code=code)
    voter = browser.voter
    other.change("delete", confirm="yes")
    assert "You have no battles yet." in browser.get("/me").text
    with browser.database.read() as session:
        assert not is_voter(session, voter)


def test_without_a_cookie_a_form_says_what_to_do(browser):
    bare = TestClient(browser.app)
    reply = bare.post("/me/code", headers=OWN)
    assert reply.status_code == 403
    assert "Allow cookies" in reply.json()["detail"]


def test_the_api_has_the_same_as_the_page(arena):
    app, database = arena
    client = TestClient(app)
    token = client.post("/api/v1/sessions").json()["token"]
    client.headers["authorization"] = f"Bearer {token}"
    voter = voter_of(token.rpartition(".")[0])
    own_votes(database, voter, 25)
    own_battle(database, voter, ("cedar", "birch"), prompt="Not voted")
    about = client.get("/api/v1/me").json()
    assert (about["battles"], about["votes"], about["recovery_code_since"]) == (26, 25, None)
    first = client.get("/api/v1/me/battles", params={"limit": 1}).json()
    assert first["battles"][0]["prompt"] == "Not voted"
    assert first["battles"][0]["model_a"] is None
    assert first["next_page"] == 2
    assert client.get("/api/v1/me/battles", params={"winner": "won"}).status_code == 422
    refused = client.get("/api/v1/me/battles", params={"q": "a " * 13})  # as on the page
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_value")
    assert refused.json()["detail"].startswith("q: has 13 words. Use at most 12 (got")
    assert client.get("/api/v1/me/battles", params={"q": "prompt 7"}).json()["battles"][0]["model_a"]
    board = client.get("/api/v1/me/leaderboard").json()
    assert board["votes"] == 25
    assert {"model", "difference", "difference_lower", "crowd", "votes"} <= board["models"][0].keys()
    assert len(client.get("/api/v1/me/export").json()["battles"]) == 26


def test_a_program_recovers_and_deletes_with_tokens(arena):
    app, database = arena
    client, other = TestClient(app), TestClient(app)
    for one in (client, other):
        one.headers["authorization"] = f"Bearer {one.post('/api/v1/sessions').json()['token']}"
    assert client.post("/api/v1/me/code").json()["code"] == "wrong_status"
    voter = voter_of(client.headers["authorization"].removeprefix("Bearer ").rpartition(".")[0])
    own_battle(database, voter, ("amber", "birch"), "tie")
    code = client.post("/api/v1/me/code").json()["code"]
    assert other.post("/api/v1/me/recover", json={"code": "AAAAA"}).json()["code"] == "code_invalid"
    token = other.post("/api/v1/me/recover", json={"code": code}).json()["token"]
    other.headers["authorization"] = f"Bearer {token}"
    assert other.get("/api/v1/me").json()["battles"] == 1
    assert other.delete("/api/v1/me/browsers").status_code == 204
    assert client.get("/api/v1/me").status_code == 401
    gone = other.delete("/api/v1/me").json()
    assert (gone["votes"], gone["battles"]) == (1, 0)
    assert other.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(("method", "path"), [("DELETE", ""), ("POST", "/code"), ("POST", "/recover")])
def test_requests_of_other_sites_change_nothing_over_the_api(browser, method, path):
    browser.battle(winner="tie")
    reply = browser.request(method, f"/api/v1/me{path}", headers={"origin": "https://evil.example"})
    assert (reply.status_code, reply.json()["code"]) == (403, "origin")


def test_a_refused_code_and_the_tick_need_not_be_entered_again(browser):
    browser.battle(prompt="Mine")
    page = browser.change("recover", code="ABCDE-WRONG", leave="yes").text
    assert 'value="ABCDE-WRONG"' in page
    assert 'name="leave" value="yes" checked' in page
