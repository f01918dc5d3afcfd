"""A turn that nobody reads stops spending and keeps its text; a voter who comes back in time sees it go on."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from arena.battles.battles import Battles
from arena.battles.readers import Readers
from arena.config import BattleSettings, ScriptedSettings
from arena.store.schema.battles import BattleStatus
from tests.support.arenas import opened_battles, ready, settled, views_of

SLOW = ScriptedSettings(name="slow-one", endpoint="scripted", delay=0.02, replies=("word " * 400,))
SILENT = ScriptedSettings(name="silent-one", endpoint="scripted", fault="silent")
PAIR = (SLOW, SLOW.model_copy(update={"name": "slow-two"}))


async def read(battles, public_id: str, reading: list[bool]) -> None:
    """A page that follows the turn; it reads while the list holds `True`."""
    async for _ in views_of(battles, "ann", public_id, lambda: reading[-1]):
        pass


async def stopped(battles, seconds: float) -> int:
    """How many turns are stopped while the check runs for some seconds."""
    number = 0
    for _ in range(int(seconds / 0.05)):
        await asyncio.sleep(0.05)
        number += await battles.stop_unread()
    return number


async def test_a_turn_that_nobody_ever_reads_is_stopped_with_its_text(sqlite):
    battles = await opened_battles(sqlite, *PAIR, unread_seconds=0.3, pacing="off")
    view = await battles.begin("ann", "hello")
    assert await stopped(battles, 0.6) == 1
    view = await settled(battles, "ann", view.public_id)
    assert view.status is BattleStatus.OPEN
    assert (view.can_vote, view.can_continue, view.stopped_early) == (True, True, True)
    assert 1 <= len(view.exchanges[0].completion_a.split()) < 100
    await battles.regenerate("ann", view.public_id)
    await battles.close()


async def test_a_closed_tab_stops_the_turn(sqlite):
    battles = await opened_battles(sqlite, *PAIR, unread_seconds=0.3, pacing="off")
    view = await battles.begin("ann", "hello")
    reading = [True]
    page = asyncio.create_task(read(battles, view.public_id, reading))
    assert await stopped(battles, 0.6) == 0
    reading.append(False)
    assert await stopped(battles, 0.6) == 1
    await page


async def test_a_reload_in_time_goes_on(sqlite):
    battles = await opened_battles(sqlite, *PAIR, unread_seconds=0.4)
    view = await battles.begin("ann", "hello")
    first = asyncio.create_task(read(battles, view.public_id, [True]))
    await stopped(battles, 0.2)
    first.cancel()
    assert await stopped(battles, 0.2) == 0
    second = asyncio.create_task(read(battles, view.public_id, [True]))
    assert await stopped(battles, 0.6) == 0
    await battles.close()
    await second


async def test_a_turn_without_text_can_be_regenerated_but_not_voted_on(sqlite):
    battles = await opened_battles(sqlite, SILENT, SLOW, unread_seconds=0.2)
    view = await battles.begin("ann", "hello")
    assert await stopped(battles, 0.4) == 1
    view = await settled(battles, "ann", view.public_id)
    assert (view.status, view.can_vote, view.can_continue) == (BattleStatus.OPEN, False, False)
    await battles.regenerate("ann", view.public_id)
    await battles.close()


async def test_a_stopped_turn_is_no_failure_of_a_model(sqlite):
    battles = await opened_battles(sqlite, SILENT, SLOW, unread_seconds=0.1)
    for _ in range(4):
        view = await battles.begin("ann", "hello")
        await stopped(battles, 0.2)
        await settled(battles, "ann", view.public_id)
    assert len(battles.serving.available_weights()) == 2


async def test_zero_never_stops_a_turn(sqlite):
    battles = await opened_battles(sqlite, *PAIR, unread_seconds=0)
    await battles.begin("ann", "hello")
    assert await stopped(battles, 0.2) == 0
    await battles.close()


def test_readers_are_absent_from_the_last_moment_of_reading():
    now = [0.0]
    readers = Readers(lambda: now[0])
    now[0] = 5
    assert readers.absent_for() == 5
    with readers.with_reader(lambda: True):
        now[0] = 8
        assert readers.absent_for() == 0
        now[0] = 9
    now[0] = 10
    assert readers.absent_for() == 1
    with pytest.raises(RuntimeError), readers.with_reader(lambda: False):
        raise RuntimeError
    assert readers.absent_for() == 1


@pytest.mark.slow
async def test_a_turn_that_is_read_on_another_server_goes_on(sqlite):
    running = await opened_battles(sqlite, *PAIR, unread_seconds=2.4, pacing="off")
    other = Battles(sqlite, ready(*PAIR), BattleSettings(unread_seconds=2.4), Random(0))
    view = await running.begin("ann", "hello")
    reading = [True]

    async def follow() -> None:
        async for _ in other.follow("ann", view.public_id, lambda: reading[-1]):
            pass

    page = asyncio.create_task(follow())
    assert await stopped(running, 3.2) == 0
    reading.append(False)
    assert await stopped(running, 5.0) == 1
    await asyncio.wait_for(page, 60)
    await running.close()
