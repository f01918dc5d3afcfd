"""Medians of speed, which pages show: they say nothing about a battle that waits for its vote."""

from __future__ import annotations

import pytest

from arena.store.timings import timings
from tests.support.arenas import LISTS, PLAIN, opened_battles, settled


async def test_a_battle_is_measured_when_it_has_a_vote(database):
    battles = await opened_battles(database, undo_seconds=0)
    view = await battles.begin("ann", "Why is the sky blue?")
    await settled(battles, "ann", view.public_id)
    with database.read() as session:
        assert timings(session) == {}
    await battles.vote("ann", view.public_id, "tie")
    with database.read() as session:
        assert timings(session).keys() == {PLAIN.name, LISTS.name}


@pytest.mark.parametrize("side", ["a", "b"])
async def test_a_side_that_is_run_again_is_not_measured_alone(sqlite, side):
    battles = await opened_battles(sqlite, undo_seconds=0)
    view = await battles.begin("ann", "Why is the sky blue?")
    await settled(battles, "ann", view.public_id)
    await battles.regenerate("ann", view.public_id, side=side)
    await settled(battles, "ann", view.public_id)
    with sqlite.read() as session:
        assert timings(session) == {}
