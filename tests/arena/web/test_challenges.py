"""The challenge before a battle over HTTP, and what attackers try with it."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlmodel import select, update

from arena.store.schema.battles import Battle, now
from arena.store.schema.checks import SpentChallenge, VisitorPass
from tests.support.battle_clients import BattleClient, api_client, running_app
from tests.support.challenges import answer_to, number_of

EASY = {"kind": "proof_of_work", "work": 50, "battles": 2}
PROMPT = {"prompt": "Name a tree."}


@asynccontextmanager
async def guarded(database, **settings):
    async with running_app(database, challenge={**EASY, **settings}) as app, api_client(app) as client:
        yield app, client


async def posted(client: BattleClient, **body: object):
    return await client.http.post("/api/v1/battles", json={**PROMPT, **body})


async def challenge_of(client: BattleClient, **body: object) -> dict:
    reply = await posted(client, **body)
    assert reply.status_code == 428, reply.text
    return reply.json()["challenge"]


def rows(database, table):
    with database.read() as session:
        return list(session.exec(select(table)))


async def test_a_battle_begins_after_a_challenge_and_again_after_some_battles(database):
    async with guarded(database) as (_, client):
        reply = await posted(client)
        problem = reply.json()
        assert (reply.status_code, problem["code"]) == (428, "challenge_required")
        assert problem["challenge"]["kind"] == "proof_of_work"
        assert rows(database, Battle) == []
        assert (await posted(client, answer=answer_to(problem["challenge"]))).status_code == 201
        assert (await posted(client)).status_code == 201
        assert (await posted(client)).status_code == 428
        assert not any(battle.visitor_unchecked for battle in rows(database, Battle))


async def test_an_empty_prompt_costs_no_challenge(sqlite):
    async with guarded(sqlite) as (_, client):
        assert (await posted(client, prompt=" ")).json()["code"] == "prompt_empty"


async def test_a_solution_serves_once(database):
    async with guarded(database, battles=1) as (_, client):
        answer = answer_to(await challenge_of(client))
        assert (await posted(client, answer=answer)).status_code == 201
        again = await posted(client, answer=answer)
        assert (again.status_code, again.json()["code"]) == (428, "challenge_failed")
        assert (await posted(client, answer=answer_to(again.json()["challenge"]))).status_code == 201


async def test_of_two_requests_at_once_with_one_solution_one_begins_a_battle(database):
    async with guarded(database, battles=1) as (_, client):
        answer = answer_to(await challenge_of(client))
        replies = await asyncio.gather(*(posted(client, answer=answer) for _ in range(6)))
        assert sorted(reply.status_code for reply in replies) == [201] + [428] * 5
        assert len(rows(database, Battle)) == 1
        assert len(rows(database, SpentChallenge)) == 1


async def test_the_solution_of_another_session_is_refused(sqlite):
    async with guarded(sqlite) as (app, ann), api_client(app) as bob:
        answer = answer_to(await challenge_of(ann))
        assert (await posted(bob, answer=answer)).json()["code"] == "challenge_failed"
        assert (await posted(ann, answer=answer)).status_code == 201


async def test_a_late_solution_is_refused(sqlite, monkeypatch):
    async with guarded(sqlite, seconds=30) as (app, client):
        answer = answer_to(await challenge_of(client))
        later = now() + timedelta(seconds=31)
        for part in (app.state.battles._checks.visitors, app.state.battles._checks.visitors.challenges):
            object.__setattr__(part, "clock", lambda: later)
        assert (await posted(client, answer=answer)).json()["code"] == "challenge_failed"


@pytest.mark.parametrize("answer", ["", "x", "a.b.1", "\ud800", "💣" * 1000, "0" * 8_001])
async def test_nonsense_is_refused_and_stores_nothing(sqlite, answer):
    async with guarded(sqlite) as (_, client):
        body, headers = json.dumps({**PROMPT, "answer": answer}), {"content-type": "application/json"}
        reply = await client.http.post("/api/v1/battles", content=body, headers=headers)
        assert reply.status_code in (422, 428)
        assert rows(sqlite, VisitorPass) == []


async def test_a_pass_ends(sqlite):
    async with guarded(sqlite, hours=1) as (app, client):
        assert (await posted(client, answer=answer_to(await challenge_of(client)))).status_code == 201
        with sqlite.write() as session:
            session.execute(update(VisitorPass).values(until=now() - timedelta(seconds=1)))
        assert (await posted(client)).status_code == 428
        await app.state.battles._checks.forget()
        assert rows(sqlite, VisitorPass) == []


async def test_many_sessions_of_an_address_get_harder_challenges(database):
    async with guarded(database, free_per_address=3, hardest=4) as (app, _):
        most = []
        for _ in range(14):
            async with api_client(app) as visitor:
                most.append((await challenge_of(visitor))["most"])
        assert most == [50] * 3 + [100] * 3 + [150] * 3 + [200] * 5


async def test_load_makes_challenges_harder(sqlite, monkeypatch):
    monkeypatch.setenv("ARENA_LIMITS__LAG_SECONDS", "1")
    async with guarded(sqlite) as (app, client):
        assert (await challenge_of(client))["most"] == 50
        app.state.battles._visitors.lag._average = 0.6
        assert app.state.battles._visitors.is_loaded()
        assert (await challenge_of(client))["most"] == 100


async def test_a_challenge_names_no_secret_and_no_voter(sqlite):
    async with guarded(sqlite) as (_, client):
        challenge = await challenge_of(client)
        assert challenge.keys() == {"kind", "algorithm", "salt", "target", "most", "token", "expires_at"}
        assert 0 <= number_of(challenge) < 50


async def test_without_the_setting_nothing_is_asked_or_stored(sqlite):
    async with running_app(sqlite) as app, api_client(app) as client:
        assert (await posted(client, answer="anything")).status_code == 201
        assert rows(sqlite, VisitorPass) == rows(sqlite, SpentChallenge) == []


async def test_a_deleted_voter_leaves_no_pass(sqlite):
    async with guarded(sqlite) as (_, client):
        begun = await posted(client, answer=answer_to(await challenge_of(client)))
        await client.stream(begun.json()["id"])
        assert len(rows(sqlite, VisitorPass)) == 1
        reply = await client.http.request("DELETE", "/api/v1/me", json={"confirm": True})
        assert reply.status_code < 300, reply.text
        assert rows(sqlite, VisitorPass) == []
