"""Models are paused, retired, weighted and added while the arena runs, and no battle breaks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from arena.battles.refusals import BattleRefused
from arena.config import ScriptedSettings
from arena.endpoints.endpoint import Blame
from arena.endpoints.scripted import Scripted
from arena.errors import ConfigError
from arena.rules.model_states import ModelAction
from arena.rules.modes import Mode
from arena.serving.availability import State, Visitor
from arena.serving.models import serve
from arena.store import model_states
from arena.store.schema.battles import BattleStatus
from tests.support.arenas import LISTS, PLAIN, opened_battles, settled
from tests.support.timing import until_async

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
THIRD = ScriptedSettings(name="third-model", endpoint="scripted", delay=0)
SLOW = ScriptedSettings(name="slow-model", endpoint="scripted", delay=0.01)


def change(battles, name, action, **given):
    with battles.database.write() as session:
        model_states.change(session, name, action, **{"reason": "because", "by": "ann", **given})


async def drawn(battles, number=12):
    """The models of so many new battles."""
    names = set()
    for _ in range(number):
        view = await battles.begin("ann", "hello")
        await settled(battles, "ann", view.public_id)
        battle = await battles._find(view.public_id)
        names |= set(battle.models.values())
    return names


def given_file(battles, *models):
    """Let the settings file have these models from now on."""
    battles.serving.read = lambda: models


@pytest.mark.parametrize("action", [ModelAction.PAUSE, ModelAction.RETIRE])
async def test_a_model_that_is_not_enabled_is_drawn_no_more_and_its_battle_goes_on(database, action):
    battles = await opened_battles(database, SLOW, LISTS, THIRD)
    view = await battles.begin("bob", "hello")
    while SLOW.name not in (await battles._find(view.public_id)).models.values():
        view = await battles.begin("bob", "hello")
        await asyncio.sleep(0)
    change(battles, SLOW.name, action)
    await battles.follow_models()
    assert await drawn(battles) == {LISTS.name, THIRD.name}
    assert (await settled(battles, "bob", view.public_id)).status is BattleStatus.OPEN
    await battles.continue_("bob", view.public_id, "and then?")
    assert (await settled(battles, "bob", view.public_id)).status is BattleStatus.OPEN
    await battles.vote("bob", view.public_id, "model_a")
    assert (await battles.view("bob", view.public_id)).status is BattleStatus.VOTED
    change(battles, SLOW.name, ModelAction.ENABLE)
    await battles.follow_models()
    assert SLOW.name in await drawn(battles)


async def test_a_server_that_starts_loads_no_retired_model(sqlite):
    first = await opened_battles(sqlite, PLAIN, LISTS, THIRD)
    change(first, THIRD.name, ModelAction.RETIRE)
    second = await opened_battles(sqlite, PLAIN, LISTS, THIRD)
    assert second.serving.models.keys() == {PLAIN.name, LISTS.name}
    change(first, THIRD.name, ModelAction.ENABLE)
    await second.follow_models()
    assert THIRD.name in second.serving.models


async def test_another_server_follows_within_one_poll(database):
    here, there = [await opened_battles(database, PLAIN, LISTS, THIRD) for _ in range(2)]
    change(here, PLAIN.name, ModelAction.PAUSE)
    await there.follow_models()
    assert there.serving.available_weights().keys() == {LISTS.name, THIRD.name}


async def test_weights_of_operators_replace_those_of_the_file(sqlite):
    battles = await opened_battles(sqlite)
    change(battles, PLAIN.name, ModelAction.WEIGHT, value=3)
    await battles.follow_models()
    weights = battles.serving.available_weights()  # both are newcomers, so both are boosted
    assert weights[PLAIN.name] == 3 * weights[LISTS.name]
    change(battles, PLAIN.name, ModelAction.WEIGHT)
    await battles.follow_models()
    assert len(set(battles.serving.available_weights().values())) == 1


async def test_a_model_that_the_file_disables_can_be_enabled(sqlite):
    battles = await opened_battles(sqlite)
    off = THIRD.model_copy(update={"enabled": False})
    given_file(battles, PLAIN, LISTS, off)
    assert await battles.reload_models() is None
    assert THIRD.name not in battles.serving.models
    change(battles, THIRD.name, ModelAction.ENABLE)
    await battles.follow_models()
    battles.serving.models[THIRD.name].availability.state = State.READY
    assert THIRD.name in await drawn(battles)


async def test_a_model_is_added_by_reading_the_file_again(sqlite):
    battles = await opened_battles(sqlite)
    battles.serving.start()
    given_file(battles, PLAIN, LISTS, THIRD)
    with sqlite.write() as session:
        model_states.note(session, "", ModelAction.RELOAD, reason="", by="ann")
    await battles.follow_models()
    await until_async(lambda: not battles.serving.waiting())
    assert THIRD.name in await drawn(battles)
    assert THIRD.name not in battles.masked(f"I am {THIRD.name}.")
    given_file(battles, PLAIN, LISTS)
    assert await battles.reload_models() is None
    assert await drawn(battles) == {PLAIN.name, LISTS.name}
    await battles.serving.close()


async def test_a_file_that_cannot_be_used_changes_nothing(sqlite, caplog):
    battles = await opened_battles(sqlite)

    def broken():
        raise ConfigError("arena.toml: models[2].wieght: unknown key.")

    assert "without a settings file" in await battles.reload_models()
    battles.serving.read = broken
    assert "unknown key" in await battles.reload_models()
    given_file(battles)
    assert "no models are configured" in await battles.reload_models()
    assert await drawn(battles) == {PLAIN.name, LISTS.name}
    with sqlite.read() as session:
        assert [row.action for row in model_states.changes(session)] == ["refused", "refused"]
    assert "stay as they are" in caplog.text


async def test_other_settings_of_an_endpoint_take_effect_when_its_streams_have_ended(sqlite):
    battles = await opened_battles(sqlite, SLOW, LISTS)
    before = battles.serving.models[SLOW.name]
    view = await battles.begin("ann", "hello")
    await asyncio.sleep(0.02)
    given_file(battles, SLOW.model_copy(update={"delay": 0.0, "weight": 2.0}), LISTS)
    assert await battles.reload_models() is None
    after = battles.serving.models[SLOW.name]
    assert after is not before
    assert after.settings.delay == 0
    assert (await settled(battles, "ann", view.public_id)).status is BattleStatus.OPEN
    await battles.follow_models()
    await battles.vote("ann", view.public_id, "tie")


async def failed_three_times(battles, name):
    for number in range(3):
        battles.serving.record_outcomes({name: Blame.ENDPOINT}, Visitor(f"v{number}"))
    await battles.follow_models()


async def test_an_outage_ends_by_itself_with_growing_gaps_and_each_step_is_logged(sqlite):
    battles = await opened_battles(sqlite, PLAIN, LISTS, THIRD)
    availability = battles.serving.models[THIRD.name].availability
    battles.serving.models[THIRD.name].endpoint = Scripted(fault="before_first_token")
    await failed_three_times(battles, THIRD.name)
    assert await drawn(battles, 4) == {PLAIN.name, LISTS.name}
    gaps = []
    for _ in range(7):
        gaps.append(round(availability.seconds_to_trial))
        availability.suspended_until = 1e-9
        await battles.follow_models()
        await until_async(lambda: not availability.trying)
    assert gaps == pytest.approx([30, 60, 120, 240, 480, 900, 900], abs=14)
    await battles.follow_models()
    with sqlite.read() as session:
        (outage,) = model_states.outages(session, LONG_AGO)
        assert (outage.tries, "the script says" in outage.reason) == (7, True)
    battles.serving.models[THIRD.name].endpoint = Scripted(delay=0)
    availability.suspended_until = 1e-9
    await battles.follow_models()
    await until_async(lambda: not availability.suspended)
    await battles.follow_models()
    with sqlite.read() as session:
        assert [row.action for row in model_states.changes(session, THIRD.name)] == ["return", "outage"]
        assert not model_states.outages(session, LONG_AGO)
    assert THIRD.name in await drawn(battles)


SECRET = ScriptedSettings(
    name="acme-next", endpoint="scripted", delay=0, private=True, replies=("I am acme-next.",)
)


async def test_a_private_model_fights_under_a_code_until_it_is_released(database):
    battles = await opened_battles(database)
    battles.serving.start()
    given_file(battles, PLAIN, LISTS, SECRET)
    assert await battles.reload_models() is None
    await until_async(lambda: not battles.serving.waiting())
    with database.read() as session:
        code = model_states.controls(session)[SECRET.name].code
    assert await drawn(battles) == {PLAIN.name, LISTS.name, code}
    assert SECRET.name not in battles.masked("I am acme-next.")
    assert SECRET.name not in {model.name for model in battles.serving.choosable()}
    for name in (SECRET.name, code):
        with pytest.raises(BattleRefused, match="There is no model"):
            await battles.begin("ann", "hi", mode=Mode.SINGLE, models=[name])
    view = await battles.begin("ann", "hello")
    while code not in (await battles._find(view.public_id)).models.values():
        view = await battles.begin("ann", "hello")
    change(battles, SECRET.name, ModelAction.RELEASE)
    await battles.follow_models()
    assert (await settled(battles, "ann", view.public_id)).status is BattleStatus.OPEN
    await battles.continue_("ann", view.public_id, "more")
    await settled(battles, "ann", view.public_id)
    await battles.vote("ann", view.public_id, "model_a")
    shown = await battles.view("ann", view.public_id)
    assert code in (shown.model_a, shown.model_b)
    assert await drawn(battles) == {PLAIN.name, LISTS.name, SECRET.name}
    await battles.serving.close()


async def test_a_model_that_readers_know_is_not_served_as_private(sqlite, caplog):
    battles = await opened_battles(sqlite)
    await drawn(battles, 1)
    given_file(battles, PLAIN.model_copy(update={"private": True}), LISTS)
    assert "is in battles under its name" in await battles.reload_models()
    assert await drawn(battles, 4) == {PLAIN.name, LISTS.name}


def test_a_private_model_is_not_served_before_the_store_has_its_code():
    assert SECRET.name not in serve([PLAIN, SECRET]).models
