"""`/trust` and its addresses in the API: what an arena says about its own votes."""

from __future__ import annotations

import math

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from arena.config import Settings
from arena.leaderboards.vote_filters import DAILY, FILTERS, SUGGESTED
from arena.rules.controls import Control
from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store import battles as stored
from arena.store.attack_costs import save_attack_cost
from arena.store.control_battles import add_control
from arena.store.quarantine import hold, release
from arena.store.schema.battles import BattleStatus, CompletionStatus, Vote
from arena.store.stored_battles import Written
from arena.store.votes import add_vote
from arena.web.app import create_app
from arena.web.v1 import examples
from tests.support.arenas import ready
from tests.support.ballots import ballot, ballots
from tests.support.battle_clients import HOME

ADDRESSES = {
    "votes": ("states", examples.TRUST_VOTES),
    "controls": ("figures", examples.TRUST_CONTROLS),
    "filter": ("changes", examples.TRUST_FILTER),
    "attack-cost": ("models", examples.TRUST_ATTACK_COST),
}
ROW = {
    "model": "amber", "place": 2, "direction": "up", "attacker": "target", "neighbour": "birch", "gap": 7.4, "votes": 31,
    "battles": 465, "accounts": 2, "challenges": None, "hours": 3.1, "usd": None,
}  # fmt: skip


@pytest.fixture
def reader(sqlite):
    with TestClient(create_app(Settings(ledger={"seal_every": 0}), sqlite, ready()), base_url=HOME) as client:
        yield client


def held(database, number=2):
    """Quarantine the first votes; returns their ids."""
    with database.write() as session:
        ids = list(session.exec(select(Vote.id).order_by(Vote.id).limit(number)))
        hold(
            session, ids, VoteState.QUARANTINED, QuarantineReason.VOTER_TEST,
            detail="e-value 412 <script>", check_version="voters-1", by="the test",
        )  # fmt: skip
    return ids


def same_model_votes(database, winners, model="amber"):
    """Votes on control battles of one model against itself, each by another voter."""
    with database.write() as session:
        for number, winner in enumerate(winners):
            battle = stored.add_battle(session, f"voter-{number}", model, model, 1.0)
            stored.add_turn(session, battle.id, "Name a tree.")
            done = {side: Written(f"Birch {side}.", CompletionStatus.FINISHED) for side in ("a", "b")}
            stored.finish_turn(session, battle.id, done, BattleStatus.OPEN)
            add_control(session, battle.id, Control.SAME_MODEL)
            session.flush()
            add_vote(session, battle.id, "human", f"voter-{number}", winner, stopped_early=False)


def of(reader, name):
    reply = reader.get(f"/api/v1/trust/{name}")
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_an_arena_without_votes_says_so(reader):
    page = reader.get("/trust")
    assert page.status_code == 200
    assert "Nobody has voted yet" in page.text
    assert "No control battle has a vote yet" in page.text
    assert "No vote is sealed yet" in page.text
    for name, (rows, example) in ADDRESSES.items():
        assert of(reader, name).keys() == example.keys(), rows


def test_votes_are_shown_by_state_with_a_sentence_and_no_evidence(sqlite, reader):
    ballots(sqlite)
    ids = held(sqlite)
    total = of(reader, "votes")["votes"]
    rows = {(row["state"], row["reason"]): row for row in of(reader, "votes")["states"]}
    assert rows["quarantined", "voter_test"]["votes"] == 2
    assert rows["accepted", None]["votes"] == total - 2
    assert sum(row["share"] for row in rows.values()) == pytest.approx(1)
    page = reader.get("/trust").text
    assert QuarantineReason.VOTER_TEST.sentence in page
    for secret in ("e-value", "voters-1", "the test"):
        assert secret not in page
        assert secret not in reader.get("/api/v1/trust/filter").text
    with sqlite.write() as session:
        release(session, ids, "a class that voted together", "ann")
    reader.app.state.v1.cache._entries.clear()  # the figures rest
    states = {row["state"] for row in of(reader, "votes")["states"] if row["votes"]}
    assert states == {"accepted", "released"}
    assert [(row["state"], row["votes"]) for row in of(reader, "filter")["changes"]] == [
        ("released", 2),
        ("quarantined", 2),
    ]


def test_votes_on_control_battles_and_private_models_stand_apart(sqlite, reader):
    ballots(sqlite)
    for_boards = of(reader, "votes")["votes"]
    same_model_votes(sqlite, ["model_a", "tie", "model_b"])
    ballot(sqlite, "amber", "private:3f", "tie")
    with sqlite.write() as session:  # a held control vote is none of the quarantined votes of boards
        newest = session.exec(select(Vote.id).order_by(Vote.id.desc()).limit(2)).all()
        hold(session, newest, VoteState.QUARANTINED, QuarantineReason.TOO_FAST, by="the test")
    reader.app.state.v1.cache._entries.clear()  # the figures rest
    found = of(reader, "votes")
    assert (found["votes"], found["apart"]) == (for_boards, {"control": 3, "private": 1})
    assert [(row["state"], row["votes"]) for row in found["states"] if row["votes"]] == [("accepted", for_boards)]
    page = reader.get("/trust").text
    assert "on control battles" in page
    assert "on private models" in page


def test_position_bias_is_shown_from_control_battles(sqlite, reader):
    ballots(sqlite)
    same_model_votes(sqlite, ["model_a"] * 24 + ["model_b"] * 12 + ["tie"] * 4)
    rows = {row["figure"]: row for row in of(reader, "controls")["figures"]}
    assert rows["left_share"]["value"] == pytest.approx(26 / 40)
    assert rows["left_share"]["lower"] < 26 / 40 < rows["left_share"]["upper"]
    assert rows["decisive_share"]["value"] == pytest.approx(36 / 40)
    assert rows["reversed_share"]["value"] is None
    assert rows["position_logits"]["voters"] == 36
    logits = rows["position_logits"]["value"]
    assert logits == pytest.approx(math.log(24 / 12), abs=0.05)
    page = reader.get("/trust").text
    assert "65.0 %" in page
    assert f"Advantage of the left side: {logits:.2f} logits." in page
    assert page.count("range-bar") == 2


def test_the_cost_of_an_attack_leaves_private_models_out(sqlite, reader):
    ballots(sqlite)
    hidden = [{**ROW, "model": "private:3f"}, {**ROW, "neighbour": "private:3f", "votes": 1}]
    summary = {"board_votes": 9, "target": {"least": 31, "median": 31}, "omnipresent": None}
    with_hidden = {**summary, "target": {"least": 1, "median": 31}}
    document = {
        "measured_at": "2026-11-28T00:04:00+00:00",
        "votes": 9,
        "summary": with_hidden,
        "models": [ROW, *hidden],
    }
    with sqlite.write() as session:
        save_attack_cost(session, "2026-11-28", document)
    reply = of(reader, "attack-cost")
    assert reply["models"] == [ROW]
    assert reply["summary"] == summary
    assert reply["days"] == [{"day": "2026-11-28", **summary}]
    page = reader.get("/trust").text
    assert "up, past birch" in page
    assert "private:" not in page


def test_figures_come_as_tables_and_are_not_sent_twice(sqlite, reader):
    ballots(sqlite)
    for name in ADDRESSES:
        reply = reader.get(f"/api/v1/trust/{name}", headers={"accept": "text/csv"})
        assert reply.headers["content-type"].startswith("text/csv")
        again = reader.get(
            f"/api/v1/trust/{name}", headers={"accept": "text/csv", "if-none-match": reply.headers["etag"]}
        )
        assert again.status_code == 304


def test_the_page_is_in_chinese_too_and_linked_from_every_page(sqlite, reader):
    ballots(sqlite)
    held(sqlite)
    page = reader.get("/trust", headers={"accept-language": "zh-CN"}).text
    assert "计入的投票" in page
    assert "Votes that count" not in page
    assert 'href="/trust"' in reader.get("/leaderboard").text


def test_filters_say_their_own_numbers():
    assert str(DAILY) in FILTERS["capped-1"].says
    assert f"one in {SUGGESTED} " in FILTERS["mixed-1"].says


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "a share of 30 % is drawn by weight alone. The weight of a model counts 2 times until it has 100 votes."),
        ({"floor": 0.5, "newcomer_votes": 0}, "a share of 50 % is drawn by weight alone."),
        ({"rule": "weighted", "newcomer_boost": 3}, "weights of their models alone. The weight of a model counts 3 times"),
    ],
)  # fmt: skip
def test_the_rule_of_the_draw_is_on_the_page(sqlite, settings, said):
    app = create_app(Settings(ledger={"seal_every": 0}, sampling=settings), sqlite, ready())
    with TestClient(app, base_url=HOME) as client:
        section = client.get("/trust").text.partition('id="sampling"')[2]
    assert said in " ".join(section.split())
    assert ("The weight of a model" in section) == (settings.get("newcomer_votes") != 0)
