"""CAPTCHAs of third parties: verified from the server, and nobody is a robot because a third party is down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import asynccontextmanager

import pytest

from arena.config import ChallengeSettings
from arena.store.quarantine import held
from arena.store.votes import pair_counts
from tests.support.battle_clients import BattleClient, api_client, running_app
from tests.support.verify_server import GOOD, VerifyServer, verify_server

PROMPT = {"prompt": "Name a tree."}


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch) -> Iterator[VerifyServer]:
    monkeypatch.setenv("TEST_CHALLENGE_SECRET", "top-secret")
    with verify_server() as one:
        yield one


@asynccontextmanager
async def guarded(database, third, kind: str = "turnstile", **settings):
    keys = {"site_key": "public", "secret_env": "TEST_CHALLENGE_SECRET"}
    places = {"verify_url": f"{third.origin}/siteverify", "script_url": f"{third.origin}/api.js"}
    challenge = {"kind": kind, **keys, **places, "hosts": (third.origin,), "battles": 1, "timeout": 1, **settings}
    limits = {"reading_speed": 0}
    async with running_app(database, challenge=challenge, limits=limits) as app, api_client(app) as client:
        yield app, client


async def posted(client: BattleClient, answer: str | None = None):
    return await client.http.post("/api/v1/battles", json={**PROMPT, **({"answer": answer} if answer else {})})


def counted(database) -> int:
    with database.read() as session:
        return sum(pair.wins + pair.losses + pair.ties + pair.both_bad for pair in pair_counts(session))


async def voted(client: BattleClient, answer: str) -> None:
    begun = await posted(client, answer)
    assert begun.status_code == 201, begun.text
    await client.stream(begun.json()["id"])
    assert (await client.post(begun.json()["id"], "vote", winner="tie", final=True)).status_code == 200


@pytest.mark.parametrize("kind", ["turnstile", "hcaptcha", "recaptcha", "recaptcha_v3"])
async def test_an_answer_is_verified_as_a_form_and_without_the_address(sqlite, third, kind):
    async with guarded(sqlite, third, kind) as (_, client):
        problem = (await posted(client)).json()
        assert problem["challenge"] == {"kind": kind, "site_key": "public", "script": f"{third.origin}/api.js"}
        assert (await posted(client, GOOD)).status_code == 201
        form = {"secret": ["top-secret"], "response": [GOOD], "type": ["application/x-www-form-urlencoded"]}
        assert third.asked == [form]
        assert (await posted(client, GOOD)).json()["code"] == "challenge_failed"  # it serves once
        assert (await posted(client, "a robot")).json()["code"] == "challenge_failed"


async def test_a_low_score_is_refused(sqlite, third):
    third.body = json.dumps({"success": True, "score": 0.1})
    async with guarded(sqlite, third, "recaptcha_v3") as (_, client):
        assert (await posted(client, GOOD)).json()["code"] == "challenge_failed"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, None),
        (429, None),
        (302, None),
        (200, "{"),
        (200, "[]"),
        (200, '{"success": "yes"}'),
        (200, '{"success": 1}'),
        (200, '{"success": false, "error-codes": ["internal-error"]}'),
        (200, '{"success": false, "error-codes": ["invalid-input-secret"]}'),
        (200, "x" * 100_000),
    ],
)
async def test_a_third_party_that_says_nothing_of_the_visitor_refuses_nobody(sqlite, third, status, body):
    third.status, third.body = status, body
    async with guarded(sqlite, third) as (_, client):
        await voted(client, "whatever")
        with sqlite.read() as session:
            (vote,) = held(session)
        assert (vote.state, vote.reason, counted(sqlite)) == ("pending", "challenge", 0)


async def test_the_vote_counts_once_the_same_visitor_has_passed(database, third):
    async with guarded(database, third) as (app, client), api_client(app) as other:
        third.delay = 2.0
        await voted(client, "whatever")
        third.delay = 0.0
        await voted(other, f"{GOOD}-other")
        assert counted(database) == 1
        assert (await posted(client)).status_code == 428  # the third state serves one battle
        assert (await posted(client, f"{GOOD}-later")).status_code == 201
        assert counted(database) == 2
        with database.read() as session:
            assert held(session) == []


async def test_the_operator_can_refuse_visitors_meanwhile(sqlite, third):
    third.status = 500
    async with guarded(sqlite, third, when_down="refuse") as (_, client):
        reply = await posted(client, "whatever")
        assert (reply.status_code, reply.json()["code"]) == (503, "busy")


async def test_the_page_allows_the_host_of_the_third_party_and_no_other(sqlite, third):
    async with guarded(sqlite, third) as (_, client):
        page, board = await client.http.get("/"), await client.http.get("/leaderboard")
        policy = page.headers["content-security-policy"]
        assert policy.count(third.origin) == 4
        assert third.origin not in board.headers["content-security-policy"]
        assert "top-secret" not in page.text
    async with running_app(sqlite) as app, api_client(app) as client:
        assert "http" not in (await client.http.get("/")).headers["content-security-policy"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kind": "turnstile"}, "needs site_key and secret_env"),
        ({"hosts": ["https://a.example; script-src *"]}, "not an origin"),
        ({"script_url": "https://a.example/x'; y"}, "script_url"),
        ({"kind": "turnstile", "site_key": "x", "secret_env": "the secret itself"}, "secret_env"),
    ],
)
def test_a_wrong_setting_is_an_error(settings, said):
    with pytest.raises(ValueError, match=said):
        ChallengeSettings(**settings)
