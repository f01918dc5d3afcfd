"""`/admin/models`: what is shown of each model, and changes with their audit entries."""

from __future__ import annotations

import pytest

from arena.config import PriceSettings, ScriptedSettings, Settings
from arena.errors import ConfigError
from arena.rules.model_states import ModelAction, ModelState
from arena.rules.roles import Role
from arena.store import model_states
from arena.store.audit import AuditFilter, entries
from arena.store.schema.battles import now
from arena.web.app import create_app
from tests.support.accounts import AdminBrowser, with_account
from tests.support.arenas import LISTS, PLAIN, ready

PRICED = PLAIN.model_copy(update={"price": PriceSettings(prompt=1e-3, completion=0)})
SECRET = ScriptedSettings(name="acme-next", endpoint="scripted", delay=0, private=True)
PATH = "/admin/models"


@pytest.fixture
def app(sqlite):
    serving = ready(PRICED, LISTS)
    serving.configured = (PRICED, LISTS, SECRET)
    return create_app(Settings(models=(PRICED, LISTS, SECRET), ledger={"seal_every": 0}), sqlite, serving)


@pytest.fixture
def browser(app, sqlite):
    with_account(sqlite)
    with AdminBrowser(app) as one:
        one.sign_in()
        yield one


def control_of(database, name):
    with database.read() as session:
        return model_states.controls(session)[name]


def trail(database):
    with database.read() as session:
        rows = entries(session, AuditFilter(), 100)
        return [(row.action, row.target, row.reason) for row in rows if row.action.startswith("model.")]


def test_a_model_is_paused_in_one_transaction_with_its_audit_entry(browser, sqlite, app):
    reply = browser.submit(f"{PATH}/pause", model=LISTS.name, reason="too <b>slow</b>")
    assert (reply.status_code, reply.headers["location"]) == (303, PATH)
    assert control_of(sqlite, LISTS.name).state is ModelState.PAUSED
    assert control_of(sqlite, LISTS.name).by == "ann"
    assert trail(sqlite) == [("model.pause", LISTS.name, "too <b>slow</b>")]
    browser.portal.call(app.state.battles.follow_models)
    assert app.state.battles.serving.available_weights().keys() >= {PLAIN.name}
    assert LISTS.name not in app.state.battles.serving.available_weights()
    page = browser.get(PATH).text
    assert "is paused. Its running battles end normally." in page
    assert "too &lt;b&gt;slow&lt;/b&gt;" in page
    assert "<b>slow" not in page
    browser.submit(f"{PATH}/pause", model=LISTS.name, reason="again")
    assert "is in this state already: paused" in browser.get(PATH).text
    assert len(trail(sqlite)) == 1


def test_weights_boosts_and_releases_are_set(browser, sqlite):
    browser.submit(f"{PATH}/weight", model=PLAIN.name, reason="popular", value="2.5")
    browser.submit(f"{PATH}/boost", model=PLAIN.name, reason="new", value="500")
    browser.submit(f"{PATH}/release", model=SECRET.name, reason="launch")
    control = control_of(sqlite, PLAIN.name)
    assert (control.weight, control.boost_votes) == (2.5, 500)
    assert not control_of(sqlite, SECRET.name).private
    assert [action for action, *_ in trail(sqlite)] == ["model.release", "model.boost", "model.weight"]
    browser.submit(f"{PATH}/weight", model=PLAIN.name, reason="as before", value="")
    assert control_of(sqlite, PLAIN.name).weight is None


@pytest.mark.parametrize(
    ("action", "form", "said"),
    [
        ("pause", {"reason": " "}, "The reason is empty"),
        ("weight", {"reason": "x", "value": "many"}, "many is no number"),
        ("weight", {"reason": "x", "value": "-1"}, "-1 is out of range"),
        ("weight", {"reason": "x", "value": "nan"}, "nan is out of range"),
        ("release", {"reason": "x"}, "is not private"),
    ],
)
def test_a_refusal_changes_nothing_and_is_told(browser, sqlite, action, form, said):
    browser.submit(f"{PATH}/{action}", model=PLAIN.name, **form)
    assert said in browser.get(PATH).text
    assert trail(sqlite) == []


@pytest.mark.parametrize(("action", "model"), [("pause", "unknown"), ("hide", PLAIN.name), ("outage", PLAIN.name)])
def test_what_is_not_there_cannot_be_changed(browser, sqlite, action, model):
    assert browser.submit(f"{PATH}/{action}", model=model, reason="x").status_code == 404
    assert trail(sqlite) == []


def test_a_reviewer_may_not_enter(app, sqlite):
    with_account(sqlite, "rob", Role.REVIEWER)
    with AdminBrowser(app) as browser:
        browser.sign_in("rob")
        assert browser.get(PATH).status_code == 403
        assert browser.submit(f"{PATH}/pause", model=PLAIN.name, reason="x").status_code == 403
    assert trail(sqlite) == []


def test_the_settings_file_is_read_again_or_nothing_changes(browser, sqlite, app):
    browser.submit(f"{PATH}/reload")
    assert "runs without a settings file" in browser.get(PATH).text

    def broken():
        raise ConfigError("arena.toml: models[2].wieght: unknown key.")

    app.state.battles.serving.read = broken
    browser.submit(f"{PATH}/reload")
    assert "unknown key" in browser.get(PATH).text
    assert trail(sqlite) == []
    third = ScriptedSettings(name="third-model", endpoint="scripted", delay=0)
    app.state.battles.serving.read = lambda: (PRICED, LISTS, SECRET, third)
    browser.submit(f"{PATH}/reload", reason="a third model")
    browser.portal.call(app.state.battles.follow_models)
    assert "third-model" in browser.get(PATH).text
    assert trail(sqlite) == [("model.reload", "", "a third model")]


def test_the_page_shows_outages_cost_and_failures(browser, sqlite, app):
    async def fight():
        battles = app.state.battles
        view = await battles.begin("bob", "hello")
        async for _ in battles.follow("bob", view.public_id):
            pass

    for _ in range(3):
        browser.portal.call(fight)
    with sqlite.write() as session:
        model_states.set_outage(session, LISTS.name, "here", reason="503 busy", tries=2, next_try=now())
        model_states.note(session, LISTS.name, ModelAction.OUTAGE, reason="503 busy", by="arena")
    page = browser.get(PATH).text
    assert "paused after failures" in page
    assert "503 busy. Tried 2 times since" in page
    assert "0.0%" in page
    assert "Private models" in page
    assert control_of(sqlite, SECRET.name).code in page
