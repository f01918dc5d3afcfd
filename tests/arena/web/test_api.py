"""JSON, cookies and headers of the application, without a browser."""

from __future__ import annotations

import math
import re

import pytest
from fastapi.testclient import TestClient

from arena.config import Settings
from arena.web.app import create_app
from arena.web.session import COOKIE, voter_of
from tests.support.arenas import opened_battles, ready, settled


@pytest.fixture
def client(sqlite):
    with TestClient(create_app(Settings(), sqlite, ready())) as one:
        yield one


def test_health_counts_models_and_names_none(client):
    reply = client.get("/healthz")
    assert reply.json()["status"] == "ok"
    assert reply.json()["models_ready"] == 2
    assert "model" not in reply.text.replace("models_", "")


def test_health_does_not_tell_that_a_model_is_suspended(sqlite):
    serving = ready()
    serving.models["plain-model"].availability.suspended_until = math.inf
    assert len(serving.available_weights()) == 1
    with TestClient(create_app(Settings(), sqlite, serving)) as client:
        assert client.get("/healthz").json()["models_ready"] == 2
        assert client.get("/readyz").json()["models_ready"] == 2


@pytest.mark.slow
async def test_the_leaderboard_follows_a_vote(sqlite):
    battles = await opened_battles(sqlite)
    with TestClient(create_app(Settings(), sqlite, ready())) as client:
        assert client.get("/api/v1/leaderboard").json()["votes"] == 0
        view = await battles.begin("ann", "hello")
        await settled(battles, "ann", view.public_id)
        await battles.vote("ann", view.public_id, "model_b")
        board = client.get("/api/v1/leaderboard").json()
    assert board["votes"] == 1
    assert board["models"][0]["rating"] > 1000 > board["models"][1]["rating"]
    assert board["models"][0]["provisional"]


def test_an_unknown_source_is_refused_with_what_is_known(client):
    reply = client.get("/api/v1/leaderboard?source=people")
    assert reply.status_code == 422
    assert "Use human, judges, judge:NAME, both or all" in reply.text


def test_a_browser_gets_one_cookie_that_scripts_cannot_read(client):
    cookie = client.get("/").headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly; SameSite=Lax" in cookie
    assert "set-cookie" not in client.get("/").headers
    assert "set-cookie" not in client.get("/healthz").headers


def test_every_answer_forbids_what_comes_from_elsewhere(client):
    for path in ("/", "/leaderboard", "/healthz"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_no_page_allows_inline_scripts_and_only_gradios_page_allows_eval(client):
    """`gr.HTML` compiles its templates; its page's own inline scripts have a nonce that is new each time."""
    for path in ("/", "/leaderboard", "/battles", "/benchmarks", "/models/x", "/nosuch", "/healthz", "/theme.css"):
        policy = client.get(path, headers={"accept": "text/html"}).headers["content-security-policy"]
        scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
        nonce = re.fullmatch(r"script-src 'self' 'nonce-[\w-]{22}' 'unsafe-eval'", scripts)
        assert nonce if path == "/" else scripts == "script-src 'self'", path
    first, second = (client.get("/").headers["content-security-policy"] for _ in range(2))
    assert first != second


def test_the_battle_page_holds_no_model_name(client):
    for path in ("/", "/openapi.json"):
        text = client.get(path).text
        assert "plain-model" not in text
        assert "lists-model" not in text


def test_nobody_can_leave_a_file(client):
    reply = client.post("/gradio_api/upload", files={"files": ("x.html", b"<b>hello</b>")})
    assert reply.status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize(
    "way", ["call/vote_tie", "call/v2/vote_tie", "run/vote_tie", "api/send", "proxy=http://x/"]
)
def test_gradios_other_ways_in_are_closed(client, way):
    assert client.post(f"/gradio_api/{way}", json={"data": ["", None]}).status_code == 404


def test_the_store_never_sees_the_cookie():
    assert voter_of(None) is None
    assert voter_of("secret") == voter_of("secret") != voter_of("other")
    assert "secret" not in voter_of("secret")
