"""The battle API: every flow of a battle by HTTP requests alone."""

from __future__ import annotations

import asyncio
import time

import pytest

from arena.config import ScriptedSettings
from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store.quarantine import hold
from arena.web.v1 import battle_examples as examples
from tests.support.arenas import ready
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


@pytest.mark.slow
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
                for what, body in (
                    ("turns", {"prompt": "x"}), ("regenerate", {}), ("regenerate", {"side": "a"}), ("leave", {}),
                    ("vote", {"winner": "tie"}), ("stop", {}), ("reroll", {"side": "b"}), ("retry", {}),
                    ("report", {"kind": "other"}),
                )
            ],
            await other.http.put(f"/api/v1/battles/{battle}/shared", json={"shared": True}),
            await other.http.put(f"/api/v1/battles/{battle}/turns/last", json={"prompt": "x"}),
            await other.http.delete(f"/api/v1/battles/{battle}/vote"),
            await other.http.post("/api/v1/battles", json={"again": battle}),
        ]  # fmt: skip
        missing = await other.http.get("/api/v1/battles/AAAAAAAAAAAAAAAA")
    assert {
        (reply.status_code, reply.json()["code"], reply.json()["detail"]) for reply in (*replies, missing)
    } == {(404, "not_found", missing.json()["detail"])}
    assert (await client.state(battle))["status"] == "open"


async def test_a_vote_is_undone_and_cast_again(client):
    battle = await client.finished()
    cast = (await client.post(battle, "vote", winner="model_a", reasons=["correct"])).json()
    assert (cast["vote"]["counts"], cast["vote"]["reasons"], cast["models"]) == (False, ["correct"], None)
    assert cast["vote"]["undo_until"] > "2026"
    refused = await client.post(battle, "turns", prompt="more")
    assert (refused.status_code, refused.json()["code"]) == (409, "already_voted")
    undone = await client.http.delete(f"/api/v1/battles/{battle}/vote")
    assert (undone.json()["vote"], undone.json()["can_vote"]) == (None, True)
    final = (await client.post(battle, "vote", winner="tie", final=True)).json()
    assert (final["status"], final["vote"]["winner"]) == ("voted", "tie")
    late = await client.http.delete(f"/api/v1/battles/{battle}/vote")
    assert (late.status_code, late.json()["code"]) == (409, "too_late")


async def test_a_vote_counts_and_names_the_models_when_its_time_is_over(sqlite):
    async with running_app(sqlite, battles={"undo_seconds": 2}) as app, api_client(app) as client:
        battle = await client.finished()
        assert (await client.post(battle, "vote", winner="tie")).json()["status"] == "open"
        await until(lambda: client.state(battle), lambda state: state["status"] == "voted")
        assert set((await client.state(battle))["models"].values()) == {"plain-model", "lists-model"}


@pytest.mark.slow
async def test_the_reveal_has_cards_and_the_votes_of_others(app, client, sqlite):
    for winner in ("model_a", "tie"):
        battle = await client.finished()
        await client.post(battle, "vote", winner=winner, final=True)
    await until(lambda: client.state(battle), lambda state: state["reveal"]["a"]["battles"] == 2)
    voted = await client.state(battle)
    reveal = voted["reveal"]
    assert {reveal["a"]["model"], reveal["b"]["model"]} == {"plain-model", "lists-model"}
    assert reveal["others"]["votes"] == 1
    receipt = reveal["receipt"]
    assert (receipt["vote"], receipt["content"]["winner"]) == (2, "tie")
    proof = (await client.http.get(receipt["proof"])).json()
    assert (proof["leaf"], proof["sealed"]) == (receipt["leaf"], False)
    assert reveal["others"]["a"] + reveal["others"]["b"] == 1
    card = reveal["a"]
    assert card["seconds"] > 0
    assert card["tokens"] > 0
    assert (card["organisation"], card["energy_wh"], card["price_in"]) == (None, None, None)
    assert set(card) == set(examples.BATTLE["reveal"]["a"])
    with sqlite.write() as session:
        hold(session, [2], VoteState.QUARANTINED, QuarantineReason.BURST, by="a check")
    held = await client.state(battle)
    assert (held["vote"]["counts"], held["reveal"]["others"]["votes"]) == (False, 1), (
        "one's own does not count here"
    )


@pytest.mark.slow
async def test_a_stopped_turn_keeps_its_text_and_can_be_voted_on(sqlite):
    slow = [ScriptedSettings(name=n, endpoint="scripted", delay=0.05, replies=("word " * 200,)) for n in "xy"]
    async with running_app(sqlite, ready(*slow)) as app, api_client(app) as client:
        battle = (await client.begin())["id"]
        following = asyncio.create_task(client.stream(battle))
        await until(lambda: client.state(battle), lambda state: state["can_vote"])
        stopped = (await client.post(battle, "stop")).json()
        assert (stopped["status"], stopped["can_vote"]) == ("open", True)
        shown = Texts().take(await following)
        completions = stopped["turns"][0]["completions"]
        assert completions["a"]["text"].startswith(shown.a)
        assert completions["a"]["status"] == "stopped"
        assert (await client.post(battle, "vote", winner="tie", final=True)).json()["status"] == "voted"


async def test_the_last_prompt_is_edited_and_one_side_is_run_again(client):
    battle = await client.finished()
    edited = await client.http.put(f"/api/v1/battles/{battle}/turns/last", json={"prompt": "Name a bird."})
    assert (edited.json()["turn"], edited.json()["attempt"]) == (1, 2)
    before = Texts().take(await client.stream(battle))
    again = (await client.post(battle, "regenerate", side="a")).json()
    assert again["attempt"] == 3
    after = Texts().take(await client.stream(battle))
    state = await client.state(battle)
    assert state["turns"][0]["prompt"] == "Name a bird."
    assert (after.a, after.b) == tuple(state["turns"][0]["completions"][side]["text"] for side in "ab")
    assert before.b == after.b


async def test_chosen_and_single_modes_name_their_models_and_take_no_vote(client):
    chosen = await client.begin(mode="chosen", models=["plain-model", "lists-model"])
    assert chosen["models"] == {"a": "plain-model", "b": "lists-model"}
    single = await client.begin(mode="single", models=["plain-model"])
    assert list(single["turns"][0]["completions"]) == ["a"]
    shown = Texts().take(await client.stream(single["id"]))
    assert (bool(shown.a), shown.b) == (True, "")
    refused = await client.post(single["id"], "vote", winner="tie")
    assert refused.status_code == 409
    wrong = await client.http.post("/api/v1/battles", json={"prompt": "x", "mode": "chosen", "models": ["nope"]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "bad_value")


async def test_a_battle_is_reported(client):
    battle = await client.finished()
    assert (await client.post(battle, "report", kind="hateful", text="Side b.")).status_code == 204
    assert (await client.post(battle, "report", kind="nonsense")).status_code == 422


async def test_html_is_sent_where_it_is_wanted(client):
    battle = await client.finished("Name **a** tree.")
    assert "prompt_html" not in (await client.state(battle))["turns"][0]
    turn = (await client.state(battle, html=1))["turns"][0]
    assert "<strong>a</strong>" in turn["prompt_html"]
    assert turn["completions"]["a"]["html"].startswith("<")


async def test_the_arena_describes_itself_without_names_of_models(client):
    plain = await client.http.get("/api/v1/arena")
    assert plain.json().keys() == examples.ARENA.keys()
    assert "plain-model" not in plain.text
    assert plain.json()["can_begin"] is True
    named = (await client.http.get("/api/v1/arena", params={"models": 1})).json()
    assert [entry["model"] for entry in named["models"]] == ["lists-model", "plain-model"]
    chinese = await client.http.get("/api/v1/arena", headers={"accept-language": "zh-CN"})
    assert chinese.json()["language"] == "zh-Hans"
    assert chinese.json()["consent"] != plain.json()["consent"]


BAD_BODIES = [
    ("", {}), ("", {"prompt": 7}), ("", {"prompt": "x", "mode": "other"}), ("", {"prompt": "x", "promt": "y"}),
    ("", {"prompt": "   "}), ("", {"prompt": "x" * 20_001}), ("", []), ("", "x"), ("", None),
    ("/vote", {"winner": "me"}), ("/vote", {"winner": "tie", "final": "yes"}),
    ("/vote", {"winner": "tie", "reasons": "correct"}),
    ("/vote", {"winner": "tie", "reasons": ["nonsense"]}), ("/regenerate", {"side": "c"}), ("/reroll", {}),
    ("/report", {"kind": "other", "text": "x" * 2_001}),
]  # fmt: skip


@pytest.mark.slow
async def test_a_bad_body_is_a_problem_with_a_code(client):
    battle = await client.finished()
    for path, body in BAD_BODIES:
        place = f"/api/v1/battles{'/' + battle if path else ''}{path}"
        reply = await client.http.post(place, json=body)
        assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json"), (
            path,
            body,
        )
        assert reply.json()["code"] in ("bad_value", "prompt_empty", "prompt_too_long"), (path, body)
    assert (await client.state(battle))["can_vote"]


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'{"prompt": "x"', b"[" * 100_000, b'{"prompt": ' + b"9" * 5000 + b"}"]
)
async def test_what_is_not_json_is_refused(client, body):
    reply = await client.http.post("/api/v1/battles", content=body, headers={"content-type": "application/json"})
    assert reply.status_code in (400, 422)
    assert reply.headers["content-type"] == "application/problem+json"


async def test_a_lone_surrogate_becomes_a_question_mark(client):
    body = b'{"prompt": "a \\ud800 tree"}'
    reply = await client.http.post("/api/v1/battles", content=body, headers={"content-type": "application/json"})
    assert reply.json()["turns"][0]["prompt"] == "a ? tree"


async def test_refusals_are_in_the_language_of_the_reader(client):
    body, header = {"prompt": " "}, {"accept-language": "zh-CN"}
    english = (await client.http.post("/api/v1/battles", json=body)).json()["detail"]
    chinese = (await client.http.post("/api/v1/battles", json=body, headers=header)).json()["detail"]
    assert english.isascii()
    assert not chinese.isascii()


async def until(read, condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition(await read()):
        assert time.monotonic() < end, "it did not come"
        await asyncio.sleep(0.05)
