"""The page of an explanation: what is stored, a new one under way, cancelled, failed; and nobody's secrets."""

from __future__ import annotations

import pickle
import time
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from arena.config import LlamaCppSettings, ScriptedSettings, Settings, WebSettings
from arena.explaining.request import ExplainConfig
from arena.messages import Phrase
from arena.store import Database
from arena.store.battles import add_battle
from arena.store.explanations import add_explanation, battle_texts
from arena.store.schema.battles import Battle
from arena.store.shared_battles import share
from arena.web.explain_jobs import Busy, ExplainJobs, Job
from arena.web.locales import languages, speaking
from arena.web.pages import explain
from arena.web.session import COOKIE, voter_of
from interp import LAYOUT
from tests.support.voted_battles import add_voted_battle

LOCAL = LlamaCppSettings(name="local", endpoint="llama_cpp", path=Path("/nowhere/at/all.gguf"))
FAKE = ScriptedSettings(name="fake", endpoint="scripted")
DOCUMENT = {
    "number": 1,
    "judge": "local",
    "method": "screen",
    "models": {"completion_a": "plain", "completion_b": "lists"},
    "votes": [{"source": "human", "winner": "model_a"}],
    "verdict": {"orders": [1.0, 0.5], "content": 0.25, "bias": 0.75, "consistent": False, "winner": "model_a"},
    "words": [{"segment": "completion_a", "text": "<b>Because", "score": 0.5}],
}


class Jobs(ExplainJobs):
    """Jobs that begin and never work."""

    def begin(self, config):
        if self.running():
            raise Busy("one runs at a time")
        self._jobs[config.battle] = Job(config, "attributing", 3, 8)
        return self._jobs[config.battle]

    def cancel(self, battle):
        self._jobs[battle].running = False


def let_others_read(database, number, agreed=True):
    with database.write() as session:
        share(session, number, agreed)


@pytest.fixture
def served(tmp_path):
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'arena.db'}", models=(LOCAL, FAKE))
    database = Database(settings.database_url)
    database.make_ready()
    number = add_voted_battle(database, "Why <i>?", "Because.", "1. Well", "model_a")
    let_others_read(database, number)
    jobs = Jobs(settings)
    app = FastAPI()
    app.include_router(explain.routes(settings, database, jobs))
    with database.read() as session:
        public_id = battle_texts(session, str(number)).public_id
    yield TestClient(app), public_id, database, jobs
    database.close()


def test_a_battle_without_an_explanation_offers_one(served):
    client, battle, _, _ = served
    page = client.get(f"/explain/{battle}").text
    assert "This battle has no explanation yet" in page
    assert "<option>local</option>" in page
    assert "fake</option>" not in page
    assert "Why &lt;i&gt;?" in page


def test_stored_explanations_are_shown_alone_and_side_by_side(served):
    client, battle, database, _ = served
    with database.write() as session:
        add_explanation(session, 1, "local", "screen", "x", DOCUMENT)
        add_explanation(session, 1, "local", "owen", "y", {**DOCUMENT, "method": "owen"})
    page = client.get(f"/explain/{battle}").text
    assert page.count('<section class="card">') == 1
    assert "&lt;b&gt;Because" in page
    assert "<b>Because" not in page
    assert client.get(f"/explain/{battle}?show=1,2").text.count('<section class="card">') == 2
    for unreadable in ("99", "²", "9" * 5000, "-1", ",,"):
        assert client.get(f"/explain/{battle}", params={"show": unreadable}).status_code == 200


def test_an_explanation_and_the_stage_of_a_job_are_in_the_language_of_the_page(served):
    client, battle, database, jobs = served
    with database.write() as session:
        add_explanation(session, 1, "local", "screen", "x", DOCUMENT)
    jobs.begin(ExplainConfig(battle, "local", ("owen",)))
    stage = Phrase("attributing: {how}", how=Phrase("each word is deleted"))
    jobs.job(battle).stage = pickle.loads(pickle.dumps(stage))  # it comes from another process
    with speaking(languages()["zh-Hans"]):
        page, state = client.get(f"/explain/{battle}").text, client.get(f"/explain/{battle}/state").json()
    assert "两种顺序" in page
    assert "忠实度" in page
    assert state["stage"] == "正在归因：逐个删除每个词"
    assert "正在归因：逐个删除每个词" in page
    assert "Faithfulness" not in page


def test_an_explanation_of_a_newer_version_is_reported(served):
    client, battle, database, _ = served
    with database.write() as session:
        add_explanation(session, 1, "local", "screen", "x", {**DOCUMENT, "layout": LAYOUT + 1})
    page = client.get(f"/explain/{battle}")
    assert page.status_code == 200
    assert f"The explanation has layout {LAYOUT + 1}" in page.text


def test_starting_shows_progress_and_cancelling_ends_it(served):
    client, battle, _, _ = served
    begun = client.post(f"/explain/{battle}", data={"judge": "local", "method": "owen"})
    assert begun.status_code == 200  # after the redirect
    assert "local, owen: attributing" in begun.text
    assert 'value="3" max="8"' in begun.text
    assert client.get(f"/explain/{battle}/state").json()["running"]
    again = client.post(f"/explain/{battle}", data={"judge": "local", "method": "screen"})
    assert (again.status_code, again.json()["detail"]) == (409, "one runs at a time")
    assert "Cancel" not in client.post(f"/explain/{battle}/cancel").text
    assert not client.get(f"/explain/{battle}/state").json()["running"]


@pytest.mark.parametrize("form", [{"judge": "fake", "method": "owen"}, {"judge": "local", "method": "magic"}])
def test_only_what_the_page_offers_can_be_started(served, form):
    client, battle, _, _ = served
    assert client.post(f"/explain/{battle}", data=form).status_code == 422


def test_battles_are_found_by_their_public_id_and_when_they_are_over(served):
    client, _, database, _ = served
    assert client.get("/explain/1").status_code == 404
    assert client.get("/explain/unknown").status_code == 404
    with database.write() as session:
        still_open = add_battle(session, "voter", "plain", "lists", 1.0).public_id
    page = client.get(f"/explain/{still_open}")
    assert page.status_code == 404
    assert "A is plain" not in page.text


def test_a_battle_without_consent_is_readable_by_its_voter_alone(served):
    """Its public id stands beside its vote in `/api/v1/votes` and in every export."""
    client, battle, database, _ = served
    with database.write() as session:
        add_explanation(session, 1, "local", "screen", "x", DOCUMENT)
        session.get_one(Battle, 1).voter = voter_of("the voter's cookie")
    let_others_read(database, 1, agreed=False)
    form = {"judge": "local", "method": "owen"}
    for reply in (
        client.get(f"/explain/{battle}"),
        client.get(f"/explain/{battle}/state"),
        client.post(f"/explain/{battle}", data=form),
        client.post(f"/explain/{battle}/cancel"),
    ):
        assert reply.status_code == 404
        assert "Because" not in reply.text
        assert "Why &lt;i&gt;" not in reply.text
    client.cookies.set(COOKIE, "the voter's cookie")
    assert "Why &lt;i&gt;" in client.get(f"/explain/{battle}").text


def test_the_operator_can_keep_explanations_to_himself(tmp_path):
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'arena.db'}", models=(LOCAL,), web=WebSettings(explain=False)
    )
    database = Database(settings.database_url)
    database.make_ready()
    let_others_read(database, add_voted_battle(database, "Why?", "Because.", "1. Well", "model_a"))
    with database.read() as session:
        battle = battle_texts(session, "1").public_id
    app = FastAPI()
    app.include_router(explain.routes(settings, database, Jobs(settings)))
    client = TestClient(app)
    page = client.get(f"/explain/{battle}").text
    assert "no explanation yet" in page
    assert "arena explain" not in page  # a command line is not for readers
    assert "<form" not in page
    assert client.post(f"/explain/{battle}", data={"judge": "local", "method": "owen"}).status_code == 403
    database.close()


@pytest.mark.slow
def test_a_job_whose_judge_cannot_be_loaded_tells_why(tmp_path):
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'arena.db'}", models=(LOCAL,))
    database = Database(settings.database_url)
    database.make_ready()
    add_voted_battle(database, "Why?", "Because.", "1. Well", "model_a")
    with database.read() as session:
        battle = battle_texts(session, "1").public_id
    jobs = ExplainJobs(settings)
    job = jobs.begin(ExplainConfig(battle, "local"))
    assert jobs.begin(ExplainConfig(battle, "local")) is job
    with pytest.raises(Busy):
        jobs.begin(ExplainConfig("another", "local"))
    end = time.monotonic() + 60
    while job.running and time.monotonic() < end:
        time.sleep(0.05)
    assert "no such file: /nowhere/at/all.gguf" in (job.error or "")
    jobs.begin(ExplainConfig(battle, "local", ("owen",)))
    jobs.cancel(battle)
    cancelled = jobs.job(battle)
    while cancelled.running and time.monotonic() < end:
        time.sleep(0.05)
    assert cancelled.error is None
    jobs.close()
    database.close()


def test_the_page_asks_for_an_answer_or_exact_heads_and_refuses_what_it_does_not_offer(served):
    client, battle, _, jobs = served
    page = client.get(f"/explain/{battle}").text
    assert '<option value="a">completion A, by plain</option>' in page
    form = {"judge": "local", "method": "screen", "about": "b", "heads": "ablation"}
    client.post(f"/explain/{battle}", data=form, follow_redirects=False)
    assert (jobs.job(battle).config.about, jobs.job(battle).config.heads) == ("b", "ablation")
    assert client.post(f"/explain/{battle}", data={**form, "about": "c"}).status_code == 422
