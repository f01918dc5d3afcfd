"""Reports of battles: by those who may read them, limited, and listed for the operator."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from arena.battles.battles import BattleRefused, Battles
from arena.battles.visitor_limits import LimitReached, VisitorLimits
from arena.cli import app
from arena.config import BattleSettings, LimitSettings
from arena.store.reports import reports
from tests.support.arenas import LISTS, PLAIN, ready, settled


async def reported(database, **limits: int) -> tuple[Battles, str]:
    serving = ready()
    visitors = VisitorLimits(serving, LimitSettings(**limits))
    battles = Battles(database, serving, BattleSettings(undo_seconds=0), visitor_limits=visitors)
    await battles.open()
    view = await battles.begin("ann", "Why is the sky blue?")
    return battles, (await settled(battles, "ann", view.public_id)).public_id


async def test_a_voter_reports_their_battle_and_a_reader_a_shared_one(database):
    battles, battle = await reported(database)
    await battles.report("ann", battle, "personal", " My address\x00. ")
    with pytest.raises(BattleRefused) as refused:
        await battles.report("bob", battle, "other")
    assert refused.value.code == "not_found"
    await battles.share("ann", battle, True)
    await battles.vote("ann", battle, "tie")
    await battles.report("bob", battle, "hateful", "x" * 5_000)
    with database.read() as session:
        newest, oldest = reports(session)
        assert reports(session, "personal") == [oldest]
    assert (oldest.public_id, oldest.kind, oldest.text) == (battle, "personal", "My address.")
    assert set(oldest.models) == {PLAIN.name, LISTS.name}
    assert len(newest.text) == 2_000


async def test_reports_are_limited(sqlite):
    battles, battle = await reported(sqlite, reports_per_voter=2)
    for _ in range(2):
        await battles.report("ann", battle, "broken")
    with pytest.raises(LimitReached, match="You have sent 2 reports in the last hour") as refused:
        await battles.report("ann", battle, "broken")
    assert refused.value.code == "limit"


async def test_a_kind_that_does_not_exist_is_refused(sqlite):
    battles, battle = await reported(sqlite)
    with pytest.raises(BattleRefused, match="'rude' is not a kind of report") as refused:
        await battles.report("ann", battle, "rude")
    assert refused.value.code == "bad_value"


async def test_the_operator_lists_reports(sqlite):
    battles, battle = await reported(sqlite)
    await battles.report("ann", battle, "illegal", "look at this")
    shown = CliRunner().invoke(app, ["reports", "--db", sqlite.url])
    assert "look at this" in shown.output
    rows = json.loads(CliRunner().invoke(app, ["reports", "--db", sqlite.url, "--format", "json"]).output)
    assert [(row["battle"], row["kind"]) for row in rows] == [(battle, "illegal")]
    assert "illegal" not in CliRunner().invoke(app, ["reports", "--kind", "other", "--db", sqlite.url]).output
