"""Votes on a private model are sealed and exported under its code, and count on no board, before or after its release."""

from __future__ import annotations

import pytest
from sqlmodel import select

from arena.exchange.folder import export_arena
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.leaderboards.leaderboard import publish
from arena.rules.set_aside import on_private_model
from arena.store.battle_search import BattleConditions, search
from arena.store.ledger import sealed_votes, seals
from arena.store.models import model_names
from arena.store.schema.battles import Battle
from arena.store.shared_battles import readable_battle
from arena.store.votes import recount
from tests.support.ballots import ballot, ballots

CODE = "private:0a1b2c3d"


@pytest.fixture
def voted(database):
    """Eight votes between public models, and three on a private one."""
    ballots(database)
    for winner in ("model_a", "model_b", "tie"):
        ballot(database, "amber", CODE, winner, shared=True)
    return database


def test_no_board_has_the_votes_or_the_code(voted, tmp_path):
    with voted.read() as session:
        board = publish(session).to_dict()
        assert recount(session) == []
        assert CODE not in model_names(session)
    assert board["votes"] == 8
    assert CODE not in {row["model"] for row in board["models"]}
    assert next(row for row in board["models"] if row["model"] == "amber")["battles"] < 8 + 3


def test_seals_and_exports_hold_the_votes_and_can_be_verified(voted, tmp_path):
    seal(voted)
    with voted.read() as session:
        assert [on_private_model(vote) for vote in sealed_votes(session)].count(True) == 3
        (made,) = seals(session)
    assert made.votes == 11
    assert all(board["votes"] == 8 for board in made.boards)
    assert CODE not in str(made.boards)
    out = export_arena(voted, tmp_path / "out").path
    assert verify(out).problems == []
    assert CODE not in (out / "boards.json").read_text()
    rows = (out / "battles.jsonl").read_text().splitlines()
    assert len(rows) == 11
    assert all('"conversation_a": null' in row for row in rows if CODE in row)


def test_no_list_has_a_battle_with_a_private_model_but_its_link_leads_to_it(voted):
    ballot(voted, "amber", "birch", "tie", shared=True)
    with voted.read() as session:
        listed, _ = search(session, BattleConditions(), judged=True)
        named, _ = search(session, BattleConditions(model=CODE), judged=True)
        shared = session.exec(select(Battle.public_id).where(Battle.shared)).all()
        assert all(readable_battle(session, public_id, judged=True) for public_id in shared)
    assert [(battle.model_a, battle.model_b) for battle in listed] == [("amber", "birch")]
    assert named == []
    assert len(shared) == 4
