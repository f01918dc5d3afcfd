"""A conversation is refused by the smallest context of all models, whoever fights."""

from __future__ import annotations

import pytest

from arena.battles.battles import BattleRefused, Battles
from arena.battles.conversation_length import check_length
from arena.config import FactSettings, LlamaCppSettings, ScriptedSettings
from arena.serving.bundled import embedded
from arena.serving.context_room import context_of
from arena.serving.models import Serving, serve
from tests.support.arenas import LISTS, PLAIN, opened_battles, settled

THIRD = PLAIN.model_copy(update={"name": "third-model"})
TOO_LONG = r"too long for the models of this arena\. Shorten the prompt or start a new battle\."


def small(context: int = 2048, **more: object) -> ScriptedSettings:
    facts = FactSettings(context=context)
    return PLAIN.model_copy(update={"name": "small-model", "facts": facts, "max_tokens": 256, **more})


async def begun(battles: Battles, prompt: str) -> str:
    """The public id of a battle whose first turn has ended."""
    view = await battles.begin("ann", prompt)
    await settled(battles, "ann", view.public_id)
    return view.public_id


async def test_a_long_first_prompt_is_refused_whoever_would_fight(database):
    rare = small(weight=0)  # never drawn
    battles = await opened_battles(database, rare, LISTS, THIRD)
    for _ in range(20):
        with pytest.raises(BattleRefused, match=TOO_LONG):
            await battles.begin("ann", "x " * 2000)
    await begun(battles, "x " * 1500)


async def test_earlier_turns_count_when_a_battle_continues(database):
    battles = await opened_battles(database, small(weight=0), LISTS, THIRD)
    battle = await begun(battles, "x " * 1200)
    with pytest.raises(BattleRefused, match=TOO_LONG):
        await battles.continue_("ann", battle, "x " * 500)
    await battles.regenerate("ann", battle)
    await settled(battles, "ann", battle)
    await battles.continue_("ann", battle, "And now shorter?")
    await settled(battles, "ann", battle)


async def test_a_prompt_that_no_longer_fits_is_not_regenerated(database):
    battle = await begun(await opened_battles(database, LISTS, THIRD), "x " * 2000)
    later = await opened_battles(database, small(weight=0), LISTS, THIRD)
    with pytest.raises(BattleRefused, match=TOO_LONG):
        await later.regenerate("ann", battle)


async def test_without_a_known_context_nothing_is_refused(database):
    await begun(await opened_battles(database, LISTS, THIRD), "x " * 9990)


def fits(serving: Serving, prompt: str) -> bool:
    try:
        check_length(serving, (), prompt)
    except BattleRefused:
        return False
    return True


def test_the_models_of_the_demo_take_ordinary_prompts():
    serving = serve(embedded())
    assert {context_of(model.settings) for model in serving.models.values()} == {2048}  # 8192 / 4
    assert fits(serving, "Write a letter to my landlord about the broken heating, please. " * 60)
    assert not fits(serving, "x " * 1900)


def test_the_context_is_the_smaller_one_that_is_known():
    llama = LlamaCppSettings(name="x", endpoint="llama_cpp", weights="x", context=8192, parallel=2)
    assert context_of(llama) == 4096
    assert context_of(llama.model_copy(update={"facts": FactSettings(context=1024)})) == 1024
    assert context_of(PLAIN) is None


def test_a_long_completion_or_system_prompt_leaves_less_room_but_does_not_close_the_arena():
    prompt = "x " * 900
    assert fits(serve([small()]), prompt)
    assert fits(serve([small(max_tokens=9999)]), prompt)
    assert not fits(serve([small(system_prompt="Be kind. " * 300)]), prompt)
