"""The page of an explanation: what is stored, a new one under way, cancelled, failed; and nobody's secrets."""

from __future__ import annotations

import os
import pickle
import signal
import time
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from arena.config import LlamaCppSettings, ScriptedSettings, Settings, WebSettings
from arena.errors import ConfigError
from arena.explaining.explain import explain_battle
from arena.explaining.notes import NO_LETTER, OTHER_AUTHOR, UNSIGNED, phrase_of
from arena.explaining.request import ExplainConfig
from arena.rules.messages import Phrase
from arena.store import Database
from arena.store.battles import add_battle
from arena.store.explanations import add_explanation, battle_texts
from arena.store.schema.battles import Battle
from arena.store.shared_battles import share
from arena.store.votes import add_vote
from arena.web.explain_jobs import Busy, ExplainJobs, Job
from arena.web.locales import gettext, languages, speaking
from arena.web.pages import explain
from arena.web.session import COOKIE, voter_of
from interp import LAYOUT, NOTES
from interp.notes import NOISY
from tests.support.voted_battles import add_voted_battle

OWN_PAGE = {"origin": "http://testserver"}
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

    def begin(self, config, starter=None):
        if self.running():
            raise Busy("one runs at a time")
        self._jobs[config.battle] = Job(config, starter, "attributing", 3, 8)
        return self._jobs[config.battle]

    def _end(self):
        for job in self._jobs.values():
            job.running = False


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
    yield TestClient(app, headers=OWN_PAGE), public_id, database, jobs
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


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"origin": "null"}, {"origin": ""}])
def test_a_page_of_another_site_neither_starts_nor_cancels_a_job(served, headers):
    client, battle, _, jobs = served
    form = {"judge": "local", "method": "owen"}
    assert client.post(f"/explain/{battle}", data=form, headers=headers).status_code == 403
    assert jobs.job(battle) is None
    client.post(f"/explain/{battle}", data=form)
    assert client.post(f"/explain/{battle}/cancel", headers=headers).status_code == 403
    assert client.get(f"/explain/{battle}/state").json()["running"]


def test_starting_shows_progress_and_cancelling_ends_it(served):
    client, battle, _, _ = served
    begun = client.post(f"/explain/{battle}", data={"judge": "local", "method": "owen"})
    assert begun.status_code == 200  # after the redirect
    assert "local, owen: attributing" in begun.text
    assert 'value="3" max="8"' in begun.text
    assert client.get(f"/explain/{battle}/state").json()["running"]
    again = client.post(f"/explain/{battle}", data={"judge": "local", "method": "screen"})
    assert again.status_code == 409
    assert '<p class="notice danger" role="alert">one runs at a time</p>' in again.text
    assert "local, owen: attributing" in again.text  # the page itself, not an error in its place
    ended = client.post(f"/explain/{battle}/cancel").text
    assert ">Cancel<" not in ended
    assert "The explanation by local with owen was cancelled." in ended
    assert not client.get(f"/explain/{battle}/state").json()["running"]


def test_only_the_visitor_who_started_a_job_cancels_it(served):
    client, battle, _, jobs = served
    client.cookies.set(COOKIE, "starter")
    assert ">Cancel<" in client.post(f"/explain/{battle}", data={"judge": "local", "method": "owen"}).text
    client.cookies.set(COOKIE, "another visitor")
    page = client.get(f"/explain/{battle}").text
    assert ">Cancel<" not in page
    assert "Started by another visitor" in page
    refused = client.post(f"/explain/{battle}/cancel")
    assert refused.status_code == 403
    assert "Another visitor started this explanation." in refused.json()["detail"]
    assert jobs.job(battle).running
    assert "starter" not in client.get(f"/explain/{battle}/state").json()
    client.cookies.set(COOKIE, "starter")
    client.post(f"/explain/{battle}/cancel")
    assert not jobs.job(battle).running


def test_a_job_on_another_battle_is_named_without_that_battle(served):
    client, battle, _, jobs = served
    jobs.begin(ExplainConfig("another-battle", "local", ("owen",)), "somebody")
    page = client.get(f"/explain/{battle}").text
    assert "local explains another battle with owen" in page
    assert "another-battle" not in page


def test_both_completions_and_the_agreement_with_people_stand_there_before_anything_is_explained(served):
    client, battle, database, _ = served
    page = client.get(f"/explain/{battle}").text
    assert "Because." in page
    assert "Well" in page
    assert "local has judged no battle here that people voted on" in page
    with database.write() as session:
        add_vote(session, 1, "judge:local", "judge:local", "model_a", stopped_early=False)
    page = client.get(f"/explain/{battle}").text
    assert "local agrees with people on 1 of 1 votes here: 100% (21% to 100%)." in page


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
    client = TestClient(app, headers=OWN_PAGE)
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
    jobs.cancel(battle, None)
    cancelled = jobs.job(battle)
    while cancelled.running and time.monotonic() < end:
        time.sleep(0.05)
    assert cancelled.error is None
    jobs.close()
    database.close()


@pytest.mark.slow
def test_a_job_whose_process_the_operator_ends_is_cancelled(tmp_path, caplog):
    caplog.set_level("INFO")
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'arena.db'}", models=(LOCAL,))
    jobs = ExplainJobs(settings)
    job = jobs.begin(ExplainConfig("a-battle", "local"), "starter")
    os.kill(int(caplog.records[-1].args[-1]), signal.SIGTERM)  # the number that the log has
    end = time.monotonic() + 60
    while job.running and time.monotonic() < end:
        time.sleep(0.05)
    assert (job.running, job.cancelled, job.error) == (False, True, None)
    jobs.close()


def test_the_page_asks_for_an_answer_or_exact_heads_and_refuses_what_it_does_not_offer(served):
    client, battle, _, jobs = served
    page = client.get(f"/explain/{battle}").text
    assert '<option value="a">completion A, by plain</option>' in page
    form = {"judge": "local", "method": "screen", "about": "b", "heads": "ablation"}
    client.post(f"/explain/{battle}", data=form, follow_redirects=False)
    assert (jobs.job(battle).config.about, jobs.job(battle).config.heads) == ("b", "ablation")
    assert client.post(f"/explain/{battle}", data={**form, "about": "c"}).status_code == 422


def test_an_error_of_a_job_reaches_a_chinese_reader_in_chinese_and_the_command_line_with_its_option(tmp_path):
    scripted = ScriptedSettings(name="parrot", endpoint="scripted")
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'arena.db'}", models=(scripted,))
    database = Database(settings.database_url)
    database.make_ready()
    add_voted_battle(database, "Why?", "Because.", "1. Well", "model_a")
    with database.read() as session:
        battle = battle_texts(session, "1").public_id
    with pytest.raises(ConfigError, match="--judge: parrot is scripted"):
        explain_battle(database, settings, ExplainConfig(battle, "parrot"))
    jobs = ExplainJobs(settings)
    job = jobs.begin(ExplainConfig(battle, "parrot"))
    end = time.monotonic() + 60
    while job.running and time.monotonic() < end:
        time.sleep(0.05)
    assert (job.error or "").startswith("parrot is scripted, so it has neither weights")
    with speaking(languages()["zh-Hans"]):
        assert gettext(job.error or "").startswith("parrot 是脚本模型，既没有权重也没有对数概率。")
    jobs.close()
    database.close()


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        (OTHER_AUTHOR.format(author="north", judge="south"), "north"),
        (NO_LETTER.format(mass="12%"), "12%"),
        (NOTES[0].format(error="30%", tolerance="5%"), "30%"),
        (UNSIGNED, "该方法"),
        (NOISY.format(error="70%", target="30%"), "70%"),
    ],
)
def test_a_stored_note_is_shown_in_the_language_of_the_reader(note, shown):
    with speaking(languages()["zh-Hans"]):
        text = gettext(phrase_of(note))
    assert text != note
    assert shown in text
    assert gettext(phrase_of(note)) == note
    assert phrase_of("a note of an older release") == "a note of an older release"
