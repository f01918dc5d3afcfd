"""Battles with chosen models are their voter's alone: named at once, never voted on, published or counted."""

from __future__ import annotations

import pytest
from sqlmodel import select

from arena.battles.battles import BattleRefused, Battles, VoteRefused
from arena.exchange.rows import arena_rows
from arena.exchange.sealing import seal
from arena.rules.modes import Mode
from arena.rules.pii import PIIRedactor
from arena.store.battle_search import BattleConditions, search
from arena.store.duplicate_battles import find_duplicates
from arena.store.judgeable_battles import voted_battles
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, Vote
from arena.store.shared_battles import may_read, public_battles, readable_battle
from arena.store.timings import timings
from arena.store.votes import pair_counts, recount
from tests.support.arenas import LISTS, PLAIN, opened_battles, settled

NAMES = {Mode.CHOSEN: (PLAIN.name, LISTS.name), Mode.SINGLE: (LISTS.name,)}
OWN = [Mode.CHOSEN, Mode.SINGLE]


async def fought(battles: Battles, mode: Mode):
    view = await battles.begin("ann", "Why is the sky blue?", mode=mode, models=NAMES[mode])
    return await settled(battles, "ann", view.public_id)


async def test_two_chosen_models_are_named_from_the_start(database):
    battles = await opened_battles(database)
    view = await battles.begin("ann", "go", mode=Mode.CHOSEN, models=(LISTS.name, PLAIN.name))
    assert (view.model_a, view.model_b, view.sides) == (LISTS.name, PLAIN.name, ("a", "b"))
    view = await settled(battles, "ann", view.public_id)
    assert (view.mode, view.can_vote, view.can_continue) == (Mode.CHOSEN, False, True)


async def test_one_model_writes_alone(database):
    battles = await opened_battles(database)
    view = await fought(battles, Mode.SINGLE)
    assert (view.model_a, view.model_b, view.sides) == (LISTS.name, None, ("a",))
    assert set(view.exchanges[0].completions) == {"a"}
    await battles.continue_("ann", view.public_id, "And then?")
    await settled(battles, "ann", view.public_id)
    await battles.regenerate("ann", view.public_id)
    view = await settled(battles, "ann", view.public_id)
    assert [set(exchange.completions) for exchange in view.exchanges] == [{"a"}, {"a"}]
    with database.read() as session:
        assert set(session.exec(select(CompletionRow.side)).all()) == {"a"}
    with pytest.raises(BattleRefused, match="no side b"):
        await battles.regenerate("ann", view.public_id, side="b")


@pytest.mark.parametrize("mode", OWN)
async def test_it_takes_no_vote_and_no_consent(sqlite, mode):
    battles = await opened_battles(sqlite, undo_seconds=30)
    view = await fought(battles, mode)
    for final in (False, True):
        with pytest.raises(VoteRefused, match="takes no vote") as refused:
            await battles.vote("ann", view.public_id, "tie", final=final)
        assert refused.value.code == "wrong_status"
    with pytest.raises(BattleRefused, match="not published"):
        await battles.share("ann", view.public_id, True)
    with sqlite.read() as session:
        assert session.exec(select(Vote)).all() == []


@pytest.mark.parametrize("status", [BattleStatus.OPEN, BattleStatus.VOTED])
@pytest.mark.parametrize("mode", OWN)
async def test_it_is_in_no_list_board_export_or_seal(database, mode, status):
    """Even if something marked it as shared and voted on."""
    battles = await opened_battles(database)
    view = await fought(battles, mode)
    with database.write() as session:
        battle = session.exec(select(Battle)).one()
        battle.shared, battle.status = True, status
    with database.read() as session:
        assert search(session, BattleConditions(), judged=True) == ([], False)
        assert search(session, BattleConditions(q="sky"), judged=True) == ([], False)
        assert public_battles(session, 0, 10, model=None, category=None, judged=True) == []
        assert readable_battle(session, view.public_id, judged=True) is None
        assert may_read(session, view.public_id, "ann", judged=True)
        assert not may_read(session, view.public_id, "bob", judged=True)
        assert voted_battles(session) == []
        assert (pair_counts(session, None), recount(session)) == ([], [])
        assert list(arena_rows(session, PIIRedactor())) == []
        assert timings(session) == {}
    assert seal(database).new == []


@pytest.mark.parametrize("mode", OWN)
async def test_it_is_not_the_first_of_several_battles_with_the_same_texts(sqlite, mode):
    battles = await opened_battles(sqlite)
    await fought(battles, mode)
    for _ in range(4):
        view = await battles.begin("ann", "Why is the sky blue?")
        await settled(battles, "ann", view.public_id)
    with sqlite.read() as session:
        own = session.exec(select(Battle.id).where(Battle.mode == mode)).one()
        assert own not in {found.battle for found in find_duplicates(session).values()}


@pytest.mark.parametrize(
    ("mode", "models", "text", "code"),
    [
        (Mode.CHOSEN, (PLAIN.name,), "needs 2 different models, and 1 were given", "bad_value"),
        (Mode.CHOSEN, (PLAIN.name, PLAIN.name), "needs 2 different models", "bad_value"),
        (Mode.SINGLE, (PLAIN.name, LISTS.name), "needs 1 different models", "bad_value"),
        (Mode.SINGLE, ("gone",), "There is no model 'gone' here", "bad_value"),
        (Mode.BLIND, (PLAIN.name, LISTS.name), "draws its models", "bad_value"),
    ],
)
async def test_models_that_do_not_fit_the_mode_are_refused(battles, mode, models, text, code):
    with pytest.raises(BattleRefused, match=text) as refused:
        await battles.begin("ann", "go", mode=mode, models=models)
    assert refused.value.code == code


async def test_a_chosen_model_that_is_suspended_is_refused(battles):
    battles.serving.models[PLAIN.name].availability.suspended_until = float("inf")
    with pytest.raises(BattleRefused, match="not available now") as refused:
        await battles.begin("ann", "go", mode=Mode.SINGLE, models=(PLAIN.name,))
    assert refused.value.code == "model_gone"
