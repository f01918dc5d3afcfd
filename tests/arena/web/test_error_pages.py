"""What is not there or not allowed: a page for people, JSON for programs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from starlette.testclient import TestClient

from arena.config import Settings
from arena.serving.models import serve
from arena.web.app import create_app

PERSON = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def client(sqlite):
    with TestClient(create_app(Settings(database_url=str(sqlite.engine.url)), sqlite, serve([]))) as one:
        yield one


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", ["/nosuch", "/plots/nosuch.json", "/explain/nosuch", "/reading/nosuch.css", "/battles/x/y"]
)
def test_a_person_is_reported_on_a_page_of_the_house(client, path):
    reply = client.get(path, headers=PERSON)
    assert reply.status_code == 404
    assert reply.headers["content-type"].startswith("text/html")
    assert "<h1>Not found</h1>" in reply.text
    assert 'href="/leaderboard"' in reply.text
    assert "set-cookie" in reply.headers


@pytest.mark.parametrize("path", ["/nosuch", "/plots/nosuch.json", "/api/v1/nosuch"])
def test_a_program_is_reported_in_json(client, path):
    reply = client.get(path)
    assert reply.status_code == 404
    assert reply.headers["content-type"] in ("application/json", "application/problem+json")
    assert reply.json()["detail"]


def test_the_address_asked_for_is_not_repeated_as_html(client):
    assert "<script>x" not in client.get("/plots/<script>x.json", headers=PERSON).text


def test_a_refused_form_is_a_page_that_says_why(client):
    own = PERSON | {"origin": str(client.base_url)}
    reply = client.post("/explain/nosuch", headers=own, data={"judge": "j", "method": "m"})
    assert reply.status_code == 404
    assert "voter has not shared it" in reply.text


def test_before_the_first_vote_the_board_leads_to_a_battle_and_its_parts_are_no_errors(client):
    board = client.get("/leaderboard")
    assert board.status_code == 200
    assert "cast the first vote" in board.text
    for part in ("/leaderboard/moved", "/leaderboard/fragility"):
        assert client.get(part, headers={"x-part": "1"}).status_code == 200


@pytest.mark.slow
def test_the_module_can_be_imported_first():
    subprocess.run([sys.executable, "-c", "import arena.web.error_pages"], check=True)
