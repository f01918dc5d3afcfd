"""The battle API: every flow of a battle by HTTP requests alone."""

from __future__ import annotations

import pytest

from tests.support.battle_clients import Texts, api_client, running_app


@pytest.fixture
async def app(sqlite):
    async with running_app(sqlite) as one:
        yield one


@pytest.fixture
async def client(app):
    async with api_client(app) as one:
        yield one


async def test_a_battle_is_begun_followed_and_voted_on(client):
    begun = await client.begin()
    assert (begun["status"], begun["models"], begun["can_stop"]) == ("running", None, True)
    shown = Texts().take(await client.stream(begun["id"]))
    assert shown.ended
    assert shown.states[-1]["can_vote"]
    stored = await client.state(begun["id"])
    assert stored["turns"][0]["prompt"] == "Name a tree."
    completions = stored["turns"][0]["completions"]
    assert (shown.a, shown.b) == (completions["a"]["text"], completions["b"]["text"])
    voted = (await client.post(begun["id"], "vote", winner="model_b", final=True)).json()
    assert (voted["status"], voted["vote"]["winner"]) == ("voted", "model_b")
    assert set(voted["models"].values()) == {"plain-model", "lists-model"}


async def test_a_conversation_goes_on_and_is_shared_after_the_vote(client):
    battle = await client.finished()
    again = (await client.post(battle, "turns", prompt="And a flower.")).json()
    assert (again["turn"], again["status"]) == (2, "running")
    await client.stream(battle)
    await client.post(battle, "regenerate")
    assert Texts().take(await client.stream(battle)).ended
    await client.post(battle, "vote", winner="tie", final=True)
    shared = await client.http.put(f"/api/v1/battles/{battle}/shared", json={"shared": True})
    assert shared.json()["shared"] is True


async def test_a_battle_that_was_left_takes_no_vote(client):
    battle = await client.finished()
    assert (await client.post(battle, "leave")).status_code == 204
    assert (await client.state(battle))["status"] == "abandoned"
    refused = await client.post(battle, "vote", winner="tie")
    assert refused.status_code == 409
    assert refused.json()["code"] == "wrong_status"


async def test_another_voter_sees_nothing_of_a_battle(app, client):
    battle = await client.finished()
    async with api_client(app) as other:
        replies = [
            await other.http.get(f"/api/v1/battles/{battle}"),
            await other.http.get(f"/api/v1/battles/{battle}/stream"),
            *[
                await other.post(battle, what, **body)
                for what, body in {
                    "turns": {"prompt": "x"}, "regenerate": {}, "vote": {"winner": "tie"}, "leave": {},
                }.items()
            ],
            await other.http.put(f"/api/v1/battles/{battle}/shared", json={"shared": True}),
        ]  # fmt: skip
        missing = await other.http.get("/api/v1/battles/AAAAAAAAAAAAAAAA")
    assert {
        (reply.status_code, reply.json()["code"], reply.json()["detail"]) for reply in (*replies, missing)
    } == {(404, "not_found", missing.json()["detail"])}
    assert (await client.state(battle))["status"] == "open"
