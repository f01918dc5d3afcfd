"""What readers see of models that operators have retired, paused, added or keep private."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from arena.config import ScriptedSettings, Settings
from arena.rules.model_states import ModelAction
from arena.store import battles as stored
from arena.store import model_states
from arena.store.schema.battles import Battle, now
from arena.web.app import create_app
from arena.web.v1.examples import SAMPLING
from tests.support.arenas import ready
from tests.support.ballots import MODELS, ballots
from tests.support.battle_clients import HOME

SECRET = ScriptedSettings(name="acme-next", endpoint="scripted", delay=0, private=True)


@pytest.fixture
def app(sqlite):
    ballots(sqlite)
    models = tuple(ScriptedSettings(name=name, endpoint="scripted", delay=0) for name in MODELS)
    serving = ready(*models)
    serving.configured = (*models, SECRET)
    serving.read = lambda: (*models, SECRET)
    settings = Settings(database_url=sqlite.url, models=(*models, SECRET), ledger={"seal_every": 0})
    return create_app(settings, sqlite, serving)


@pytest.fixture
def reader(app):
    with TestClient(app, base_url=HOME) as client:
        yield client


def change(app, name, action, reason="because"):
    battles = app.state.battles
    with battles.database.write() as session:
        model_states.change(session, name, action, reason=reason, by="ann")


def followed(app, reader):
    reader.portal.call(app.state.battles.follow_models)


def row_of(reader, name):
    return next(row for row in reader.get("/api/v1/models").json()["models"] if row["model"] == name)


def test_a_retired_model_is_marked_with_date_and_reason_and_keeps_its_place(app, reader):
    before = [row["model"] for row in reader.get("/api/v1/leaderboard").json()["models"]]
    tag = reader.get("/api/v1/models").headers["etag"]
    assert "no longer in battles" not in reader.get("/leaderboard").text
    change(app, "cedar", ModelAction.RETIRE, "Replaced by <b>cedar 2</b>")
    followed(app, reader)
    assert [row["model"] for row in reader.get("/api/v1/leaderboard").json()["models"]] == before
    page = reader.get("/leaderboard").text
    assert "no longer in battles" in page
    assert "Replaced by &lt;b&gt;cedar 2" in page
    assert "cedar" not in reader.get("/leaderboard?retired=hide").text.split("<tbody")[1].split("</tbody")[0]
    shown = reader.get("/models/cedar").text
    assert "Replaced by &lt;b&gt;cedar 2" in shown
    assert "not drawn" in shown
    row = row_of(reader, "cedar")
    assert row["retired_reason"] == "Replaced by <b>cedar 2</b>"
    assert len(row["retired"]) == 10
    assert reader.get("/api/v1/models", headers={"if-none-match": tag}).status_code == 200
    change(app, "cedar", ModelAction.ENABLE)
    followed(app, reader)
    assert row_of(reader, "cedar")["retired"] is None
    assert "no longer in battles" not in reader.get("/leaderboard").text


def test_a_paused_model_is_not_marked_as_retired(app, reader):
    change(app, "cedar", ModelAction.PAUSE)
    followed(app, reader)
    assert "no longer in battles" not in reader.get("/leaderboard").text
    assert "0%" in reader.get("/models/cedar").text


def test_no_page_and_no_api_has_a_private_model(app, reader, sqlite):
    with sqlite.read() as session:
        code = model_states.controls(session)[SECRET.name].code
    assert code in app.state.battles.serving.models
    assert reader.get(f"/models/{SECRET.name}").status_code == 404
    addresses = (
        "/leaderboard",
        "/api/v1/models",
        "/api/v1/leaderboard",
        "/api/v1/arena?models=1",
        "/battles",
        "/",
    )
    for address in addresses:
        text = reader.get(address).text
        assert SECRET.name not in text, address
        assert code not in text, address
    change(app, SECRET.name, ModelAction.RELEASE)
    followed(app, reader)
    assert reader.get(f"/models/{SECRET.name}").status_code == 200
    assert reader.get(f"/models/{code}").status_code == 404
    assert code not in reader.get("/api/v1/models").text


def test_the_api_has_the_rates_of_past_days_and_the_number_of_private_models(app, reader, sqlite):
    with sqlite.write() as session:
        for days in (0, 3):
            battle = session.get_one(Battle, stored.add_battle(session, "ann", "amber", "birch", 0.5, "here").id)
            battle.created_at = now() - timedelta(days=days)
    reply = reader.get("/api/v1/sampling")
    document = reply.json()
    assert document.keys() == SAMPLING.keys()
    assert document["models"] == [
        {"model": name, "battles": 1, "share": 1.0, "outages": 0} for name in ("amber", "birch")
    ]
    assert document["models"][0].keys() == SAMPLING["models"][0].keys()
    assert (document["battles"], document["rule"]) == (1, "active")
    assert document["private_models"] == [{"organisation": None, "variants": 1, "released": 0}]
    assert SECRET.name not in reply.text
    assert reader.get("/api/v1/sampling", headers={"if-none-match": reply.headers["etag"]}).status_code == 304
    assert reader.get("/api/v1/sampling", headers={"accept": "text/csv"}).text.startswith("model,battles,share")
